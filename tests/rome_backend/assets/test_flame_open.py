# SPDX-License-Identifier: Apache-2.0
"""Tests of assets/flame_open.py: the real file, a small one of the same layout, and hostile ones.

Does not know the open head: the small head stands for it, except where the real one is at hand.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.assets import flame_open
from rome_backend.assets.flame_open import arkit_name, load_flame_open, merge_expressions
from rome_backend.core.errors import AssetMissing, FileInvalid
from rome_backend.core.head_model import load_head_model, save_head_model
from rome_backend.core.landmarks import LANDMARKS_105
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import JOINTS, FlameParams, HeadModel

ICT_NAMES = ["jawOpen", "mouthSmile_L", "mouthSmile_R", "browInnerUp_L", "browInnerUp_R"]


def _flame_arrays(head: HeadModel) -> dict[str, Any]:
    """The small head in the layout of FLAME's reduced file."""
    return {
        "v_template": head.template,
        "faces": head.faces,
        "shapedirs": head.shape_dirs,
        "posedirs": head.pose_dirs,
        "weights": head.weights,
        "J_regressor": head.joint_regressor,
        "parents": head.parents,
        "joint_names": np.array(["global", "neck", "jaw", "eye_left", "eye_right"]),
        "cleanroom_uv": head.uvs,
        "cleanroom_uv_faces": head.uv_faces,
        "mp_landmark_indices": head.landmarks.indices,
        "mp_lmk_face_idx": head.landmarks.faces,
        "mp_lmk_b_coords": head.landmarks.barycentric,
        "eyeball_left": np.flatnonzero(head.regions["left_eyeball"]).astype(np.int32),
        "eyeball_right": np.flatnonzero(head.regions["right_eyeball"]).astype(np.int32),
    }


def _expression_arrays(head: HeadModel) -> dict[str, Any]:
    return {"exprdirs": head.expression_dirs.astype(np.float16), "names": np.array(ICT_NAMES)}


@pytest.fixture
def files(small_head: HeadModel, tmp_path: Path) -> tuple[Path, Path]:
    """The small head and its expressions as .npz files."""
    np.savez(tmp_path / "flame.npz", **_flame_arrays(small_head))
    np.savez(tmp_path / "ict.npz", **_expression_arrays(small_head))
    return tmp_path / "flame.npz", tmp_path / "ict.npz"


@pytest.fixture(scope="module")
def real(data_dir: Path, small_head: HeadModel) -> HeadModel:
    """FLAME 2023 Open, with the small head's coarse regions."""
    folder = data_dir / "flame"
    return load_flame_open(
        folder / "flame2023_open_reduced.npz",
        folder / "flame_topology_expressions_from_ict.npz",
        small_head,
    )


def test_the_real_one_has_flame_s_counts(real: HeadModel) -> None:
    assert real.template.shape == (5023, 3) and real.faces.shape == (9976, 3)
    assert real.shape_dirs.shape[2] == 60 and real.joint_names == JOINTS
    assert tuple(real.landmarks.indices.tolist()) == LANDMARKS_105
    assert len(real.expression_names) == 51 and not any("_" in n for n in real.expression_names)
    assert "CC BY 4.0" in real.source and "Li" in real.source and real.licence == "CC-BY-4.0"
    assert "ICT-FaceKit" in real.source


def test_the_real_one_has_exact_eyeballs_and_disjoint_regions(real: HeadModel) -> None:
    left, right = real.regions["left_eyeball"], real.regions["right_eyeball"]
    assert left.sum() == right.sum() == 546
    assert real.template[left, 0].min() > 0 > real.template[right, 0].max()
    assert not (real.regions["hair"] & real.regions["neck"]).any()
    assert not ((left | right) & (real.regions["face"] | real.regions["left_eye_region"])).any()


def test_no_expression_of_the_real_one_is_lost(real: HeadModel, data_dir: Path) -> None:
    file = np.load(data_dir / "flame" / "flame_topology_expressions_from_ict.npz")
    everything = file["exprdirs"].astype(np.float64).sum(2)
    assert np.allclose(real.expression_dirs.sum(2, dtype=np.float64), everything, atol=1e-6)
    assert len(file["names"]) == 53


def test_expressions_of_the_real_one_move_the_side_they_name(real: HeadModel) -> None:
    size = np.linalg.norm(real.expression_dirs, axis=1) ** 2
    middles = (size * real.template[:, :1]).sum(0) / size.sum(0)
    for name, middle in zip(real.expression_names, middles, strict=True):
        if name.endswith(("Left", "Right")) and not name.startswith(("jaw", "mouthLeft")):
            if name == "mouthRight":
                continue
            assert (middle > 0) == name.endswith("Left"), name


def test_the_real_one_poses(real: HeadModel) -> None:
    blink = np.zeros(51)
    blink[real.expression_names.index("eyeBlinkLeft")] = 1
    params = FlameParams(np.zeros(60), blink, jaw=np.array([0.3, 0, 0]))
    moved = posed_vertices(real, params) - real.template
    assert moved[:, 1].min() < -0.01, "the jaw opens downwards"
    assert np.abs(moved[real.regions["right_eyeball"]]).max() < 1e-3


