# SPDX-License-Identifier: Apache-2.0
"""What the backend does for the render engine: keeps surfaces and avatars, draws frames.

Does not know pipes or queues. The renderer is imported by the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rome_backend.core.errors import FileInvalid
from rome_backend.core.messages import (
    FrameReady,
    KeepAvatar,
    Message,
    RenderFrame,
    SetSurface,
    SurfaceReady,
)
from rome_backend.core.types import Camera
from rome_backend.server.jobs import Handler, Job
from rome_backend.server.kept_surfaces import KeptSurfaces
from rome_backend.server.neural_heads import ROME, TEXTURED, NeuralHeads

if TYPE_CHECKING:
    from rome_backend.avatar.neural_frame import NeuralLook
    from rome_backend.render.frame import FramePasses
    from rome_backend.render.scene import PlacedHead

VIEWPORT_SAMPLES = 1
_HINT = "Save the file, restart Blender, and report this if it happens again."


class Frames:
    """The surfaces that the add-on sent, and the frames drawn with them.

    Args:
        device: "auto", "cpu" or "cuda": what draws.
    """

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._surfaces = KeptSurfaces()
        self._neural = NeuralHeads(device)

    def table(self) -> Mapping[type[Any], Handler]:
        """Return message type -> what answers it."""
        return {
            SetSurface: self.set_surface,
            KeepAvatar: self._neural.keep,
            RenderFrame: self.render,
        }

    def set_surface(self, message: SetSurface, job: Job) -> Message:
        """Keep a surface on the device that draws.

        FileInvalid `surface_invalid` when its arrays do not fit each other, RomeError
        `device_missing` when the chosen device is not there.
        """
        from rome_backend.render.device import torch_device
        from rome_backend.render.surface import textured_surface
        from rome_backend.server.pictures import albedo_of

        device = torch_device(self._device)
        albedo = albedo_of(message)
        try:
            surface = textured_surface(message.faces, message.uvs, albedo, device)
        except ValueError as error:
            raise FileInvalid(
                "surface_invalid", f"A head cannot be drawn: {error}.", _HINT
            ) from error
        self._surfaces.keep(message.surface_id, surface)
        return SurfaceReady(message.request_id, message.surface_id)

    def render(self, message: RenderFrame, job: Job) -> Message:
        """Draw a frame (see render.frame and avatar.neural_frame).

        RomeError `surface_unknown` and `avatar_unknown` ask for something again; others as
        neural_heads.looks says.
        """
        from rome_backend.render.scene import PlacedHead

        self._surfaces.begin_frame()
        heads = [
            PlacedHead(self._surfaces.used(name), vertices, bool(np.linalg.det(placed[:3, :3]) < 0))
            for name, vertices, placed in zip(
                message.surface_ids, message.vertices, message.head_to_world, strict=True
            )
        ]
        looks, note = self._neural.looks(message)
        try:
            frame = _drawn(message, heads, looks, job)
        except ValueError as error:
            raise FileInvalid(
                "frame_invalid", f"The frame cannot be drawn: {error}.", _HINT
            ) from error
        drawn_by = tuple(TEXTURED if look is None else ROME for look in looks)
        return FrameReady(
            message.request_id, frame.combined, frame.mask, frame.depth, frame.uv, frame.normal,
            drawn_by, note,
        )  # fmt: skip


def _drawn(
    message: RenderFrame,
    heads: Sequence[PlacedHead],
    looks: Sequence[NeuralLook | None],
    job: Job,
) -> FramePasses:
    """Return a frame's passes; networks draw combined alone, the others are the mesh's."""
    from rome_backend.render.frame import SAMPLES, render_frame

    samples = VIEWPORT_SAMPLES if message.viewport else SAMPLES
    neural = "combined" in message.passes and any(look is not None for look in looks)
    passes = [name for name in message.passes if name != "combined" or not neural]
    frame = render_frame(
        heads, message.world_to_clip, message.world_to_view, message.width, message.height,
        passes, samples, job.check,
    )  # fmt: skip
    if not neural:
        return frame
    from rome_backend.avatar.neural_frame import NeuralHead, neural_combined

    placed = map(NeuralHead, heads, message.head_to_world, looks)
    camera = Camera(message.world_to_clip, message.width, message.height)
    combined = neural_combined(
        list(placed), camera, message.world_to_view, message.picture_side, samples, job.check
    )
    return replace(frame, combined=combined)
