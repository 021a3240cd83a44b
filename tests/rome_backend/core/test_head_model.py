# SPDX-License-Identifier: Apache-2.0
"""Tests of core/head_model.py: round trip, topology id, and every way a model can be wrong.

Does not know the open head or FLAME.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.core.head_model import (
    check_head_model,
    head_topology_id,
    load_head_model,
    save_head_model,
    topology_id,
)
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.core.types import HeadModel, LandmarkTable


def _changed(array: Any, place: Any, value: Any) -> Any:
    """A copy of an array with one entry changed."""
    copy = array.copy()
    copy[place] = value
    return copy


def test_round_trip(small_head: HeadModel, tmp_path: Path) -> None:
    save_head_model(small_head, tmp_path / "head")
    again = load_head_model(tmp_path / "head")
    for field in fields(HeadModel):
        found, expected = getattr(again, field.name), getattr(small_head, field.name)
        if isinstance(expected, np.ndarray):
            assert np.array_equal(found, expected) and found.dtype == expected.dtype
        elif field.name not in {"regions", "landmarks"}:
            assert found == expected
    assert set(again.regions) == set(small_head.regions)
    for name, mask in small_head.regions.items():
        assert np.array_equal(again.regions[name], mask)
    for field in fields(LandmarkTable):
        found = getattr(again.landmarks, field.name)
        assert np.array_equal(found, getattr(small_head.landmarks, field.name))


def test_same_model_same_bytes(small_head: HeadModel, tmp_path: Path) -> None:
    save_head_model(small_head, tmp_path / "a")
    save_head_model(load_head_model(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_topology_id_ignores_geometry_and_tiny_uv_noise(small_head: HeadModel) -> None:
    moved = replace(small_head, template=small_head.template * 2, uvs=small_head.uvs + 1e-7)
    assert head_topology_id(moved) == small_head.topology_id
    assert small_head.topology_id.startswith("small-")


@pytest.mark.parametrize("what", ["faces", "uv_faces", "uvs", "sizes", "name"])
def test_topology_id_changes_with(small_head: HeadModel, what: str) -> None:
    given: dict[str, Any] = {
        "name": "small",
        "faces": small_head.faces,
        "uv_faces": small_head.uv_faces,
        "uvs": small_head.uvs,
        "sizes": (94, 6, 5, 5),
    }
    assert topology_id(**given) == small_head.topology_id
    other = {"sizes": (94, 7, 5, 5), "name": "other", "uvs": small_head.uvs * 0.9}
    given[what] = other.get(what, small_head.faces[:, ::-1])
    assert topology_id(**given) != small_head.topology_id


NAN, INF = np.float32(np.nan), np.float32(np.inf)
WRONG: dict[str, Any] = {
    "nan template": lambda h: {"template": _changed(h.template, (3, 1), NAN)},
    "infinite basis": lambda h: {"shape_dirs": _changed(h.shape_dirs, (0, 0, 0), INF)},
    "double template": lambda h: {"template": h.template.astype(np.float64)},
    "long faces": lambda h: {"faces": h.faces.astype(np.int64)},
    "flat template": lambda h: {"template": h.template.reshape(-1)},
    "scalar basis": lambda h: {"shape_dirs": np.float32(1) * np.ones((), np.float32)},
    "short weights": lambda h: {"weights": h.weights[:-1]},
    "short expressions": lambda h: {"expression_dirs": h.expression_dirs[:-1]},
    "one name too few": lambda h: {"expression_names": h.expression_names[:-1]},
    "one name twice": lambda h: {"expression_names": h.expression_names[:-1] + ("jawOpen",)},
    "short correctives": lambda h: {"pose_dirs": h.pose_dirs[:, :, :-1]},
    "missing uv face": lambda h: {"uv_faces": h.uv_faces[:-1]},
    "no mesh": lambda h: {"faces": h.faces[:0], "uv_faces": h.uv_faces[:0]},
    "face too high": lambda h: {"faces": _changed(h.faces, (0, 0), 94)},
    "face below zero": lambda h: {"faces": _changed(h.faces, (0, 0), -1)},
    "uv face too high": lambda h: {"uv_faces": _changed(h.uv_faces, (0, 0), 999)},
    "uv outside": lambda h: {"uvs": _changed(h.uvs, (0, 0), 1.5)},
    "weights of 2": lambda h: {"weights": h.weights * 2},
    "negative weight": lambda h: {
        "weights": _changed(h.weights, 0, [1.5, -0.5, 0, 0, 0]),
    },
    "regressor of 2": lambda h: {"joint_regressor": h.joint_regressor * 2},
    "no root": lambda h: {"parents": _changed(h.parents, 0, 0)},
    "a loop": lambda h: {"parents": _changed(h.parents, 1, 1)},
    "child first": lambda h: {"parents": _changed(h.parents, 1, 4)},
    "other joints": lambda h: {"joint_names": ("global", "neck", "jaw", "eye_l", "eye_r")},
    "short region": lambda h: {"regions": {"hair": h.regions["hair"][:-1]}},
    "soft region": lambda h: {"regions": {"hair": h.regions["hair"].astype(np.float32)}},
    "unnamed region": lambda h: {"regions": {"": h.regions["hair"]}},
    "another mesh's id": lambda h: {"topology_id": "small-0000000000000000"},
}
WRONG_LANDMARKS: dict[str, Any] = {
    "face too high": lambda t: {"faces": _changed(t.faces, 0, 176)},
    "no such landmark": lambda t: {"indices": _changed(t.indices, 0, 478)},
    "one landmark twice": lambda t: {"indices": _changed(t.indices, 0, t.indices[1])},
    "outside the face": lambda t: {"barycentric": _changed(t.barycentric, 0, [2, -1, 0])},
    "weights of 2": lambda t: {"barycentric": t.barycentric * 2},
    "nan": lambda t: {"barycentric": _changed(t.barycentric, 0, NAN)},
    "short": lambda t: {"faces": t.faces[:-1]},
    "long numbers": lambda t: {"indices": t.indices.astype(np.int64)},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_models_are_neither_saved_nor_used(
    small_head: HeadModel, tmp_path: Path, name: str
) -> None:
    head = replace(small_head, **WRONG[name](small_head))
    with pytest.raises(FileInvalid) as caught:
        save_head_model(head, tmp_path / "head")
    assert caught.value.code == "head_model_invalid"
    assert not (tmp_path / "head").exists()


@pytest.mark.parametrize("name", WRONG_LANDMARKS)
def test_wrong_landmark_tables_are_refused(small_head: HeadModel, name: str) -> None:
    table = replace(small_head.landmarks, **WRONG_LANDMARKS[name](small_head.landmarks))
    with pytest.raises(FileInvalid, match="landmark"):
        check_head_model(replace(small_head, landmarks=table))


def test_a_model_without_expressions_and_regions_is_valid(small_head: HeadModel) -> None:
    bare = replace(
        small_head,
        expression_dirs=small_head.expression_dirs[:, :, :0],
        expression_names=(),
        regions={},
    )
    check_head_model(replace(bare, topology_id=head_topology_id(bare)))


def _tampered(head: HeadModel, path: Path, tensors: dict[str, Any], metadata: Any) -> None:
    """Save a model, then write it again with some parts replaced (None removes)."""
    save_head_model(head, path)
    arrays, facts = read_tensors(path)
    arrays, facts = arrays | tensors, facts | metadata
    kept = {name: array for name, array in arrays.items() if array is not None}
    write_tensors(path, kept, {name: fact for name, fact in facts.items() if fact is not None})


@pytest.mark.parametrize(
    ("tensors", "metadata", "code"),
    [
        ({}, {"kind": "rome rig"}, "not_a_head_model"),
        ({}, {"kind": None}, "not_a_head_model"),
        ({}, {"version": 2}, "head_model_version"),
        ({}, {"version": "\u0007"}, "head_model_version"),
        ({}, {"licence": None}, "head_model_invalid"),
        ({}, {"name": 3}, "head_model_invalid"),
        ({}, {"joint_names": "root"}, "head_model_invalid"),
        ({}, {"expression_names": [1, 2, 3, 4, 5]}, "head_model_invalid"),
        ({"weights": None}, {}, "head_model_invalid"),
        ({"landmarks.faces": None}, {}, "head_model_invalid"),
        ({"surprise": np.zeros(1)}, {}, "head_model_invalid"),
        ({"template": np.zeros((), np.float32)}, {}, "head_model_invalid"),
        ({"landmarks.indices": np.zeros((), np.int32)}, {}, "head_model_invalid"),
        ({"region.hair": np.zeros((), np.bool_)}, {}, "head_model_invalid"),
        ({"parents": np.zeros((5, 1), np.int32)}, {}, "head_model_invalid"),
    ],
)
def test_files_of_another_kind_or_with_other_parts(
    small_head: HeadModel, tmp_path: Path, tensors: Any, metadata: Any, code: str
) -> None:
    _tampered(small_head, tmp_path / "head", tensors, metadata)
    with pytest.raises(FileInvalid) as caught:
        load_head_model(tmp_path / "head")
    assert caught.value.code == code and caught.value.hint
