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
from rome_backend.avatar.head_renderer import FeedForwardOptions, HeadRenderer, RenderedHead
from rome_backend.avatar.head_surface import HeadSurface, uv_fragments, xyz_texture
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import HeadModel
from rome_backend.inference.precision import FastNetwork, Numbers, choose_precision
from rome_backend.models.fold import folded
from rome_backend.models.harmonic import encode_picture, harmonic_encoding
from rome_backend.models.key_map import INFERENCE, State, WrongWeights, load_network
from rome_backend.render.composite import on_plain_ground
from rome_backend.render.fragments import Fragments
from rome_backend.render.rasterizer import Rasterizer
from rome_backend.render.texture import sample_texture

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
class HeadOffsets:
    """factors (N, V, 3) in +-mask, and offsets (N, V, 3) m: factors times vertex normals."""

    factors: torch.Tensor
    offsets: torch.Tensor


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

    fold: standardise their weights once, which leaves nothing to train; see also for_inference.
    Raises WrongWeights.
    """
    made = []
    for name in INFERENCE:
        if name not in states:
            raise WrongWeights(name, ["all its tensors are missing"])
        network = load_network(name, states[name])
        made.append((folded(network) if fold else network).to(device))
    encoder, geometry, offsets, picture = made
    return RomeNetworks(encoder, geometry, offsets, picture)


def for_inference(
    networks: RomeNetworks, device: torch.device | str = "cpu", numbers: Numbers = "auto"
) -> RomeNetworks:
    """Return networks as they run fastest on a device (inference.precision), without gradients.

    numbers: of the rendering network; the others, which run once per avatar, have float32.
    networks: unfolded; left as they are.
    """
    where = torch.device(device)
    exact, drawing = choose_precision("float32"), choose_precision(numbers, where)
    mask = networks.segmentation
    return RomeNetworks(
        FastNetwork(networks.texture_encoder, exact, where),
        FastNetwork(networks.geometry, exact, where),
        FastNetwork(networks.offsets, exact, where),
        FastNetwork(networks.picture, drawing, where),
        None if mask is None else FastNetwork(mask, drawing, where),
    )


class FeedForward:
    """The system for one head surface; it holds no picture, texture or pose.

    renderer: the part of it that draws.
    """

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
        self.renderer = HeadRenderer(
            surface, networks.picture, networks.segmentation, self._options, rasterizer
        )
        self._texels: dict[int, Fragments] = {}
        self._movable = surface.mask.nonzero()[:, 0]  # the others' factors are 0 whatever it says

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
            self._texels[side] = uv_fragments(self._surface, self.renderer.rasterizer, side)
        xyz = xyz_texture(self._surface, self._texels[side], vertices.detach())
        return self._networks.geometry(torch.cat([texture.detach(), encode_picture(xyz)], dim=1))

    def latent_offsets(self, latent: torch.Tensor, vertices: torch.Tensor) -> HeadOffsets:
        """Return the offsets that a latent map (N, 32, T, T) gives vertices (N, V, 3) m."""
        mask, movable = self._surface.mask, self._movable
        rows = offset_rows(latent, self._surface.vertex_uv.index_select(0, movable))
        moved = torch.tanh(self._networks.offsets(rows)) * mask.index_select(0, movable)[:, None]
        still = moved.new_zeros(len(latent), len(mask), moved.shape[-1])
        factors = still.index_copy(1, movable, moved)
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
        """Render canonical vertices (N, V, 3) m where projected (N, V, 3) image NDC puts them.

        texture: of each head (N, 8, T, T), or one for all of them.
        """
        levels = self.renderer.levels(texture)
        seen = self.renderer.features(levels, vertices, projected, height, width)
        return self.renderer.draw(seen)

    def neural_picture(
        self, textured: torch.Tensor, normals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return RGB (N, 3, H, W) in [0, 1] and mask logits (N, 1, H, W).

        textured (N, 8, H, W) and normals (N, 3, H, W), both 0 where no face is.
        """
        return self.renderer.picture(textured, normals)

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
        left = projected + projected.new_tensor([0, 0, 2 * self.renderer.shift])
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
