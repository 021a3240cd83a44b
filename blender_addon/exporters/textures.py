# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of an exported copy as files, and its materials pointing at them.

Does not know exporters. Packed pictures have no file that an exporter could name or copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from .duplicate import Copies

_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"))


def write_textures(
    mesh: bpy.types.Object, copies: Copies, folder: Path, stem: str, head: str
) -> list[Path]:
    """Write the pictures that the mesh's materials use, and return their files.

    The mesh gets copies of its materials which use the files; one file per picture, named by
    ``stem`` and the picture's name without the head's. Painted pictures are written as painted.
    """
    written: dict[bpy.types.Image, bpy.types.Image] = {}
    files: list[Path] = []
    for slot in mesh.material_slots:
        if slot.material is None:
            continue
        slot.material = copies.of(slot.material)
        for node in used_pictures(slot.material):
            if node.image not in written:
                path = _write(node.image, folder, _free_stem(files, stem, node.image.name, head))
                files.append(path)
                written[node.image] = copies.add(_load(path, node.image))
            node.image = written[node.image]
    return files


def used_pictures(material: bpy.types.Material) -> Iterator[bpy.types.ShaderNodeTexImage]:
    """Yield the nodes of a material that hold a picture and are linked to something."""
    for node in material.node_tree.nodes if material.node_tree else ():
        used = any(output.is_linked for output in node.outputs)
        if node.bl_idname == "ShaderNodeTexImage" and node.image is not None and used:
            yield node


def _free_stem(files: list[Path], stem: str, name: str, head: str) -> str:
    """Return a file's stem that no file has yet, in letters that every format can hold."""
    role = Path(name.removeprefix(head)).stem.strip() or "texture"
    wanted = re.sub(r"[^\w.-]+", "_", f"{stem}_{role}")
    taken = {file.stem for file in files}
    number = 1
    free = wanted
    while free in taken:
        number += 1
        free = f"{wanted}_{number}"
    return free


def _write(image: bpy.types.Image, folder: Path, stem: str) -> Path:
    packed = image.packed_file
    if packed is not None and not image.is_dirty:
        for magic, suffix in _SUFFIXES:
            if packed.data.startswith(magic):
                path = folder / (stem + suffix)
                path.write_bytes(packed.data)
                return path
    path = folder / f"{stem}.png"
    _save_pixels(image, path)
    return path


def _save_pixels(image: bpy.types.Image, path: Path) -> None:
    """Write the pixels as they are in memory, without touching the picture's own file or name."""
    width, height = image.size
    pixels = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    full = np.ones((width * height, 4), dtype=np.float32)
    full[:, : image.channels] = pixels.reshape(-1, image.channels)
    copy = bpy.data.images.new(path.stem, width, height, alpha=image.channels == 4)
    try:
        copy.colorspace_settings.name = image.colorspace_settings.name
        copy.pixels.foreach_set(full.ravel())
        copy.filepath_raw = str(path)
        copy.file_format = "PNG"
        copy.save()
    finally:
        bpy.data.images.remove(copy)


def _load(path: Path, image: bpy.types.Image) -> bpy.types.Image:
    loaded = bpy.data.images.load(str(path))
    loaded.colorspace_settings.name = image.colorspace_settings.name
    return loaded
