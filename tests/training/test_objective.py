# SPDX-License-Identifier: Apache-2.0
"""Losses on the open head, which has all 68 landmarks: the release's configuration as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.driven_pose import canonical_head, project_head
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from training.batch import Batch, collate
from training.config import ModelSizes, named_config
from training.data.synthetic.sequence import SequenceMaker
from training.losses.networks import LossNetworks
from training.make_trainee import make_trainee
from training.objective import Objective, Scene
from training.trainee import Trainee

SIDE = 32


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def batch(head: HeadModel) -> Batch:
    return collate([SequenceMaker(head, SIDE, seed=4).make(1).sample])


@pytest.fixture(scope="module")
def sizes() -> ModelSizes:
    return replace(named_config("small").sizes, side=SIDE)


@pytest.fixture(scope="module")
def trainee(head: HeadModel, sizes: ModelSizes) -> Trainee:
    return make_trainee(sizes, head, seed=1)


@pytest.fixture(scope="module")
def released(head: HeadModel, sizes: ModelSizes) -> Objective:
    return Objective(replace(named_config("released"), sizes=sizes), head, LossNetworks())


@pytest.fixture(scope="module")
def scene(released: Objective, trainee: Trainee, batch: Batch) -> Scene:
    return released.scene(trainee, batch, 0)


def test_only_what_needs_imported_networks_is_off(released: Objective) -> None:
    assert set(released.off) == {"perceptual", "gaze", "identity"}
    assert "landmarks" in released.active and "colour" not in released.active


def test_true_parameters_put_the_landmarks_where_they_are(
    released: Objective, scene: Scene
) -> None:
    """What is left is what random offsets move: the jaw line at the neck."""
    values = released.values(scene)
    assert values["landmarks"].item() < 0.03
    shifted = replace(scene, batch=replace(scene.batch, landmarks=scene.batch.landmarks + 0.1))
    assert released.values(shifted)["landmarks"].item() == pytest.approx(0.1, abs=0.03)


def test_the_sum_is_weighted(released: Objective, scene: Scene) -> None:
    values = released.values(scene)
    weights = named_config("released").weights
    wanted = sum(getattr(weights, name) * value.item() for name, value in values.items())
    assert released.total(values).item() == pytest.approx(wanted, rel=1e-5)
    with pytest.raises(ValueError, match="no loss"):
        released.total({})


def test_true_offsets_cost_less_than_none_and_wild_ones(
    released: Objective, scene: Scene, head: HeadModel
) -> None:
    """Occupancy, with the very silhouette that the masks come from."""
    batch = scene.batch
    assert batch.offsets is not None
    canonical = canonical_head(head, batch.pose)
    wild = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, head.template.shape))
    costs = []
    for offsets in (batch.offsets, 0 * batch.offsets, wild.float()[None]):
        projected = project_head(canonical.vertices + offsets, canonical.root, batch.pose)
        driven = replace(scene.driven, projected=projected, offsets=offsets)
        whole = released._silhouette(driven, batch, "hair")
        costs.append(released.values(replace(scene, without_hair=whole))["occupancy_whole"].item())
    assert costs[0] < costs[1] and costs[0] < costs[2]
