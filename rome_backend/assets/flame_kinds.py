# SPDX-License-Identifier: Apache-2.0
"""FLAME's files: the model's pickle, vertex masks, landmark embeddings, the texture layout.

Does not build a head model of them (flame_head does) and holds none of their data.

Sources: the files' published descriptions; rome-spec sections 2.5 and 3.
"""

from __future__ import annotations

import numpy as np

from rome_backend.assets import licences
from rome_backend.assets.content import ARRAYS, OBJ, PICKLE, Content
from rome_backend.assets.kind import Converted, Kind, Tensors, invalid, shaped, within
from rome_backend.assets.obj_layout import read_layout

VERTICES, FACES, UVS = 5023, 9976, 5118
SHAPES, EXPRESSIONS = 300, 100
PARENTS = (-1, 0, 1, 1, 1)
MODEL, MASKS, LAYOUT = "flame-model", "flame-masks", "flame-uv"
LANDMARKS_68, LANDMARKS_MEDIAPIPE = "flame-landmarks-68", "flame-landmarks-mediapipe"
OPEN_LICENCE = "CC-BY-4.0"
PAPER = (
    "T. Li, T. Bolkart, M. J. Black, H. Li, J. Romero, Learning a model of facial shape and "
    "expression from 4D scans, SIGGRAPH Asia 2017, https://flame.is.tue.mpg.de"
)
OPEN_SOURCE = "FLAME 2023 Open, Max Planck Institute for Intelligent Systems, CC BY 4.0; " + PAPER
_SOURCE = "FLAME, Max Planck Institute for Intelligent Systems; " + PAPER
_MODEL_ARRAYS: dict[str, tuple[tuple[int | None, ...], str]] = {
    "v_template": ((VERTICES, 3), "f"),
    "f": ((FACES, 3), "i"),
    "shapedirs": ((VERTICES, 3, SHAPES + EXPRESSIONS), "f"),
    "posedirs": ((VERTICES, 3, 36), "f"),
    "weights": ((VERTICES, 5), "f"),
    "J_regressor": ((5, VERTICES), "f"),
    "kintree_table": ((2, 5), "i"),
}
_REGIONS = frozenset(("face", "neck", "scalp", "lips", "left_eyeball", "right_eyeball"))
# Three numbers of FLAME 2023 Open that tell it from the versions under another licence:
# (vertex, axis, template m, first shape direction m).
_OPEN_FACTS = (
    (0, 0, 0.0596970357, 0.0031810543),
    (1000, 1, 0.0165879522, 0.0011032384),
    (2500, 0, -0.0223418474, -0.0007828710),
)
_OPEN_CLOSE = 2e-6


def _is_model(content: Content) -> bool:
    table = content.table()
    return content.form == PICKLE and ("v_template" in table or "shapedirs" in table)


def _model(content: Content) -> Converted:
    table = content.table()
    tensors: Tensors = {}
    for name, (shape, kind) in _MODEL_ARRAYS.items():
        if name not in table:
            raise invalid(content, f"{name} is missing")
        tensors[name] = shaped(content, name, table[name], shape, kind)
    within(content, "f", tensors["f"], VERTICES)
    parents = tensors.pop("kintree_table")[0].copy()
    parents[0] = -1  # some files say 2^32 - 1
    if tuple(parents.tolist()) != PARENTS:
        raise invalid(content, "kintree_table is another tree than root, neck, jaw and eyes")
    for name in ("weights", "J_regressor"):
        if np.abs(tensors[name].sum(1, dtype=np.float64) - 1).max() > 1e-3:
            raise invalid(content, f"rows of {name} do not sum to 1")
    left = tuple(str(name) for name in table if name not in _MODEL_ARRAYS)
    if _is_open(tensors):
        return Converted(tensors, left, OPEN_LICENCE, OPEN_SOURCE)
    return Converted(tensors, left)


def _is_open(tensors: Tensors) -> bool:
    return all(
        abs(tensors["v_template"][vertex, axis] - at) < _OPEN_CLOSE
        and abs(tensors["shapedirs"][vertex, axis, 0] - moved) < _OPEN_CLOSE
        for vertex, axis, at, moved in _OPEN_FACTS
    )


def _is_masks(content: Content) -> bool:
    names = {name for name in content.table() if isinstance(name, str)}
    return content.form == PICKLE and len(names & _REGIONS) >= 3


