# SPDX-License-Identifier: Apache-2.0
"""The regressor: it learns who is who, from the mean head on, the same from the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.core.errors import FileInvalid, RomeError
from rome_backend.core.types import HeadModel
from training.batch import Sample
from training.config import TrainConfig
from training.distill.basis import LinearBasis, fit_basis
from training.distill.people import Example, examples_of_samples
from training.distill.regressor import DistillOptions, errors_mm, train_regressor
from training.make_trainee import make_trainee

SIDE, PEOPLE = 32, 4


def person(number: int, head: HeadModel, sample: Sample | None = None) -> Example:
    """One of four colours, whose hair stands out as far as the colour is light."""
    moving = (head.regions["hair"] | head.regions["neck"])[:, None]
    source = np.full((3, SIDE, SIDE), 0.2 + 0.2 * number, np.float32)
    offsets = (0.01 * number * moving * np.ones(3)).astype(np.float32)
    offsets[::2] *= -1
    return Example(source, offsets, sample)


@pytest.fixture(scope="module")
def examples(small_head: HeadModel) -> list[Example]:
    return [person(number, small_head) for number in range(PEOPLE)]


@pytest.fixture(scope="module")
def basis(small_head: HeadModel, examples: list[Example]) -> LinearBasis:
    return fit_basis(np.stack([each.offsets for each in examples]), small_head)


def test_it_learns_four_people(
    examples: list[Example], basis: LinearBasis, small_head: HeadModel
) -> None:
    told: list[float] = []
    network, last = train_regressor(
        examples, basis, small_head, DistillOptions(steps=12, batch=4, rate=1e-4),
        lambda step, losses: told.append(losses["coefficients"]),
    )  # fmt: skip
    assert len(told) == 12 and min(told[-4:]) < 0.5 * told[0]
    assert set(last) == {"total", "coefficients", "chamfer"} and not network.training
    found = errors_mm(network, basis, examples, small_head)
    assert found["basis"] < 0.01 < found["mean_head"]


def test_it_starts_from_the_mean_head(
    examples: list[Example], basis: LinearBasis, small_head: HeadModel
) -> None:
    options = DistillOptions(steps=1, batch=2, rate=1e-12)
    network, _ = train_regressor(examples, basis, small_head, options)
    found = errors_mm(network, basis, examples, small_head)
    assert found["regressor"] == pytest.approx(found["mean_head"], abs=1e-3)
    assert errors_mm(network, basis, [], small_head) == {}


def test_the_same_seed_gives_the_same_weights(
    examples: list[Example], basis: LinearBasis, small_head: HeadModel
) -> None:
    states = []
    for seed in (3, 3, 4):
        options = DistillOptions(steps=2, batch=2, rate=1e-3, seed=seed)
        network, _ = train_regressor(examples, basis, small_head, options)
        states.append(network.state_dict()["fc.weight"])
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_samples_say_where_the_head_stands_in_a_picture(
    basis: LinearBasis, small_head: HeadModel, make_sample: Callable[[int], Sample]
) -> None:
    """With samples the silhouette counts too: hair off the mask costs more than on it."""
    placed = [person(number, small_head, make_sample(number)) for number in range(PEOPLE)]
    options = DistillOptions(steps=1, batch=4)
    _, last = train_regressor(placed, basis, small_head, options)
    assert last["occupancy"] > 0
    _, without = train_regressor(placed, basis, small_head, replace(options, occupancy=0.0))
    assert without["total"] == pytest.approx(last["total"] - last["occupancy"], rel=1e-4)


def test_what_is_not_finite_ends_it(
    examples: list[Example], basis: LinearBasis, small_head: HeadModel
) -> None:
    broken = [replace(each, source=each.source * np.nan) for each in examples]
    with pytest.raises(RomeError) as caught:
        train_regressor(broken, basis, small_head, DistillOptions(steps=1, batch=2))
    assert caught.value.code == "training_diverged"


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"rate": 0.0}, {"seed": -1}])
def test_numbers_that_train_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DistillOptions(**wrong)  # type: ignore[arg-type]


class Samples:
    """Samples of noise, with offsets or without."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, place: int) -> Sample:
        return self._samples[place]


def test_a_teacher_sees_offsets_where_none_are_known(
    small_head: HeadModel, make_sample: Callable[[int], Sample], tiny_config: TrainConfig
) -> None:
    samples = Samples([make_sample(number) for number in range(2)])
    with pytest.raises(FileInvalid, match="teacher"):
        list(examples_of_samples(samples))
    teacher = make_trainee(tiny_config.sizes, small_head, seed=1)
    first, second = examples_of_samples(samples, teacher)  # type: ignore[arg-type]
    assert first.offsets.shape == small_head.template.shape and first.sample is not None
    moving = small_head.regions["hair"] | small_head.regions["neck"]
    assert np.abs(first.offsets[moving]).max() > 0 and not first.offsets[~moving].any()
    assert not np.array_equal(first.offsets, second.offsets)
    assert first.source.max() <= 1 and first.source.shape[0] == 3
