# SPDX-License-Identifier: Apache-2.0
"""The landmark sets against the mean face they name parts of.

Does not know the head.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head import landmark_sets as sets
from rome_backend.open_head.mean_face import mean_face

FACE = mean_face()


@pytest.mark.parametrize("row", sets.UPPER_LIP_ROWS + sets.LOWER_LIP_ROWS)
def test_lip_rows_run_from_right_to_left(row: tuple[int, ...]) -> None:
    assert (np.diff(FACE[list(row), 0]) > 0).all()


def test_lip_rows_are_nested() -> None:
    upper = [FACE[row[5], 1] for row in sets.UPPER_LIP_ROWS]
    lower = [FACE[row[4], 1] for row in sets.LOWER_LIP_ROWS]
    assert upper == sorted(upper, reverse=True)
    assert lower == sorted(lower)
    assert lower[-1] < upper[-1]


def test_lips_do_not_share_landmarks() -> None:
    assert not set(sets.UPPER_LIP) & set(sets.LOWER_LIP)
    assert len(set(sets.UPPER_LIP)) == 44
    assert len(set(sets.LOWER_LIP)) == 36


def test_corners_are_the_ends_of_the_upper_rows() -> None:
    ends = {row[k] for row in sets.UPPER_LIP_ROWS for k in (0, -1)}
    assert set(sets.MOUTH_CORNERS) == ends


@pytest.mark.parametrize("side", ["LEFT", "RIGHT"])
def test_lids_run_from_the_outer_to_the_inner_corner(side: str) -> None:
    upper = FACE[list(getattr(sets, f"{side}_UPPER_LID"))]
    lower = FACE[list(getattr(sets, f"{side}_LOWER_LID"))]
    outer, inner = FACE[list(getattr(sets, f"{side}_EYE_CORNERS"))]
    assert abs(outer[0]) > abs(inner[0])
    for lid in (upper, lower):
        across = np.abs(lid[:, 0])
        assert (np.diff(across) < 0).all()
        assert abs(outer[0]) > across[0]
        assert across[-1] > abs(inner[0])
    assert (upper[1:-1, 1] > lower[1:-1, 1]).all()


@pytest.mark.parametrize("side", ["LEFT", "RIGHT"])
def test_iris_rims_run_counter_clockwise_from_plus_x(side: str) -> None:
    centre, *rim = FACE[list(getattr(sets, f"{side}_IRIS"))]
    for point, direction in zip(rim, ((1, 0), (0, 1), (-1, 0), (0, -1)), strict=True):
        assert (point - centre)[:2] @ direction > 0.004


def test_chin_and_nose_lie_apart() -> None:
    chin, nose = FACE[list(sets.CHIN)], FACE[list(sets.BELOW_NOSE)]
    mouth = FACE[[13, 14], 1].mean()
    assert (chin[:, 1] < mouth).mean() > 0.9
    assert (nose[:, 1] > mouth).all()
