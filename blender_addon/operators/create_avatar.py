# SPDX-License-Identifier: GPL-3.0-or-later
"""Create Head: the chosen photos become a head in the scene.

Does not know how the backend makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..core_access import CreateAvatar
from ..head.placement import look_at_head
from ..head.receive import new_head_steps, notes_of
from ..jobs import STATE
from ..photos import CHOICE
from ..properties import settings_of
from ..pump import PUMP, Request
from .job import BackendJob, nothing_is_edited, refuse_when_busy


def ask_for_avatar(context: bpy.types.Context, photos: tuple[str, ...]) -> Request:
    """Send the request for an avatar of one person's photos with the panel's settings."""
    settings = settings_of(context)
    return PUMP.ask(
        CreateAvatar(
            0,
            photos,
            size=int(settings.texture_size),
            face=settings.face,
            seed=settings.seed,
            head=settings.head_model,
        )
    )


class ROME_OT_create_head(BackendJob, bpy.types.Operator):
    """Make a head of the chosen photos; scripts choose them with rome.add_photos."""

    bl_idname = "rome.create_head"
    bl_label = "Create Head"
    bl_description = "Make a rigged, textured head of the chosen photos of one person"
    bl_options = {"UNDO"}
    label = "Creating the head"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A photo is chosen, no other job runs and nothing is being edited."""
        if not CHOICE.paths:
            cls.poll_message_set("Choose a photo first")
            return False
        return nothing_is_edited(cls, context) and refuse_when_busy(cls)

    def ask(self, context: bpy.types.Context) -> Request:
        """Ask for an avatar of the photos."""
        return ask_for_avatar(context, tuple(CHOICE.paths))

    def receive(self, context: bpy.types.Context, answer: Any) -> Iterator[None]:
        """Build the head and turn the viewport to it."""
        built = yield from new_head_steps(answer)
        if context.area is not None and context.area.type == "VIEW_3D":
            look_at_head(context.space_data, built.mesh)

    def notes(self, answer: Any) -> tuple[str, ...]:
        """Return the warnings about the photo."""
        return notes_of(answer)


class ROME_OT_cancel(bpy.types.Operator):
    """Give up the running job."""

    bl_idname = "rome.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the running job and leave the scene as it was"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A job runs."""
        if not STATE.label:
            cls.poll_message_set("No job is running")
        return bool(STATE.label)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Tell the modal operator, which gives up at its next tick."""
        STATE.cancelling = True
        return {"FINISHED"}


CLASSES = (ROME_OT_create_head, ROME_OT_cancel)
