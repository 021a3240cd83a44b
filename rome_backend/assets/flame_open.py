# SPDX-License-Identifier: Apache-2.0
"""Imports FLAME 2023 Open as a head model with ARKit expressions and our regions.

Does not know where the files come from, and does not hold any of their data.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.assets.region_transfer import hair_in_one_piece, transfer_regions
from rome_backend.core.errors import AssetMissing, FileInvalid
from rome_backend.core.head_model import check_head_model, head_topology_id
from rome_backend.core.types import F32, JOINTS, HeadModel, LandmarkTable, Mask

NAME = "flame-2023-open"
LICENCE = "CC-BY-4.0"
SOURCE = (
    "FLAME 2023 Open, Max Planck Institute for Intelligent Systems, CC BY 4.0, "
    "https://flame.is.tue.mpg.de; T. Li, T. Bolkart, M. J. Black, H. Li, J. Romero, Learning a "
    "model of facial shape and expression from 4D scans, SIGGRAPH Asia 2017. Changes: reduced to "
    "60 shape components, own UV layout, joints renamed, regions transferred from the open head; "
    "expressions derived from ICT-FaceKit Light (MIT, (c) 2020 USC Institute for Creative "
    "Technologies) instead of FLAME's own."
)
FLAME_JOINTS = ("global", "neck", "jaw", "eye_left", "eye_right")
# ICT splits what ARKit has as one: the halves are added.
MERGED = {"browInnerUp": ("Left", "Right"), "cheekPuff": ("Left", "Right")}
_MAX_BYTES = 256 << 20
# What numpy and zipfile raise on files that are not what they claim to be.
_DAMAGE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, SyntaxError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_HINT = "Fetch the reduced FLAME 2023 Open files again."

# V: vertices, F: faces, S: shapes, U: texture vertices, L: landmarks, X: expressions, B: eyeball.
_FLAME_ARRAYS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "v_template": ("f", ("V", 3)),
    "faces": ("i", ("F", 3)),
    "shapedirs": ("f", ("V", 3, "S")),
    "posedirs": ("f", ("V", 3, 36)),
    "weights": ("f", ("V", 5)),
    "J_regressor": ("f", (5, "V")),
    "parents": ("i", (5,)),
    "joint_names": ("U", (5,)),
    "cleanroom_uv": ("f", ("U", 2)),
    "cleanroom_uv_faces": ("i", ("F", 3)),
    "mp_landmark_indices": ("i", ("L",)),
    "mp_lmk_face_idx": ("i", ("L",)),
    "mp_lmk_b_coords": ("f", ("L", 3)),
    "eyeball_left": ("i", ("B",)),
    "eyeball_right": ("i", ("B",)),
}
_EXPRESSION_ARRAYS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "exprdirs": ("f", ("V", 3, "X")),
    "names": ("U", ("X",)),
}


def load_flame_open(
    flame_npz: Path | str, expressions_npz: Path | str, open_head: HeadModel
) -> HeadModel:
    """Return FLAME 2023 Open as a checked head model: V 5023, S 60, the 51 ARKit expressions.

    flame_npz: the reduced model; expressions_npz: ICT-derived expressions on its topology;
    open_head: whose regions are transferred. Raises AssetMissing (head_model_missing) when a file
    is absent and FileInvalid (flame_invalid, head_model_invalid) when one is not what it should be.
    """
    arrays, sizes = _read(flame_npz, _FLAME_ARRAYS, {})
    expressions, _ = _read(expressions_npz, _EXPRESSION_ARRAYS, {"V": sizes["V"]})
    if tuple(arrays["joint_names"].tolist()) != FLAME_JOINTS:
        raise _invalid(flame_npz, "has other joints than " + ", ".join(FLAME_JOINTS))
    eyeballs = {}
    for ours, theirs in (("left_eyeball", "eyeball_left"), ("right_eyeball", "eyeball_right")):
        if arrays[theirs].min() < 0 or arrays[theirs].max() >= sizes["V"]:
            raise _invalid(flame_npz, "has an eyeball of vertices that do not exist")
        eyeballs[ours] = np.zeros(sizes["V"], bool)
        eyeballs[ours][arrays[theirs]] = True
    dirs, names = merge_expressions(expressions["exprdirs"], expressions["names"].tolist())
    head = _head(arrays, dirs, names)
    check_head_model(head)
    return replace(head, regions=_regions(head, open_head, eyeballs))


def _head(arrays: Mapping[str, Any], dirs: F32, names: tuple[str, ...]) -> HeadModel:
    """Return the head model without regions."""
    head = HeadModel(
        name=NAME,
        topology_id="",
        licence=LICENCE,
        source=SOURCE,
        template=_f32(arrays["v_template"]),
        faces=_i32(arrays["faces"]),
        uvs=_f32(arrays["cleanroom_uv"]),
        uv_faces=_i32(arrays["cleanroom_uv_faces"]),
        shape_dirs=_f32(arrays["shapedirs"]),
        expression_dirs=dirs,
        expression_names=names,
        pose_dirs=_f32(arrays["posedirs"]),
        joint_regressor=_f32(arrays["J_regressor"]),
        weights=_f32(arrays["weights"]),
        parents=_i32(arrays["parents"]),
        regions={},
        landmarks=LandmarkTable(
            indices=_i32(arrays["mp_landmark_indices"]),
            faces=_i32(arrays["mp_lmk_face_idx"]),
            barycentric=_f32(np.clip(arrays["mp_lmk_b_coords"], 0, 1)),
        ),
        joint_names=JOINTS,
    )
    return replace(head, topology_id=head_topology_id(head))


def _regions(
    head: HeadModel, open_head: HeadModel, eyeballs: Mapping[str, Mask]
) -> dict[str, Mask]:
    regions = transfer_regions(open_head, head.template, head.faces, head.landmarks, eyeballs)
    return hair_in_one_piece(regions, head.faces)


def arkit_name(name: str) -> str:
    """Return ARKit's name of an expression: ``mouthSmile_L`` becomes ``mouthSmileLeft``."""
    for ending, side in (("_L", "Left"), ("_R", "Right")):
        if name.endswith(ending):
            return name.removesuffix(ending) + side
    return name


