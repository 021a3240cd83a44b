# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a head to another Blender that exports it: a file with the head alone, and what to do.

Does not know processes or operators. Blender's exporters hold the window for as long as they
run; writing the head's data as they are takes a fraction of that.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..core_access import RomeError
from ..head.find import skeleton
from .duplicate import object_mode
from .formats import FORMATS, Format
from .head_export import Choice, export_head
from .local_copy import localised
from .place import cannot_write
from .textures import used_pictures

SCENE, JOB, RESULT = "head.blend", "job.json", "result.json"
SCENE_FACTS = ("frame_start", "frame_end", "frame_step", "frame_current")
RENDER_FACTS = ("fps", "fps_base")
UNIT_FACTS = ("system", "scale_length")


def is_own(head: bpy.types.Object) -> bool:
    """Return whether a head is data of this file, which Blender can write as it is."""
    parts = [head, head.data, skeleton(head)]
    return all(
        part is None or (part.library is None and part.override_library is None) for part in parts
    )


@contextmanager
def _to_write(
    context: bpy.types.Context, head: bpy.types.Object
) -> Iterator[list[bpy.types.Object]]:
    """Yield the head and its armature, or copies of them where Blender would not write them."""
    if not is_own(head):
        with localised(context, head) as parts:
            yield parts
        return
    with object_mode(context):
        yield [part for part in (head, skeleton(head)) if part is not None]


def hand_over_steps(
    context: bpy.types.Context,
    head: bpy.types.Object,
    folder: Path,
    target: Path,
    kind: Format,
    choice: Choice,
) -> Generator[None, None, None]:
    """Write into a folder what take_over() needs to export the head to target, in short steps.

    Raises RomeError 'cannot_write'.
    """
    try:
        pictures = {}
        for number, image in enumerate(_painted(head)):
            name = f"picture{number}.npy"
            np.save(folder / name, _pixels(image))
            pictures[image.name] = name
            yield
        with _to_write(context, head) as parts:
            names = [part.name for part in parts]
            bpy.data.libraries.write(
                str(folder / SCENE), set(parts), path_remap="ABSOLUTE", compress=False
            )
        yield
        facts = {
            "objects": names,
            "target": str(target),
            "format": kind.name,
            "choice": asdict(choice),
            "scene": _facts(context.scene),
            "pictures": pictures,
        }
        (folder / JOB).write_text(json.dumps(facts), "utf-8")
    except (OSError, RuntimeError) as error:
        problem = error if isinstance(error, OSError) else OSError(str(error))
        raise cannot_write(folder / SCENE, problem) from error


def take_over(folder: Path) -> list[Path]:
    """Export what hand_over_steps() wrote, in this Blender; return the files, the main one last.

    Whatever was open is lost. Raises RomeError as export_head.
    """
    facts = json.loads((folder / JOB).read_text("utf-8"))
    kind = next(each for each in FORMATS if each.name == facts["format"])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    context = bpy.context
    opened: Any = bpy.data.libraries.load(str(folder / SCENE))  # the stubs know no context
    with opened as (_, wanted):
        wanted.objects = list(facts["objects"])
    if None in wanted.objects:
        raise RomeError("export_failed", "The head did not arrive.", "Try again.")
    for part in wanted.objects:
        context.scene.collection.objects.link(part)
    _take_facts(context.scene, facts["scene"])
    for name, file in facts["pictures"].items():
        _paint(bpy.data.images[name], np.load(folder / file, allow_pickle=False))
    head = wanted.objects[0]
    return export_head(context, head, Path(facts["target"]), kind, Choice(**facts["choice"]))


def _painted(head: bpy.types.Object) -> list[bpy.types.Image]:
    """Return the pictures of a head that differ from what a file of it would hold."""
    found = {}
    for slot in head.material_slots:
        for node in used_pictures(slot.material) if slot.material is not None else ():
            if node.image.is_dirty:
                found[node.image.name] = node.image
    return list(found.values())


def _pixels(image: bpy.types.Image) -> np.ndarray:
    """Return an image's values in its own order: u8 where it has no more than that."""
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    if image.is_float:
        return values
    values *= 255.0
    values += 0.5
    return values.astype(np.uint8)


def _paint(image: bpy.types.Image, values: np.ndarray) -> None:
    if values.dtype == np.uint8:
        values = values.astype(np.float32) / np.float32(255)
    image.pixels.foreach_set(values)
    image.update()


def _facts(scene: bpy.types.Scene) -> dict[str, dict[str, Any]]:
    """Return what of a scene exports depend on."""
    parts = _parts(scene)
    return {
        name: {fact: getattr(thing, fact) for fact in facts}
        for name, (thing, facts) in parts.items()
    }


def _take_facts(scene: bpy.types.Scene, found: dict[str, dict[str, Any]]) -> None:
    for name, (thing, facts) in _parts(scene).items():
        for fact in facts:
            setattr(thing, fact, found[name][fact])
    scene.frame_set(scene.frame_current)


def _parts(scene: bpy.types.Scene) -> dict[str, tuple[Any, tuple[str, ...]]]:
    return {
        "scene": (scene, SCENE_FACTS),
        "render": (scene.render, RENDER_FACTS),
        "units": (scene.unit_settings, UNIT_FACTS),
    }
