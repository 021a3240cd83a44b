# SPDX-License-Identifier: Apache-2.0
"""Joins an avatar's photo layers to a picture, by fixed rules or mended by a small network.

Does not know meshes, cameras or files.

The network never draws: it says how carried photo and textured mesh share a pixel; in training
also how to correct matte and colour, which is not shipped, because clips of real people lost by it
(SHIPPED). Where it says nothing (its last layer at 0) the rules alone remain, and the more the
head has turned, the less its word counts; so the worst case is the textured mesh. It looks at a
grid of GRID px whatever the picture's size. Carries gradients. Source: our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.avatar.photo_layers import AWAY, GUIDES, TURN, PhotoLayers
from rome_backend.models.light_renderer import LightParams, LightRenderer, make_light_renderer

GRID = 192
SEEN_CHANNELS = 4 + 4 + GUIDES + 4
CONTROLS = 5  # share of the photo, matte, and red, green, blue
SHIPPED = 1  # of them, the first ones, come with the program; what is not said is 0
_COLOUR = 0.1  # the most that a colour is corrected
_CLEAR = 0.1  # of the carried matte: what is less is nothing, what is more than 1 - it is all
_TURNED = (8.0, 22.0)  # degrees over which the outline becomes the mesh's own
_HARDLY = (1.0, 8.0)  # degrees up to which the photo's own matte is left as it is
_REACH = 0.06  # of the largest distance, that hair past the outline may have half way
_CRISP = 0.3  # of what a pixel differs from those around it, added to it
_ROOM = 0.01  # that shares keep from 0 and 1 before the logarithm of their odds


@dataclass(frozen=True)
class Mended:
    """rgb (N, 3, H, W), alpha (N, 1, H, W), in [0, 1], straight."""

    rgb: torch.Tensor
    alpha: torch.Tensor


def joined(layers: PhotoLayers, controls: torch.Tensor | None = None) -> Mended:
    """Return the picture of layers; controls (N, CONTROLS or fewer, h, w), of any size, or the
    rules."""
    carried, share = layers.carried, layers.guides[:, 1:2]
    colour = torch.zeros_like(carried[:, :3])
    matte_by = torch.zeros_like(share)
    turn = 45 * layers.guides[:, TURN : TURN + 1]
    turned = _smooth_step(turn, *_TURNED)
    if controls is not None:
        size = (carried.shape[-2], carried.shape[-1])
        controls = functional.interpolate(controls, size, mode="bilinear", align_corners=False)
        silent = CONTROLS - controls.shape[1]
        controls = functional.pad(controls, (0, 0, 0, 0, 0, silent))
        share = _moved(share, controls[:, :1] * (1 - turned))
        matte_by = controls[:, 1:2] * _smooth_step(turn, *_HARDLY)
        colour = _COLOUR * torch.tanh(controls[:, 2:])
    matte = ((carried[:, 3:] - _CLEAR) / (1 - 2 * _CLEAR)).clamp(0, 1)
    covered = layers.drawn[:, 3:]
    on_matte = layers.guides[:, :1] * _kept(layers.guides[:, AWAY : AWAY + 1], covered, turned)
    alpha = on_matte * matte + (1 - on_matte) * covered
    share = torch.where(covered > 0, share * (1 - turned * (1 - matte)), torch.ones_like(share))
    rgb = share * carried[:, :3] + (1 - share) * layers.drawn[:, :3]
    return Mended((rgb + colour).clamp(0, 1), _moved(alpha, matte_by))


def _kept(away: torch.Tensor, covered: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    """Return how much the carried matte still counts when the head has turned (0..1).

    Past the outline it is cut off nearer and nearer, so that nothing half transparent remains.
    """
    reach = _REACH * (1 - turned) / turned.clamp(min=1e-3)
    beside = _smooth_step(1 - away / reach.clamp(min=1e-4), 0.0, 0.5)
    return torch.where(covered > 0, 1 - turned, beside)


def _smooth_step(values: torch.Tensor, low: float, high: float) -> torch.Tensor:
    share = ((values - low) / (high - low)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def _moved(share: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """Return shares in [0, 1] moved by logits; 0 leaves them as they are."""
    odds = torch.logit(_ROOM + (1 - 2 * _ROOM) * share.clamp(0, 1)) + by
    return ((torch.sigmoid(odds) - _ROOM) / (1 - 2 * _ROOM)).clamp(0, 1)


def averaged(picture: Mended, samples: int) -> Mended:
    """Return a picture of ``samples`` x ``samples`` times fewer px, colours weighted by alpha."""
    alpha = functional.avg_pool2d(picture.alpha, samples)
    rgb = functional.avg_pool2d(picture.rgb * picture.alpha, samples)
    plain = functional.avg_pool2d(picture.rgb, samples)
    return Mended(torch.where(alpha > 1e-3, rgb / alpha.clamp(min=1e-3), plain), alpha)


def crisp(picture: Mended) -> Mended:
    """Return an averaged picture with what averaging took from the finest detail of a photo,
    which had been averaged over its own pixels before."""
    rgb = picture.rgb
    around = functional.avg_pool2d(functional.pad(rgb, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return Mended((rgb + _CRISP * (rgb - around)).clamp(0, 1), picture.alpha)


class PhotoMender(nn.Module):
    """A light renderer that says how to join photo layers; made by photo_mender.

    network: (N, SEEN_CHANNELS, h, w) -> (N, CONTROLS, h, w), h and w multiples of reduction.
    """

    def __init__(self, network: nn.Module, reduction: int) -> None:
        super().__init__()
        self.network, self._step = network, reduction

    def forward(self, layers: PhotoLayers) -> torch.Tensor:
        """Return controls (N, CONTROLS, h, w) of layers, h and w near GRID."""
        plain = joined(layers)
        seen = [layers.carried, layers.drawn, layers.guides, plain.rgb * plain.alpha, plain.alpha]
        step = self._step
        height, width = layers.carried.shape[-2:]
        shrink = GRID / max(height, width)
        size = tuple(max(step, round(side * shrink / step) * step) for side in (height, width))
        values = functional.interpolate(torch.cat(seen, dim=1), size, mode="area")
        found: torch.Tensor = self.network(values)
        return found


def photo_mender(network: LightRenderer) -> PhotoMender:
    """Return a mender by a network of these sizes."""
    return PhotoMender(network, network.params.reduction)


def shipped(network: LightRenderer) -> LightRenderer:
    """Return a network that says SHIPPED of what another one says, and the same."""
    sizes = replace(network.params, out_channels=SHIPPED)
    state = dict(network.state_dict())
    for name in ("outputs.weight", "outputs.bias"):
        state[name] = state[name][:SHIPPED]
    kept = LightRenderer(sizes)
    kept.load_state_dict(state, strict=True)
    return kept


def make_mending_network(base: int = 16, levels: int = 4) -> LightRenderer:
    """Return a network that changes nothing yet: random weights, but the last layer's are 0."""
    network = make_light_renderer(LightParams(SEEN_CHANNELS, CONTROLS, base, levels))
    nn.init.zeros_(network.outputs.weight)
    assert network.outputs.bias is not None
    nn.init.zeros_(network.outputs.bias)
    return network
