# SPDX-License-Identifier: Apache-2.0
"""The skin: counts, manifold, wound outwards, symmetric, a believable head.

Does not know UVs, joints or expressions.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.subdivision import boundary_loops, unique_edges
from rome_backend.open_head.surface import Skin, build_skin


def test_counts(skin: Skin) -> None:
    assert skin.vertices.shape == (7850, 3)
    assert skin.faces.shape == (15580, 3)
    np.testing.assert_array_equal(np.unique(skin.faces), np.arange(7850))


def test_manifold_and_consistently_wound(skin: Skin) -> None:
    assert unique_edges(skin.faces)[2].max() == 2
    sides = np.stack([skin.faces, np.roll(skin.faces, -1, axis=1)], axis=2).reshape(-1, 2)
    assert len(np.unique(sides, axis=0)) == len(sides)


def test_every_vertex_has_one_fan(skin: Skin) -> None:
    inner = np.bincount(skin.faces.ravel())
    edges, _, uses = unique_edges(skin.faces)
    valence = np.bincount(edges.ravel())
    border = np.zeros(len(inner), int)
    np.add.at(border, edges[uses == 1].ravel(), 1)
    assert set(border.tolist()) == {0, 2}
    np.testing.assert_array_equal(valence - inner, border // 2)


def test_exactly_two_open_loops(skin: Skin) -> None:
    mouth, hem = boundary_loops(skin.faces)
    assert (len(hem), len(mouth)) == (96, 24)
    assert set(hem) == set(skin.both(skin.hem[-1]).tolist())
    assert set(mouth) == set(skin.both(skin.mouth[-1]).tolist())


def test_it_is_one_piece_of_a_sphere_with_two_holes(skin: Skin) -> None:
    edges = len(unique_edges(skin.faces)[0])
    assert len(skin.vertices) - edges + len(skin.faces) == 0


def test_normals_point_outwards(skin: Skin) -> None:
    caps = [
        (loop[0], loop[k], loop[k + 1])
        for loop in boundary_loops(skin.faces)
        for k in range(1, len(loop) - 1)
    ]
    closed = np.concatenate([skin.faces, caps])
    a, b, c = (skin.vertices[closed[:, k]] for k in range(3))
    volume = (np.cross(a, b) * c).sum() / 6
    assert 0.006 < volume < 0.014  # m^3: a head of five litres on a bust


def test_exactly_mirror_symmetric(skin: Skin) -> None:
    np.testing.assert_array_equal(skin.vertices[skin.mirror] * (-1, 1, 1), skin.vertices)
    np.testing.assert_array_equal(skin.mirror[skin.mirror], np.arange(len(skin.mirror)))
    own = {tuple(sorted(t)) for t in skin.faces.tolist()}
    assert {tuple(sorted(t)) for t in skin.mirror[skin.faces].tolist()} == own


def test_landmark_k_is_vertex_k(skin: Skin) -> None:
    """Seen from the front they are the mean face's; their depth lies half-way to a measured one."""
    shift = np.abs(skin.vertices[:468] - mean_face()[:468])
    assert shift[:, :2].max() < 0.001
    assert np.median(shift[:, :2]) < 2e-4
    assert shift[:, 2].max() < 0.005


def test_same_head_every_time(skin: Skin) -> None:
    again = build_skin()
    np.testing.assert_array_equal(again.vertices, skin.vertices)
    np.testing.assert_array_equal(again.faces, skin.faces)


@pytest.mark.parametrize(
    ("axis", "low", "high"), [(0, 0.140, 0.165), (1, 0.210, 0.235), (2, 0.185, 0.230)]
)
def test_size_of_the_head(skin: Skin, axis: int, low: float, high: float) -> None:
    head = np.r_[skin.face, skin.both(skin.cranium[:24].ravel())]
    head = head[skin.vertices[head, 1] > skin.vertices[152, 1] - 0.001]
    assert low < np.ptp(skin.vertices[head, axis]) < high


def test_neck_is_narrower_than_the_head_and_shoulders(skin: Skin) -> None:
    width = [
        2 * skin.vertices[row[row >= 0], 0].max() for row in skin.cranium[[12, 33, 34, 36, -1]]
    ]
    assert min(width[1:4]) < 0.125 < width[0] < width[-1]
    assert 0.3 < width[-1] < 0.45


def test_ears_stand_out_from_the_head(skin: Skin) -> None:
    rim = skin.vertices[np.concatenate(skin.ear[3:7])]
    assert np.ptp(rim[:, 1]) == pytest.approx(0.06, abs=0.008)
    assert rim[:, 0].max() > skin.vertices[skin.ear[0], 0].max() + 0.008
    assert rim[:, 2].max() < skin.vertices[263, 2]


def test_no_face_has_zero_area(skin: Skin) -> None:
    a, b, c = (skin.vertices[skin.faces[:, k]] for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-9


def test_profile_has_no_kink(skin: Skin) -> None:
    """Along the sagittal line from hairline to nape the surface turns little at each step."""
    line = skin.vertices[skin.cranium[:, 0]][:, 1:]
    steps = np.diff(line, axis=0)
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.degrees(np.abs(np.diff(angle))).max() < 28


def test_hem_closes_the_bust_from_below(skin: Skin) -> None:
    edge = skin.vertices[skin.cranium[-1]]
    inside = skin.vertices[np.concatenate(skin.hem[1:])]
    assert np.ptp(edge[:, 1]) < 0.012  # level, so that nobody looks under it
    assert inside[:, 1].min() > edge[:, 1].min()
    assert np.ptp(skin.vertices[skin.both(skin.hem[-1])], axis=0).max() < 0.01


def test_nostrils_are_holes_in_the_nose(skin: Skin) -> None:
    """The floor between the nostril's landmarks lies deeper than they do."""
    rim = skin.vertices[[250, 290, 392, 309, 459, 458]]
    deepest = skin.vertices[skin.nostril, 1].max()
    assert deepest > rim[:, 1].max() + 0.001
    assert np.isin(skin.nostril, skin.face).all()
