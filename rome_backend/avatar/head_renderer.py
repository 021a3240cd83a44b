# SPDX-License-Identifier: Apache-2.0
"""From a posed head and its neural texture to a picture: what a network sees, what it draws.

Does not know parameters, files or which network it is given.

Source: the paper's section 3; rome-spec sections 2.8 and 2.9. Carries gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rome_backend.avatar.head_surface import HeadSurface
from rome_backend.core.normals import vertex_normals
from rome_backend.models.harmonic import encode_picture
from rome_backend.render.fragments import Fragments
from rome_backend.render.interpolate import interpolate_corners
from rome_backend.render.mipmap import mip_levels, sample_mipmapped, texels_per_pixel
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.render.texture import sample_texture

LEGACY_DEPTH = 10.0
_LEGACY_EPSILON = 1e-8  # PyTorch3D's: barycentrics of tiny faces do not quite sum to 1 ...
# ... and with LEGACY_DEPTH added to z, their depth is off enough to hide others


@dataclass(frozen=True)
class FeedForwardOptions:
    """Choices where paper, release and good sense differ."""

    legacy: bool = False
    """Repeat the released quirks: PyTorch3D's inexact barycentrics, 10 added to depths in place
    by each of two passes, the mask's opening along the columns alone."""
    mipmaps: bool = False
    """Average the neural texture where pixels cover several texels; the weights never saw it."""
    plain_normals: bool = False
    """Give the network the three normals as they are, without their harmonic encoding: what the
    light renderer takes."""


@dataclass(frozen=True)
class HeadFeatures:
    """What a rendering network is given.

    fragments; normals (N, 3, H, W) of the head's own frame, not renormalised, and
    uv (N, 2, H, W), x and y -1..1 with y down, both 0 where no face is; textured (N, 8, H, W).
    """

    fragments: Fragments
    normals: torch.Tensor
    uv: torch.Tensor
    textured: torch.Tensor


@dataclass(frozen=True)
class RenderedHead(HeadFeatures):
    """A rendered head: rgb (N, 3, H, W) and soft_mask (N, 1, H, W) in [0, 1];
    mask_logits (N, 1, H, W); and what the network was given."""

    rgb: torch.Tensor
    soft_mask: torch.Tensor
    mask_logits: torch.Tensor


class HeadRenderer:
    """Draws heads of one surface with one network; it holds no texture or pose.

    Args:
        surface: all on the device where it draws.
        picture: (N, 8 + normals, H, W) -> (N, 4, H, W), RGB and mask before the sigmoid.
        segmentation: the paper's separate network for the mask, or None as released.

    network: what ``picture`` was given; faces (F, 3) of the surface.
    """

    def __init__(
        self,
        surface: HeadSurface,
        picture: nn.Module,
        segmentation: nn.Module | None = None,
        options: FeedForwardOptions | None = None,
        rasterizer: Rasterizer | None = None,
    ) -> None:
        self.network = picture
        self._segmentation = segmentation
        self._options = options or FeedForwardOptions()
        epsilon = _LEGACY_EPSILON if self._options.legacy else 0.0
        self.rasterizer = rasterizer or TorchRasterizer(epsilon)
        self.shift = LEGACY_DEPTH if self._options.legacy else 0.0
        self.faces = surface.faces
        self._corner_uvs = surface.corner_uvs()
        self._down = self._corner_uvs.new_tensor([1, -1])
        self._corner_grid = (2 * self._corner_uvs - 1) * self._down

    def levels(self, texture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what features samples of a texture (N, 8, T, T): itself, or its mip levels."""
        return mip_levels(texture) if self._options.mipmaps else (texture,)

    def features(
        self,
        levels: tuple[torch.Tensor, ...],
        vertices: torch.Tensor,
        projected: torch.Tensor,
        height: int,
        width: int,
    ) -> HeadFeatures:
        """Lay textures over vertices (N, V, 3) m where projected (N, V, 3) image NDC puts them.

        levels: of N textures, or of one for all; vertices: in the head's own frame.
        """
        placed = projected + projected.new_tensor([0, 0, self.shift])
        fragments = self.rasterizer.rasterize(placed, self.faces, height, width)
        own = vertex_normals(vertices, self.faces, torch)
        corners = own.index_select(1, self.faces.flatten()).view(len(own), -1, 3, 3)
        grid_of_corners = self._corner_grid.expand(len(own), -1, -1, -1)
        mixed = interpolate_corners(fragments, torch.cat([grid_of_corners, corners], dim=-1))
        grid, normals = mixed[..., :2], mixed[..., 2:].permute(0, 3, 1, 2)
        found = self._sampled(levels, grid, projected, fragments)
        textured = (found * fragments.covered()[..., None]).permute(0, 3, 1, 2)
        return HeadFeatures(fragments, normals, grid.permute(0, 3, 1, 2), textured)

    def _sampled(
        self,
        levels: tuple[torch.Tensor, ...],
        grid: torch.Tensor,
        projected: torch.Tensor,
        fragments: Fragments,
    ) -> torch.Tensor:
        """Return the texture (N, H, W, 8) at a grid (N, H, W, 2), x and y -1..1, y down."""
        uv = (grid * self._down + 1) / 2
        levels = tuple(level.expand(len(grid), -1, -1, -1) for level in levels)
        if not self._options.mipmaps:
            return sample_texture(levels[0], uv, "zeros")
        side = levels[0].shape[-1]
        shrink = texels_per_pixel(projected, self.faces, self._corner_uvs, side, fragments)
        return sample_mipmapped(levels, uv, shrink, "zeros")

    def draw(self, features: HeadFeatures) -> RenderedHead:
        """Return the network's picture of features."""
        rgb, logits = self.picture(features.textured, features.normals)
        return RenderedHead(
            features.fragments, features.normals, features.uv, features.textured,
            rgb, torch.sigmoid(logits), logits,
        )  # fmt: skip

    def picture(
        self, textured: torch.Tensor, normals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return RGB (N, 3, H, W) in [0, 1] and mask logits (N, 1, H, W).

        textured (N, 8, H, W) and normals (N, 3, H, W), both 0 where no face is.
        """
        seen = self.seen(textured, normals)
        found = self.network(seen)
        if self._segmentation is None:
            return torch.sigmoid(found[:, :3]), found[:, 3:4]
        return torch.sigmoid(found[:, :3]), self._segmentation(seen)

    def seen(self, textured: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
        """Return what the network is given of what picture() is given."""
        shown = normals if self._options.plain_normals else encode_picture(normals)
        return torch.cat([textured, shown], dim=1)
