# SPDX-License-Identifier: Apache-2.0
"""An average person, and networks of the real sizes with random weights, to time them.

Does not know what is timed. What these networks draw means nothing; their time does not depend
on the weights.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from rome_backend.avatar.feed_forward import FeedForward, RomeNetworks, for_inference
from rome_backend.avatar.head_renderer import HeadRenderer
from rome_backend.avatar.head_surface import HeadSurface, head_surface
from rome_backend.avatar.neural_render import Drawing, NeuralAvatar
from rome_backend.avatar.renderers import ROME, light_drawing
from rome_backend.core.camera import weak_perspective
from rome_backend.core.types import Avatar, FlameParams, HeadModel
from rome_backend.inference.precision import FastNetwork, choose_precision
from rome_backend.models.light_renderer import LIGHT_RENDERERS, make_light_renderer
from rome_backend.models.offsets import make_offsets_net
from rome_backend.models.texture_encoder import make_texture_encoder
from rome_backend.models.unet import GEOMETRY, PICTURE, make_unet

SEED = 3
CHANNELS, TEXTURE_SIDE = 8, 256


class Timed(nn.Module):
    """A network that adds up the seconds it takes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seconds = 0.0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Run the network."""
        start = time.perf_counter()
        found: torch.Tensor = self.network(values)
        self.seconds += time.perf_counter() - start
        return found


def average_avatar(head: HeadModel) -> Avatar:
    """Return the average head as an avatar with a random neural texture, without a photo."""
    vertices, dot = np.zeros((len(head.template), 3), np.float32), np.zeros((4, 4), np.uint8)
    random = np.random.default_rng(SEED)
    return Avatar(
        name="average",
        head_model=head.name,
        topology_id=head.topology_id,
        params=FlameParams(
            np.zeros(head.shape_dirs.shape[2]), np.zeros(head.expression_dirs.shape[2])
        ),
        offset_coefficients=np.zeros(60, np.float32),
        free_offsets=vertices,
        offsets=vertices,
        albedo=random.integers(0, 256, (1024, 1024, 3), np.uint8),
        confidence=dot,
        source_crop=np.zeros((4, 4, 3), np.uint8),
        source_matte=dot,
        source_landmarks=np.zeros((478, 3), np.float32),
        camera=weak_perspective(1.0, np.eye(3), (2.0, 2.0), 4, 4),
        warnings=(),
        licences={},
        provenance={},
        neural_texture=random.normal(size=(CHANNELS, TEXTURE_SIDE, TEXTURE_SIDE)).astype("f4"),
    )


def random_drawing(name: str, surface: HeadSurface) -> tuple[Drawing, Timed]:
    """Return a renderer by its name (rome or a light one) with random weights, and its network."""
    torch.manual_seed(SEED)
    if name in LIGHT_RENDERERS:
        drawing = light_drawing(make_light_renderer(LIGHT_RENDERERS[name]), surface)
        timed = Timed(drawing.renderer.network)
        drawing.renderer.network = timed
        return drawing, timed
    if name != ROME:
        raise ValueError(f"no network draws {name!r}")
    timed = Timed(FastNetwork(make_unet(PICTURE), choose_precision()))
    return Drawing(HeadRenderer(surface, timed)), timed


def random_neural_avatar(name: str, head: HeadModel) -> tuple[NeuralAvatar, Timed]:
    """Return the average avatar drawn by a renderer of random_drawing, and its network."""
    surface = head_surface(head, np.ones(len(head.template), np.float32))
    drawing, timed = random_drawing(name, surface)
    return NeuralAvatar(drawing, average_avatar(head), head), timed


def random_feed_forward(head: HeadModel) -> tuple[FeedForward, tuple[Timed, ...]]:
    """Return the released system with random weights on a head, and its four networks."""
    torch.manual_seed(SEED)
    made = for_inference(
        RomeNetworks(
            make_texture_encoder(), make_unet(GEOMETRY), make_offsets_net(), make_unet(PICTURE)
        )
    )
    timed = tuple(
        Timed(each) for each in (made.texture_encoder, made.geometry, made.offsets, made.picture)
    )
    return FeedForward(RomeNetworks(*timed), head_surface(head)), timed
