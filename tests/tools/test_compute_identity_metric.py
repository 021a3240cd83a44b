# SPDX-License-Identifier: Apache-2.0
"""Tests of learning what tells people apart, on people of known make."""

from __future__ import annotations

import numpy as np
import pytest

from tools.compute_identity_metric import MEASURES, WAYS, learned


def made(random: np.random.Generator, people: int, photos: int) -> tuple[np.ndarray, np.ndarray]:
    """Return displacements in 40 of 315 ways: people differ in three, photos of one in the rest."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(315, 40)))[0]
    owner = np.repeat(np.arange(people), photos).astype(np.int32)
    identity = random.normal(size=(people, 40)) * np.r_[[5.0, 4.0, 3.0], np.zeros(37)]
    noise = random.normal(size=(len(owner), 40)) * np.r_[[1.0, 1.0, 1.0], np.full(37, 1.5)]
    return (identity[owner] + noise) @ basis.T + 7.0, owner


def test_what_differs_between_people_is_found_with_its_variance() -> None:
    metric = learned(*made(np.random.default_rng(1), 200, 8))
    assert metric.axes.shape == (315, MEASURES) and WAYS > MEASURES
    # the ridge adds 2 % to the variance within, chance a little to that between
    assert metric.between[:3] == pytest.approx([25.0, 16.0, 9.0], rel=0.25)
    assert (metric.between[3:] < 0.35).all() and (metric.between >= 0).all()


def test_other_photos_of_the_same_make_find_their_person() -> None:
    metric = learned(*made(np.random.default_rng(1), 200, 8))
    fresh, owner = made(np.random.default_rng(2), 20, 4)
    straight = np.linalg.norm(fresh[:, None] - fresh[None], axis=2)
    right = []
    for distances in (metric.distances(fresh), straight):
        np.fill_diagonal(distances, np.inf)
        right.append(float((owner[distances.argmin(axis=1)] == owner).mean()))
    assert right[0] > 0.6 and right[0] > 1.5 * right[1]


def test_photos_of_one_person_differ_by_one_in_every_measure() -> None:
    random = np.random.default_rng(3)
    displacements, owner = made(random, 150, 6)
    metric = learned(displacements, owner)
    seen = displacements @ metric.axes
    apart = seen - np.array([seen[owner == k].mean(axis=0) for k in range(150)])[owner]
    assert apart.var(axis=0) * 6 / 5 == pytest.approx(np.ones(MEASURES), rel=0.05)
