# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark as Asset: the head enters the Asset Browser with a picture of itself.

Does not know how the picture is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..core_access import FrameReady
from ..engine.heads import FrameHead
from ..head.portrait import drawable, mark_asset, portrait_request
from ..pump import PUMP, Request
from .head_jobs import HeadJob
from .job import refuse_when_busy
from .pose_tools import head_is_ready


class ROME_OT_mark_asset(HeadJob, bpy.types.Operator):
    """Make the active head an asset with a rendered picture."""

    bl_idname = "rome.mark_asset"
    bl_label = "Mark as Asset"
    bl_description = "Put the head into the Asset Browser, with its licences and a picture of it"
    bl_options = {"UNDO"}
    label = "Drawing the head's picture"

    _shown: FrameHead | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head of this file, and no other job."""
        return head_is_ready(cls, context) and refuse_when_busy(cls)

    def ask(self, context: bpy.types.Context) -> Request:
        """Send what the head looks like."""
        head = self.begin(context)
        self._shown = drawable(head, context.evaluated_depsgraph_get())
        return PUMP.ask(self._shown.surface())

    def follow_up(self, context: bpy.types.Context, answer: Any) -> Request | None:
        """Ask for the picture once the backend knows the head."""
        if isinstance(answer, FrameReady) or self._shown is None:
            return None
        return PUMP.ask(portrait_request(self._shown))

    def receive(self, context: bpy.types.Context, answer: Any) -> Iterator[None]:
        """Mark the head, with the picture."""
        mark_asset(self.head(context), answer)
        yield

    def notes(self, answer: Any) -> tuple[str, ...]:
        """Return where it is to be found."""
        return ("The head is in the Asset Browser, under Current File.",)


CLASSES = (ROME_OT_mark_asset,)
