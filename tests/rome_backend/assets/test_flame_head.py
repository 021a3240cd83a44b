# SPDX-License-Identifier: Apache-2.0
"""FLAME's files become a head model: closed mouth, layout, regions, landmarks, ids."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rome_backend.assets.disc_atlas import signed_areas
from rome_backend.assets.flame_head import (
    FlameParts,
    closed_faces,
    eyeball_masks,
    flame_head,
    parts_key,
    with_computed_layout,
)
from rome_backend.assets.importer import import_paths
from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import check_head_model
from rome_backend.core.normals import vertex_normals
from rome_backend.core.tensor_file import read_tensors
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head

UPPER_LIP, LOWER_LIP = 3514, 2941


@pytest.fixture(scope="module")
def files() -> ModuleType:
    path = Path(__file__).parents[1] / "official_files.py"
    spec = importlib.util.spec_from_file_location("official_files", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts(
    tmp_path_factory: pytest.TempPathFactory,
    data_dir: Path,
    files: ModuleType,
    model_files: ModuleType,
) -> FlameParts:
    """Everything that can be installed of FLAME, read back from a store."""
    folder, flame = tmp_path_factory.mktemp("flame"), data_dir / "flame"
    reduced = np.load(flame / "flame2023_open_reduced.npz")
    masks = model_files.masks() | {
        "left_eyeball": reduced["eyeball_left"],
        "left_ear": np.arange(900, 940),
        "right_ear": np.arange(940, 970),
    }
    for name, data in {
        "a": model_files.flame_pickle(files.flame_arrays(flame)),
        "b": model_files.npz(**files.mediapipe_embedding(flame)),
        "c": model_files.landmarks_68_npy(files.landmarks_68(flame)),
        "d": files.layout(flame),
        "e": model_files.python2(masks),
    }.items():
        (folder / name).write_bytes(data)
    store = AssetStore(folder / "store")
    report = import_paths([folder / name for name in "abcde"], store)
    assert not report.refused

    def tensors(name: str) -> Mapping[str, Any]:
        return read_tensors(store.verify(name))[0]

    return FlameParts(
        model=tensors("flame-model"),
        licences={record.name: record.licence for record in store.list()},
        source="a source",
        masks=tensors("flame-masks"),
        landmarks=tensors("flame-landmarks-mediapipe"),
        landmarks_68=tensors("flame-landmarks-68"),
        layout=tensors("flame-uv"),
    )


@pytest.fixture(scope="module")
def built_in() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def head(parts: FlameParts, built_in: HeadModel) -> HeadModel:
    return flame_head(parts, built_in)


def test_the_head_has_flames_own_components(head: HeadModel, parts: FlameParts) -> None:
    check_head_model(head)
    assert head.shape_dirs.shape == (5023, 3, 100) and head.pose_dirs.shape == (5023, 3, 36)
    assert head.expression_names == tuple(f"Exp{n}" for n in range(1, 51))
    assert np.array_equal(head.expression_dirs[..., 7], parts.model["shapedirs"][..., 307])
    assert np.array_equal(head.shape_dirs[..., 99], parts.model["shapedirs"][..., 99])
    assert head.parents.tolist() == [-1, 0, 1, 1, 1]
    assert head.licence == "FLAME-noncommercial-research"


def test_thirty_triangles_close_the_mouth(head: HeadModel, parts: FlameParts) -> None:
    assert len(head.faces) == 10006
    assert np.array_equal(head.faces[:9976], parts.model["f"])
    added = head.faces[9976:]
    assert {UPPER_LIP, LOWER_LIP} <= set(added.ravel().tolist())
    directed = {(a, b) for f in head.faces.tolist() for a, b in zip(f, f[1:] + f[:1], strict=True)}
    assert len(directed) == 3 * len(head.faces)  # no edge twice the same way round
    open_edges = [pair for pair in directed if pair[::-1] not in directed]
    assert len(open_edges) == 30  # the neck's hem; before it was 62
    corners = head.template[added]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normals[:, 2] > 0).all()


def test_official_uvs_are_taken_as_they_are(head: HeadModel, parts: FlameParts) -> None:
    assert parts.layout is not None
    assert np.array_equal(head.uvs, parts.layout["uvs"])
    assert np.array_equal(head.uv_faces[:9976], parts.layout["uv_faces"])
    assert head.uv_faces[9976].tolist() == [1402, 1401, 2050]


def test_without_official_uvs_a_layout_is_computed(
    head: HeadModel, parts: FlameParts, built_in: HeadModel
) -> None:
    own = flame_head(replace(parts, layout=None), built_in)
    assert own.topology_id != head.topology_id
    assert len(own.uvs) > 5023 and len(own.uv_faces) == 10006
    uvs = own.uvs[own.uv_faces]
    assert np.ptp(uvs.reshape(-1, 2), axis=0).min() > 0.9


def test_masks_are_flames_own_where_there_are_some(
    head: HeadModel, parts: FlameParts, built_in: HeadModel
) -> None:
    assert np.flatnonzero(head.regions["ears"]).tolist() == list(range(900, 970))
    assert np.flatnonzero(head.regions["face"]).tolist() == list(range(20))
    without = flame_head(replace(parts, masks=None), built_in)
    assert without.regions["face"].sum() > 500
    for found in (head, without):
        assert set(found.regions) >= set(built_in.regions) - {"teeth", "tongue", "gums"}
        assert not (found.regions["hair"] & found.regions["neck"]).any()
        assert found.regions["left_eyeball"].sum() == found.regions["right_eyeball"].sum() == 546


def test_the_left_eyeball_is_on_the_subjects_left(head: HeadModel) -> None:
    left, right = eyeball_masks(head.template, head.faces)
    assert head.template[left, 0].mean() > 0.02 and head.template[right, 0].mean() < -0.02
    flat = np.stack([np.arange(20)] * 3, -1)
    assert not eyeball_masks(head.template, flat)[0].any()


def test_landmarks_come_from_either_embedding_or_not_at_all(
    head: HeadModel, parts: FlameParts, built_in: HeadModel
) -> None:
    assert len(head.landmarks.indices) == 105
    fewer = flame_head(replace(parts, landmarks=None), built_in)
    assert len(fewer.landmarks.indices) == 51 and 4 in fewer.landmarks.indices
    tip = int(np.flatnonzero(fewer.landmarks.indices == 4)[0])
    corner = fewer.template[fewer.faces[fewer.landmarks.faces[tip]]].mean(0)
    assert corner[2] > fewer.template[:, 2].max() - 0.01
    with pytest.raises(AssetMissing) as caught:
        flame_head(replace(parts, landmarks=None, landmarks_68=None), built_in)
    assert caught.value.code == "flame_landmarks_missing" and "embedding" in caught.value.hint


def test_the_surface_looks_outwards(head: HeadModel) -> None:
    normals = vertex_normals(head.template, head.faces)
    nose = head.template[:, 2].argmax()
    assert normals[nose, 2] > 0.5


def test_the_key_changes_with_files_and_regions(built_in: HeadModel) -> None:
    key = parts_key({"a": "1"}, built_in)
    assert key == parts_key({"a": "1"}, built_in) and len(key) == 16
    assert key != parts_key({"a": "2"}, built_in) != parts_key({"a": "2", "b": "3"}, built_in)
    spoiled = {name: ~mask for name, mask in built_in.regions.items()}
    assert key != parts_key({"a": "1"}, replace(built_in, regions=spoiled))
    assert len(closed_faces(np.zeros((9976, 3)))) == 10006


def test_the_open_mouth_keeps_its_faces_and_gets_a_layout(head: HeadModel) -> None:
    opened = replace(
        head, faces=head.faces[:9976].copy(), uv_faces=head.uv_faces[:9976].copy()
    )
    laid = with_computed_layout(opened)
    check_head_model(laid)
    assert np.array_equal(laid.faces, opened.faces) and laid.topology_id != head.topology_id
    assert (signed_areas(laid.uvs, laid.uv_faces) < 0).mean() < 0.02
