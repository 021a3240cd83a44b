# SPDX-License-Identifier: Apache-2.0
"""Tests of the avatar file: exact round trips, atomic writing, hostile and foreign files.

Does not make avatars from photos.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from rome_backend.avatar import avatar as module
from rome_backend.avatar.avatar import load_avatar, require_head_model, save_avatar
from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.core.types import Avatar, Camera, FlameParams, HeadModel, LandmarkTable


def make_avatar(vertices: int = 7, side: int = 8, seed: int = 0) -> Avatar:
    random = np.random.default_rng(seed)
    return Avatar(
        name="née – ü",
        head_model="open-head",
        topology_id="t1",
        params=FlameParams(random.normal(size=4), random.normal(size=3), jaw=np.array([0.1, 0, 0])),
        offset_coefficients=random.normal(size=60).astype(np.float32),
        free_offsets=random.normal(size=(vertices, 3)).astype(np.float32),
        offsets=random.normal(size=(vertices, 3)).astype(np.float32),
        albedo=random.integers(0, 256, (side, side, 3), dtype=np.uint8),
        confidence=random.integers(0, 256, (side, side), dtype=np.uint8),
        source_crop=random.integers(0, 256, (5, 5, 3), dtype=np.uint8),
        source_matte=random.integers(0, 256, (5, 5), dtype=np.uint8),
        source_landmarks=random.normal(size=(478, 3)).astype(np.float32),
        camera=Camera(random.normal(size=(4, 4)), 5, 5),
        warnings=("dark", "several_faces"),
        licences={"head model": "Apache-2.0"},
        provenance={"seed": 3, "photos": ["a.jpg"], "nested": {"yaw": 1.25}},
    )


def make_head(avatar: Avatar, topology_id: str = "t1") -> HeadModel:
    count = avatar.offsets.shape[0]
    empty = np.zeros((0, 3), np.int32)
    return HeadModel(
        "open-head", topology_id, "Apache-2.0", "test",
        template=np.zeros((count, 3), np.float32), faces=empty,
        uvs=np.zeros((0, 2), np.float32), uv_faces=empty,
        shape_dirs=np.zeros((count, 3, 4), np.float32),
        expression_dirs=np.zeros((count, 3, 3), np.float32), expression_names=("a", "b", "c"),
        pose_dirs=np.zeros((count, 3, 36), np.float32),
        joint_regressor=np.zeros((5, count), np.float32),
        weights=np.zeros((count, 5), np.float32), parents=np.zeros(5, np.int32), regions={},
        landmarks=LandmarkTable(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 3))),
    )  # fmt: skip


def assert_same(left: object, right: object) -> None:
    for field in fields(left):  # type: ignore[arg-type]
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, (FlameParams, Camera)):
            assert_same(a, b)
        elif isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


def rewrite(path: Path, tensors: dict | None = None, header: dict | None = None) -> None:
    """Change some tensors (None removes one) and header entries of an avatar file."""
    old_tensors, old_header = read_tensors(path)
    merged = {**old_tensors, **(tensors or {})}
    write_tensors(
        path,
        {name: array for name, array in merged.items() if array is not None},
        {**old_header, **(header or {})},
        allow_nonfinite=True,
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "head.rome"
    save_avatar(make_avatar(), path)
    return path


def test_every_field_survives_a_round_trip_exactly(saved: Path) -> None:
    assert_same(make_avatar(), load_avatar(saved))


def test_a_neural_texture_survives_too(tmp_path: Path) -> None:
    texture = np.random.default_rng(1).normal(size=(8, 4, 4)).astype(np.float32)
    preview = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    avatar = replace(
        make_avatar(), neural_texture=texture, neural_preview=preview, weights_id="net-1"
    )
    save_avatar(avatar, tmp_path / "a.rome")
    assert_same(avatar, load_avatar(tmp_path / "a.rome"))


def test_estimated_maps_survive_too(tmp_path: Path) -> None:
    avatar = make_avatar()
    avatar = replace(avatar, normal_map=avatar.albedo ^ 255, roughness_map=avatar.confidence ^ 255)
    save_avatar(avatar, tmp_path / "a.rome")
    assert_same(avatar, load_avatar(tmp_path / "a.rome"))


def test_the_same_avatar_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.rome", "b.rome"):
        save_avatar(make_avatar(), tmp_path / name)
    assert (tmp_path / "a.rome").read_bytes() == (tmp_path / "b.rome").read_bytes()


def test_a_failed_save_leaves_the_old_file_and_nothing_else(saved: Path) -> None:
    before = saved.read_bytes()
    broken = replace(make_avatar(), free_offsets=np.full((7, 3), np.nan, np.float32))
    with pytest.raises(FileInvalid):
        save_avatar(broken, saved)
    assert saved.read_bytes() == before
    assert [entry.name for entry in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize(("version", "hint"), [(2, "Update"), (0, "again"), ("x", "again")])
def test_another_version_says_what_to_do(saved: Path, version: object, hint: str) -> None:
    rewrite(saved, header={"version": version})
    with pytest.raises(FileInvalid) as caught:
        load_avatar(saved)
    assert caught.value.code == "avatar_version"
    assert hint in caught.value.hint


def test_other_tensor_files_are_not_avatars(tmp_path: Path) -> None:
    write_tensors(tmp_path / "x.rome", {"a": np.zeros(2, np.float32)}, {"format": "else"})
    with pytest.raises(FileInvalid) as caught:
        load_avatar(tmp_path / "x.rome")
    assert caught.value.code == "avatar_format"


def test_a_missing_file_has_its_own_code(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid) as caught:
        load_avatar(tmp_path / "none.rome")
    assert caught.value.code == "avatar_missing"


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, -1])
def test_truncated_files_are_damaged(saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(FileInvalid) as caught:
        load_avatar(saved)
    assert caught.value.code == "avatar_damaged"
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"albedo": None},
        {"albedo": np.zeros((8, 9, 3), np.uint8)},
        {"confidence": np.zeros((4, 4), np.uint8)},
        {"offsets": np.zeros((6, 3), np.float32)},
        {"offsets": np.zeros((7, 3), np.float64)},
        {"jaw": np.zeros(4)},
        {"shape": np.array([np.nan, 0, 0, 0])},
        {"neural_texture": np.zeros((2, 2), np.float32)},
        {"neural_preview": np.zeros((2, 2), np.uint8)},
        {"normal_map": np.zeros((4, 4, 3), np.uint8)},
        {"roughness_map": np.zeros((8, 8, 3), np.uint8)},
        {"roughness_map": np.zeros((8, 8), np.float32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved: Path, change: dict) -> None:
    rewrite(saved, tensors=change)
    with pytest.raises(FileInvalid) as caught:
        load_avatar(saved)
    assert caught.value.code == "avatar_damaged"
    assert next(iter(change)) in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"licences": []},
        {"camera_size": [5]},
        {"camera_size": [5, -1]},
        {"camera_size": [5, True]},
        {"warnings": [1]},
    ],
)
def test_headers_that_do_not_fit_are_refused(saved: Path, change: dict) -> None:
    rewrite(saved, header=change)
    with pytest.raises(FileInvalid) as caught:
        load_avatar(saved)
    assert caught.value.code == "avatar_damaged"


def test_mixing_head_models_is_an_error() -> None:
    avatar = make_avatar()
    require_head_model(avatar, make_head(avatar))
    for head in (make_head(avatar, "t2"), make_head(make_avatar(vertices=9))):
        with pytest.raises(FileInvalid) as caught:
            require_head_model(avatar, head)
        assert caught.value.code == "topology_mismatch"


def test_the_layout_names_every_array_of_an_avatar() -> None:
    avatar = make_avatar()
    arrays = {f.name for f in fields(avatar) if isinstance(getattr(avatar, f.name), np.ndarray)}
    params = {f.name for f in fields(FlameParams)}
    assert arrays | params | {"world_to_clip"} == set(module.LAYOUT)
