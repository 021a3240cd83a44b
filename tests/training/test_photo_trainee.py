# SPDX-License-Identifier: Apache-2.0
"""The network that mends photo pictures: untrained it is the rules, trained it comes nearer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.photo_layers import GUIDES, TURN, PhotoLayers
from rome_backend.avatar.photo_mend import averaged, joined
from rome_backend.core.types import HeadModel
from training.batch import Batch, Sample, collate
from training.config import LossWeights, ModelSizes, TrainConfig, named_config
from training.layers import packed_layers, unpacked_layers
from training.losses.networks import LossNetworks
from training.make_trainee import make_trainee
from training.objective import Objective
from training.photo_trainee import PhotoTrainee
from training.step import make_optimizers, take_step

SIZES = ModelSizes(
    side=16, start="photo", light_base=4, light_levels=2, texture_levels=2, unet_widths=(8, 8, 8)
)


def layers_of(seed: int) -> PhotoLayers:
    """A photo that is half trusted, over a mesh of another colour, the head turned."""
    draw = torch.Generator().manual_seed(seed)
    carried = 0.2 + 0.3 * torch.rand(1, 4, 32, 32, generator=draw)
    drawn = 0.5 + 0.3 * torch.rand(1, 4, 32, 32, generator=draw)
    carried[:, 3], drawn[:, 3] = 1, 1
    guides = torch.ones(1, GUIDES, 32, 32)
    guides[:, TURN] = 8 / 45
    guides[:, 1] = 0.6
    return PhotoLayers(carried, drawn, guides)


@pytest.fixture
def batch(make_sample: Callable[[int], Sample]) -> Batch:
    samples = [replace(make_sample(n), layers=packed_layers(layers_of(n))) for n in (1, 2)]
    return collate(samples)


@pytest.fixture
def trainee(small_head: HeadModel) -> PhotoTrainee:
    made = make_trainee(SIZES, small_head, seed=3)
    assert isinstance(made, PhotoTrainee)
    return made


def test_untrained_it_draws_what_the_rules_say(trainee: PhotoTrainee, batch: Batch) -> None:
    assert batch.layers is not None
    rendered = trainee.drive(batch).rendered
    wanted = averaged(joined(unpacked_layers(batch.layers)), 2)
    assert (rendered.rgb - wanted.rgb).abs().max() < 1e-4
    assert (rendered.soft_mask - wanted.alpha).abs().max() < 1e-4
    assert (torch.sigmoid(rendered.mask_logits) - wanted.alpha).abs().max() < 1e-3


def test_samples_without_layers_are_refused(trainee: PhotoTrainee, batch: Batch) -> None:
    with pytest.raises(ValueError, match="photo layers"):
        trainee.drive(replace(batch, layers=None))


def test_it_learns_to_trust_the_mesh_and_geometry_losses_are_off(
    trainee: PhotoTrainee, make_sample: Callable[[int], Sample], small_head: HeadModel
) -> None:
    samples = []
    for number in (1, 2):
        layers = layers_of(number)
        mesh = averaged(joined(replace(layers, carried=layers.drawn)), 2).rgb[0]
        target = (255 * mesh + 0.5).to(torch.uint8).permute(1, 2, 0).numpy()
        matte = np.full((16, 16), 255, np.uint8)
        samples.append(
            replace(make_sample(number), target=target, target_matte=matte,
                    layers=packed_layers(layers))
        )  # fmt: skip
    config = TrainConfig(
        weights=LossWeights(perceptual=0, gaze=0, identity=0, adversarial=0, feature_matching=0,
                            colour=10.0),
        sizes=SIZES, batch=2, micro_batch=2, generator_rate=2e-2, betas=(0.9, 0.99),
    )  # fmt: skip
    objective = Objective(config, small_head, LossNetworks())
    assert set(objective.active) == {"dice", "colour"}
    assert objective.off["laplacian"] == "no offsets are trained"
    optimizers = make_optimizers(trainee, config)
    batch = collate(samples)
    losses = [
        take_step(trainee, objective, optimizers, [batch], n).losses["colour"] for n in range(40)
    ]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:2])
    with torch.no_grad():
        found = trainee.drive(batch).rendered.rgb
    assert batch.layers is not None
    plain = averaged(joined(unpacked_layers(batch.layers)), 2).rgb
    assert (found - batch.target).abs().mean() < 0.6 * (plain - batch.target).abs().mean()


def test_truth_is_shown_by_its_own_matte(
    trainee: PhotoTrainee, batch: Batch, small_head: HeadModel
) -> None:
    """A matte that is wrong shows in the colours, so that they train it too."""
    config = replace(named_config("light"), sizes=SIZES, batch=2, micro_batch=2)
    objective = Objective(config, small_head, LossNetworks())
    empty = replace(batch, target_matte=torch.zeros_like(batch.target_matte))
    scene = objective.scene(trainee, empty, 0)
    assert scene.wanted.std((2, 3)).max() < 1e-6  # nothing but the ground
    assert scene.found.std((2, 3)).min() > 1e-3
    assert scene.found.requires_grad and not scene.wanted.requires_grad


def test_the_light_configuration_trains_it() -> None:
    config = named_config("light")
    assert config.sizes.start == "photo"
    assert set(config.weights.active()) == {"colour", "dice", "perceptual"}
    with pytest.raises(ValueError, match="start from"):
        ModelSizes(start="clay")  # type: ignore[arg-type]