def _masks(content: Content) -> Converted:
    tensors: Tensors = {}
    for name, value in content.table().items():
        rows = shaped(content, str(name), value, (None,), "i")
        tensors[str(name)] = within(content, str(name), rows, VERTICES)
    missing = sorted(_REGIONS - set(tensors))
    if missing:
        raise invalid(content, f"the region {missing[0]} is missing")
    return Converted(tensors)


def _is_landmarks_68(content: Content) -> bool:
    return content.form == PICKLE and any(
        isinstance(name, str) and name.startswith(("static_lmk_", "dynamic_lmk_"))
        for name in content.table()
    )


def _landmarks_68(content: Content) -> Converted:
    """Take DECA's embedding: 51 fixed landmarks and a contour of 17 for 79 yaws."""
    table = content.table()
    wanted: dict[str, tuple[str, tuple[int | None, ...], str]] = {
        "fixed_faces": ("static_lmk_faces_idx", (51,), "i"),
        "fixed_barycentric": ("static_lmk_bary_coords", (51, 3), "f"),
        "contour_faces": ("dynamic_lmk_faces_idx", (79, 17), "i"),
        "contour_barycentric": ("dynamic_lmk_bary_coords", (79, 17, 3), "f"),
    }
    tensors: Tensors = {}
    for ours, (name, shape, kind) in wanted.items():
        if name not in table:
            raise invalid(content, f"{name} is missing")
        tensors[ours] = shaped(content, name, table[name], shape, kind)
        if kind == "i":
            within(content, name, tensors[ours], FACES)
    used = {name for name, _, _ in wanted.values()}
    return Converted(tensors, tuple(str(name) for name in table if name not in used))


def _is_landmarks_mediapipe(content: Content) -> bool:
    table = content.table()
    return content.form == ARRAYS and "landmark_indices" in table


def _landmarks_mediapipe(content: Content) -> Converted:
    table = content.table()
    tensors: Tensors = {}
    for ours, name, axes, kind in (
        ("indices", "landmark_indices", 1, "i"),
        ("faces", "lmk_face_idx", 1, "i"),
        ("barycentric", "lmk_b_coords", 2, "f"),
    ):
        if name not in table:
            raise invalid(content, f"{name} is missing")
        shape: tuple[int | None, ...] = (None,) if axes == 1 else (None, 3)
        tensors[ours] = shaped(content, name, table[name], shape, kind)
    if len({len(tensor) for tensor in tensors.values()}) != 1:
        raise invalid(content, "its tables have different lengths")
    within(content, "landmark_indices", tensors["indices"], 478)
    within(content, "lmk_face_idx", tensors["faces"], FACES)
    return Converted(tensors)


def _is_layout(content: Content) -> bool:
    return content.form == OBJ


def _layout(content: Content) -> Converted:
    try:
        layout = read_layout(content.value)
    except ValueError as error:
        raise invalid(content, str(error)) from error
    found = (layout.vertices, len(layout.uvs), len(layout.faces))
    if found != (VERTICES, UVS, FACES):
        wanted = f"{VERTICES} vertices, {UVS} texture vertices and {FACES} faces"
        raise invalid(
            content,
            f"it has {found[0]} vertices, {found[1]} texture vertices and {found[2]} faces; "
            f"head_template.obj has {wanted}",
        )
    return Converted({"uvs": layout.uvs, "uv_faces": layout.uv_faces, "faces": layout.faces})


FLAME_KINDS = (
    Kind(MODEL, "the FLAME head model", licences.FLAME, _SOURCE, _is_model, _model),
    Kind(MASKS, "FLAME's vertex masks", licences.FLAME, "FLAME_masks.pkl; " + _SOURCE,
         _is_masks, _masks),
    Kind(LANDMARKS_68, "FLAME's 68 landmarks", licences.FLAME,
         "landmark_embedding.npy, as DECA ships it; " + _SOURCE, _is_landmarks_68, _landmarks_68),
    Kind(LANDMARKS_MEDIAPIPE, "FLAME's MediaPipe landmarks", licences.FLAME,
         "mediapipe_landmark_embedding.npz; " + _SOURCE,
         _is_landmarks_mediapipe, _landmarks_mediapipe),
    Kind(LAYOUT, "FLAME's texture layout", licences.FLAME, "head_template.obj; " + _SOURCE,
         _is_layout, _layout),
)  # fmt: skip
