# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebake: the head's texture again from its own photo, at another size or without its light.

Does not know how textures are made.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..core_access import LoadAvatar, Rebake
from ..head.find import active_head, is_editable
from ..head.stored_avatar import has_avatar, stored_avatar
from ..properties import settings_of
from ..pump import PUMP, Request
from .head_jobs import HeadJob
from .job import nothing_is_edited, refuse_when_busy


class ROME_OT_rebake(HeadJob, bpy.types.Operator):
    """Bake the active head's texture again."""

    bl_idname = "rome.rebake"
    bl_label = "Rebake"
    bl_description = "Make the head's texture again from its photo; a painted texture stays"
    bl_options = {"UNDO"}
    label = "Baking the texture"

    _loaded = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head of this file that carries its avatar, and no other job."""
        head = active_head(context)
        if head is None:
            cls.poll_message_set("Select a head first")
        elif not is_editable(head):
            cls.poll_message_set("The head is linked from another file")
        elif not has_avatar(head):
            cls.poll_message_set("This head carries no avatar")
        else:
            return nothing_is_edited(cls, context) and refuse_when_busy(cls)
        return False

    def ask(self, context: bpy.types.Context) -> Request:
        """Hand the backend the avatar: it may have been restarted since the head was made."""
        head = self.begin(context)
        self._loaded = False
        return PUMP.ask(LoadAvatar(0, np.frombuffer(stored_avatar(head), np.uint8)))

    def follow_up(self, context: bpy.types.Context, answer: Any) -> Request | None:
        """Ask for the new texture once the avatar is known."""
        if self._loaded:
            return None
        self._loaded = True
        settings = settings_of(context)
        size = int(settings.texture_size)
        return PUMP.ask(Rebake(0, answer.avatar_id, size=size, delight=settings.delight))


CLASSES = (ROME_OT_rebake,)
