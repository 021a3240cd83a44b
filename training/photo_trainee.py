# SPDX-License-Identifier: Apache-2.0
"""Networks that start from the textured mesh: they add to what the photo's own texture shows.

Does not know losses or files.

Source: our own. The neural texture's first four channels are the texture baked from the photo and
where the photo showed it; a small network in texture space adds four of its own. The light
renderer sees them on the mesh with the normals, and what it says is added to the texture's colour
before the sigmoid. Its last layer begins at 0: untrained it draws the textured mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rome_backend.avatar.driven_pose import canonical_head, project_head
from rome_backend.avatar.feed_forward import DrivenHead
from rome_backend.avatar.head_renderer import FeedForwardOptions, HeadRenderer
from rome_backend.avatar.head_surface import head_surface
from rome_backend.core.types import HeadModel
from rome_backend.models.light_renderer import LightParams, make_light_renderer
from training.batch import Batch
from training.config import ModelSizes, Precision
from training.trainee import Lower, Trainee, make_judge

PHOTO_CHANNELS, OWN_CHANNELS, NORMALS = 4, 4, 3
_DARKEST = 0.01  # colours stay this far from 0 and 1 before the logarithm of their odds
_SURE = 5.0  # logit of a pixel that the mesh covers


class PhotoRenderer(nn.Module):
    """A light renderer whose output is added to the texture's colour and the mesh's coverage."""

    def __init__(self, params: LightParams) -> None:
        super().__init__()
        self.network = make_light_renderer(params)
        nn.init.zeros_(self.network.outputs.weight)
        assert self.network.outputs.bias is not None
        nn.init.zeros_(self.network.outputs.bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, 11, H, W), texture and normals, to (N, 4, H, W), RGB and mask before sigmoid."""
        shown = torch.logit(values[:, :3].clamp(_DARKEST, 1 - _DARKEST))
        covered = values[:, -NORMALS:].abs().sum(1, keepdim=True) > 0
        sure = torch.where(covered, _SURE, -_SURE).to(values)
        return torch.cat([shown, sure], dim=1) + self.network(values)


@dataclass(frozen=True, kw_only=True)
class PhotoTrainee(Trainee):
    """The two networks and what draws by them; geometry is the sample's own."""

    renderer: HeadRenderer

    def texture(self, baked: torch.Tensor) -> torch.Tensor:
        """Return neural textures (N, 8, T, T) of baked ones (N, 4, T, T) in [0, 1]."""
        added = Lower(self.parts["texture_encoder"], self.precision)(baked)
        return torch.cat([baked, added], dim=1)

    def drive(self, batch: Batch) -> DrivenHead:
        """See Trainee.drive. Raises ValueError for samples without a texture or offsets."""
        if batch.texture is None or batch.offsets is None:
            raise ValueError("these networks need samples with a texture and offsets")
        canonical = canonical_head(self.head, batch.pose)
        vertices = canonical.vertices + batch.offsets
        projected = project_head(vertices, canonical.root, batch.pose)
        size = (batch.target.shape[-2], batch.target.shape[-1])
        levels = self.renderer.levels(self.texture(batch.texture))
        rendered = self.renderer.draw(self.renderer.features(levels, vertices, projected, *size))
        return DrivenHead(vertices, projected, batch.offsets, rendered)


def make_photo_trainee(
    sizes: ModelSizes, head: HeadModel, seed: int, device: torch.device | str, precision: Precision
) -> PhotoTrainee:
    """Return networks with random weights but for the last layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = make_light_renderer(
            LightParams(PHOTO_CHANNELS, OWN_CHANNELS, sizes.light_base // 2, sizes.light_levels)
        )
        channels = PHOTO_CHANNELS + OWN_CHANNELS + NORMALS
        picture = PhotoRenderer(LightParams(channels, 4, sizes.light_base, sizes.light_levels))
        judge = make_judge(sizes)
    parts = {"texture_encoder": encoder, "picture": picture}
    for module in (*parts.values(), judge):
        module.to(device).eval()
    options = FeedForwardOptions(plain_normals=True, mipmaps=True)
    surface = head_surface(head, None, device)
    renderer = HeadRenderer(surface, Lower(picture, precision), options=options)
    return PhotoTrainee(
        head=head, parts=parts, discriminator=judge, precision=precision, renderer=renderer
    )
