# SPDX-License-Identifier: Apache-2.0
"""The face's left half: landmarks stay, loops are found, halves fit.

Does not know what continues it.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.face_surface import FaceHalf, face_half
from rome_backend.open_head.mean_face import mean_face


@pytest.fixture(scope="module")
def half() -> FaceHalf:
    return face_half()


def test_landmarks_are_where_the_mean_face_has_them(half: FaceHalf) -> None:
    numbers = np.array(half.numbers)
    landmarks = numbers < 468
    expected = mean_face()[numbers[landmarks]]
    np.testing.assert_allclose(half.vertices[landmarks], expected, atol=1e-7)


def test_numbers_of_both_halves_cover_the_face_once(half: FaceHalf) -> None:
    both = sorted({*half.numbers, *half.partners})
    assert both == list(range(1790))
    on_plane = [a for a, b in zip(half.numbers, half.partners, strict=True) if a == b]
    assert 2 * len(half.numbers) - len(on_plane) == 1790


def test_only_the_plane_is_shared(half: FaceHalf) -> None:
    shared = np.array(half.numbers) == np.array(half.partners)
    np.testing.assert_array_equal(half.vertices[shared, 0], 0)
    assert (half.vertices[~shared, 0] > 0).all()


def test_half_has_half_the_faces(half: FaceHalf) -> None:
    assert half.faces.shape == (852 * 4 // 2, 3)
    np.testing.assert_array_equal(np.unique(half.faces), np.arange(len(half.numbers)))


@pytest.mark.parametrize(
    ("name", "count", "first", "last"), [("oval", 37, 10, 152), ("mouth", 21, 14, 13)]
)
def test_arcs_run_through_the_left(
    half: FaceHalf, name: str, count: int, first: int, last: int
) -> None:
    arc = getattr(half, name)
    assert len(arc) == count
    assert half.numbers[arc[0]] == first
    assert half.numbers[arc[-1]] == last
    assert (half.vertices[arc[1:-1], 0] > 0).all()


def test_mouth_runs_round_its_corner(half: FaceHalf) -> None:
    assert half.numbers[half.mouth[10]] == 308
    lower, upper = half.vertices[half.mouth[:10], 1], half.vertices[half.mouth[:10:-1], 1]
    assert (upper > lower).all()


def test_eye_is_the_left_one_with_the_hole_to_its_left(half: FaceHalf) -> None:
    eye = half.vertices[half.eye]
    assert len(half.eye) == 32
    assert {half.numbers[k] for k in half.eye} >= {263, 362, 386, 374}
    following = np.roll(eye, -1, axis=0)
    area = (eye[:, 0] * following[:, 1] - eye[:, 1] * following[:, 0]).sum() / 2
    assert 1e-4 < area < 4e-4  # counter-clockwise, a few square centimetres at most
