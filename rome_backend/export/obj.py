# SPDX-License-Identifier: Apache-2.0
"""Writes the neutral head as OBJ with its material file and textures.

Does not know bones or shape keys beyond their stored values. Y up, metres, facing +Z; the rig's
origin moves to (0, 0, 0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rome_backend
from rome_backend.core.atomic_file import replacing
from rome_backend.core.types import F64, RigArrays
from rome_backend.export.pictures import png_bytes
from rome_backend.export.rest_shape import origin_of, shown_normals, shown_vertices

# norm and map_Pr are MTL's PBR extension; map_Bump would be taken for heights by many readers.
MAPS = {"albedo": "map_Kd", "normal": "norm", "roughness": "map_Pr"}
SHININESS = {"skin": 40, "eyes": 400}


def write_obj(rig: RigArrays, path: Path | str) -> list[Path]:
    """Write ``path`` (.obj), its .mtl and its textures, and return the paths.

    All are written under temporary names first; the .obj takes its place last, so a new .obj
    never lacks the files it names. The vertices keep the rig's order. Raises UsageError or
    OutOfResources where the folder cannot be written.
    """
    target = Path(path)
    # Readers split the names inside OBJ and MTL files at spaces.
    stem = re.sub(r"\s+", "_", target.stem)
    material = target.with_name(f"{stem}.mtl")
    every = {"albedo": rig.albedo, "normal": rig.normal_map, "roughness": rig.roughness_map}
    pictures = {role: pixels for role, pixels in every.items() if pixels is not None}
    textures = {role: target.with_name(f"{stem}_{role}.png") for role in pictures}
    with ExitStack() as files:
        obj_file = files.enter_context(replacing(target))
        mtl_file = files.enter_context(replacing(material))
        png_files = [files.enter_context(replacing(path)) for path in textures.values()]
        obj_file.write(_obj_text(rig, material.name).encode())
        mtl_file.write(_mtl_text(rig, textures).encode())
        for role, png_file in zip(textures, png_files, strict=True):
            png_file.write(png_bytes(pictures[role]))
    return [target, material, *textures.values()]


def _comments(rig: RigArrays) -> list[str]:
    licences = rig.properties.get("licences", {})
    lines = [f"# ROME for Blender {rome_backend.__version__}"]
    return lines + [f"# {part}: {licence}".replace("\n", " ") for part, licence in licences.items()]


def _mtl_text(rig: RigArrays, textures: Mapping[str, Path]) -> str:
    lines = _comments(rig)
    if len(textures) > 1:
        lines += ["# normal and roughness are estimates"]
    for name, shininess in SHININESS.items():
        lines += [f"newmtl {name}", "Kd 1 1 1", "Ks 0.04 0.04 0.04", f"Ns {shininess}"]
        lines += ["illum 2"]
        lines += [f"{MAPS[role]} {path.name}" for role, path in textures.items()]
    return "\n".join(lines) + "\n"


def _obj_text(rig: RigArrays, material: str) -> str:
    lines = [*_comments(rig), f"mtllib {material}", "o " + re.sub(r"\s+", "_", rig.name)]
    lines += _rows("v", shown_vertices(rig) - origin_of(rig))
    lines += _rows("vt", np.asarray(rig.uvs, np.float64))
    lines += _rows("vn", shown_normals(rig))
    eyes = np.asarray(rig.eye_faces, bool)
    for name, chosen in (("skin", ~eyes), ("eyes", eyes)):
        if chosen.any():
            lines += [f"usemtl {name}", *_faces(rig.faces[chosen] + 1, rig.uv_faces[chosen] + 1)]
    return "\n".join(lines) + "\n"


def _rows(keyword: str, values: F64) -> Iterator[str]:
    for row in values.tolist():
        yield " ".join([keyword, *(f"{number:.7f}" for number in row)])


def _faces(faces: NDArray[np.int32], uv_faces: NDArray[np.int32]) -> Iterable[str]:
    for corners, uvs in zip(faces.tolist(), uv_faces.tolist(), strict=True):
        yield "f " + " ".join(f"{v}/{t}/{v}" for v, t in zip(corners, uvs, strict=True))
