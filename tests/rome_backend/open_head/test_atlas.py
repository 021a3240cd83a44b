# SPDX-License-Identifier: Apache-2.0
"""The atlas: no overlap, mirror symmetric, most of it for the face, eyeballs on their own.

Does not know textures.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head import teeth
from rome_backend.open_head.atlas import mean_value_weights
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.subdivision import boundary_loops

CUTS = 62 + 2 * teeth.ROWS + teeth.TONGUE_ALONG
TEETH_EDGE = 2 * (teeth.ROWS - 1 + teeth.COLUMNS // 2)
TONGUE_EDGE = 2 * (teeth.TONGUE_ALONG - 1 + teeth.TONGUE_ACROSS // 2)
ISLANDS = sorted([24, 96, 64, 64] + 4 * [TEETH_EDGE] + 2 * [TONGUE_EDGE])


def signed_areas(geometry: HeadGeometry) -> np.ndarray:
    a, b, c = (geometry.uvs[geometry.uv_faces[:, k]] for k in range(3))
    return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def coverage(geometry: HeadGeometry, size: int) -> np.ndarray:
    """How many faces cover each texel centre, edges left out."""
    count = np.zeros((size, size), int)
    corners = geometry.uvs[geometry.uv_faces] * size
    for triangle in corners:
        low = np.floor(triangle.min(axis=0)).astype(int)
        high = np.ceil(triangle.max(axis=0)).astype(int)
        x, y = np.meshgrid(*(np.arange(a, b) + 0.5 for a, b in zip(low, high, strict=True)))
        inside = np.ones(x.shape, bool)
        for k in range(3):
            p, q = triangle[k], triangle[(k + 1) % 3]
            side = (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])
            inside &= side > 1e-9
        count[low[1] : high[1], low[0] : high[0]] += inside
    return count


def test_counts(geometry: HeadGeometry) -> None:
    count = len(geometry.vertices) + CUTS
    assert geometry.uvs.shape == (count, 2)
    assert geometry.uv_faces.shape == geometry.faces.shape
    np.testing.assert_array_equal(np.unique(geometry.uv_faces), np.arange(count))
    assert geometry.uvs.min() >= 0
    assert geometry.uvs.max() <= 1


def test_only_cuts_have_uvs_of_their_own(geometry: HeadGeometry) -> None:
    differ = geometry.uv_faces != geometry.faces
    rows = teeth.ROWS, teeth.ROWS, teeth.TONGUE_ALONG
    assert len(set(geometry.faces[differ].tolist())) == 2 + sum(rows)
    assert len(set(geometry.uv_faces[differ].tolist())) == CUTS
    owner = np.arange(len(geometry.uvs))
    owner[geometry.uv_faces[differ]] = geometry.faces[differ]
    np.testing.assert_array_equal(owner[geometry.uv_faces], geometry.faces)


def test_every_triangle_has_positive_area(geometry: HeadGeometry) -> None:
    assert signed_areas(geometry).min() > 2e-7  # a fifth of a texel at 1K


def test_no_texel_is_covered_twice(geometry: HeadGeometry) -> None:
    count = coverage(geometry, 512)
    assert count.max() == 1
    assert (count > 0).mean() == pytest.approx(signed_areas(geometry).sum(), abs=0.02)


def test_layout_is_mirror_symmetric(geometry: HeadGeometry) -> None:
    own = geometry.uvs[: len(geometry.vertices)]
    cut = np.isin(np.arange(len(own)), geometry.faces[geometry.uv_faces != geometry.faces])
    mirrored = own[geometry.mirror] * (-1, 1) + (1, 0)
    np.testing.assert_allclose(mirrored[~cut], own[~cut], atol=1e-12)
    left = geometry.vertices[:, 0] > 1e-9
    assert (own[left & ~cut, 0] > 0.5).all()


def test_mirrored_faces_have_mirrored_uvs(geometry: HeadGeometry) -> None:
    """The image mirrored across u = 0.5 lies on the mirrored faces, back poles included."""

    def outlines(uvs: np.ndarray) -> set[tuple]:
        rounded = np.round(uvs[geometry.uv_faces], 9)
        return {tuple(sorted(map(tuple, triangle))) for triangle in rounded.tolist()}

    flipped = np.column_stack([1 - geometry.uvs[:, 0], geometry.uvs[:, 1]])
    assert outlines(flipped) == outlines(geometry.uvs)


def test_face_takes_half_of_the_width(geometry: HeadGeometry) -> None:
    face = geometry.uvs[: len(geometry.vertices)][geometry.regions["face"]]
    assert 0.45 < np.ptp(face[:, 0]) < 0.62
    pupils = geometry.uvs[[33, 263], 0]
    assert pupils[1] - pupils[0] > 0.18
    assert geometry.uvs[10, 1] > geometry.uvs[1, 1] > geometry.uvs[152, 1]


def test_skin_has_no_seam_and_eyeballs_are_islands(geometry: HeadGeometry) -> None:
    loops = boundary_loops(geometry.uv_faces)
    assert sorted(len(loop) for loop in loops) == ISLANDS
    parent = np.arange(len(geometry.uvs))
    for _ in range(200):
        lowest = parent[geometry.uv_faces].min(axis=1)
        before = parent.copy()
        np.minimum.at(parent, geometry.uv_faces.ravel(), np.repeat(lowest, 3))
        if (parent == before).all():
            break
    assert len(np.unique(parent)) == 3 + 6


def test_eyeball_islands_are_decent(geometry: HeadGeometry) -> None:
    own = geometry.uvs[: len(geometry.vertices)]
    for name, side in (("left_eyeball", 1), ("right_eyeball", -1)):
        island = own[geometry.regions[name]]
        assert np.ptp(island[:, 0]) > 0.1
        assert (side * (island[:, 0] - 0.5) > 0.3).all()


def test_mean_value_weights_reproduce_the_plane() -> None:
    ring = np.array([[1, 0, 0], [0.2, 0.9, 0], [-1, 0.3, 0], [-0.4, -0.8, 0], [0.7, -0.6, 0]])
    vertices = np.concatenate([[[0.1, 0.05, 0]], ring])
    faces = np.array([[0, 1 + k, 1 + (k + 1) % 5] for k in range(5)])
    weights = mean_value_weights(vertices, faces).toarray()[0]
    assert (weights[1:] > 0).all()
    np.testing.assert_allclose(weights @ vertices / weights.sum(), vertices[0], atol=1e-9)
