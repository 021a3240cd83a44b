# SPDX-License-Identifier: Apache-2.0
"""The rig's file: what crosses from the program that makes a rig to the Blender that builds it.

Does not know bpy, avatars or head models; numpy and stdlib only, because Blender reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FileInvalid
from .tensor_file import read_tensors, write_tensors
from .types import Camera, RigArrays, RigKey

KIND = "rome rig"
VERSION = 1
_ARRAYS = {
    "vertices": np.float32, "offsets": np.float32, "faces": np.int32, "uvs": np.float32,
    "uv_faces": np.int32, "joints": np.float32, "parents": np.int32, "weights": np.float32,
    "eye_faces": np.bool_, "albedo": np.uint8, "confidence": np.uint8, "photo": np.uint8,
}  # fmt: skip
_OPTIONAL = ("neural_preview", "normal_map", "roughness_map")  # what a head may lack
_HINT = "Make the rig again with this version."


def save_rig(rig: RigArrays, path: Path | str) -> None:
    """Check a rig and write it to ``path``, atomically.

    Raises FileInvalid when the rig's arrays do not fit each other, and what ``write_tensors``
    raises.
    """
    write_tensors(path, *rig_to_tensors(rig))


def rig_to_tensors(rig: RigArrays) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the JSON-able metadata of a rig, as its file holds them.

    Raises FileInvalid when the rig's arrays do not fit each other.
    """
    check_rig(rig)
    tensors: dict[str, Any] = {name: getattr(rig, name) for name in _ARRAYS}
    empty = np.zeros((0, len(rig.vertices), 3), np.float32)
    tensors["key_deltas"] = np.stack([key.delta for key in rig.keys]) if rig.keys else empty
    optional = {name: getattr(rig, name) for name in _OPTIONAL}
    tensors |= {name: array for name, array in optional.items() if array is not None}
    tensors["world_to_clip"] = np.asarray(rig.camera.world_to_clip, np.float64)
    tensors |= {f"region.{name}": mask for name, mask in rig.regions.items()}
    metadata = {
        "kind": KIND,
        "version": VERSION,
        "name": rig.name,
        "joint_names": list(rig.joint_names),
        "keys": [_key_facts(key) for key in rig.keys],
        "camera_size": [int(rig.camera.width), int(rig.camera.height)],
        "properties": dict(rig.properties),
    }
    return tensors, metadata


def _key_facts(key: RigKey) -> dict[str, Any]:
    numbers = {"value": key.value, "minimum": key.minimum, "maximum": key.maximum}
    facts: dict[str, Any] = {name: float(number) for name, number in numbers.items()}
    driver = key.driver
    facts["driver"] = None if driver is None else [driver[0], int(driver[1]), int(driver[2])]
    return {"name": key.name, **facts}


def load_rig(path: Path | str) -> RigArrays:
    """Return the checked rig of a file.

    Raises FileInvalid when the file is missing, damaged, of another kind or version, or its
    arrays do not fit each other.
    """
    return rig_from_tensors(*read_tensors(path), source=Path(path).name)


def rig_from_tensors(
    tensors: Mapping[str, Any], metadata: Mapping[str, Any], source: str = "The backend's rig"
) -> RigArrays:
    """Return the checked rig of what ``rig_to_tensors`` gave.

    Raises FileInvalid as ``load_rig``; ``source`` names in messages where the parts are from.
    """
    if metadata.get("kind") != KIND:
        raise FileInvalid("not_a_rig", f"{source} is not a rig.", _HINT)
    if metadata.get("version") != VERSION:
        found = ascii(metadata.get("version"))
        message = f"{source} is a rig of version {found}, not {VERSION}."
        raise FileInvalid("rig_version", message, _HINT)
    rig = _assemble(tensors, metadata)
    check_rig(rig)
    return rig


def _assemble(tensors: Mapping[str, Any], metadata: Mapping[str, Any]) -> RigArrays:
    """Return the rig of a file's parts, whose presence and JSON types are checked here."""
    found = {name for name in tensors if not name.startswith("region.")} - {*_OPTIONAL}
    wanted = {*_ARRAYS, "key_deltas", "world_to_clip"}
    _require(found == wanted, "arrays are missing or unknown")
    wanted_facts = ("name", "properties", "joint_names", "camera_size", "keys")
    facts: dict[str, Any] = {key: metadata.get(key) for key in wanted_facts}
    name, properties, size = facts["name"], facts["properties"], facts["camera_size"]
    _require(isinstance(name, str) and isinstance(properties, dict), "its texts are incomplete")
    _require(_texts(facts["joint_names"]), "its joint names are incomplete")
    _require(
        isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size),
        "its camera has no size",
    )
    return RigArrays(
        name=name,
        keys=_keys(facts["keys"], tensors["key_deltas"]),
        joint_names=tuple(facts["joint_names"]),
        regions={key[7:]: mask for key, mask in tensors.items() if key.startswith("region.")},
        camera=Camera(tensors["world_to_clip"], *size),
        properties=properties,
        **{array: tensors[array] for array in (*_ARRAYS, *_OPTIONAL) if array in tensors},
    )


