# SPDX-License-Identifier: Apache-2.0
"""The 68 landmarks among MediaPipe's 478, held against both embeddings of one mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rome_backend.core.landmarks_68 import CONTOUR, FIXED, MEDIAPIPE_68, landmarks_68_of
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks

# iBUG's own mirror: the jaw line and features from the other end.
MIRROR_68 = np.concatenate([
    np.arange(17)[::-1], np.arange(17, 27)[::-1], np.arange(27, 31), np.arange(31, 36)[::-1],
    [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
    [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55], [64, 63, 62, 61, 60, 67, 66, 65],
])  # fmt: skip


def test_there_are_68_different_ones() -> None:
    assert len(MEDIAPIPE_68) == 68 == len(set(MEDIAPIPE_68))
    assert max(MEDIAPIPE_68) < 468


def test_the_mirror_of_one_stands_for_the_mirror_of_the_other() -> None:
    opposite = mirror_landmarks()
    assert [int(opposite[k]) for k in MEDIAPIPE_68] == [MEDIAPIPE_68[n] for n in MIRROR_68]


def test_landmarks_are_taken_in_order_and_any_unit() -> None:
    points = np.random.default_rng(0).normal(size=(2, 478, 3))
    found = landmarks_68_of(points)
    assert found.shape == (2, 68, 3)
    assert np.array_equal(found[1, 30], points[1, 4])  # the nose's tip
    assert np.array_equal(found[0, 36], points[0, 33])  # the right eye's outer corner


def test_the_jaw_line_goes_down_and_up_round_the_face() -> None:
    jaw = landmarks_68_of(mean_face())[CONTOUR]
    assert (np.diff(jaw[:9, 1]) < 0).all() and (np.diff(jaw[8:, 1]) > 0).all()
    assert (np.diff(jaw[:, 0]) > 0).sum() >= 12  # the subject's right (-x) comes first
    assert np.abs(jaw[8, 0]) < 0.1 * np.ptp(jaw[:, 0])


def test_they_lie_where_flames_own_68_lie(data_dir: Path) -> None:
    """FLAME's two embeddings, 68 and MediaPipe's, were made apart: 5 mm is their agreement."""
    reduced = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    template, faces = reduced["v_template"], reduced["faces"]

    def places(kind: str, weights: str) -> np.ndarray:
        corners = template[faces[reduced[kind]]]
        return (corners * reduced[weights][..., None]).sum(1)

    own = places("lmk68_face_idx", "lmk68_b_coords")[FIXED]
    theirs = places("mp_lmk_face_idx", "mp_lmk_b_coords")
    row = {int(index): n for n, index in enumerate(reduced["mp_landmark_indices"])}
    distances = {
        n: float(np.linalg.norm(own[n] - theirs[row[k]]))
        for n, k in enumerate(MEDIAPIPE_68[FIXED])
        if k in row
    }
    assert len(distances) >= 45
    assert max(distances.values()) < 0.0055 and np.mean(list(distances.values())) < 0.003
    for n in distances:  # and hardly any other of the 105 is much nearer
        nearest = np.linalg.norm(theirs - own[n], axis=1).min()
        assert distances[n] < nearest + 0.0025
