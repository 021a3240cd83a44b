# SPDX-License-Identifier: Apache-2.0
"""Configurations: the paper's and the release's numbers, ablations, refusals, through JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from rome_backend.core.errors import UsageError
from training.config import (
    ABLATIONS,
    CONFIGS,
    LossForms,
    LossWeights,
    ModelSizes,
    TrainConfig,
    ablated,
    config_as_dict,
    config_from_dict,
    named_config,
)


def test_the_paper_s_numbers() -> None:
    config = named_config("paper")
    weights = config.weights
    assert (weights.perceptual, weights.identity, weights.adversarial) == (1, 0.1, 0.1)
    assert (weights.dice, weights.occupancy_hair, weights.occupancy_whole) == (10, 10, 1)
    assert (weights.chamfer, weights.laplacian, weights.colour) == (0.01, 10, 0)
    assert (config.batch, config.generator_rate, config.discriminator_rate) == (32, 1e-4, 4e-4)
    assert config.betas == (0.0, 0.999) and config.ema == 0
    assert set(vars(config.forms).values()) == {"paper"}


def test_the_release_differs_where_it_does() -> None:
    released = named_config("released")
    assert set(vars(released.forms).values()) == {"released"} and released.batch == 4
    assert released.weights.feature_matching == released.weights.landmarks == 1
    assert released.sizes == named_config("paper").sizes == ModelSizes()


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_an_ablation_takes_out_one_thing(ablation: str) -> None:
    base, without = named_config("open"), named_config(f"open-{ablation}")
    assert without.name == f"open-{ablation}"
    lost = set(base.weights.active()) - set(without.weights.active())
    gone = {
        "no_occ": {"occupancy_hair", "occupancy_whole"},
        "no_lap": {"laplacian"},
        "no_chm": {"chamfer"},
    }
    assert lost == gone.get(ablation, set())
    moving = {"no_offsets": "nowhere", "free_offsets": "everywhere"}
    assert without.sizes.moving == moving.get(ablation, "regions")
    assert replace(without, name=base.name, weights=base.weights, sizes=base.sizes) == base


def test_an_ablation_alone_is_the_paper_s() -> None:
    assert named_config("no_lap") == ablated(named_config("paper"), "no_lap")


@pytest.mark.parametrize("name", ["nothing", "paper-nothing", "nothing-no_lap", ""])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        named_config(name)
    assert caught.value.code == "unknown_config" and "small" in caught.value.hint


@pytest.mark.parametrize("name", [*CONFIGS, "open-free_offsets"])
def test_a_configuration_survives_json(name: str) -> None:
    config = named_config(name)
    assert config_from_dict(json.loads(json.dumps(config_as_dict(config)))) == config


@pytest.mark.parametrize("path", [("seed",), ("weights", "dice"), ("forms", "chamfer")])
def test_a_configuration_with_other_names_is_refused(path: tuple[str, ...]) -> None:
    values = json.loads(json.dumps(config_as_dict(CONFIGS["small"])))
    inner = values
    for name in path[:-1]:
        inner = inner[name]
    inner["else"] = inner.pop(path[-1])
    with pytest.raises(ValueError, match="names"):
        config_from_dict(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LossWeights(dice=-1),
        lambda: LossForms(chamfer="mine"),  # type: ignore[arg-type]
        lambda: ModelSizes(side=60),
        lambda: ModelSizes(moving="all"),  # type: ignore[arg-type]
        lambda: ModelSizes(offset_limit=0),
        lambda: TrainConfig(batch=6, micro_batch=4),
        lambda: TrainConfig(ema=1.0),
        lambda: TrainConfig(generator_rate=0),
        lambda: TrainConfig(precision="float16"),  # type: ignore[arg-type]
        lambda: TrainConfig(batch=8, micro_batch=4).parts(3),
        lambda: TrainConfig(batch=4, micro_batch=4).parts(2),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        make()


def test_parts_of_a_batch() -> None:
    config = TrainConfig(batch=32, micro_batch=4)
    assert [config.parts(processes) for processes in (1, 2, 8)] == [8, 4, 1]
