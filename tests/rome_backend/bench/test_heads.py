# SPDX-License-Identifier: Apache-2.0
"""Tests of the bench of 3D heads: the ruler is right, and a head of the data is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rome_backend.avatar.create import CreateOptions
from rome_backend.avatar.heads import load_head
from rome_backend.bench.heads import YAWS, Ruler, TrueHead, bench_heads, head_names, summary
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F64, HeadModel


def truth(head: HeadModel, vertices: F64) -> TrueHead:
    """Return a true head that is the head model itself."""
    points = landmark_points(vertices, head.faces, head.landmarks)[:468]
    return TrueHead("self", vertices, head.faces, points, np.ones(468), {}, {})


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()[0]


def test_a_head_is_no_distance_from_itself_wherever_it_stands(head: HeadModel) -> None:
    template = head.template.astype(np.float64)
    ruler = Ruler(truth(head, template), head, 0)
    turn = rotation_matrices(np.array([0.2, -0.5, 0.1]))
    chamfer, face = ruler.errors(head, 1.3 * template @ turn.T + [0.1, 0.2, -0.3])
    assert chamfer < 0.02 and face < 0.02


def test_another_shape_is_as_far_as_it_is(head: HeadModel) -> None:
    template = head.template.astype(np.float64)
    ruler = Ruler(truth(head, template), head, 0)
    cranium = ~head.regions["face"] & (template[:, 1] > 0.03)
    thicker = template.copy()
    thicker[cranium] *= 1.1
    chamfer, face = ruler.errors(head, thicker)
    small, _ = ruler.errors(head, template + (thicker - template) / 4)
    assert 0.5 < chamfer < 10 and face < 1 and small < chamfer / 2


def test_hair_in_front_of_the_face_is_left_out(head: HeadModel) -> None:
    template = head.template.astype(np.float64)
    hidden = truth(head, template)
    hidden.landmarks[:60] += [0, 0, 0.05]
    chamfer, face = Ruler(hidden, head, 0).errors(head, template)
    assert chamfer < 0.1 and face < 0.1


def test_nothing_below_the_plane_counts(head: HeadModel) -> None:
    template = head.template.astype(np.float64)
    cut = template.copy()
    low = cut[:, 1] < cut[152, 1] - 0.045
    cut[low] += [0, -0.1, 0.2]
    chamfer, _ = Ruler(truth(head, template), head, 0).errors(head, cut)
    assert chamfer < 0.3


def test_identity_of_the_truth_wins_over_the_average(head: HeadModel) -> None:
    shape = np.random.default_rng(3).normal(size=head.shape_dirs.shape[2])
    person = shape_vertices(head, shape)
    ruler = Ruler(truth(head, person), head, 0)
    right = ruler.errors(head, person)
    average = ruler.errors(head, head.template.astype(np.float64))
    assert right[0] < 0.05 < average[0] and right[1] < 0.05 < average[1]


def row(yaw: int, ours: float, average: float) -> dict[str, object]:
    values = {"chamfer_mm": ours, "average_chamfer_mm": average}
    return {"name": "a", "yaw": yaw, **values, "face_mm": 1.0, "average_face_mm": 1.0}


def test_summary_counts_and_averages_by_yaw() -> None:
    found = summary([row(0, 1, 2), row(0, 3, 2), row(0, 1, 2), row(30, 4, 2)])
    assert set(found) == {"0", "+-30"}
    assert found["0"]["better"] == 2 and found["0"]["heads"] == 3
    assert found["0"]["chamfer_gain_percent"] == pytest.approx(100 / 6, abs=0.01)
    assert found["0"]["face_better"] == 0 and found["0"]["face_gain_percent"] == 0
    assert found["+-30"]["chamfer_gain_percent"] == -100


def test_a_folder_without_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        bench_heads(tmp_path, CreateOptions(), lambda stage, fraction: None)


def test_damaged_cameras_are_refused(tmp_path: Path, data_dir: Path, tracker_models: Path) -> None:
    folder = tmp_path / "heads3d" / "renders" / "ict_neutral"
    folder.mkdir(parents=True)
    source = data_dir / "heads3d" / "ict_neutral.ply"
    (tmp_path / "heads3d" / "ict_neutral.ply").write_bytes(source.read_bytes())
    for text in ("{", '{"views": {}}'):
        (folder / "cameras.json").write_text(text)
        with pytest.raises(FileInvalid):
            bench_heads(tmp_path, CreateOptions(), lambda stage, fraction: None)


def test_a_head_of_the_data_is_measured(data_dir: Path, tracker_models: Path) -> None:
    assert len(head_names(data_dir)) == 8
    options = CreateOptions(size=256)
    payload = bench_heads(data_dir, options, lambda stage, fraction: None, ["ict_neutral"])
    rows = json.loads(json.dumps(payload))["heads"]
    assert [r["yaw"] for r in rows] == list(YAWS)
    for found in rows:
        assert set(found) == {
            "name", "yaw", "chamfer_mm", "average_chamfer_mm", "face_mm", "average_face_mm",
        }  # fmt: skip
        assert 0.3 < found["face_mm"] < 4 and 0.5 < found["chamfer_mm"] < 8
