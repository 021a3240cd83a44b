# SPDX-License-Identifier: Apache-2.0
"""Every importable kind of file imports, alone, in folders and in zips, whatever its name."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from rome_backend.assets import importer
from rome_backend.assets.importer import KINDS, import_paths
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import UsageError
from rome_backend.core.head_model import load_head_model
from rome_backend.core.tensor_file import read_tensors
from rome_backend.core.types import HeadModel

# Kinds whose files are small enough for every wrong to be tried on them.
LIGHT = ("lpips-alexnet", "lpips-vgg16", "rome-camera", "rome-faces", "rome-uv-faces",
         "rome-vertex-uv", "rome-hair-faces", "rome-neck-faces", "rome-mean-offsets",
         "rome-offset-basis")  # fmt: skip
HEAVY = ("rome", "deca", "rome-linear-offsets", "vgg19", "alexnet", "vggface2-resnet50",
         "gaze-vgg16", "inception-fid", "modnet", "bisenet", "hyperiqa")  # fmt: skip
OTHERS = ("flame-model", "flame-masks", "flame-landmarks-68", "flame-landmarks-mediapipe",
          "flame-uv", "rome-hair", "rome-neck", "rome-hair-edge", "rome-neck-edge", "gnm-head",
          "face-landmarker")  # fmt: skip
VERTICES = 5023


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    return tmp_path / "given" / "file.bin"  # the name tells nothing


def imported(path: Path, store: AssetStore, asset: str) -> None:
    """Import a file and check what is stored of it."""
    report = import_paths([path], store)
    assert not report.refused, report.refused[0][1].message
    assert [item.asset for item in report.imported] == [asset]
    record = store.record(asset)
    assert record.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.licence == report.imported[0].licence and record.source
    tensors, metadata = read_tensors(store.verify(asset))
    assert tensors and metadata["licence"] == record.licence


def test_every_kind_has_a_file_here(model_files: ModuleType) -> None:
    assert {kind.name for kind in KINDS} == {*LIGHT, *HEAVY, *OTHERS}
    assert set(model_files.TORCH_VALUES) == {*LIGHT, *HEAVY}
    assert set(model_files.OTHER_FILES) == set(OTHERS)


@pytest.mark.parametrize("asset", [*LIGHT, *HEAVY])
def test_a_torch_file_imports(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    place.write_bytes(model_files.torch_file(model_files.TORCH_VALUES[asset]()))
    imported(place, empty_store, asset)
    if asset in HEAVY:
        (empty_store.folder / empty_store.record(asset).file).unlink()
        place.unlink()


@pytest.mark.parametrize("asset", ["lpips-vgg16", "rome-offset-basis", "rome-faces"])
def test_an_old_torch_file_imports(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    place.write_bytes(model_files.torch_file(model_files.TORCH_VALUES[asset](), old=True))
    imported(place, empty_store, asset)


@pytest.mark.parametrize("asset", ["lpips-alexnet", "rome-offset-basis"])
def test_tensors_saved_on_a_gpu_import_without_one(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    data = model_files.torch_file(model_files.TORCH_VALUES[asset]())
    place.write_bytes(model_files.as_if_on_cuda(data))
    imported(place, empty_store, asset)


@pytest.mark.parametrize("asset", OTHERS)
def test_any_other_file_imports(
    asset: str, model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    place.write_bytes(model_files.OTHER_FILES[asset]())
    imported(place, empty_store, asset)


def test_flame_without_chumpy_imports_too(
    model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    arrays = model_files.flame_arrays()
    place.write_bytes(model_files.flame_pickle(arrays, old=False))
    imported(place, empty_store, "flame-model")
    tensors, _ = read_tensors(empty_store.verify("flame-model"))
    assert np.allclose(tensors["v_template"], arrays["v_template"], atol=1e-7)
    assert np.array_equal(tensors["J_regressor"], arrays["J_regressor"].toarray())
    assert empty_store.record("flame-model").licence == "FLAME-noncommercial-research"


def test_chumpy_objects_give_their_numbers(
    model_files: ModuleType, place: Path, empty_store: AssetStore
) -> None:
    arrays = model_files.flame_arrays()
    place.write_bytes(model_files.flame_pickle(arrays))
    import_paths([place], empty_store)
    tensors, _ = read_tensors(empty_store.verify("flame-model"))
    for name in ("v_template", "shapedirs", "weights"):
        assert np.allclose(tensors[name], arrays[name], atol=1e-7), name


def test_the_open_version_is_known_by_its_numbers(
    model_files: ModuleType, place: Path, empty_store: AssetStore, data_dir: Path
) -> None:
    reduced = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    arrays = model_files.flame_arrays()
    arrays["v_template"] = reduced["v_template"].astype(np.float64)
    arrays["shapedirs"][:, :, :60] = reduced["shapedirs"]
    place.write_bytes(model_files.flame_pickle(arrays))
    import_paths([place], empty_store)
    assert empty_store.record("flame-model").licence == "CC-BY-4.0"
    arrays["shapedirs"][2500, 0, 0] += 1e-4
    place.write_bytes(model_files.flame_pickle(arrays))
    import_paths([place], empty_store)
    assert empty_store.record("flame-model").licence != "CC-BY-4.0"


def test_a_folder_and_a_zip_of_files_import(
    model_files: ModuleType, tmp_path: Path, empty_store: AssetStore
) -> None:
    folder = tmp_path / "data" / "inner"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(model_files.plain_pickle(list(range(346))))
    (folder / "b").write_bytes(model_files.torch_file(torch.zeros(VERTICES, 3)))
    (folder / "readme.txt").write_text("hello")
    report = import_paths([folder.parent], empty_store)
    assert {item.asset for item in report.imported} == {"rome-hair", "rome-mean-offsets"}
    assert report.skipped == ["readme.txt"] and not report.refused
    zipped = tmp_path / "all"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, f"../../{path.name}")
    other = AssetStore(tmp_path / "other")
    report = import_paths([zipped], other)
    assert {item.asset for item in report.imported} == {"rome-hair", "rome-mean-offsets"}
    assert not (tmp_path.parent / "a").exists()


def test_one_bad_file_of_a_folder_does_not_hide_the_others(
    model_files: ModuleType, tmp_path: Path, empty_store: AssetStore
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(model_files.plain_pickle([*range(345), 9999]))
    (tmp_path / "data" / "b").write_bytes(model_files.plain_pickle(list(range(378))))
    report = import_paths([tmp_path / "data"], empty_store)
    assert [name for name, _ in report.refused] == ["a"]
    assert [item.asset for item in report.imported] == ["rome-neck"]


@pytest.fixture
def open_files(tmp_path: Path) -> tuple[Path, Path]:
    np.savez(tmp_path / "model.npz", cleanroom_uv=np.zeros(3))
    np.savez(tmp_path / "expressions.npz", exprdirs=np.zeros(3))
    return tmp_path / "model.npz", tmp_path / "expressions.npz"


@pytest.mark.parametrize("turned", [False, True])
def test_the_reduced_open_flame_is_taken_in_any_order(
    open_files: tuple[Path, Path], small_head: HeadModel, empty_store: AssetStore, turned: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    seen: list[list[str]] = []

    def load(model: Path, expressions: Path, head: HeadModel) -> HeadModel:
        seen.append([model.name, expressions.name])
        return small_head

    monkeypatch.setattr(importer.flame_open, "load_flame_open", load)
    monkeypatch.setattr(importer, "open_head", lambda cache: small_head)
    report = import_paths(open_files[::-1] if turned else open_files, empty_store)
    assert seen == [["model.npz", "expressions.npz"]] and not report.refused
    assert [entry.name for entry in empty_store.list()] == ["flame-2023-open"]
    loaded = load_head_model(empty_store.verify("flame-2023-open"))
    assert loaded.topology_id == small_head.topology_id


def test_half_of_the_reduced_open_flame_is_refused(
    open_files: tuple[Path, Path], empty_store: AssetStore
) -> None:
    for wrong in (open_files[:1], open_files[1:]):
        assert import_paths(wrong, empty_store).refused[0][1].code == "flame_files"
    assert not empty_store.folder.exists()


def test_a_path_that_is_not_there_is_a_usage_error(empty_store: AssetStore) -> None:
    with pytest.raises(UsageError) as caught:
        import_paths([Path("no/such/file")], empty_store)
    assert caught.value.code == "asset_file_missing"
