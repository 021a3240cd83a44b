# SPDX-License-Identifier: Apache-2.0
"""Tests of core/rig_file.py: round trip, every wrong rig, and reading without heavy packages.

Does not know bpy.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.core.rig_file import load_rig, save_rig
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.core.types import Camera, HeadModel, RigArrays, RigKey


@pytest.fixture
def rig(small_head: HeadModel) -> RigArrays:
    """A rig of the small head with an expression, a live hair key and a driven corrective."""
    head = small_head
    rng = np.random.default_rng(0)
    deltas = rng.normal(size=(3, 94, 3)).astype(np.float32) * 0.01
    return RigArrays(
        name="Ann",
        vertices=head.template,
        offsets=deltas[2],
        faces=head.faces,
        uvs=head.uvs,
        uv_faces=head.uv_faces,
        keys=(
            RigKey("jawOpen", deltas[0]),
            RigKey("Hair01", deltas[1], 0.75, -3.0, 3.0),
            RigKey("pose_jaw_12", deltas[2], 0.0, -2.0, 2.0, driver=("jaw", 1, 2)),
        ),
        joints=(head.joint_regressor @ head.template).astype(np.float32),
        joint_names=head.joint_names,
        parents=head.parents,
        weights=head.weights,
        eye_faces=head.regions["left_eyeball"][head.faces].all(1),
        regions=dict(head.regions),
        albedo=rng.integers(0, 255, (16, 16, 3)).astype(np.uint8),
        confidence=rng.integers(0, 255, (16, 16)).astype(np.uint8),
        photo=rng.integers(0, 255, (12, 20, 3)).astype(np.uint8),
        camera=Camera(np.diag([2.0, 3.0, 1.0, 1.0]), 20, 12),
        properties={"shape": [0.5, -1.0], "licence": "CC0", "nested": {"é": None}},
    )


def test_round_trip(rig: RigArrays, tmp_path: Path) -> None:
    save_rig(rig, tmp_path / "rig")
    again = load_rig(tmp_path / "rig")
    for field in fields(RigArrays):
        found, expected = getattr(again, field.name), getattr(rig, field.name)
        if isinstance(expected, np.ndarray):
            assert np.array_equal(found, expected) and found.dtype == expected.dtype
    assert (again.name, again.joint_names) == (rig.name, rig.joint_names)
    assert again.properties == rig.properties
    assert set(again.regions) == set(rig.regions)
    assert np.array_equal(again.camera.world_to_clip, rig.camera.world_to_clip)
    assert (again.camera.width, again.camera.height) == (20, 12)
    for found, expected in zip(again.keys, rig.keys, strict=True):
        assert np.array_equal(found.delta, expected.delta)
        assert replace(found, delta=expected.delta) == expected


def test_a_neural_preview_comes_along_where_there_is_one(rig: RigArrays, tmp_path: Path) -> None:
    preview = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    save_rig(replace(rig, neural_preview=preview), tmp_path / "rig")
    found = load_rig(tmp_path / "rig").neural_preview
    assert found is not None and np.array_equal(found, preview)
    save_rig(rig, tmp_path / "plain")
    assert load_rig(tmp_path / "plain").neural_preview is None
    for wrong in (preview[..., 0], preview.astype(np.float32), preview[:0]):
        with pytest.raises(FileInvalid):
            save_rig(replace(rig, neural_preview=wrong), tmp_path / "wrong")


def test_estimated_maps_come_along_and_have_the_size_of_the_texture(
    rig: RigArrays, tmp_path: Path
) -> None:
    with_maps = replace(rig, normal_map=rig.albedo ^ 255, roughness_map=rig.confidence ^ 255)
    save_rig(with_maps, tmp_path / "rig")
    found = load_rig(tmp_path / "rig")
    assert found.normal_map is not None and np.array_equal(found.normal_map, rig.albedo ^ 255)
    assert found.roughness_map is not None
    assert np.array_equal(found.roughness_map, rig.confidence ^ 255)
    wrong: tuple[dict[str, Any], ...] = (
        {"normal_map": rig.albedo[:1]},
        {"normal_map": rig.albedo.astype(np.float32)},
        {"roughness_map": rig.albedo},
    )
    for change in wrong:
        with pytest.raises(FileInvalid):
            save_rig(replace(rig, **change), tmp_path / "wrong")


def test_a_rig_without_keys_and_regions(rig: RigArrays, tmp_path: Path) -> None:
    save_rig(replace(rig, keys=(), regions={}), tmp_path / "rig")
    assert load_rig(tmp_path / "rig").keys == ()


def _key(rig: RigArrays, **changes: Any) -> dict[str, Any]:
    return {"keys": (replace(rig.keys[0], **changes), *rig.keys[1:])}


WRONG: dict[str, Any] = {
    "face too high": lambda r: {"faces": r.faces + 1},
    "uv face too high": lambda r: {"uv_faces": r.uv_faces + 999},
    "double vertices": lambda r: {"vertices": r.vertices.astype(np.float64)},
    "flat vertices": lambda r: {"vertices": r.vertices.reshape(-1)},
    "weights of 2": lambda r: {"weights": r.weights * 2},
    "missing joint": lambda r: {"joints": r.joints[1:]},
    "a loop": lambda r: {"parents": np.array([-1, 1, 1, 1, 1], np.int32)},
    "eyes of another mesh": lambda r: {"eye_faces": r.eye_faces[:-1]},
    "long albedo": lambda r: {"albedo": r.albedo[:8]},
    "grey photo": lambda r: {"photo": r.photo[:, :, 0]},
    "no picture": lambda r: {"camera": Camera(np.eye(4), 0, 12)},
    "flat camera": lambda r: {"camera": Camera(np.eye(3), 20, 12)},
    "short region": lambda r: {"regions": {"hair": np.ones(3, bool)}},
    "one key twice": lambda r: {"keys": (r.keys[0], r.keys[0])},
    "unnamed key": lambda r: _key(r, name=""),
    "short key": lambda r: _key(r, delta=r.keys[0].delta[:-1]),
    "key out of range": lambda r: _key(r, value=1.5),
    "key that is no number": lambda r: _key(r, value=float("nan")),
    "driver of no joint": lambda r: _key(r, driver=("tail", 0, 0)),
    "driver outside the matrix": lambda r: _key(r, driver=("jaw", 0, 3)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rigs_are_not_saved(rig: RigArrays, tmp_path: Path, name: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        save_rig(replace(rig, **WRONG[name](rig)), tmp_path / "rig")
    assert caught.value.code == "rig_invalid"
    assert not (tmp_path / "rig").exists()


FACTS = {"name": "k", "value": 0.0, "minimum": 0.0, "maximum": 1.0, "driver": None}


@pytest.mark.parametrize(
    ("tensors", "metadata", "code"),
    [
        ({}, {"kind": "rome head model"}, "not_a_rig"),
        ({}, {"version": 99}, "rig_version"),
        ({}, {"name": None}, "rig_invalid"),
        ({}, {"properties": []}, "rig_invalid"),
        ({}, {"joint_names": [1, 2, 3, 4, 5]}, "rig_invalid"),
        ({}, {"camera_size": [20]}, "rig_invalid"),
        ({}, {"camera_size": [20, "12"]}, "rig_invalid"),
        ({}, {"keys": []}, "rig_invalid"),
        ({}, {"keys": [FACTS] * 3}, "rig_invalid"),
        ({}, {"keys": [FACTS | {"name": 1}, FACTS, FACTS]}, "rig_invalid"),
        ({}, {"keys": [FACTS | {"value": "0"}, FACTS, FACTS]}, "rig_invalid"),
        ({}, {"keys": [FACTS | {"driver": "jaw"}, FACTS, FACTS]}, "rig_invalid"),
        ({}, {"keys": [FACTS | {"driver": [[], 0, 0]}, FACTS, FACTS]}, "rig_invalid"),
        ({}, {"keys": [{}, {}, {}]}, "rig_invalid"),
        ({}, {"keys": 3}, "rig_invalid"),
        ({"key_deltas": np.zeros(3, np.float32)}, {}, "rig_invalid"),
        ({"vertices": np.zeros((), np.float32)}, {}, "rig_invalid"),
        ({"eye_faces": np.zeros((), np.bool_)}, {}, "rig_invalid"),
        ({"faces": np.zeros((), np.int32)}, {}, "rig_invalid"),
        ({"photo": np.zeros((), np.uint8)}, {}, "rig_invalid"),
        ({"surprise": np.zeros(1)}, {}, "rig_invalid"),
    ],
)
def test_tampered_files_are_refused(
    rig: RigArrays, tmp_path: Path, tensors: Any, metadata: Any, code: str
) -> None:
    save_rig(rig, tmp_path / "rig")
    arrays, facts = read_tensors(tmp_path / "rig")
    write_tensors(tmp_path / "rig", arrays | tensors, facts | metadata)
    with pytest.raises(FileInvalid) as caught:
        load_rig(tmp_path / "rig")
    assert caught.value.code == code


def test_reading_needs_numpy_alone(rig: RigArrays, tmp_path: Path, root: Path) -> None:
    """Blender's Python has numpy and no other package of ours."""
    save_rig(rig, tmp_path / "rig")
    program = (
        "import sys; from rome_backend.core.rig_file import load_rig; load_rig(sys.argv[1]);"
        "heavy = {'torch', 'scipy', 'PIL', 'cv2', 'bpy', 'safetensors', 'platformdirs'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rig")]
    assert subprocess.run(command, cwd=root, check=False).returncode == 0
