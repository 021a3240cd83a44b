# SPDX-License-Identifier: Apache-2.0
"""Pictures of an avatar by a rendering network, from its neural texture.

Does not know files, or where the networks come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rome_backend.avatar.animator import Animator
from rome_backend.avatar.head_renderer import HeadFeatures, HeadRenderer, RenderedHead
from rome_backend.core.errors import UsageError
from rome_backend.core.types import F32, U8, Avatar, Camera, FlameParams, HeadModel
from rome_backend.inference.int8 import Int8Network
from rome_backend.render.composite import MASK_THRESHOLD, opened_mask
from rome_backend.render.rasterizer import image_ndc

PAPER = (244, 243, 240)
STEP = 8

View = tuple[Camera, FlameParams | None]


@dataclass(frozen=True)
class Drawing:
    """A network with what draws by it.

    renderer: HeadRenderer of a head's surface and the network; device: where both are;
    step: the network's pictures have sides that are multiples of it, px;
    soft: the network's mask is the picture's alpha; else, as released, it is cut and opened.
    """

    renderer: HeadRenderer
    device: torch.device = torch.device("cpu")
    step: int = STEP
    soft: bool = False


class NeuralAvatar:
    """One avatar drawn by one network: texture and identity are prepared once.

    Raises UsageError (`no_neural_texture`) and FileInvalid (`topology_mismatch`).
    """

    def __init__(self, drawing: Drawing, avatar: Avatar, head: HeadModel) -> None:
        self.drawing = drawing
        texture = neural_texture(avatar)
        self._levels = drawing.renderer.levels(
            torch.as_tensor(texture, device=drawing.device)[None]
        )
        self._animator = Animator(avatar, head, drawing.device)

    def pictures(
        self, views: Sequence[View], background: tuple[int, int, int] | None = PAPER
    ) -> U8:
        """Draw views, all of one size, (N, H, W, 4) u8 sRGB with straight alpha.

        background: sRGB, None for transparent. Raises UsageError (`picture_size`) for sides that
        are no multiples of the network's step.
        """
        return self.finish(self.prepare(views), background)

    @torch.inference_mode()
    def prepare(self, views: Sequence[View]) -> HeadFeatures:
        """Return what the network is given for views of one size: all but the network's work."""
        camera = views[0][0]
        require_size(camera.width, camera.height, self.drawing.step)
        vertices, places = self.projected(views)
        return self.drawing.renderer.features(
            self._levels, vertices, places, camera.height, camera.width
        )

    def eight_bits(self) -> Int8Network | None:
        """Return the network where it draws in 8 bits, one view at a time, else None."""
        network = self.drawing.renderer.network
        return network if isinstance(network, Int8Network) else None

    @torch.inference_mode()
    def seen(self, views: Sequence[View]) -> list[torch.Tensor]:
        """Return what the network is given of each view, (1, C, H, W)."""
        found = [self.prepare([view]) for view in views]
        return [self.drawing.renderer.seen(each.textured, each.normals) for each in found]

    @torch.inference_mode()
    def projected(self, views: Sequence[View]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return vertices (N, V, 3) m in the head's own frame, and where views put them (NDC)."""
        vertices = self._animator.vertices([params for _, params in views])
        device = self.drawing.device
        places = [
            image_ndc(own.double(), torch.as_tensor(camera.world_to_clip, device=device)).float()
            for own, (camera, _) in zip(vertices, views, strict=True)
        ]
        return vertices, torch.stack(places)

    @torch.inference_mode()
    def finish(self, features: HeadFeatures, background: tuple[int, int, int] | None = PAPER) -> U8:
        """Return the pictures (N, H, W, 4) of prepared views."""
        rendered = self.drawing.renderer.draw(features)
        return to_pictures(rendered, background, self.drawing.soft)


def neural_texture(avatar: Avatar) -> F32:
    """Return the avatar's neural texture (8, T, T); UsageError (`no_neural_texture`) if none."""
    if avatar.neural_texture is None:
        raise UsageError(
            "no_neural_texture", f"The avatar {avatar.name!r} has no neural texture.",
            "Create it with --networks official, or render with --renderer textured.",
        )  # fmt: skip
    return avatar.neural_texture


def require_size(width: int, height: int, step: int = STEP) -> None:
    """Raise UsageError (`picture_size`) unless a network draws pictures of this size, px."""
    if width % step or height % step:
        raise UsageError(
            "picture_size", f"The network draws no {width} x {height} px.",
            f"Choose multiples of {step}; it was trained at 256.",
        )  # fmt: skip


def to_pictures(
    rendered: RenderedHead, background: tuple[int, int, int] | None, soft: bool = False
) -> U8:
    """Return rendered heads as (N, H, W, 4) u8 sRGB, straight alpha.

    soft: the mask is the alpha; else what lies in the cut and opened mask is kept, as released.
    """
    alpha = rendered.soft_mask
    if not soft:
        alpha = opened_mask((alpha > MASK_THRESHOLD).float())
    rgb = rendered.rgb
    if background is None:
        rgb = torch.where(alpha > 0, rgb, torch.zeros_like(rgb))
    else:
        ground = rgb.new_tensor(background).view(1, 3, 1, 1) / 255
        rgb = ground + alpha * (rgb - ground)
        alpha = torch.ones_like(alpha)
    drawn = torch.cat([rgb, alpha], dim=1) * 255 + 0.5
    return np.asarray(drawn.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy())
