# SPDX-License-Identifier: Apache-2.0
"""What the backend does for the render engine: keeps surfaces, draws frames.

Does not know pipes or queues. The renderer is imported by the first frame.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rome_backend.core.errors import FileInvalid, RomeError
from rome_backend.core.messages import FrameReady, Message, RenderFrame, SetSurface, SurfaceReady
from rome_backend.server.jobs import Handler, Job

if TYPE_CHECKING:
    from rome_backend.render.surface import Surface

KEPT_SURFACES = 32  # more different heads than this do not fit one frame
VIEWPORT_SAMPLES = 1
_HINT = "Save the file, restart Blender, and report this if it happens again."


class Frames:
    """The surfaces that the add-on sent, and the frames drawn with them.

    Args:
        device: "auto", "cpu" or "cuda": what draws.
    """

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._surfaces: OrderedDict[str, Surface] = OrderedDict()

    def table(self) -> Mapping[type[Any], Handler]:
        """Return message type -> what answers it."""
        return {SetSurface: self.set_surface, RenderFrame: self.render}

    def set_surface(self, message: SetSurface, job: Job) -> Message:
        """Keep a surface on the device that draws.

        FileInvalid `surface_invalid` when its arrays do not fit each other, RomeError
        `device_missing` when the chosen device is not there.
        """
        from rome_backend.render.device import torch_device
        from rome_backend.render.surface import textured_surface

        device = torch_device(self._device)
        try:
            surface = textured_surface(message.faces, message.uvs, message.albedo, device)
        except ValueError as error:
            raise FileInvalid(
                "surface_invalid", f"A head cannot be drawn: {error}.", _HINT
            ) from error
        self._surfaces[message.surface_id] = surface
        self._surfaces.move_to_end(message.surface_id)
        while len(self._surfaces) > KEPT_SURFACES:
            self._surfaces.popitem(last=False)
        return SurfaceReady(message.request_id, message.surface_id)

    def render(self, message: RenderFrame, job: Job) -> Message:
        """Draw a frame (see render.frame); RomeError `surface_unknown` asks for a surface again."""
        from rome_backend.render.frame import SAMPLES, render_frame
        from rome_backend.render.scene import PlacedHead

        heads = [
            PlacedHead(self._surface(name), vertices, bool(np.linalg.det(placed[:3, :3]) < 0))
            for name, vertices, placed in zip(
                message.surface_ids, message.vertices, message.head_to_world, strict=True
            )
        ]
        samples = VIEWPORT_SAMPLES if message.viewport else SAMPLES
        try:
            frame = render_frame(
                heads, message.world_to_clip, message.world_to_view, message.width, message.height,
                message.passes, samples, job.check,
            )  # fmt: skip
        except ValueError as error:
            raise FileInvalid(
                "frame_invalid", f"The frame cannot be drawn: {error}.", _HINT
            ) from error
        return FrameReady(
            message.request_id, frame.combined, frame.mask, frame.depth, frame.uv, frame.normal
        )

    def _surface(self, surface_id: str) -> Surface:
        if surface_id not in self._surfaces:
            raise RomeError(
                "surface_unknown", "The backend does not know a head's surface.", "Send it again."
            )
        self._surfaces.move_to_end(surface_id)
        return self._surfaces[surface_id]
