# SPDX-License-Identifier: Apache-2.0
"""The whole feed-forward system on tensors: source -> neural texture -> offsets -> picture.

Does not know files, trackers or losses.

Source: the paper's section 3; rome-spec sections 0, 2.6, 2.8 and 2.9, and the choices of section
5. Methods carry gradients; for inference call them under torch.no_grad().
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from rome_backend.avatar.driven_pose import DrivenPose, canonical_head, project_head
from rome_backend.avatar.head_surface import HeadSurface, uv_fragments, xyz_texture
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import HeadModel
from rome_backend.models.fold import folded
from rome_backend.models.harmonic import encode_picture, harmonic_encoding
from rome_backend.models.key_map import INFERENCE, State, WrongWeights, load_network
from rome_backend.render.composite import on_plain_ground
from rome_backend.render.fragments import Fragments
from rome_backend.render.interpolate import interpolate_corners, interpolate_vertices
from rome_backend.render.mipmap import mip_levels, sample_mipmapped, texels_per_pixel
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.render.texture import sample_texture

_LEGACY_EPSILON = 1e-8  # PyTorch3D's: barycentrics of tiny faces do not quite sum to 1 ...
_LEGACY_DEPTH = 10.0  # ... and with this added to z, their depth is off enough to hide others
_UV_STRETCH = 256 / 255  # the released code samples a grid of 256 values from -1 to 1


@dataclass(frozen=True)
class RomeNetworks:
    """The networks, all on one device.

    texture_encoder: (N, 4, H, W) -> (N, 8, H, W); geometry: (N, 47, T, T) -> (N, 32, T, T);
    offsets: (..., 58) -> (..., 3); picture: (N, 47, H, W) -> (N, 4, H, W);
    segmentation: the paper's separate network (N, 47, H, W) -> (N, 1, H, W), or None as released.
    """

    texture_encoder: nn.Module
    geometry: nn.Module
    offsets: nn.Module
    picture: nn.Module
    segmentation: nn.Module | None = None


@dataclass(frozen=True)
class FeedForwardOptions:
    """Choices where paper, release and good sense differ."""

    legacy: bool = False
    """Repeat the released quirks: PyTorch3D's inexact barycentrics, 10 added to depths in place
    by each of two passes, the mask's opening along the columns alone."""
    mipmaps: bool = False
    """Average the neural texture where pixels cover several texels; the weights never saw it."""


@dataclass(frozen=True)
class HeadOffsets:
    """factors (N, V, 3) in +-mask, and offsets (N, V, 3) m: factors times vertex normals."""

    factors: torch.Tensor
    offsets: torch.Tensor


@dataclass(frozen=True)
class RenderedHead:
    """A rendered head.

    rgb (N, 3, H, W) and soft_mask (N, 1, H, W) in [0, 1]; mask_logits (N, 1, H, W);
    fragments; normals (N, 3, H, W) of the head's own frame, not renormalised, and
    uv (N, 2, H, W), x and y -1..1 with y down, both 0 where no face is; textured (N, 8, H, W).
    """

    rgb: torch.Tensor
    soft_mask: torch.Tensor
    mask_logits: torch.Tensor
    fragments: Fragments
    normals: torch.Tensor
    uv: torch.Tensor
    textured: torch.Tensor


@dataclass(frozen=True)
class DrivenHead:
    """vertices (N, V, 3) m with offsets, in the head's own frame; projected (N, V, 3) image NDC
    (legacy: 20 added to z, as the release returns it); offsets (N, V, 3) m; the picture."""

    vertices: torch.Tensor
    projected: torch.Tensor
    offsets: torch.Tensor
    rendered: RenderedHead


def rome_networks(
    states: Mapping[str, State], device: torch.device | str = "cpu", fold: bool = True
) -> RomeNetworks:
    """Load the four networks strictly from official states (key_map.split_checkpoint).

    fold: prepare them for inference; False leaves them trainable. Raises WrongWeights.
    """
    made = []
    for name in INFERENCE:
        if name not in states:
            raise WrongWeights(name, ["all its tensors are missing"])
        network = load_network(name, states[name])
        made.append((folded(network) if fold else network).to(device))
    encoder, geometry, offsets, picture = made
    return RomeNetworks(encoder, geometry, offsets, picture)


