# SPDX-License-Identifier: Apache-2.0
"""The mean face tool on synthetic faces whose mean is known.

Does not know the tracker: landmarks are made up or read from a file.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rome_backend.open_head.mean_face import mean_face as committed
from rome_backend.open_head.mean_face import mirror_landmarks

TOOL = Path(__file__).resolve().parents[2] / "tools" / "compute_mean_face.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compute_mean_face", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def photo(face: np.ndarray, yaw: float, pitch: float, roll: float, scale: float) -> np.ndarray:
    """Landmarks in px as a tracker gives them: y down, z smaller is nearer."""
    return scale * (face @ rotation(yaw, pitch, roll).T) * (1, -1, -1) + (250, 300, 0)


def photos() -> list[np.ndarray]:
    poses = [(0, 0, 0, 900), (12, -4, 3, 2000), (-20, 5, -8, 1500), (8, 2, 1, 700)]
    return [photo(committed(), *pose) for pose in poses]


def test_mean_of_one_face_in_many_poses_is_that_face(tool: ModuleType) -> None:
    mean, count = tool.mean_face(photos())
    assert count == 4
    np.testing.assert_allclose(mean, committed(), atol=2e-4)


def test_mean_is_symmetric_metric_and_upright(tool: ModuleType) -> None:
    noise = np.random.default_rng(0)
    faces = [p + noise.normal(0, 3, p.shape) for p in photos()]
    mean, _ = tool.mean_face(faces)
    mirror = mirror_landmarks()
    np.testing.assert_allclose(mean[mirror] * (-1, 1, 1), mean, atol=1e-9)
    assert np.linalg.norm(mean[468] - mean[473]) == pytest.approx(0.063)
    assert mean[10, 2] == pytest.approx(mean[152, 2], abs=1e-9)
    assert mean[263, 0] > 0


def test_open_mouths_and_turned_heads_do_not_count(tool: ModuleType) -> None:
    shouting = committed()
    shouting[[14, 87, 317, 17, 152]] -= (0, 0.03, 0)
    faces = [
        *photos(),
        photo(shouting, 0, 0, 0, 900),
        photo(committed() * (0.8, 1, 1), 50, 0, 0, 900),
    ]
    mean, count = tool.mean_face(faces)
    assert count == 4
    np.testing.assert_allclose(mean, committed(), atol=3e-4)


def test_similarity_recovers_scale_rotation_translation(tool: ModuleType) -> None:
    points = np.random.default_rng(1).normal(size=(30, 3))
    turn = rotation(20, 10, -30)
    scale, found, shift = tool.similarity(points, 2.5 * points @ turn.T + (1, 2, 3))
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(found, turn, atol=1e-9)
    np.testing.assert_allclose(shift, (1, 2, 3), atol=1e-9)


def test_similarity_never_mirrors(tool: ModuleType) -> None:
    points = np.random.default_rng(2).normal(size=(30, 3))
    _, found, _ = tool.similarity(points, points * (-1, 1, 1))
    assert np.linalg.det(found) == pytest.approx(1.0)


def test_lips_close_and_the_rest_stays(tool: ModuleType) -> None:
    face = committed()
    face[[14, 87, 317, 88, 318]] -= (0, 0.004, 0)
    closed = tool.with_closed_lips(face)
    assert np.linalg.norm(closed[13] - closed[14]) == pytest.approx(tool.LIPS_APART, abs=1e-9)
    np.testing.assert_array_equal(closed[[0, 17, 61, 291, 1, 152]], face[[0, 17, 61, 291, 1, 152]])


def test_only_photos_with_clear_rights_are_read(tool: ModuleType, tmp_path: Path) -> None:
    entries = [
        {"topic": "photos", "tier": "B", "file": "b.jpg"},
        {"topic": "photos", "tier": "C", "file": "c.jpg"},
        {"topic": "videos", "tier": "A", "file": "v.mp4"},
        {"topic": "photos", "tier": "A", "file": "a.jpg"},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps(entries), encoding="utf-8")
    assert tool.photo_names(tmp_path) == ["a.jpg", "b.jpg"]


def test_command_writes_the_array(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{k}.jpg" for k in range(4)]
    entries = [{"topic": "photos", "tier": "A", "file": name} for name in names]
    (tmp_path / "manifest.json").write_text(json.dumps(entries), encoding="utf-8")
    np.savez(tmp_path / "marks.npz", **dict(zip(names, photos(), strict=True)))
    out = tmp_path / "mean.npy"
    arguments = ["tool", "--data", str(tmp_path), "--out", str(out)]
    arguments += ["--landmarks", str(tmp_path / "marks.npz")]
    monkeypatch.setattr(sys, "argv", arguments)
    tool.main()
    saved = np.load(out)
    assert saved.dtype == np.float32
    np.testing.assert_allclose(saved, committed(), atol=2e-4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["manifest.json", "marks.npz", "mean.npy"]
