# SPDX-License-Identifier: Apache-2.0
"""The head model's file: saved, loaded and checked completely.

Does not know how a head model was made or is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FileInvalid
from .tensor_file import read_tensors, write_tensors
from .types import JOINTS, HeadModel, LandmarkTable

KIND = "rome head model"
VERSION = 1
_FLOATS = (
    "template", "uvs", "shape_dirs", "expression_dirs", "pose_dirs", "joint_regressor", "weights",
)  # fmt: skip
_INTEGERS = ("faces", "uv_faces", "parents")
_TEXTS = ("name", "topology_id", "licence", "source")
_RANKS = {"shape_dirs": 3, "expression_dirs": 3, "pose_dirs": 3, "parents": 1}
_HINT = "Make the head model again with this version."


def topology_id(name: str, faces: Any, uv_faces: Any, uvs: Any, sizes: Sequence[int]) -> str:
    """Return the id that equal faces, UVs and basis sizes share: ``name`` and 16 hex digits.

    faces (F, 3), uv_faces (F, 3) int; uvs (Vt, 2) float; sizes: V, S, E, K. UVs are rounded to
    1e-5, so that another machine's rounding gives the same id.
    """
    digest = hashlib.sha256()
    for array, kind in ((faces, "<i4"), (uv_faces, "<i4"), (np.round(uvs * 1e5), "<i4")):
        values = np.ascontiguousarray(array, kind)
        digest.update(repr(values.shape).encode())
        digest.update(values.tobytes())
    digest.update(repr([int(size) for size in sizes]).encode())
    return f"{name}-{digest.hexdigest()[:16]}"


def head_topology_id(head: HeadModel) -> str:
    """Return ``topology_id`` of a head model's own arrays."""
    vertices, _, shapes = head.shape_dirs.shape
    sizes = (vertices, shapes, head.expression_dirs.shape[2], len(head.parents))
    return topology_id(head.name, head.faces, head.uv_faces, head.uvs, sizes)


def save_head_model(head: HeadModel, path: Path | str) -> None:
    """Check a head model and write it to ``path``, atomically.

    Raises FileInvalid when the model is not valid, and what ``write_tensors`` raises.
    """
    check_head_model(head)
    tensors = {name: getattr(head, name) for name in _FLOATS + _INTEGERS}
    tensors |= {f"region.{name}": mask for name, mask in head.regions.items()}
    tensors["landmarks.indices"] = head.landmarks.indices
    tensors["landmarks.faces"] = head.landmarks.faces
    tensors["landmarks.barycentric"] = head.landmarks.barycentric
    metadata: dict[str, Any] = {name: getattr(head, name) for name in _TEXTS}
    metadata |= {"kind": KIND, "version": VERSION}
    metadata["expression_names"] = list(head.expression_names)
    metadata["joint_names"] = list(head.joint_names)
    write_tensors(path, tensors, metadata)


def load_head_model(path: Path | str) -> HeadModel:
    """Return the checked head model of a file.

    Raises FileInvalid when the file is missing, damaged, of another kind or version, or its
    arrays do not fit each other.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != KIND:
        raise FileInvalid("not_a_head_model", f"{Path(path).name} is not a head model.", _HINT)
    if metadata.get("version") != VERSION:
        found = ascii(metadata.get("version"))
        message = f"{Path(path).name} is a head model of version {found}, not {VERSION}."
        raise FileInvalid("head_model_version", message, _HINT)
    head = _assemble(tensors, metadata)
    check_head_model(head)
    return head


def _assemble(tensors: Mapping[str, Any], metadata: Mapping[str, Any]) -> HeadModel:
    """Return the head model of a file's parts, whose presence and dtypes are checked here."""
    texts: dict[str, Any] = {key: metadata.get(key) for key in _TEXTS}
    _require(all(isinstance(text, str) for text in texts.values()), "its texts are incomplete")
    names: dict[str, Any] = {}
    for key in ("expression_names", "joint_names"):
        listed = metadata.get(key)
        complete = isinstance(listed, list) and all(isinstance(name, str) for name in listed)
        _require(complete, "its names are incomplete")
        names[key] = tuple(listed or ())
    wanted = {*_FLOATS, *_INTEGERS, *(f"landmarks.{n}" for n in LandmarkTable.__annotations__)}
    regions = {key[7:]: mask for key, mask in tensors.items() if key.startswith("region.")}
    found = {key for key in tensors if not key.startswith("region.")}
    _require(found == wanted, "arrays are missing or unknown")
    return HeadModel(
        **{name: tensors[name] for name in _FLOATS + _INTEGERS},
        **texts,
        **names,
        regions=regions,
        landmarks=LandmarkTable(
            *(tensors[f"landmarks.{name}"] for name in ("indices", "faces", "barycentric"))
        ),
    )


