# SPDX-License-Identifier: Apache-2.0
"""Regions: all there, disjoint where they must be, symmetric, where anatomy puts them.

Does not know who reads them.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.subdivision import boundary_loops

NAMES = {
    "face",
    "lips",
    "left_eye_region",
    "right_eye_region",
    "ears",
    "hair",
    "neck",
    "shoulders",
    "forehead",
    "nose",
    "teeth",
    "gums",
    "tongue",
    "mouth_inside",
    "left_eyeball",
    "right_eyeball",
}
DISJOINT = ("face", "ears", "hair", "neck", "mouth_inside", "left_eyeball", "right_eyeball")
DISJOINT += ("teeth", "gums", "tongue")


def test_names_and_shapes(geometry: HeadGeometry) -> None:
    assert set(geometry.regions) == NAMES
    for mask in geometry.regions.values():
        assert mask.shape == (len(geometry.vertices),)
        assert mask.dtype == bool
        assert mask.any()


@pytest.mark.parametrize(("a", "b"), list(combinations(DISJOINT, 2)))
def test_disjoint(geometry: HeadGeometry, a: str, b: str) -> None:
    assert not (geometry.regions[a] & geometry.regions[b]).any()


def test_nearly_every_vertex_belongs_somewhere(geometry: HeadGeometry) -> None:
    named = np.any(list(geometry.regions.values()), axis=0)
    # Only the strip between cheek and ear belongs to nothing: it must not move with hair.
    rest = geometry.vertices[~named]
    assert len(rest) < 120
    assert (np.abs(rest[:, 0]) > 0.05).all()
    assert (rest[:, 1] < -0.015).all()


@pytest.mark.parametrize("name", ["face", "lips", "ears", "hair", "neck", "mouth_inside"])
def test_symmetric(geometry: HeadGeometry, name: str) -> None:
    mask = geometry.regions[name]
    np.testing.assert_array_equal(mask[geometry.mirror], mask)


@pytest.mark.parametrize("part", ["eye_region", "eyeball"])
def test_left_and_right_are_mirror_images(geometry: HeadGeometry, part: str) -> None:
    left, right = geometry.regions[f"left_{part}"], geometry.regions[f"right_{part}"]
    np.testing.assert_array_equal(left[geometry.mirror], right)
    assert (geometry.vertices[left, 0] > 0).all()


@pytest.mark.parametrize("name", ["face", "lips", "hair", "neck", "mouth_inside"])
def test_in_one_piece(geometry: HeadGeometry, name: str) -> None:
    members = np.flatnonzero(geometry.regions[name])
    edges = adjacency(geometry.faces, len(geometry.vertices))[members][:, members]
    reached = np.zeros(len(members), bool)
    reached[0] = True
    for _ in range(200):
        reached |= np.asarray(edges @ reached.astype(float)) > 0
    assert reached.all()


def test_landmarks_lie_in_their_regions(geometry: HeadGeometry) -> None:
    assert geometry.regions["face"][:468].all()
    assert geometry.regions["lips"][[0, 17, 61, 291, 13, 14]].all()
    assert not geometry.regions["lips"][[1, 152, 164, 18]].any()
    assert geometry.regions["left_eye_region"][[263, 362, 386, 374]].all()
    assert geometry.regions["right_eye_region"][[33, 133, 159, 145]].all()


def test_hair_is_above_and_behind_and_neck_below(geometry: HeadGeometry) -> None:
    vertices, regions = geometry.vertices, geometry.regions
    hair, neck = vertices[regions["hair"]], vertices[regions["neck"]]
    assert hair[:, 1].max() == vertices[:, 1].max()
    assert hair[:, 2].min() == pytest.approx(
        vertices[regions["hair"] | regions["face"], 2].min(), abs=0.02
    )
    assert neck[:, 1].max() < -0.05
    behind_ears = (np.abs(hair[:, 0]) > 0.05) & (hair[:, 2] < -0.09) & (hair[:, 1] < 0)
    assert behind_ears.any()


def test_neck_holds_the_bottom_loop(geometry: HeadGeometry) -> None:
    loops = boundary_loops(geometry.skin_faces)
    assert geometry.regions["mouth_inside"][loops[0]].all()
    assert geometry.regions["shoulders"][loops[1]].all()


def test_parts_of_the_face_lie_where_they_belong(geometry: HeadGeometry) -> None:
    regions, vertices = geometry.regions, geometry.vertices
    for name in ("forehead", "nose"):
        assert (regions[name] <= regions["face"]).all()
        assert not (regions[name] & regions["lips"]).any()
    assert regions["nose"][[1, 4, 5, 2, 358, 129]].all()
    assert regions["forehead"][[10, 151, 337]].all()
    assert vertices[regions["forehead"], 1].min() > vertices[[386, 159], 1].max()
    assert not regions["nose"][[33, 133, 263, 362, 205, 425]].any()


def test_shoulders_are_the_still_part_of_the_neck(geometry: HeadGeometry) -> None:
    shoulders = geometry.regions["shoulders"]
    assert (shoulders <= geometry.regions["neck"]).all()
    np.testing.assert_array_equal(geometry.weights[shoulders, 0], 1)
    assert np.ptp(geometry.vertices[shoulders, 0]) > 0.3


def test_scalp_is_fine_enough_for_hair(geometry: HeadGeometry) -> None:
    hair = geometry.regions["hair"]
    assert hair.sum() > 1200
    faces = geometry.faces[hair[geometry.faces].all(axis=1)]
    edges = geometry.vertices[faces] - geometry.vertices[np.roll(faces, 1, axis=1)]
    assert np.linalg.norm(edges, axis=2).max() < 0.025