def _keys(facts: Any, deltas: Any) -> tuple[RigKey, ...]:
    _require(isinstance(facts, list) and deltas.ndim == 3, "its shape keys are incomplete")
    _require(len(facts) == len(deltas), "its shape keys and their names differ in number")
    keys = []
    for fact, delta in zip(facts, deltas, strict=True):
        fields = {"name", "value", "minimum", "maximum", "driver"}
        _require(isinstance(fact, dict) and set(fact) == fields, "a shape key is incomplete")
        value, minimum, maximum = fact["value"], fact["minimum"], fact["maximum"]
        ranged = all(type(number) is float for number in (value, minimum, maximum))
        _require(ranged, "a shape key has no range")
        driver = fact["driver"]
        if driver is not None:
            _require(isinstance(driver, list) and len(driver) == 3, "a driver is incomplete")
            driver = tuple(driver)
        keys.append(RigKey(fact["name"], delta, value, minimum, maximum, driver))
    return tuple(keys)


def check_rig(rig: RigArrays) -> None:
    """Raise FileInvalid (rig_invalid) unless every part fits the others."""
    for name, kind in _ARRAYS.items():
        array = getattr(rig, name)
        _require(array.dtype == kind, f"{name} is {array.dtype}, not {np.dtype(kind)}")
    _check_shapes(rig)
    _require(_within(rig.faces, len(rig.vertices)), "a face names a vertex that does not exist")
    _require(_within(rig.uv_faces, len(rig.uvs)), "a face names a UV that does not exist")
    tree = rig.parents[0] == -1 and all(0 <= p < j for j, p in enumerate(rig.parents) if j)
    _require(bool(tree), "the joints are not a tree with parents first")
    sums = rig.weights.sum(1, dtype=np.float64)
    _require(bool(np.abs(sums - 1).max() < 1e-4), "skinning weights do not sum to 1")
    for name, mask in rig.regions.items():
        fits = mask.shape == (len(rig.vertices),) and mask.dtype == np.bool_
        _require(bool(name) and fits, f"region {name} is not a truth value per vertex")
    _require(min(rig.camera.width, rig.camera.height) > 0, "its camera has no size")
    _check_keys(rig)


def _check_shapes(rig: RigArrays) -> None:
    count, faces, joints = rig.vertices.size // 3, rig.eye_faces.size, len(rig.joint_names)
    side = max(rig.confidence.shape, default=0)
    shapes = {
        "vertices": (count, 3), "offsets": (count, 3), "faces": (faces, 3),
        "uvs": (rig.uvs.size // 2, 2), "uv_faces": (faces, 3), "eye_faces": (faces,),
        "joints": (joints, 3), "parents": (joints,), "weights": (count, joints),
        "albedo": (side, side, 3), "confidence": (side, side), "photo": rig.photo.shape[:2] + (3,),
    }  # fmt: skip
    for name, shape in shapes.items():
        found = getattr(rig, name).shape
        _require(found == shape, f"{name} has shape {found}, not {shape}")
    _require(min(count, faces, joints, side) > 0, "it is empty")
    preview = rig.neural_preview
    if preview is not None:
        fits = preview.dtype == np.uint8 and preview.ndim == 3 and preview.shape[2] == 3
        _require(fits and preview.size > 0, "its neural preview is no picture")
    for name, shape in (("normal_map", (side, side, 3)), ("roughness_map", (side, side))):
        estimate = getattr(rig, name)
        fits = estimate is None or (estimate.dtype == np.uint8 and estimate.shape == shape)
        _require(fits, f"{name} does not fit the texture")
    _require(rig.camera.world_to_clip.shape == (4, 4), "its camera is no matrix")


def _check_keys(rig: RigArrays) -> None:
    names = [key.name for key in rig.keys]
    _require(_texts(names) and len(set(names)) == len(names), "two shape keys share a name")
    for key in rig.keys:
        fits = key.delta.shape == rig.vertices.shape and key.delta.dtype == np.float32
        _require(fits, f"shape key {key.name} does not fit the mesh")
        _require(key.minimum <= key.value <= key.maximum, f"{key.name} is out of its range")
        if key.driver is not None:
            joint, row, column = key.driver
            known = joint in rig.joint_names and row in (0, 1, 2) and column in (0, 1, 2)
            _require(known, f"the driver of {key.name} names no joint")


def _texts(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and name for name in names)


def _within(indices: Any, count: int) -> bool:
    return not indices.size or bool(indices.min() >= 0 and indices.max() < count)


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise FileInvalid("rig_invalid", f"The rig is not valid: {problem}.", _HINT)
