# SPDX-License-Identifier: GPL-3.0-or-later
"""A temporary copy of a head alone in a temporary scene, under the head's own names.

Does not know files. What happens to the copy never happens to the head: afterwards names, scene,
mode, selection and frame are as they were, and nothing is left in the .blend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import bpy

from ..core_access import RomeError
from ..head.find import skeleton

OURS = "rome"
Data = TypeVar("Data", bound=bpy.types.ID)


class Copies:
    """Copies of data-blocks that bear the originals' names until they are gone."""

    def __init__(self) -> None:
        """Start with none."""
        self._made: list[bpy.types.ID] = []
        self._names: list[tuple[bpy.types.ID, str]] = []

    def of(self, original: Data) -> Data:
        """Return a copy under the original's name."""
        copy = original.copy()
        self._made.append(copy)
        name = original.name
        if original.library is None:
            self._names.append((original, name))
            original.name = f"rome original {len(self._names)}"
        copy.name = name
        return copy

    def add(self, made: Data) -> Data:
        """Take over a new data-block, to be removed with the copies."""
        self._made.append(made)
        return made

    def make_local(self) -> None:
        """Let copies of overrides be data of their own."""
        for copy in self._made:
            if copy.override_library is not None:
                copy.make_local(clear_liboverride=True)

    def remove(self) -> None:
        """Remove the copies and give the originals their names back."""
        bpy.data.batch_remove(self._made)
        for original, name in self._names:
            original.name = name


@dataclass
class Duplicate:
    """A head's copy: alone with its armature in the scene that the window shows."""

    scene: bpy.types.Scene
    mesh: bpy.types.Object
    armature: bpy.types.Object | None
    copies: Copies


@contextmanager
def duplicated(context: bpy.types.Context, head: bpy.types.Object) -> Iterator[Duplicate]:
    """Yield a copy of the head in a scene of its own, which is the window's scene meanwhile.

    Raises RomeError 'no_window' where there is no window to show a scene.
    """
    if context.window is None:
        raise RomeError(
            "no_window", "Export needs a window.", "Start Blender with its factory settings."
        )
    with ExitStack() as undo:
        undo.enter_context(object_mode(context))
        copies = Copies()
        undo.callback(copies.remove)
        duplicate = copied(context.scene, head, copies)
        undo.enter_context(_shown(context.window, duplicate.scene))
        now = context.scene.frame_current
        duplicate.scene.frame_set(now)
        yield duplicate


@contextmanager
def object_mode(context: bpy.types.Context) -> Iterator[None]:
    """Leave an editing mode meanwhile, so that what was edited is in the data."""
    active = context.view_layer.objects.active
    mode = "OBJECT" if active is None else active.mode
    if mode == "OBJECT":
        yield
        return
    bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        bpy.ops.object.mode_set(mode=mode)


@contextmanager
def _shown(window: bpy.types.Window, scene: bpy.types.Scene) -> Iterator[None]:
    before, layer = window.scene, window.view_layer
    window.scene = scene
    try:
        yield
    finally:
        window.scene = before
        window.view_layer = layer


def copied(now: bpy.types.Scene, head: bpy.types.Object, copies: Copies) -> Duplicate:
    """Return a copy of the head and its armature in a new scene, all to be removed with copies."""
    scene = copies.add(bpy.data.scenes.new(head.name))
    _copy_settings(now, scene)
    original = skeleton(head)
    mesh = _copy_object(head, scene, copies)
    _forget_our_facts(mesh)
    armature = None
    if original is not None:
        place = original.matrix_world.copy()
        armature = _copy_object(original, scene, copies)
        swapped = {original: armature, head: mesh}
        _retarget(mesh, armature, swapped)
        armature.parent = None
        armature.matrix_world = place
    return Duplicate(scene, mesh, armature, copies)


def _copy_settings(now: bpy.types.Scene, scene: bpy.types.Scene) -> None:
    for name in ("frame_start", "frame_end", "frame_step"):
        setattr(scene, name, getattr(now, name))
    scene.frame_current = now.frame_current
    scene.render.fps, scene.render.fps_base = now.render.fps, now.render.fps_base
    scene.unit_settings.system = now.unit_settings.system
    scene.unit_settings.scale_length = now.unit_settings.scale_length


def _copy_object(
    original: bpy.types.Object, scene: bpy.types.Scene, copies: Copies
) -> bpy.types.Object:
    copy = copies.of(original)
    copy.data = copies.of(original.data)
    scene.collection.objects.link(copy)
    copy.hide_viewport = copy.hide_render = False
    owners = [copy, copy.data.shape_keys] if copy.type == "MESH" else [copy]
    for owner in owners:
        _own_actions(owner, copies)
    return copy


def _own_actions(owner: bpy.types.ID, copies: Copies) -> None:
    """Give a copy its own actions: renaming bones rewrites what they animate."""
    animation = owner.animation_data
    if animation is None:
        return
    strips = [strip for track in animation.nla_tracks for strip in track.strips]
    for user in (animation, *strips):
        if user.action is None:
            continue
        slot = user.action_slot.identifier if getattr(user, "action_slot", None) else None
        user.action = copies.add(user.action.copy())
        if slot is not None:
            user.action_slot = user.action.slots[slot]


def _retarget(
    mesh: bpy.types.Object,
    armature: bpy.types.Object,
    swapped: Mapping[bpy.types.Object, bpy.types.Object],
) -> None:
    """Let the copies depend on each other instead of on the originals."""
    mesh.parent = swapped.get(mesh.parent, mesh.parent)
    constraints = [each for bone in armature.pose.bones for each in bone.constraints]
    for user in (*mesh.modifiers, *constraints, *mesh.constraints, *armature.constraints):
        for name in ("object", "target"):
            if getattr(user, name, None) in swapped:
                setattr(user, name, swapped[getattr(user, name)])
    for owner in (mesh, mesh.data.shape_keys, armature):
        animation = owner.animation_data
        for curve in animation.drivers if animation else ():
            for variable in curve.driver.variables:
                for target in variable.targets:
                    if target.id in swapped:
                        target.id = swapped[target.id]


def _forget_our_facts(mesh: bpy.types.Object) -> None:
    """Take off what only this add-on reads: it would make files larger, and hold the avatar."""
    for owner in (mesh, mesh.data):
        names = list(owner.keys())
        for name in names:
            if name.startswith(OURS):
                del owner[name]
