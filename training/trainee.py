# SPDX-License-Identifier: Apache-2.0
"""The networks of a run and the system they make on a head.

Does not know losses, optimizers or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from rome_backend.avatar.driven_pose import canonical_head
from rome_backend.avatar.feed_forward import DrivenHead, FeedForward, RomeNetworks
from rome_backend.avatar.head_surface import head_surface, offset_mask
from rome_backend.core.types import HeadModel
from rome_backend.models.discriminator import (
    Discriminator,
    DiscriminatorParams,
    Judgement,
    SpectralConv2d,
    make_discriminator,
)
from rome_backend.models.offsets import OffsetsParams, make_offsets_net
from rome_backend.models.texture_encoder import TextureEncoderParams, make_texture_encoder
from rome_backend.models.unet import UNetParams, make_unet
from training.batch import Batch
from training.config import ModelSizes, Precision

GENERATOR = ("texture_encoder", "geometry", "offsets", "picture", "segmentation")


@dataclass(frozen=True)
class Trainee:
    """Networks, discriminator and the system on a head model, all on one device.

    moves: whether vertices have offsets at all; precision: that the networks compute in, while
    geometry and losses stay in float32.
    """

    head: HeadModel
    networks: RomeNetworks
    discriminator: Discriminator
    system: FeedForward
    moves: bool
    precision: Precision = "float32"

    def modules(self) -> dict[str, nn.Module]:
        """Return every network by name, the discriminator last."""
        found = {name: getattr(self.networks, name) for name in GENERATOR}
        kept = {name: module for name, module in found.items() if module is not None}
        return kept | {"discriminator": self.discriminator}

    def generator_parameters(self) -> list[nn.Parameter]:
        """Return what the generator's optimizer trains, always in the same order."""
        modules = self.modules()
        return [p for name in GENERATOR if name in modules for p in modules[name].parameters()]

    def judge(self, picture: torch.Tensor) -> Judgement:
        """Return what the discriminator says of pictures (N, 3, H, W), in float32."""
        with _autocast(picture, self.precision):
            found = self.discriminator(picture)
        return Judgement(found.scores.float(), tuple(each.float() for each in found.features))

    def drive(self, batch: Batch) -> DrivenHead:
        """Render every source of a batch in its target's pose, with gradients."""
        texture = self.system.encode(batch.source, batch.source_matte)
        size = (batch.target.shape[-2], batch.target.shape[-1])
        still = None
        if not self.moves:
            still = torch.zeros_like(canonical_head(self.head, batch.pose).vertices)
        return self.system.drive(texture, self.head, batch.pose, size, still)

    def iterate_spectral_norms(self) -> None:
        """Take the power iteration of a step, once, however many parts the batch has."""
        self.discriminator.train()
        with torch.no_grad():
            for module in self.discriminator.modules():
                if isinstance(module, SpectralConv2d):
                    module.normalised_weight()
        self.discriminator.eval()


class _Lower(nn.Module):
    """Runs a network in a lower precision; what comes out is float32."""

    def __init__(self, network: nn.Module, precision: Precision) -> None:
        super().__init__()
        self._network, self._precision = network, precision

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        with _autocast(values, self._precision):
            return self._network(values).float()


def _autocast(values: torch.Tensor, precision: Precision) -> torch.autocast:
    lower = precision == "bfloat16"
    return torch.autocast(values.device.type, torch.bfloat16, enabled=lower)


def make_trainee(
    sizes: ModelSizes,
    head: HeadModel,
    seed: int = 0,
    device: torch.device | str = "cpu",
    precision: Precision = "float32",
) -> Trainee:
    """Return networks with random weights; the same seed gives the same ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks, discriminator = _networks(sizes)
    for module in (*(getattr(networks, name) for name in GENERATOR), discriminator):
        if module is not None:
            module.to(device).eval()
    surface = head_surface(head, _mask(sizes, head), device)
    running = RomeNetworks(
        *(module and _Lower(module, precision) for module in vars(networks).values())
    )
    moves = sizes.moving != "nowhere"
    return Trainee(head, networks, discriminator, FeedForward(running, surface), moves, precision)


def _networks(sizes: ModelSizes) -> tuple[RomeNetworks, Discriminator]:
    widths = sizes.unet_widths
    segmentation = None
    if sizes.separate_segmentation:
        halves = tuple(max(width // 2, 1) for width in widths)
        segmentation = make_unet(UNetParams(47, 1, halves, "average", "bilinear"))
    networks = RomeNetworks(
        make_texture_encoder(
            TextureEncoderParams(inner=sizes.texture_inner, levels=sizes.texture_levels)
        ),
        make_unet(UNetParams(47, 32, widths)),
        make_offsets_net(OffsetsParams(width=sizes.offsets_width)),
        make_unet(UNetParams(47, 4, widths)),
        segmentation,
    )
    strides = (*(2,) * (len(sizes.discriminator_widths) - 1), 1)
    params = DiscriminatorParams(widths=sizes.discriminator_widths, strides=strides)
    return networks, make_discriminator(params)


def _mask(sizes: ModelSizes, head: HeadModel) -> np.ndarray:
    if sizes.moving == "regions":
        return sizes.offset_limit * offset_mask(head)
    share = 1.0 if sizes.moving == "everywhere" else 0.0
    return np.full(len(head.template), sizes.offset_limit * share, np.float32)
