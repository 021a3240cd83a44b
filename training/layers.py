# SPDX-License-Identifier: Apache-2.0
"""Photo layers of a sample as one picture, for shards, and back.

Does not know how layers are made or joined.
"""

from __future__ import annotations

import numpy as np
import torch

from rome_backend.avatar.photo_layers import GUIDES, PhotoLayers
from rome_backend.core.types import U8

_PLANES = 8 + GUIDES
_TILES = _PLANES // 4
COLOUR_TILES = 2  # the first ones hold colours: carried and drawn


def packed_layers(layers: PhotoLayers) -> U8:
    """Return layers (N = 1) of H x H px as a picture (4 H, H, 4) u8: four planes above another."""
    planes = torch.cat([layers.carried, layers.drawn, layers.guides], dim=1)[0]
    side = planes.shape[-1]
    tiles = planes.view(_TILES, 4, side, side).permute(0, 2, 3, 1).reshape(_TILES * side, side, 4)
    return np.asarray((255 * tiles + 0.5).to(torch.uint8).numpy())


def unpacked_layers(pictures: torch.Tensor) -> PhotoLayers:
    """Return layers of pictures (N, 4, 4 H, H) in [0, 1], as packed_layers made them.

    Raises ValueError for pictures of another shape.
    """
    count, channels, height, side = pictures.shape
    if channels != 4 or height != _TILES * side:
        raise ValueError(f"pictures {tuple(pictures.shape)} hold no layers")
    planes = pictures.view(count, 4, _TILES, side, side).transpose(1, 2)
    planes = planes.reshape(count, _PLANES, side, side)
    return PhotoLayers(planes[:, :4], planes[:, 4:8], planes[:, 8:])
