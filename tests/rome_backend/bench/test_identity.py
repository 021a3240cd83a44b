# SPDX-License-Identifier: Apache-2.0
"""Tests of the bench of synthetic people: its measures, and one small run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rome_backend.avatar.create import CreateOptions
from rome_backend.avatar.heads import load_head
from rome_backend.bench.identity import (
    PHOTOS_EACH,
    YAWS,
    bench_identity,
    missed_bounds,
    nearest_accuracy,
    shape_error_mm,
    shape_region,
)
from rome_backend.core.rotations import rotation_matrices


def test_shape_error_ignores_where_a_head_stands_and_what_is_not_shape() -> None:
    head, _ = load_head()
    region = shape_region(head)
    template = head.template.astype(np.float64)
    turn = rotation_matrices(np.array([0.1, 0.4, -0.2]))
    moved = 0.7 * template @ turn.T + [1.0, 2.0, 3.0]
    moved[~region] += 0.1
    assert shape_error_mm(moved, template, region) < 1e-6
    ears = template.copy()
    ears[head.regions["ears"]] *= 1.2
    assert shape_error_mm(ears, template, region) > 0.3
    assert not (region & head.regions["neck"]).any() and region[:468].all()


def test_nearest_accuracy_counts_the_same_person_and_never_the_photo_itself() -> None:
    at = np.array([0.0, 1.0, 10.0, 11.0, 5.9])
    distances = np.abs(at[:, None] - at[None])
    assert nearest_accuracy(distances, [0, 0, 1, 1, 1]) == pytest.approx(1.0)
    assert nearest_accuracy(distances, [0, 0, 1, 1, 0]) == pytest.approx(0.8)
    assert nearest_accuracy(distances, [0, 1, 2, 3, 4]) == 0


def test_bounds() -> None:
    good = {
        "by_yaw": {"0": {"shape_mm": 1.0, "average_mm": 2.0}},
        "by_count": {"1": 2.0, "2": 1.5},
        "nearest_neighbour_accuracy": 0.9,
    }
    assert not missed_bounds(good)
    bad = {
        "by_yaw": {"35": {"shape_mm": 2.0, "average_mm": 2.0}},
        "by_count": {"1": 2.0, "2": 2.1},
        "nearest_neighbour_accuracy": 0.89,
    }
    missed = missed_bounds(bad)
    assert len(missed) == 3 and "35" in missed[0] and "more photos" in missed[1]


def test_a_small_run_has_the_promised_form(tracker_models: Path) -> None:
    payload = bench_identity(CreateOptions(size=256), lambda stage, fraction: None, people=2)
    payload = json.loads(json.dumps(payload))
    assert list(payload["by_yaw"]) == [str(yaw) for yaw in YAWS]
    for row in payload["by_yaw"].values():
        assert 0.5 < row["shape_mm"] < 8 and 0.5 < row["average_mm"] < 8
    assert list(payload["by_count"]) == ["1", "2", "3", "6"]
    assert all(0.5 < error < 8 for error in payload["by_count"].values())
    assert 0 <= payload["nearest_neighbour_accuracy"] <= 1
    assert payload["people"] == 2 and payload["photos"] == 2 * PHOTOS_EACH
