# SPDX-License-Identifier: Apache-2.0
"""Networks that start from the textured mesh: untrained they are it, trained they come nearer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.core.types import HeadModel
from training.batch import Batch, Sample, collate
from training.config import LossWeights, ModelSizes, TrainConfig, named_config
from training.losses.networks import LossNetworks
from training.make_trainee import make_trainee
from training.objective import Objective
from training.photo_trainee import PhotoTrainee
from training.step import make_optimizers, take_step

SIZES = ModelSizes(
    side=16, start="photo", light_base=4, light_levels=2, texture_levels=2, unet_widths=(8, 8, 8)
)


@pytest.fixture
def batch(make_sample: Callable[[int], Sample], small_head: HeadModel) -> Batch:
    random = np.random.default_rng(0)
    texture = random.integers(30, 220, (16, 16, 4), dtype=np.uint8)
    offsets = random.normal(0, 1e-3, small_head.template.shape).astype(np.float32)
    return collate([replace(make_sample(n), texture=texture, offsets=offsets) for n in (1, 2)])


@pytest.fixture
def trainee(small_head: HeadModel) -> PhotoTrainee:
    made = make_trainee(SIZES, small_head, seed=3)
    assert isinstance(made, PhotoTrainee)
    return made


def test_untrained_it_draws_the_textured_mesh(trainee: PhotoTrainee, batch: Batch) -> None:
    rendered = trainee.drive(batch).rendered
    covered = rendered.fragments.covered()[:, None]
    shown = rendered.textured[:, :3].clamp(0.01, 0.99)
    apart = (rendered.rgb - shown).abs() * covered
    assert covered.any() and apart.max() < 1e-5
    assert ((rendered.soft_mask > 0.5) == covered).all()
    assert (rendered.soft_mask - covered.float()).abs().max() < 0.01


def test_geometry_is_the_sample_s(trainee: PhotoTrainee, batch: Batch) -> None:
    assert batch.offsets is not None
    moved = replace(batch, offsets=batch.offsets + 0.01)
    first, second = (trainee.drive(each).vertices for each in (batch, moved))
    assert torch.allclose(second - first, torch.tensor(0.01), atol=1e-6)


@pytest.mark.parametrize("name", ["texture", "offsets"])
def test_samples_without_texture_or_offsets_are_refused(
    trainee: PhotoTrainee, batch: Batch, name: str
) -> None:
    with pytest.raises(ValueError, match="texture and offsets"):
        trainee.drive(replace(batch, **{name: None}))


def test_a_batch_has_a_texture_only_where_every_sample_has(
    make_sample: Callable[[int], Sample],
) -> None:
    textured = replace(make_sample(1), texture=np.zeros((8, 8, 4), np.uint8))
    assert collate([textured, make_sample(2)]).texture is None
    both = collate([textured, replace(textured, number=2)])
    assert both.texture is not None and both.texture.shape == (2, 4, 8, 8)


def test_both_networks_learn_and_geometry_losses_are_off(
    trainee: PhotoTrainee, batch: Batch, small_head: HeadModel
) -> None:
    config = TrainConfig(
        weights=LossWeights(perceptual=0, gaze=0, identity=0, adversarial=0, feature_matching=0,
                            colour=10.0),
        sizes=SIZES, batch=2, micro_batch=2, generator_rate=3e-3, betas=(0.9, 0.999),
    )  # fmt: skip
    objective = Objective(config, small_head, LossNetworks())
    assert set(objective.active) == {"dice", "colour"}
    assert objective.off["laplacian"] == "no offsets are trained"
    optimizers = make_optimizers(trainee, config)
    batch = replace(batch, target=torch.full_like(batch.target, 0.7))
    before = {n: v.clone() for n, v in trainee.parts["texture_encoder"].state_dict().items()}
    losses = [
        take_step(trainee, objective, optimizers, [batch], n).losses["total"] for n in range(15)
    ]
    assert losses[-1] < 0.9 * losses[0]
    after = trainee.parts["texture_encoder"].state_dict()
    assert any(not torch.equal(before[name], value) for name, value in after.items())


def test_the_light_configuration_trains_them() -> None:
    config = named_config("light")
    assert config.sizes.start == "photo"
    assert set(config.weights.active()) == {"colour", "dice", "perceptual"}
    with pytest.raises(ValueError, match="start from"):
        ModelSizes(start="clay")  # type: ignore[arg-type]
