# SPDX-License-Identifier: Apache-2.0
"""Tests of the bench of 3D heads: its sums are right, and a head of the data is measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rome_backend.avatar.create import CreateOptions
from rome_backend.bench.heads import FOLDER, bench_heads, summary
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.measure.true_heads import YAWS, head_names


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
    assert len(head_names(data_dir / FOLDER)) == 8
    options = CreateOptions(size=256)
    payload = bench_heads(data_dir, options, lambda stage, fraction: None, ["ict_neutral"])
    rows = json.loads(json.dumps(payload))["heads"]
    assert [r["yaw"] for r in rows] == list(YAWS)
    for found in rows:
        assert set(found) == {
            "name", "yaw", "chamfer_mm", "average_chamfer_mm", "face_mm", "average_face_mm",
        }  # fmt: skip
        assert 0.3 < found["face_mm"] < 4 and 0.5 < found["chamfer_mm"] < 8
