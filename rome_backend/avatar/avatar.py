# SPDX-License-Identifier: Apache-2.0
"""The avatar file (.rome): everything the project keeps of a person, in one file.

Does not know how an avatar is made, drawn or exported.

The file is safetensors: arrays by the names of `Avatar`'s fields, and one JSON header with the
format's name and version, identity of the head model, warnings, licences and provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.core.types import Avatar, Camera, FlameParams, HeadModel

FORMAT = "rome-avatar"
VERSION = 1
PARAMS = ("shape", "expression", "rotation", "neck", "jaw", "eyes", "translation")

# name: (dtype, shape); a letter stands for one size that must be the same wherever it occurs.
LAYOUT: Mapping[str, tuple[str, tuple[int | str, ...]]] = {
    "shape": ("float64", ("S",)),
    "expression": ("float64", ("E",)),
    "rotation": ("float64", (3,)),
    "neck": ("float64", (3,)),
    "jaw": ("float64", (3,)),
    "eyes": ("float64", (2, 3)),
    "translation": ("float64", (3,)),
    "offset_coefficients": ("float32", ("B",)),
    "free_offsets": ("float32", ("V", 3)),
    "offsets": ("float32", ("V", 3)),
    "albedo": ("uint8", ("T", "T", 3)),
    "confidence": ("uint8", ("T", "T")),
    "source_crop": ("uint8", ("P", "P", 3)),
    "source_matte": ("uint8", ("P", "P")),
    "source_landmarks": ("float32", ("L", 3)),
    "world_to_clip": ("float64", (4, 4)),
}
NEURAL_TEXTURE, NEURAL_PREVIEW = "neural_texture", "neural_preview"
# What an avatar may lack: name: dtype.
OPTIONAL: Mapping[str, str] = {
    NEURAL_TEXTURE: "float32",
    NEURAL_PREVIEW: "uint8",
    "normal_map": "uint8",
    "roughness_map": "uint8",
}

HEADER_TYPES: Mapping[str, type] = {
    "name": str,
    "head_model": str,
    "topology_id": str,
    "weights_id": str,
    "warnings": list,
    "licences": dict,
    "provenance": dict,
    "camera_size": list,
}


def save_avatar(avatar: Avatar, path: Path) -> None:
    """Write an avatar to one .rome file, atomically (our own format, version 1).

    Raises:
        FileInvalid: an array of the avatar has a shape the format does not allow.
        OSError: the folder cannot be written; nothing is left behind.
    """
    tensors: dict[str, NDArray[Any]] = {name: getattr(avatar.params, name) for name in PARAMS}
    for name in LAYOUT:
        if name not in PARAMS and name != "world_to_clip":
            tensors[name] = getattr(avatar, name)
    tensors["world_to_clip"] = avatar.camera.world_to_clip
    tensors = {
        name: np.ascontiguousarray(array, dtype=LAYOUT[name][0]) for name, array in tensors.items()
    }
    for name, dtype in OPTIONAL.items():
        if getattr(avatar, name) is not None:
            tensors[name] = np.ascontiguousarray(getattr(avatar, name), dtype=dtype)
    _check_arrays(tensors, path)
    write_tensors(path, tensors, _header(avatar))


def _header(avatar: Avatar) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": avatar.name,
        "head_model": avatar.head_model,
        "topology_id": avatar.topology_id,
        "weights_id": avatar.weights_id,
        "warnings": list(avatar.warnings),
        "licences": dict(avatar.licences),
        "provenance": dict(avatar.provenance),
        "camera_size": [avatar.camera.width, avatar.camera.height],
    }


def load_avatar(path: Path) -> Avatar:
    """Read an avatar file; every array is checked before it is believed.

    Raises:
        FileInvalid: code `avatar_missing` (no such file), `avatar_version` (another format
            version), `avatar_format` (some other kind of file) or `avatar_damaged`.
    """
    if not path.is_file():
        raise FileInvalid(
            "avatar_missing",
            f"There is no avatar file {path.name!r}.",
            "Make one with: rome create PHOTO -o NAME.rome",
        )
    try:
        tensors, header = read_tensors(path)
    except FileInvalid as error:
        raise FileInvalid(
            "avatar_damaged",
            f"{path.name!r} is not an avatar file or is damaged: {error.message}",
            "Make the avatar again from its photo, or take the file from a backup.",
        ) from error
    _check_header(header, path)
    _check_arrays(tensors, path)
    return _avatar(tensors, header)


def _avatar(tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> Avatar:
    width, height = header["camera_size"]
    arrays = {
        name: tensors[name] for name in LAYOUT if name not in PARAMS and name != "world_to_clip"
    }
    arrays |= {name: tensors[name] for name in OPTIONAL if name in tensors}
    return Avatar(
        name=header["name"],
        head_model=header["head_model"],
        topology_id=header["topology_id"],
        params=FlameParams(**{name: tensors[name] for name in PARAMS}),
        camera=Camera(tensors["world_to_clip"], width, height),
        warnings=tuple(header["warnings"]),
        licences=header["licences"],
        provenance=header["provenance"],
        weights_id=header["weights_id"],
        **arrays,
    )


def _check_header(header: Mapping[str, Any], path: Path) -> None:
    if header.get("format") != FORMAT:
        raise FileInvalid(
            "avatar_format",
            f"{path.name!r} is a tensor file, but not an avatar.",
            "Open a .rome file that `rome create` wrote.",
        )
    version = header.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise FileInvalid(
            "avatar_version",
            f"{path.name!r} has avatar format {version!r}; this program reads format {VERSION}.",
            "Update ROME for Blender." if newer else "Make the avatar again from its photo.",
        )
    for name, wanted in HEADER_TYPES.items():
        if not isinstance(header.get(name), wanted):
            raise _damaged(path, f"its header has no valid {name!r}")
    size = header["camera_size"]
    if len(size) != 2 or not all(type(side) is int and 0 < side <= 1 << 16 for side in size):
        raise _damaged(path, "its camera has no valid picture size")
    if not all(isinstance(code, str) for code in header["warnings"]):
        raise _damaged(path, "its warnings are not codes")


def _check_arrays(tensors: Mapping[str, NDArray[Any]], path: Path) -> None:
    sizes: dict[str, int] = {}
    for name, (dtype, shape) in LAYOUT.items():
        array = tensors.get(name)
        if array is None:
            raise _damaged(path, f"{name!r} is missing")
        if array.dtype != np.dtype(dtype) or array.ndim != len(shape):
            raise _damaged(path, f"{name!r} has the wrong kind or number of axes")
        for actual, wanted in zip(array.shape, shape, strict=True):
            expected = sizes.setdefault(wanted, actual) if isinstance(wanted, str) else wanted
            if actual != expected:
                raise _damaged(path, f"{name!r} has shape {array.shape}, which does not fit")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _damaged(path, f"{name!r} holds values that are not finite")
    neural = tensors.get(NEURAL_TEXTURE)
    if neural is not None and (neural.ndim != 3 or not np.isfinite(neural).all()):
        raise _damaged(path, f"{NEURAL_TEXTURE!r} is not a finite (C, T, T) array")
    preview = tensors.get(NEURAL_PREVIEW)
    if preview is not None and (preview.dtype != np.uint8 or preview.shape[2:] != (3,)):
        raise _damaged(path, f"{NEURAL_PREVIEW!r} is not a (T, T, 3) picture")
    albedo = tensors["albedo"].shape
    for name, shape in (("normal_map", albedo), ("roughness_map", albedo[:2])):
        estimate = tensors.get(name)
        if estimate is not None and (estimate.dtype != np.uint8 or estimate.shape != shape):
            raise _damaged(path, f"{name!r} does not fit the texture")


def _damaged(path: Path, reason: str) -> FileInvalid:
    return FileInvalid(
        "avatar_damaged",
        f"The avatar {path.name!r} is damaged: {reason}.",
        "Make the avatar again from its photo, or take the file from a backup.",
    )


def require_head_model(avatar: Avatar, head: HeadModel) -> None:
    """Raise FileInvalid (`topology_mismatch`) unless the avatar belongs to this head model.

    Mixing topologies is an error, never a guess.
    """
    fits = (
        avatar.offsets.shape == head.template.shape
        and avatar.params.shape.shape[0] == head.shape_dirs.shape[2]
        and avatar.params.expression.shape[0] == head.expression_dirs.shape[2]
    )
    if avatar.topology_id != head.topology_id or not fits:
        raise FileInvalid(
            "topology_mismatch",
            f"The avatar {avatar.name!r} belongs to head model {avatar.head_model!r}"
            f" ({avatar.topology_id}), not to {head.name!r} ({head.topology_id}).",
            "Use the head model it was made with, or make the avatar again from its photo.",
        )
