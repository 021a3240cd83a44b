# SPDX-License-Identifier: GPL-3.0-or-later
"""What jobs about heads share: making a new one of the answer, or giving it to the active one.

Does not know what is asked of the backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..core_access import CreateAvatar, RomeError
from ..head.find import active_head, heads_of
from ..head.placement import look_at_head
from ..head.receive import new_head_steps, notes_of, updated_head_steps
from ..properties import settings_of
from ..pump import PUMP, Request
from .job import BackendJob


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
            tracker=settings.tracker,
            networks=settings.networks,
            neural_size=int(settings.neural_size),
            face_tightness=settings.face_tightness,
            delight=settings.delight,
            focal_length=settings.focal_length,
        )
    )


class NewHeadJob(BackendJob):
    """Mixin of jobs whose answer becomes another head in the scene."""

    def receive(self, context: bpy.types.Context, answer: Any) -> Iterator[None]:
        """Build the head and turn the viewport to it."""
        built = yield from new_head_steps(answer)
        if context.area is not None and context.area.type == "VIEW_3D":
            look_at_head(context.space_data, built.mesh)

    def notes(self, answer: Any) -> tuple[str, ...]:
        """Return the warnings about the photo."""
        return notes_of(answer)


class HeadJob(BackendJob):
    """Mixin of jobs that change the head which was active when they began."""

    _head_name = ""
    _kept: tuple[str, ...] = ()

    def begin(self, context: bpy.types.Context) -> bpy.types.Object:
        """Remember the active head by name, because undo invalidates references."""
        head = active_head(context)
        if head is None:
            raise RomeError("no_head", "There is no head.", "Select a head first.")
        self._head_name = head.name
        return head

    def head(self, context: bpy.types.Context) -> bpy.types.Object:
        """Return the head by its name; RomeError 'no_head' where it was deleted meanwhile."""
        for head in heads_of(context.scene):
            if head.name == self._head_name:
                return head
        message = f"The head {self._head_name} is no longer there."
        raise RomeError("no_head", message, "Select a head, then try again.")

    def receive(self, context: bpy.types.Context, answer: Any) -> Iterator[None]:
        """Give the head the new rig."""
        kept = yield from updated_head_steps(answer, self.head(context))
        parts = [f"Kept your key {name}." for name in kept.keys]
        self._kept = (*parts, *(f"Kept what was painted on {name}." for name in kept.images))

    def notes(self, answer: Any) -> tuple[str, ...]:
        """Return the warnings about the photo, and what was kept."""
        return (*notes_of(answer), *self._kept)
