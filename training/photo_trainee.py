# SPDX-License-Identifier: Apache-2.0
"""The network that mends pictures made of an avatar's photo and its textured mesh.

Does not know losses or files.

What it starts from is avatar.photo_mend's rules: its last layer begins at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rome_backend.avatar.feed_forward import DrivenHead
from rome_backend.avatar.head_renderer import RenderedHead
from rome_backend.avatar.photo_mend import PhotoMender, averaged, joined, make_mending_network
from rome_backend.core.types import HeadModel
from rome_backend.render.fragments import Fragments
from training.batch import Batch
from training.config import ModelSizes, Precision
from training.layers import unpacked_layers
from training.trainee import Lower, Trainee, make_judge

_EDGE = 1e-4  # that a mask keeps from 0 and 1 before the logarithm of its odds


@dataclass(frozen=True, kw_only=True)
class PhotoTrainee(Trainee):
    """The mender; geometry is in the samples' layers, so no loss of geometry reaches anything."""

    mender: PhotoMender

    def drive(self, batch: Batch) -> DrivenHead:
        """See Trainee.drive. Raises ValueError for samples without layers."""
        if batch.layers is None:
            raise ValueError("this network needs samples with photo layers")
        layers = unpacked_layers(batch.layers)
        picture = joined(layers, self.mender(layers))
        picture = averaged(picture, layers.carried.shape[-1] // batch.target.shape[-1])
        logits = torch.logit(picture.alpha.clamp(_EDGE, 1 - _EDGE))
        empty = picture.alpha.new_zeros(len(picture.alpha), 0, 3)
        no_mesh = Fragments(*(empty[..., :0],) * 3)
        nothing = picture.alpha.new_zeros(len(empty), 0, *picture.alpha.shape[-2:])
        rendered = RenderedHead(
            no_mesh, nothing, nothing, nothing, picture.rgb, picture.alpha, logits
        )
        return DrivenHead(empty, empty, empty, rendered)


def make_photo_trainee(
    sizes: ModelSizes, head: HeadModel, seed: int, device: torch.device | str, precision: Precision
) -> PhotoTrainee:
    """Return a network with random weights but for the last layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make_mending_network(sizes.light_base, sizes.light_levels)
        judge = make_judge(sizes)
    for module in (network, judge):
        module.to(device).eval()
    mender = PhotoMender(Lower(network, precision), network.params.reduction)
    return PhotoTrainee(
        head=head, parts={"mender": network}, discriminator=judge, precision=precision,
        mender=mender,
    )  # fmt: skip