class FeedForward:
    """The system for one head surface; it holds no picture, texture or pose."""

    def __init__(
        self,
        networks: RomeNetworks,
        surface: HeadSurface,
        options: FeedForwardOptions | None = None,
        rasterizer: Rasterizer | None = None,
    ) -> None:
        self._networks = networks
        self._surface = surface
        self._options = options or FeedForwardOptions()
        epsilon = _LEGACY_EPSILON if self._options.legacy else 0.0
        self._rasterizer = rasterizer or TorchRasterizer(epsilon)
        self._shift = torch.tensor([0, 0, _LEGACY_DEPTH if self._options.legacy else 0.0])
        self._texels: dict[int, Fragments] = {}

    def encode(self, picture: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
        """Return the neural texture (N, 8, T, T) of aligned sources, T the pictures' side.

        picture (N, 3, T, T) RGB and matte (N, 1, T, T) in [0, 1]; released: T = 256.
        """
        return self._networks.texture_encoder(torch.cat([picture, matte], dim=1))

    def latent(self, texture: torch.Tensor, vertices: torch.Tensor) -> torch.Tensor:
        """Return the geometry's latent map (N, 32, T, T).

        Neither the texture nor the vertices receive gradients from it, as in the release.
        """
        side = texture.shape[-1]
        if side not in self._texels:
            self._texels[side] = uv_fragments(self._surface, self._rasterizer, side)
        xyz = xyz_texture(self._surface, self._texels[side], vertices.detach())
        return self._networks.geometry(torch.cat([texture.detach(), encode_picture(xyz)], dim=1))

    def latent_offsets(self, latent: torch.Tensor, vertices: torch.Tensor) -> HeadOffsets:
        """Return the offsets that a latent map (N, 32, T, T) gives vertices (N, V, 3) m."""
        rows = offset_rows(latent, self._surface.vertex_uv)
        factors = torch.tanh(self._networks.offsets(rows)) * self._surface.mask[:, None]
        normals = vertex_normals(vertices, self._surface.faces, torch)
        return HeadOffsets(factors, factors * normals)

    def offsets(self, texture: torch.Tensor, vertices: torch.Tensor) -> HeadOffsets:
        """Return the offsets of a frame: texture (N, 8, T, T), canonical vertices (N, V, 3) m."""
        return self.latent_offsets(self.latent(texture, vertices), vertices)

    def canonical_offsets(
        self, texture: torch.Tensor, head: HeadModel, pose: DrivenPose
    ) -> torch.Tensor:
        """Return the offsets (N, V, 3) m of the neutral head: those of a rig, the same always."""
        return self.offsets(texture, canonical_head(head, pose.neutral()).vertices).offsets

    def render(
        self,
        texture: torch.Tensor,
        vertices: torch.Tensor,
        projected: torch.Tensor,
        height: int,
        width: int,
    ) -> RenderedHead:
        """Render canonical vertices (N, V, 3) m where projected (N, V, 3) image NDC puts them."""
        faces, corner_uvs = self._surface.faces, self._surface.corner_uvs()
        placed = projected + self._shift.to(projected)
        fragments = self._rasterizer.rasterize(placed, faces, height, width)
        own = vertex_normals(vertices, faces, torch)
        normals = interpolate_vertices(fragments, faces, own).permute(0, 3, 1, 2)
        flipped = corner_uvs.new_tensor([1, -1])
        grid = interpolate_corners(fragments, (2 * corner_uvs - 1) * flipped)
        uv = (grid * flipped + 1) / 2
        if self._options.mipmaps:
            shrink = texels_per_pixel(projected, faces, corner_uvs, texture.shape[-1], fragments)
            found = sample_mipmapped(mip_levels(texture), uv, shrink, "zeros")
        else:
            found = sample_texture(texture, uv, "zeros")
        covered = fragments.covered()[..., None]
        textured = (found * covered).permute(0, 3, 1, 2)
        rgb, logits = self.neural_picture(textured, normals)
        return RenderedHead(
            rgb,
            torch.sigmoid(logits),
            logits,
            fragments,
            normals,
            grid.permute(0, 3, 1, 2),
            textured,
        )

    def neural_picture(
        self, textured: torch.Tensor, normals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return RGB (N, 3, H, W) in [0, 1] and mask logits (N, 1, H, W).

        textured (N, 8, H, W) and normals (N, 3, H, W), both 0 where no face is.
        """
        seen = torch.cat([textured, encode_picture(normals)], dim=1)
        found = self._networks.picture(seen)
        if self._networks.segmentation is None:
            return torch.sigmoid(found[:, :3]), found[:, 3:4]
        return torch.sigmoid(found[:, :3]), self._networks.segmentation(seen)

    def drive(
        self,
        texture: torch.Tensor,
        head: HeadModel,
        pose: DrivenPose,
        size: tuple[int, int],
        offsets: torch.Tensor | None = None,
    ) -> DrivenHead:
        """Render a source's texture in a pose; size (height, width) px.

        offsets (N, V, 3) m: canonical offsets or those of the linear model; None computes them
        for this very expression, as the paper does.
        """
        canonical = canonical_head(head, pose)
        if offsets is None:
            offsets = self.offsets(texture, canonical.vertices).offsets
        vertices = canonical.vertices + offsets
        projected = project_head(vertices, canonical.root, pose)
        rendered = self.render(texture, vertices, projected, *size)
        left = projected + 2 * self._shift.to(projected)
        return DrivenHead(vertices, left, offsets, rendered)

    def composite(self, rendered: RenderedHead, **settings: Any) -> torch.Tensor:
        """Return (N, 3, H, W): the head on white, its mask opened (composite.on_plain_ground)."""
        legacy = self._options.legacy
        return on_plain_ground(rendered.rgb, rendered.soft_mask, legacy=legacy, **settings)


def offset_rows(latent: torch.Tensor, vertex_uv: torch.Tensor) -> torch.Tensor:
    """Return what G_geom sees of every vertex, (N, V, 58): its latents, then its encoded uv.

    latent (N, 32, T, T); vertex_uv (V, 2), x and y -1..1 with y down.
    """
    count = len(latent)
    up = torch.stack([(vertex_uv[:, 0] + 1) / 2, (1 - vertex_uv[:, 1]) / 2], dim=-1)
    sampled = sample_texture(latent, up.expand(count, -1, -1), "zeros")
    encoded = harmonic_encoding(vertex_uv * _UV_STRETCH).expand(count, -1, -1)
    return torch.cat([sampled, encoded], dim=-1)