def merge_expressions(dirs: Any, names: list[str]) -> tuple[F32, tuple[str, ...]]:
    """Return directions (V, 3, E) f32 m and ARKit names, every given direction in one of them.

    dirs (V, 3, X) m; names: X in ICT's spelling, ``_L`` and ``_R`` for the subject's sides.
    Halves of what ARKit has as one (MERGED) are added, where the first of them stands. Raises
    FileInvalid when a half lacks the other or a name comes twice.
    """
    merged: dict[str, F32] = {}
    whole_of = {whole + part: whole for whole, parts in MERGED.items() for part in parts}
    seen = [arkit_name(name) for name in names]
    for whole, parts in MERGED.items():
        present = [whole + part in seen for part in parts]
        if any(present) and not all(present):
            raise FileInvalid("flame_invalid", f"The expression {whole} is not complete.", _HINT)
    if len(set(seen)) != len(seen):
        raise FileInvalid("flame_invalid", "An expression comes twice.", _HINT)
    for number, name in enumerate(seen):
        whole = whole_of.get(name, name)
        direction = np.asarray(dirs[..., number], np.float32)
        merged[whole] = merged[whole] + direction if whole in merged else direction
    return np.ascontiguousarray(np.stack(list(merged.values()), -1)), tuple(merged)


def _read(
    path: Path | str, wanted: Mapping[str, tuple[str, tuple[int | str, ...]]], sizes: dict[str, int]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the wanted arrays of an .npz and its sizes by letter; nothing in it is unpickled."""
    source = Path(path)
    if not source.is_file():
        message = f"There is no file {str(source)!r}."
        raise AssetMissing("head_model_missing", message, "Give the path of FLAME 2023 Open.")
    found = {}
    try:
        with zipfile.ZipFile(source) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise _invalid(source, "is larger than FLAME can be")
        with np.load(source, allow_pickle=False) as archive:
            for name, (kind, shape) in wanted.items():
                array = archive[name]
                if array.dtype.kind != kind or not _fits(array.shape, shape, sizes):
                    raise _invalid(source, f"has an array {name} of an odd kind or shape")
                found[name] = array
    except _DAMAGE as error:
        raise _invalid(source, "is damaged or lacks an array") from error
    return found, sizes


def _fits(found: tuple[int, ...], wanted: tuple[int | str, ...], sizes: dict[str, int]) -> bool:
    """Whether a shape is the wanted one; letters are learnt at their first use."""
    if len(found) != len(wanted) or 0 in found:
        return False
    return all(
        size == (sizes.setdefault(want, size) if isinstance(want, str) else want)
        for size, want in zip(found, wanted, strict=True)
    )


def _f32(array: Any) -> F32:
    return np.ascontiguousarray(array, np.float32)


def _i32(array: Any) -> Any:
    return np.ascontiguousarray(array, np.int32)


def _invalid(path: Path | str, problem: str) -> FileInvalid:
    return FileInvalid("flame_invalid", f"{Path(path).name} {problem}.", _HINT)