def test_the_small_one_is_itself_again(
    files: tuple[Path, Path], small_head: HeadModel, tmp_path: Path
) -> None:
    head = load_flame_open(*files, small_head)
    assert np.array_equal(head.template, small_head.template)
    assert set(head.regions) == set(small_head.regions)
    for name, mask in small_head.regions.items():
        assert np.array_equal(head.regions[name], mask), name
    assert head.expression_names == ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp")
    halves = small_head.expression_dirs.astype(np.float16).astype(np.float32)
    assert np.array_equal(head.expression_dirs[..., 3], halves[..., 3] + halves[..., 4])
    save_head_model(head, tmp_path / "head")
    assert load_head_model(tmp_path / "head").topology_id == head.topology_id


def test_overlapping_hair_and_neck_come_out_disjoint(
    files: tuple[Path, Path], small_head: HeadModel
) -> None:
    hairy = small_head.regions | {"hair": small_head.regions["hair"] | small_head.regions["neck"]}
    head = load_flame_open(*files, replace(small_head, regions=hairy))
    assert np.array_equal(head.regions["neck"], small_head.regions["neck"])
    assert not (head.regions["hair"] & head.regions["neck"]).any()


def test_arkit_names() -> None:
    assert arkit_name("mouthSmile_L") == "mouthSmileLeft"
    assert arkit_name("eyeLookIn_R") == "eyeLookInRight"
    assert arkit_name("mouthLeft") == "mouthLeft"


@pytest.mark.parametrize("names", [["cheekPuff_L"], ["cheekPuff_R", "jawOpen"]])
def test_half_an_expression_is_refused(names: list[str]) -> None:
    with pytest.raises(FileInvalid, match="cheekPuff is not complete"):
        merge_expressions(np.zeros((4, 3, len(names))), names)


def test_an_expression_twice_is_refused() -> None:
    with pytest.raises(FileInvalid, match="twice"):
        merge_expressions(np.zeros((4, 3, 2)), ["mouthSmile_L", "mouthSmileLeft"])


WRONG: dict[str, dict[str, Any]] = {
    "other joints": {"joint_names": np.array(["root", "neck", "jaw", "eye_left", "eye_right"])},
    "pickled joints": {"joint_names": np.array(["global", 1, 2, 3, 4], object)},
    "eyeball beyond the mesh": {"eyeball_left": np.arange(90, 96)},
    "eyeball before the mesh": {"eyeball_right": np.arange(-6, 0)},
    "float faces": {"faces": np.zeros((176, 3))},
    "two vertex counts": {"weights": np.ones((93, 5)) / 5},
    "flat basis": {"shapedirs": np.zeros((94, 18))},
    "no shapes": {"shapedirs": np.zeros((94, 3, 0))},
    "nan": {"v_template": np.full((94, 3), np.nan)},
    "face beyond the mesh": {"faces": np.full((176, 3), 94)},
    "weights of 2": {"weights": np.ones((94, 5))},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files_are_refused(
    files: tuple[Path, Path], small_head: HeadModel, name: str
) -> None:
    np.savez(files[0], **_flame_arrays(small_head) | WRONG[name])
    with pytest.raises(FileInvalid) as caught:
        load_flame_open(*files, small_head)
    assert caught.value.code in {"flame_invalid", "head_model_invalid"} and caught.value.hint


@pytest.mark.parametrize("missing", ["v_template", "mp_lmk_b_coords", "eyeball_right"])
def test_a_missing_array_is_refused(
    files: tuple[Path, Path], small_head: HeadModel, missing: str
) -> None:
    arrays = _flame_arrays(small_head)
    del arrays[missing]
    np.savez(files[0], **arrays)
    with pytest.raises(FileInvalid, match="lacks an array"):
        load_flame_open(*files, small_head)


def test_expressions_of_another_mesh_are_refused(
    files: tuple[Path, Path], small_head: HeadModel
) -> None:
    np.savez(files[1], exprdirs=np.zeros((95, 3, 1)), names=np.array(["jawOpen"]))
    with pytest.raises(FileInvalid, match="exprdirs"):
        load_flame_open(*files, small_head)


def test_missing_files_are_missing_assets(
    files: tuple[Path, Path], small_head: HeadModel, tmp_path: Path
) -> None:
    with pytest.raises(AssetMissing) as caught:
        load_flame_open(tmp_path / "absent.npz", files[1], small_head)
    assert caught.value.code == "head_model_missing" and caught.value.exit_code == 4


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 50])
def test_what_is_no_archive_is_refused(
    files: tuple[Path, Path], small_head: HeadModel, content: bytes
) -> None:
    files[0].write_bytes(content)
    with pytest.raises(FileInvalid):
        load_flame_open(*files, small_head)


def test_damage_raises_nothing_but_file_invalid(
    files: tuple[Path, Path], small_head: HeadModel
) -> None:
    whole = np.frombuffer(files[0].read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = whole.copy()
        places = rng.integers(0, len(whole), 20)
        damaged[places] ^= rng.integers(1, 256, 20).astype(np.uint8)
        files[0].write_bytes(damaged.tobytes())
        try:
            load_flame_open(*files, small_head)
        except FileInvalid:
            refused += 1
    assert refused == 150, "every member has a checksum"


def test_an_archive_that_would_unpack_to_too_much_is_refused(
    files: tuple[Path, Path], small_head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flame_open, "_MAX_BYTES", 100_000)
    with zipfile.ZipFile(files[0], "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", b"\0" * 1_000_000)
    with pytest.raises(FileInvalid, match="larger"):
        load_flame_open(*files, small_head)
