# SPDX-License-Identifier: Apache-2.0
"""The committed mean face and MediaPipe's topology: size, symmetry, order and anatomy.

Does not know how the head continues it.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.landmark_sets import (
    LEFT_EYE_CORNERS,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP_ROWS,
    RIGHT_EYE_CORNERS,
    RIGHT_IRIS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP_ROWS,
)
from rome_backend.open_head.mean_face import (
    FILE,
    TOPOLOGY_FILE,
    mean_face,
    mirror_landmarks,
    symmetric_triangles,
)
from rome_backend.open_head.subdivision import boundary_loops, unique_edges


def test_metric_frame() -> None:
    face = mean_face()
    assert face.shape == (478, 3)
    assert face.dtype == np.float64
    pupils = face[[468, 473]]
    assert np.linalg.norm(pupils[0] - pupils[1]) == pytest.approx(0.063, abs=1e-6)
    np.testing.assert_allclose(pupils.mean(axis=0), 0, atol=1e-7)
    assert face[10, 2] == pytest.approx(face[152, 2], abs=1e-6)


def test_axes() -> None:
    face = mean_face()
    assert face[263, 0] > 0 > face[33, 0]  # +X is the subject's left
    assert face[10, 1] > 0 > face[152, 1]
    assert face[1, 2] > face[[33, 263, 234, 454], 2].max()  # the nose looks along +Z


def test_anatomy_is_adult() -> None:
    face = mean_face()
    assert 0.125 < face[454, 0] - face[234, 0] < 0.150
    assert 0.150 < face[10, 1] - face[152, 1] < 0.180
    assert 0.042 < face[291, 0] - face[61, 0] < 0.056


def test_lips_are_closed_and_lids_are_open() -> None:
    face = mean_face()
    for upper, lower in zip(UPPER_LIP_ROWS[-1][1:-1], LOWER_LIP_ROWS[-1], strict=True):
        assert 0 < np.linalg.norm(face[upper] - face[lower]) < 0.0012
    assert face[386, 1] - face[374, 1] > 0.006


def test_mirror_is_exact_and_its_own_inverse() -> None:
    face, mirror = mean_face(), mirror_landmarks()
    np.testing.assert_array_equal(mirror[mirror], np.arange(478))
    np.testing.assert_allclose(face[mirror] * (-1, 1, 1), face, atol=1e-7)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LEFT_UPPER_LID, RIGHT_UPPER_LID),
        (LEFT_LOWER_LID, RIGHT_LOWER_LID),
        (LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS),
        ([LEFT_IRIS[k] for k in (0, 1, 2, 3, 4)], [RIGHT_IRIS[k] for k in (0, 3, 2, 1, 4)]),
        *((row, row[::-1]) for row in UPPER_LIP_ROWS + LOWER_LIP_ROWS),
    ],
)
def test_mirror_knows_lids_and_lips(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    # Nearest points confuse the lips' inner edges, which lie on each other.
    np.testing.assert_array_equal(mirror_landmarks()[list(left)], right)


def test_triangles_are_one_face_with_eyes_and_mouth_open() -> None:
    triangles = symmetric_triangles()
    assert triangles.shape == (852, 3)
    np.testing.assert_array_equal(np.unique(triangles), np.arange(468))
    assert unique_edges(triangles)[2].max() == 2
    assert [len(loop) for loop in boundary_loops(triangles)] == [16, 16, 20, 36]


def test_triangles_face_the_front_and_mirror() -> None:
    triangles, face, mirror = symmetric_triangles(), mean_face(), mirror_landmarks()
    a, b, c = (face[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    assert (normals[:, 2] > 0).mean() > 0.98  # nostrils and lips may turn away
    own = {tuple(sorted(t)) for t in triangles.tolist()}
    assert {tuple(sorted(t)) for t in mirror[triangles].tolist()} == own


def test_committed_data_is_small() -> None:
    assert FILE.stat().st_size + TOPOLOGY_FILE.stat().st_size < 20_000