def check_head_model(head: HeadModel) -> None:
    """Raise FileInvalid (head_model_invalid) unless every array fits the others.

    Checks shapes, dtypes, finite values, indices, weights and regressor rows that sum to 1, the
    joint tree, UV range, regions, landmark table and topology id.
    """
    _check_shapes(head)
    vertices = len(head.template)
    for name in _FLOATS:
        _require(bool(np.isfinite(getattr(head, name)).all()), f"{name} is not finite")
    _require(_within(head.faces, vertices), "a face names a vertex that does not exist")
    _require(_within(head.uv_faces, len(head.uvs)), "a face names a UV that does not exist")
    inside = head.uvs.min() >= -1e-6 and head.uvs.max() <= 1 + 1e-6
    _require(bool(inside), "UVs leave the unit square")
    for name in ("weights", "joint_regressor"):
        sums = getattr(head, name).sum(1, dtype=np.float64)
        _require(bool(np.abs(sums - 1).max() < 1e-4), f"rows of {name} do not sum to 1")
    _require(bool(head.weights.min() >= -1e-6), "a skinning weight is negative")
    _require(head.joint_names == JOINTS, "the joints are not " + ", ".join(JOINTS))
    tree = head.parents[0] == -1 and all(0 <= p < j for j, p in enumerate(head.parents) if j)
    _require(bool(tree), "the joints are not a tree with parents first")
    _check_regions(head)
    _check_landmarks(head)
    _require(head.topology_id == head_topology_id(head), "the topology id is not that of its mesh")


def _check_shapes(head: HeadModel) -> None:
    for name in _FLOATS + _INTEGERS:
        _require(getattr(head, name).ndim == _RANKS.get(name, 2), f"{name} has an odd rank")
    joints = len(head.joint_names)
    count, faces = len(head.template), len(head.faces)
    expressions = len(head.expression_names)
    shapes = {
        "template": (count, 3), "faces": (faces, 3), "uvs": (len(head.uvs), 2),
        "uv_faces": (faces, 3), "shape_dirs": (count, 3, head.shape_dirs.shape[-1]),
        "expression_dirs": (count, 3, expressions), "pose_dirs": (count, 3, 9 * (joints - 1)),
        "joint_regressor": (joints, count), "weights": (count, joints), "parents": (joints,),
    }  # fmt: skip
    for name, shape in shapes.items():
        array = getattr(head, name)
        _require(array.shape == shape, f"{name} has shape {array.shape}, not {shape}")
        kind = np.float32 if name in _FLOATS else np.int32
        _require(array.dtype == kind, f"{name} is {array.dtype}, not {np.dtype(kind)}")
    _require(min(count, faces, len(head.uvs)) > 0, "the mesh is empty")
    _require(len(set(head.expression_names)) == expressions, "two expressions share a name")


def _check_regions(head: HeadModel) -> None:
    for name, mask in head.regions.items():
        fits = mask.shape == (len(head.template),) and mask.dtype == np.bool_
        _require(bool(name) and fits, f"region {name} is not a truth value per vertex")


def _check_landmarks(head: HeadModel) -> None:
    table = head.landmarks
    count = table.indices.size
    shapes = (table.indices.shape, table.faces.shape, table.barycentric.shape)
    _require(shapes == ((count,), (count,), (count, 3)), "the landmark table has odd shapes")
    dtypes = [array.dtype.name for array in (table.indices, table.faces, table.barycentric)]
    _require(dtypes == ["int32", "int32", "float32"], "the landmark table has odd dtypes")
    _require(len(set(table.indices.tolist())) == count, "a landmark is named twice")
    _require(_within(table.indices, 478), "a landmark number is not MediaPipe's")
    _require(_within(table.faces, len(head.faces)), "a landmark lies on a face that does not exist")
    sums = table.barycentric.sum(1)
    inside = np.isfinite(table.barycentric).all() and (table.barycentric >= -1e-3).all()
    _require(bool(inside and (np.abs(sums - 1) < 1e-3).all()), "a landmark lies outside its face")


def _within(indices: Any, count: int) -> bool:
    return not indices.size or bool(indices.min() >= 0 and indices.max() < count)


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise FileInvalid("head_model_invalid", f"The head model is not valid: {problem}.", _HINT)
