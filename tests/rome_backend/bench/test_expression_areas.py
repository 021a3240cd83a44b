# SPDX-License-Identifier: Apache-2.0
"""Tests of the table of regions: complete, sided, and where the areas lie on the head."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.bench.expression_areas import (
    AREAS_OF,
    allowed,
    face_areas,
    face_millimetres,
    sided,
)
from rome_backend.core.types import HeadModel, Mask
from rome_backend.open_head.expressions import ARKIT_NAMES


@pytest.fixture(scope="module")
def head(average_head: HeadModel) -> HeadModel:
    return average_head


@pytest.fixture(scope="module")
def areas(head: HeadModel) -> dict[str, Mask]:
    return face_areas(head)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("eyeBlinkLeft", ("eyeBlink", "Left")),
        ("browDownRight", ("browDown", "Right")),
        ("jawLeft", ("jawSide", "")),
        ("mouthRight", ("mouthSide", "")),
        ("cheekPuff", ("cheekPuff", "")),
    ],
)
def test_names_lead_to_rows(name: str, row: tuple[str, str]) -> None:
    assert sided(name) == row


def test_every_key_has_a_row_and_every_row_a_key() -> None:
    rows = {sided(name)[0] for name in (*ARKIT_NAMES, "tongueOut")}
    assert rows == set(AREAS_OF)


def test_no_area_is_the_whole_head(head: HeadModel, areas: dict[str, Mask]) -> None:
    face = head.regions["face"]
    for name, area in areas.items():
        if name != "tongue":
            assert 0.03 < area[face].mean() < 0.75, name
        assert not area[head.regions["hair"] & (head.template[:, 2] < -0.08)].any(), name


@pytest.mark.parametrize(
    ("landmark", "inside", "outside"),
    [
        (386, "eye", "mouth"),
        (152, "chin", "eye"),
        (13, "mouth", "forehead"),
        (1, "nose", "chin"),
        (10, "forehead", "cheek"),
        (425, "cheek", "throat"),
    ],
)
def test_landmarks_lie_in_their_areas(
    areas: dict[str, Mask], landmark: int, inside: str, outside: str
) -> None:
    assert areas[inside][landmark] and not areas[outside][landmark]


def test_sides_are_kept_apart(head: HeadModel, areas: dict[str, Mask]) -> None:
    x = face_millimetres(head)[:, 0]
    left, right = (allowed(f"mouthSmile{side}", areas, x) for side in ("Left", "Right"))
    assert left[291] and not left[61] and right[61] and not right[291]
    assert left[13] and right[13]
    whole = allowed("mouthLeft", areas, x)
    assert whole[61] and whole[291] and not whole[10]


def test_a_name_of_nobody_is_an_error(areas: dict[str, Mask]) -> None:
    with pytest.raises(KeyError):
        allowed("earWiggleLeft", areas, np.zeros(1))


def test_millimetres_are_of_the_face(head: HeadModel) -> None:
    points = face_millimetres(head)
    assert np.linalg.norm(points[33] - points[263]) == pytest.approx(90)
    assert np.abs(points[[13, 14]].mean(axis=0)).max() < 1e-6
