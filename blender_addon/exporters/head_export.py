# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports one head: a copy of it, changed as a preset asks, through one of Blender's exporters.

Does not know operators. The head and its scene are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..head.find import skeleton
from ..rig.names import BASIS
from .bones import ROME, rename_bones
from .duplicate import Duplicate, duplicated
from .formats import Format
from .keys import ARKIT, bake, drop, freeze, make_bare, shown_values
from .place import cannot_write, place, staging
from .sidecar import write_sidecar
from .textures import write_textures

SHOWN, ARKIT_ONLY, BARE = "SHOWN", "ARKIT", "BARE"
OURS = "rome_"


@dataclass(frozen=True)
class Choice:
    """What is exported.

    content: SHOWN, ARKIT_ONLY (expression keys alone) or BARE (identity alone); bones: ROME or
    a key of BONES; animated: the scene's frame range where anything of the head moves.
    """

    content: str = SHOWN
    bones: str = ROME
    animated: bool = True


def export_head(
    context: bpy.types.Context, head: bpy.types.Object, path: Path, kind: Format, choice: Choice
) -> list[Path]:
    """Write a head and what belongs to it, and return the files, the main one last.

    All files appear together or not at all. Raises RomeError 'cannot_write', 'export_failed',
    'offsets_unknown' or 'no_window'.
    """
    moves = kind.animates and choice.animated and choice.content != BARE and is_animated(head)
    values = shown_values(head, context.evaluated_depsgraph_get())
    with staging(path) as folder, staging(path) as hidden:
        main = folder / path.name
        try:
            with duplicated(context, head) as copy:
                textures = write_textures(
                    copy.mesh,
                    copy.copies,
                    hidden if kind.embeds(main) else folder,
                    path.stem,
                    copy.mesh.name,
                )
                _prepare(copy, kind, choice, moves, values)
                kind.write(main, moves)
            beside = [] if kind.embeds(main) else textures
            others = [*beside, *_others(folder, {main, *beside})]
            asked = {"format": kind.name, "content": choice.content, "bones": choice.bones}
            facts = write_sidecar(head, main, [*others, main], asked)
        except OSError as error:
            raise cannot_write(path, error) from error
        return place([*others, facts, main], path.parent)


def _others(folder: Path, known: Iterable[Path]) -> list[Path]:
    """Return the files an exporter wrote beside its main one, for example OBJ's materials."""
    return [file for file in sorted(folder.iterdir()) if file not in known and file.is_file()]


def is_animated(head: bpy.types.Object) -> bool:
    """Whether anything of a head can move: actions, NLA strips, constraints of bones."""
    armature = skeleton(head)
    for owner in (head, head.data.shape_keys, armature):
        animation = None if owner is None else owner.animation_data
        if animation is not None and (animation.action or len(animation.nla_tracks)):
            return True
    return armature is not None and any(bone.constraints for bone in armature.pose.bones)


def _prepare(
    copy: Duplicate, kind: Format, choice: Choice, moves: bool, values: dict[str, float]
) -> None:
    """Change the copy as the preset asks and the format needs."""
    if choice.content == BARE:
        _make_bare(copy, values)
    else:
        if not moves:
            _stop(copy, values)
        _prepare_keys(copy, kind, choice, moves, values)
        if choice.bones != ROME and copy.armature is not None:
            rename_bones(copy.armature, choice.bones)
    attributes = copy.mesh.data.attributes
    for name in [each.name for each in attributes if each.name.startswith(OURS)]:
        attributes.remove(attributes[name])


def _stop(copy: Duplicate, values: dict[str, float]) -> None:
    """Take the animation off: values that were set but not keyed would be lost by it."""
    freeze(copy.mesh, values)
    for thing in (copy.mesh, copy.armature):
        if thing is not None:
            thing.animation_data_clear()


def _prepare_keys(
    copy: Duplicate, kind: Format, choice: Choice, moves: bool, values: dict[str, float]
) -> None:
    names = [block.name for block in copy.mesh.data.shape_keys.key_blocks if block.name != BASIS]
    if choice.content == ARKIT_ONLY:
        dropped = [name for name in names if name not in ARKIT]
        bake(copy.mesh, dropped, values)
        drop(copy.mesh, dropped)
    elif not kind.ranged:
        free = animated_keys(copy.mesh) if moves else set()
        bake(copy.mesh, [name for name in names if name not in ARKIT | free], values)


def animated_keys(mesh: bpy.types.Object) -> set[str]:
    """Return the names of keys that drivers or actions move."""
    animation = mesh.data.shape_keys.animation_data
    if animation is None:
        return set()
    curves = list(animation.drivers)
    for action in [animation.action, *_strip_actions(animation)]:
        curves += [] if action is None else _curves(action)
    return {curve.data_path.split('"')[1] for curve in curves if '"' in curve.data_path}


def _strip_actions(animation: bpy.types.AnimData) -> list[bpy.types.Action | None]:
    return [strip.action for track in animation.nla_tracks for strip in track.strips]


def _curves(action: Any) -> list[bpy.types.FCurve]:
    """Return an action's curves; which attributes it has depends on Blender's version."""
    if bpy.app.version < (4, 4, 0):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags for curve in bag.fcurves]


def _make_bare(copy: Duplicate, values: dict[str, float]) -> None:
    """Leave the identity at the world's origin, with neither keys nor bones."""
    mesh = copy.mesh
    mesh.animation_data_clear()
    make_bare(mesh, values)
    mesh.modifiers.clear()
    mesh.constraints.clear()
    mesh.parent = None
    mesh.matrix_world.identity()
    if copy.armature is not None:
        copy.scene.collection.objects.unlink(copy.armature)
