# SPDX-License-Identifier: Apache-2.0
"""Pictures of an avatar by the rendering network, from its neural texture.

Does not know files, or where the networks come from.
"""

from __future__ import annotations

import numpy as np
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.feed_forward import FeedForward
from rome_backend.core.errors import UsageError
from rome_backend.core.types import F64, U8, Avatar, Camera, FlameParams, HeadModel
from rome_backend.render.composite import MASK_THRESHOLD, opened_mask

_PAPER = (244, 243, 240)
_STEP = 8


def camera_ndc(camera: Camera, vertices: F64) -> F64:
    """Return vertices (V, 3) in image NDC: x right, y down, smaller z nearer."""
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    clip = homogeneous @ camera.world_to_clip.T
    return clip[:, :3] / clip[:, 3:] * np.array([1.0, -1.0, 1.0])


@torch.no_grad()
def neural_picture(
    system: FeedForward,
    avatar: Avatar,
    head: HeadModel,
    camera: Camera,
    params: FlameParams | None = None,
    background: tuple[int, int, int] | None = _PAPER,
    device: torch.device | str = "cpu",
) -> U8:
    """Draw an avatar by the rendering network (H, W, 4) u8 sRGB, straight alpha.

    Args:
        camera: head space to the picture, whose sides are multiples of 8 px.
        params: expression and pose, None for neutral; background: sRGB, None for transparent.

    Raises UsageError (`no_neural_texture`, `picture_size`) and FileInvalid (`topology_mismatch`).
    """
    if avatar.neural_texture is None:
        raise UsageError(
            "no_neural_texture", f"The avatar {avatar.name!r} has no neural texture.",
            "Create it with --networks official, or render with --texture.",
        )  # fmt: skip
    if camera.width % _STEP or camera.height % _STEP:
        raise UsageError(
            "picture_size", f"The network draws no {camera.width} x {camera.height} px.",
            f"Choose multiples of {_STEP}; it was trained at 256.",
        )  # fmt: skip
    vertices = avatar_vertices(avatar, head, params)
    places = camera_ndc(camera, vertices)
    texture = torch.as_tensor(avatar.neural_texture, device=device)[None]
    rendered = system.render(
        texture,
        torch.as_tensor(vertices, dtype=torch.float32, device=device)[None],
        torch.as_tensor(places, dtype=torch.float32, device=device)[None],
        camera.height,
        camera.width,
    )
    kept = opened_mask((rendered.soft_mask > MASK_THRESHOLD).float())[0, 0].cpu().numpy() > 0.5
    rgb = (rendered.rgb[0].permute(1, 2, 0).cpu().numpy() * 255 + 0.5).astype(np.uint8)
    ground = np.zeros(3) if background is None else np.asarray(background)
    picture = np.zeros((camera.height, camera.width, 4), np.uint8)
    picture[..., :3] = np.where(kept[..., None], rgb, ground)
    picture[..., 3] = 255 if background is not None else 255 * kept
    return picture
