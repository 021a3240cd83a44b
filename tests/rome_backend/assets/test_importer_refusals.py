# SPDX-License-Identifier: Apache-2.0
"""Files of every kind with something wrong are refused: planted calls, cuts, shapes, NaN.

Nothing that a file names may run, and of a refused file nothing may be stored.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend.assets.importer import KINDS, import_paths
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import RomeError

HEAVY = ("rome", "deca", "rome-linear-offsets", "vgg19", "alexnet", "vggface2-resnet50",
         "gaze-vgg16", "inception-fid", "modnet", "bisenet", "hyperiqa")  # fmt: skip
# Kinds whose files are small enough to be cut in several places.
SMALL = sorted(kind.name for kind in KINDS if kind.name not in HEAVY)
VERTICES = 5023
NETWORKS = (*HEAVY, "lpips-alexnet", "lpips-vgg16", "rome-camera")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    return tmp_path / "given" / "file.bin"  # the name tells nothing


def refused(path: Path, store: AssetStore) -> RomeError:
    """Try to import a file that is refused; nothing may be stored."""
    report = import_paths([path], store)
    assert not report.imported and len(report.refused) == 1
    assert not store.folder.exists() or not list(store.folder.iterdir())
    error = report.refused[0][1]
    assert error.message.endswith(".") and error.hint and "\n" not in error.message
    return error


def test_a_planted_call_is_refused_and_never_runs(
    model_files: ModuleType, place: Path, empty_store: AssetStore, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    planted = model_files.Planted(trace)
    arrays = model_files.flame_arrays() | {"bs_style": planted}
    wide = {"lin0.model.1.weight": torch.zeros(1, 64, 1, 1), "x": planted}
    files = [
        model_files.flame_pickle(arrays, old=False),
        model_files.python2(model_files.masks() | {"x": planted}),
        model_files.landmarks_68_npy(model_files.landmarks_68() | {"x": planted}),
        model_files.plain_pickle([*range(345), planted]),
        model_files.plain_pickle([*range(345), planted], protocol=0),
        model_files.torch_file(wide),
        model_files.torch_file(wide, old=True),
        model_files.torch_file({"E_flame": planted}),
    ]
    for data in files:
        place.write_bytes(data)
        error = refused(place, empty_store)
        assert error.code == "pickle_forbidden" and "system" in error.message
        assert not trace.exists()


@pytest.mark.parametrize("asset", SMALL)
def test_a_truncated_file_is_refused(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    if asset in model_files.TORCH_VALUES:
        data = model_files.torch_file(model_files.TORCH_VALUES[asset]())
    else:
        data = model_files.OTHER_FILES[asset]()
    cuts = (len(data) // 2, len(data) - 10) if asset != "flame-uv" else (len(data) // 2,)
    for cut in cuts:
        place.write_bytes(data[:cut])
        codes = ("asset_file_damaged", "pickle_damaged", "torch_damaged", "asset_invalid")
        assert refused(place, empty_store).code in codes
    if asset in model_files.TORCH_VALUES:
        old = model_files.torch_file(model_files.TORCH_VALUES[asset](), old=True)
        place.write_bytes(old[: len(old) // 2])
        assert refused(place, empty_store).code in ("torch_damaged", "pickle_damaged")


@pytest.mark.parametrize("asset", NETWORKS)
def test_a_network_with_one_wrong_tensor_is_refused_by_its_name(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    """Missing, renamed, misshapen, not finite. Large tensors are left out to save time."""
    value = model_files.TORCH_VALUES[asset]()
    state = value["E_flame"] if asset == "deca" else value
    name = model_files.first_float(state)
    kept = {key: tensor for key, tensor in state.items() if tensor.numel() < 20_000}
    shown = name.removeprefix("module.")
    for wrong in (
        {},
        {name + "_": state[name]},
        {name: torch.zeros(1, 2, 3)},
        {name: torch.full_like(state[name], float("nan"))},
        {name: torch.full_like(state[name], float("inf"))},
    ):
        given: Any = {k: v for k, v in kept.items() if k != name} | wrong
        place.write_bytes(model_files.torch_file({"E_flame": given} if asset == "deca" else given))
        error = refused(place, empty_store)
        assert error.code == "asset_invalid" and shown in error.message


@pytest.mark.parametrize("name", ["v_template", "shapedirs", "posedirs", "weights", "f"])
def test_flame_with_one_wrong_array_is_refused_by_its_name(
    name: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    arrays = model_files.flame_arrays()
    wrongs: list[Any] = [arrays[name][:-1], None]
    if name != "f":
        spoiled = arrays[name].copy()
        spoiled.flat[0] = np.nan
        wrongs.append(spoiled)
    else:
        wrongs.append(arrays[name] + VERTICES)
    for wrong in wrongs:
        place.write_bytes(model_files.flame_pickle(arrays | {name: wrong}))
        error = refused(place, empty_store)
        assert error.code == "asset_invalid" and name in error.message
    del arrays[name]
    place.write_bytes(model_files.flame_pickle(arrays, old=False))
    assert f"{name} is missing" in refused(place, empty_store).message


def test_other_files_with_wrong_arrays_are_refused(
    model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    spoiled = np.zeros((30, 3), np.float32)
    spoiled[3] = np.nan
    embedding = model_files.mediapipe_embedding()
    for data, named in (
        (model_files.npz(**model_files.gnm() | {"template_vertex_positions": spoiled}), "finite"),
        (model_files.npz(**model_files.gnm() | {"skinning_weights": spoiled}), "skinning_weights"),
        (model_files.npz(**model_files.gnm() | {"triangles": np.full((9, 3), 30)}), "triangles"),
        (model_files.npz(**embedding | {"lmk_face_idx": np.full(105, 9976)}), "lmk_face_idx"),
        (model_files.npz(**embedding | {"lmk_b_coords": np.zeros((104, 3))}), "lengths"),
        (model_files.layout(uvs=5117), "5117"),
        (model_files.python2(model_files.masks() | {"nose": np.array([VERTICES])}), "nose"),
        (model_files.plain_pickle([*range(345), VERTICES]), "0..5022"),
        (model_files.plain_pickle([*range(345), 3]), "twice"),
        (model_files.task("other.tflite"), "face_landmarks_detector"),
        (model_files.torch_file(torch.full((VERTICES, 3), float("nan"))), "finite"),
        (model_files.torch_file(torch.zeros(VERTICES - 1, 3)), "5022"),
        (model_files.torch_file(torch.zeros(3 * VERTICES + 3, 60)), "15072"),
        (model_files.torch_file(torch.full((1, 10006, 3), 5118)), "uvfaces_v2.pth"),
    ):  # fmt: skip
        place.write_bytes(data)
        error = refused(place, empty_store)
        assert error.code == "asset_invalid" and named in error.message, error.message


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x07\x00", b"\x80\x04N.", bytes(1000)],
)
def test_what_is_no_model_is_said_to_be_none(
    data: bytes, place: Path, empty_store: AssetStore
) -> None:
    place.write_bytes(data)
    report = import_paths([place], empty_store)
    assert not report.imported and not empty_store.folder.exists()
    codes = [error.code for _, error in report.refused]
    assert codes in (["asset_unknown"], ["pickle_damaged"], ["asset_file_damaged"], [])


def test_a_broken_zip_of_files_is_refused(tmp_path: Path, empty_store: AssetStore) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("one.txt", "x" * 5000)
    (tmp_path / "all.zip").write_bytes(stream.getvalue()[:3000])
    assert refused(tmp_path / "all.zip", empty_store).code == "asset_file_damaged"
