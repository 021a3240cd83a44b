# SPDX-License-Identifier: Apache-2.0
"""What a run trains, and the paper's networks on a head.

Does not know losses, optimizers or files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
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


@dataclass(frozen=True, kw_only=True)
class Trainee(ABC):
    """What is trained on a head model, all on one device.

    parts: the generator's networks by name; precision: that networks compute in, while geometry
    and losses stay in float32.
    """

    head: HeadModel
    parts: Mapping[str, nn.Module]
    discriminator: Discriminator
    precision: Precision

    @abstractmethod
    def drive(self, batch: Batch) -> DrivenHead:
        """Render every source of a batch in its target's pose, with gradients."""

    def modules(self) -> dict[str, nn.Module]:
        """Return every network by name, the discriminator last."""
        return {**self.parts, "discriminator": self.discriminator}

    def generator_parameters(self) -> list[nn.Parameter]:
        """Return what the generator's optimizer trains, always in the same order."""
        return [each for module in self.parts.values() for each in module.parameters()]

    def judge(self, picture: torch.Tensor) -> Judgement:
        """Return what the discriminator says of pictures (N, 3, H, W), in float32."""
        with _autocast(picture, self.precision):
            found = self.discriminator(picture)
        return Judgement(found.scores.float(), tuple(each.float() for each in found.features))

    def iterate_spectral_norms(self) -> None:
        """Take the power iteration of a step, once, however many parts the batch has."""
        self.discriminator.train()
        with torch.no_grad():
            for module in self.discriminator.modules():
                if isinstance(module, SpectralConv2d):
                    module.normalised_weight()
        self.discriminator.eval()


@dataclass(frozen=True, kw_only=True)
class RomeTrainee(Trainee):
    """The paper's networks; moves: whether vertices have offsets at all."""

    system: FeedForward
    moves: bool

    def drive(self, batch: Batch) -> DrivenHead:
        """See Trainee.drive."""
        texture = self.system.encode(batch.source, batch.source_matte)
        size = (batch.target.shape[-2], batch.target.shape[-1])
        still = None
        if not self.moves:
            still = torch.zeros_like(canonical_head(self.head, batch.pose).vertices)
        return self.system.drive(texture, self.head, batch.pose, size, still)


class Lower(nn.Module):
    """Runs a network in a lower precision; what comes out is float32."""

    def __init__(self, network: nn.Module, precision: Precision) -> None:
        super().__init__()
        self._network, self._precision = network, precision

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of values, in float32."""
        with _autocast(values, self._precision):
            return self._network(values).float()


def _autocast(values: torch.Tensor, precision: Precision) -> torch.autocast:
    lower = precision == "bfloat16"
    return torch.autocast(values.device.type, torch.bfloat16, enabled=lower)


def make_rome_trainee(
    sizes: ModelSizes, head: HeadModel, seed: int, device: torch.device | str, precision: Precision
) -> RomeTrainee:
    """Return the paper's networks with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks, judge = _networks(sizes), make_judge(sizes)
    parts = {name: module for name, module in vars(networks).items() if module is not None}
    for module in (*parts.values(), judge):
        module.to(device).eval()
    surface = head_surface(head, _mask(sizes, head), device)
    running = RomeNetworks(**{name: Lower(module, precision) for name, module in parts.items()})
    return RomeTrainee(
        head=head,
        parts=parts,
        discriminator=judge,
        precision=precision,
        system=FeedForward(running, surface),
        moves=sizes.moving != "nowhere",
    )


def _networks(sizes: ModelSizes) -> RomeNetworks:
    widths = sizes.unet_widths
    segmentation = None
    if sizes.separate_segmentation:
        halves = tuple(max(width // 2, 1) for width in widths)
        segmentation = make_unet(UNetParams(47, 1, halves, "average", "bilinear"))
    return RomeNetworks(
        make_texture_encoder(
            TextureEncoderParams(inner=sizes.texture_inner, levels=sizes.texture_levels)
        ),
        make_unet(UNetParams(47, 32, widths)),
        make_offsets_net(OffsetsParams(width=sizes.offsets_width)),
        make_unet(UNetParams(47, 4, widths)),
        segmentation,
    )


def make_judge(sizes: ModelSizes) -> Discriminator:
    """Return a discriminator with random weights."""
    strides = (*(2,) * (len(sizes.discriminator_widths) - 1), 1)
    return make_discriminator(
        DiscriminatorParams(widths=sizes.discriminator_widths, strides=strides)
    )


def _mask(sizes: ModelSizes, head: HeadModel) -> np.ndarray:
    if sizes.moving == "regions":
        return sizes.offset_limit * offset_mask(head)
    share = 1.0 if sizes.moving == "everywhere" else 0.0
    return np.full(len(head.template), sizes.offset_limit * share, np.float32)
