# SPDX-License-Identifier: Apache-2.0
"""Tests of the ruler of heads: it sees shape and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.avatar.heads import load_head
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F64, HeadModel
from rome_backend.measure.head_ruler import CHIN, Distances, HeadMesh, Ruler, model_mesh

TURN = rotation_matrices(np.array([0.2, -0.5, 0.1]))


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()[0]


@pytest.fixture(scope="module")
def template(head: HeadModel) -> F64:
    return head.template.astype(np.float64)


@pytest.fixture(scope="module")
def mean(head: HeadModel, template: F64) -> HeadMesh:
    return model_mesh(head, template)


def test_a_head_is_no_distance_from_itself_wherever_it_stands(
    head: HeadModel, template: F64, mean: HeadMesh
) -> None:
    found = Ruler(mean, mean, 0).distances(
        model_mesh(head, 1.3 * template @ TURN.T + [0.1, 0.2, -0.3])
    )
    assert max(found.chamfer, found.face, found.forth, found.back) < 0.02


def test_another_shape_is_as_far_as_it_is(
    head: HeadModel, template: F64, mean: HeadMesh
) -> None:  # fmt: skip
    ruler = Ruler(mean, mean, 0)
    cranium = ~head.regions["face"] & (template[:, 1] > 0.03)
    thicker = template.copy()
    thicker[cranium] *= 1.1
    found = ruler.distances(model_mesh(head, thicker))
    small = ruler.distances(model_mesh(head, template + (thicker - template) / 4))
    assert 0.5 < found.chamfer < 10 and found.face < 1 and small.chamfer < found.chamfer / 2


def test_both_ways_are_told_apart() -> None:
    assert Distances(1.0, 3.0, 0.0).chamfer == 2


def test_a_part_that_is_missing_is_far_from_the_truth_only(
    template: F64, mean: HeadMesh
) -> None:  # fmt: skip
    """Without the crown the true surface is far from the head, the head near the true surface."""
    kept = (template[mean.faces][..., 1] < 0.05).any(1)
    found = Ruler(mean, mean, 0).distances(replace(mean, faces=mean.faces[kept]))
    assert found.forth > 3 and found.back < 0.05


def test_hair_in_front_of_the_face_is_left_out(mean: HeadMesh) -> None:
    landmarks = mean.landmarks.copy()
    landmarks[:60] += [0, 0, 0.05]
    found = Ruler(replace(mean, landmarks=landmarks), mean, 0).distances(mean)
    assert found.chamfer < 0.1 and found.face < 0.1


def test_nothing_below_the_plane_counts(
    head: HeadModel, template: F64, mean: HeadMesh
) -> None:  # fmt: skip
    cut = template.copy()
    low = cut[:, 1] < mean.landmarks[CHIN, 1] - 0.045
    cut[low] += [0, -0.1, 0.2]
    assert Ruler(mean, mean, 0).distances(model_mesh(head, cut)).chamfer < 0.3


def test_identity_of_the_truth_wins_over_the_average(head: HeadModel, mean: HeadMesh) -> None:
    shape = np.random.default_rng(3).normal(size=head.shape_dirs.shape[2])
    person = model_mesh(head, shape_vertices(head, shape))
    ruler = Ruler(person, mean, 0)
    right, average = ruler.distances(person), ruler.distances(mean)
    assert right.chamfer < 0.05 < average.chamfer and right.face < 0.05 < average.face


def test_landmarks_that_are_a_little_off_are_mended_on_the_surface(mean: HeadMesh) -> None:
    moved = replace(mean, landmarks=mean.landmarks + [0, 0.006, 0.003])
    rough = Ruler(mean, mean, 0).distances(moved)
    fine = Ruler(mean, mean, 0, refine=True).distances(moved)
    assert fine.face < 0.35 * rough.face and fine.chamfer < 0.5 * rough.chamfer


def test_without_common_landmarks_there_is_no_distance(mean: HeadMesh) -> None:
    none = replace(mean, weights=np.zeros(468))
    with pytest.raises(ValueError, match="landmarks"):
        Ruler(mean, mean, 0).distances(none)
