# SPDX-License-Identifier: Apache-2.0
"""Pictures of an avatar made of its own photo and its textured mesh.

Does not know files, or where the network that mends them comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.head_surface import head_surface
from rome_backend.avatar.neural_render import PAPER, View
from rome_backend.avatar.photo_layers import PhotoLayers, photo_layers
from rome_backend.avatar.photo_mend import Mended, PhotoMender, averaged, crisp, joined
from rome_backend.avatar.photo_source import photo_source
from rome_backend.core.types import U8, Avatar, HeadModel

SAMPLES = 2  # per pixel edge


class PhotoAvatar:
    """One avatar drawn from its photo, mended by a network, or by the rules alone without one.

    mender: on the device where the layers are joined; the layers are made on the CPU.
    Raises FileInvalid (`topology_mismatch`).
    """

    def __init__(self, avatar: Avatar, head: HeadModel, mender: PhotoMender | None = None) -> None:
        self._avatar, self._head, self._mender = avatar, head, mender
        self._source = photo_source(avatar, head)
        self._surface = head_surface(head, np.ones(len(head.template), np.float32))
        weights = [] if mender is None else list(mender.parameters())
        self._device = weights[0].device if weights else torch.device("cpu")

    def pictures(
        self, views: Sequence[View], background: tuple[int, int, int] | None = PAPER
    ) -> U8:
        """Draw views, all of one size, (N, H, W, 4) u8 sRGB with straight alpha.

        background: sRGB, None for transparent.
        """
        return self.finish(self.prepare(views), background)

    def prepare(self, views: Sequence[View]) -> list[PhotoLayers]:
        """Return the layers of views: all but the network's work."""
        found = []
        for camera, params in views:
            height, width = SAMPLES * camera.height, SAMPLES * camera.width
            large = replace(camera, height=height, width=width)
            vertices = avatar_vertices(self._avatar, self._head, params)
            albedo = self._avatar.albedo
            found.append(photo_layers(self._source, self._surface, albedo, vertices, large))
        return found

    def eight_bits(self) -> None:
        """Return the network where it draws in 8 bits: this one never does."""

    @torch.inference_mode()
    def mended(self, layers: PhotoLayers) -> Mended:
        """Return the picture of one view's layers."""
        placed = PhotoLayers(
            *(each.to(self._device) for each in (layers.carried, layers.drawn, layers.guides))
        )
        controls = None if self._mender is None else self._mender(placed)
        return crisp(averaged(joined(placed, controls), SAMPLES))

    def finish(
        self, views: Sequence[PhotoLayers], background: tuple[int, int, int] | None = PAPER
    ) -> U8:
        """Return the pictures (N, H, W, 4) of prepared views."""
        return np.stack([_picture(self.mended(each), background) for each in views])


def _picture(mended: Mended, background: tuple[int, int, int] | None) -> U8:
    rgb, alpha = 255 * mended.rgb[0], mended.alpha[0]
    if background is not None:
        ground = rgb.new_tensor(background)[:, None, None]
        rgb = rgb * alpha + ground * (1 - alpha)
        alpha = torch.ones_like(alpha)
    values = torch.cat([rgb, 255 * alpha]).permute(1, 2, 0)
    return np.asarray((values + 0.5).clamp(0, 255).to(torch.uint8).cpu().numpy())
