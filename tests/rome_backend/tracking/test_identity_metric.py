# SPDX-License-Identifier: Apache-2.0
"""Comparing identities: the odds are those of the Gaussians they come from.

Does not know photos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from rome_backend.core.types import HeadModel, LandmarkTable
from rome_backend.tracking.identity_metric import (
    IdentityMetric,
    identity_distances,
    identity_metric,
    landmark_displacements,
)

RNG = np.random.default_rng(5)


def test_distances_are_log_odds_of_two_people_against_one() -> None:
    between = np.array([4.0, 0.5])
    metric = IdentityMetric(np.array([1.0, -1.0]), np.eye(2), between)
    points = RNG.normal(size=(3, 2)) * 2
    found = metric.distances(points)
    assert np.allclose(found, found.T)
    expected = 0.0
    for k, variance in enumerate(between):
        pair = points[:2, k] - metric.mean[k]
        alone, shared = 1 + variance, variance
        one = multivariate_normal.logpdf(pair, cov=[[alone, shared], [shared, alone]])
        expected += multivariate_normal.logpdf(pair, cov=np.diag([alone, alone])) - one
    assert found[0, 1] == pytest.approx(expected)


def test_measures_that_do_not_tell_people_apart_do_not_count() -> None:
    blind = IdentityMetric(np.zeros(1), np.eye(1), np.zeros(1))
    assert np.abs(blind.distances(np.array([[0.0], [9.0]]))).max() < 1e-12


def test_the_rarer_the_likeness_the_surer() -> None:
    metric = IdentityMetric(np.zeros(1), np.eye(1), np.array([4.0]))
    at = metric.distances(np.array([[0.0], [0.1], [5.0], [5.1], [-5.0]]))
    assert at[2, 3] < at[0, 1] < 0 < at[2, 4]


def test_the_stored_metric_knows_faces_of_any_head_model(small_head: HeadModel) -> None:
    metric = identity_metric()
    assert metric.axes.shape == (315, len(metric.between)) and metric.mean.shape == (315,)
    assert (np.diff(metric.between) <= 0).all() and 1 < metric.between[0] < 100
    # two photos each of people as it believes them to be
    owner = np.repeat(np.arange(60), 2)
    people = RNG.normal(size=(60, len(metric.between))) * np.sqrt(metric.between)
    measures = people[owner] + RNG.normal(size=(120, len(metric.between)))
    apart = metric.distances(metric.mean + measures @ np.linalg.pinv(metric.axes))
    same = owner[:, None] == owner[None]
    own = apart[same & ~np.eye(120, dtype=bool)]
    assert (apart[~same] > np.median(own)).mean() > 0.95
    shapes = [RNG.normal(size=small_head.shape_dirs.shape[2]) for _ in range(3)]
    found = identity_distances(small_head, [*shapes, shapes[0]])
    assert found.shape == (4, 4) and found[0, 3] < found[0, 1:3].min()


def test_displacements_are_the_landmarks_in_mm(small_head: HeadModel) -> None:
    units = list(np.eye(small_head.shape_dirs.shape[2]))
    found = landmark_displacements(small_head, [*units, sum(units)])
    assert found.shape == (len(units) + 1, 315)
    assert np.allclose(found[-1], found[:-1].sum(axis=0))
    largest = 1000 * np.abs(small_head.shape_dirs).max()
    assert 0 < np.abs(found[:-1]).max() <= largest * (1 + 1e-6)


def test_a_head_model_without_the_landmarks_is_refused(small_head: HeadModel) -> None:
    table = small_head.landmarks
    fewer = LandmarkTable(table.indices[1:], table.faces[1:], table.barycentric[1:])
    shape = np.zeros(small_head.shape_dirs.shape[2])
    with pytest.raises(ValueError, match="landmarks"):
        identity_distances(replace(small_head, landmarks=fewer), [shape, shape])
