# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a built head another rig of the same topology, and keeps what an artist did to it.

Does not know where the rig came from. Objects, mesh, materials, armature and their animation stay
the same data; only points, bones, pictures and facts change. Kept are: what was sculpted on the
Basis, keys that were edited or added (as differences to the Basis), removed keys, moved sliders
(the bones follow those of the identity),
painted textures, weights, materials, drivers and every action.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import IDENTITY_JOINTS, RigArrays, RigKey, RomeError
from .armature import place_bones
from .camera import Placement, photo_placement, set_lens
from .drivers import add_driver
from .links import OPTIONAL_PARTS, linked_part
from .material import ESTIMATES, estimate_image, fill_image, is_painted, link_estimate
from .mesh import add_key
from .names import BASIS, LINK_PREFIX, key_group
from .offsets import store_offsets
from .png import png_steps
from .properties import read_property, write_properties
from .read import armature_of
from .refit import moved_joints
from .signature import (
    Signed,
    basis_edit,
    edited_keys,
    key_points,
    signature_steps,
    signed_keys,
    store_signatures,
)
from .space import directions_to_object, origin_of, to_object

MOVED = 1e-4
OFFSET_GROUPS = ("Hair", "Neck")
KEYS_PER_STEP = 20
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """What of an artist's work an update found and kept: names of keys and of images."""

    keys: tuple[str, ...]
    images: tuple[str, ...]


@dataclass(frozen=True)
class _Plan:
    """Everything an update changes, computed before anything is changed.

    points: key name -> (V, 3) f64 m in object space, the Basis among them; added: keys that the
    head never had; values: key name -> slider; pictures: image -> PNG; estimates: maps that the
    head never had, part -> PNG.
    """

    points: dict[str, Points]
    added: tuple[RigKey, ...]
    values: dict[str, float]
    pictures: dict[bpy.types.Image, bytes]
    estimates: dict[str, bytes]
    placement: Placement
    signed: Signed
    kept: Kept


def update_steps(mesh: bpy.types.Object, rig: RigArrays) -> Generator[None, None, Kept]:
    """Update the head in steps and return what was kept.

    Everything is computed first and applied in the last step, so that closing the generator
    leaves the head as it was. Raises RomeError 'topology_changed', 'head_hidden' or
    'camera_unsupported', then also without having changed anything.
    """
    _check(mesh, rig)
    plan = yield from _plan(mesh, rig)
    _apply(mesh, rig, plan)
    return plan.kept


def _check(mesh: bpy.types.Object, rig: RigArrays) -> None:
    faces = np.empty(len(mesh.data.loops), dtype=np.int32)
    mesh.data.loops.foreach_get("vertex_index", faces)
    same = len(mesh.data.vertices) == len(rig.vertices) and np.array_equal(faces, rig.faces.ravel())
    if not same or read_property(mesh, "topology_id") != rig.properties.get("topology_id"):
        raise RomeError(
            "topology_changed",
            f"The new head does not have the same points as {mesh.name}.",
            "Create it beside this one instead.",
        )
    armature = armature_of(mesh)
    if armature.name not in bpy.context.view_layer.objects or not armature.visible_get():
        raise RomeError(
            "head_hidden", f"The armature {armature.name} is hidden.", "Show it, then try again."
        )


def _plan(mesh: bpy.types.Object, rig: RigArrays) -> Generator[None, None, _Plan]:
    blocks = mesh.data.shape_keys.key_blocks
    ours, edited = signed_keys(mesh), edited_keys(mesh)
    yield
    wanted = {key.name: key for key in rig.keys}
    old = key_points(blocks[BASIS])
    new = to_object(rig.vertices, origin_of(rig.properties)) + basis_edit(mesh)
    points = {BASIS: new}
    kept = []
    for number, block in enumerate(blocks[1:], 1):
        if block.name in wanted and block.name in ours - edited:
            points[block.name] = new + directions_to_object(wanted[block.name].delta)
        else:
            points[block.name] = new + (key_points(block) - old)
            kept.append(block.name)
        if number % KEYS_PER_STEP == 0:
            yield
    added = tuple(key for key in rig.keys if key.name not in ours and key.name not in blocks)
    pictures, painted = yield from _pictures(mesh, rig)
    estimates = yield from _new_estimates(mesh, rig)
    signed = yield from signature_steps(rig)
    values = _new_values(mesh, rig)
    keeping = Kept(tuple(kept), painted)
    placement = photo_placement(rig)
    return _Plan(points, added, values, pictures, estimates, placement, signed, keeping)


def _pictures(
    mesh: bpy.types.Object, rig: RigArrays
) -> Generator[None, None, tuple[dict[bpy.types.Image, bytes], tuple[str, ...]]]:
    """Return the PNGs of the head's images, and the names of those an artist painted on."""
    pictures, painted = {}, []
    for part in ("albedo", "confidence", "photo", *OPTIONAL_PARTS):
        image = linked_part(mesh, part)
        if not isinstance(image, bpy.types.Image) or getattr(rig, part) is None:
            continue
        if is_painted(image):
            painted.append(image.name)
        else:
            pictures[image] = yield from png_steps(getattr(rig, part))
        yield
    return pictures, tuple(painted)


def _new_estimates(
    mesh: bpy.types.Object, rig: RigArrays
) -> Generator[None, None, dict[str, bytes]]:
    """Return the PNGs of maps that a head made without any gets; removed ones stay away."""
    found = {}
    for part in ESTIMATES:
        pixels = getattr(rig, part)
        if pixels is not None and LINK_PREFIX + part not in mesh:
            found[part] = yield from png_steps(pixels)
            yield
    return found


def _add_estimate(mesh: bpy.types.Object, rig: RigArrays, part: str, png: bytes) -> None:
    image = estimate_image(rig.name, part, getattr(rig, part).shape[0], png)
    mesh[LINK_PREFIX + part] = image
    for material in mesh.data.materials:
        if material is not None:
            link_estimate(material, part, image)


def _new_values(mesh: bpy.types.Object, rig: RigArrays) -> dict[str, float]:
    """Return the new hair and neck values, but for sliders that an artist moved."""
    offsets = [key for key in rig.keys if key_group(key.name) in OFFSET_GROUPS]
    fitted = read_property(mesh, "offset_coefficients", [])
    blocks = mesh.data.shape_keys.key_blocks
    values = {}
    for key, before in zip(offsets, fitted, strict=False):
        block = blocks.get(key.name)
        shown = min(max(float(before), key.minimum), key.maximum)
        if block is not None and abs(block.value - shown) < MOVED:
            values[key.name] = key.value
    return values


def _apply(mesh: bpy.types.Object, rig: RigArrays, plan: _Plan) -> None:
    armature = armature_of(mesh)
    blocks = mesh.data.shape_keys.key_blocks
    for name, points in plan.points.items():
        blocks[name].data.foreach_set("co", points.astype(np.float32).ravel())
    basis = plan.points[BASIS].astype(np.float32).ravel()
    mesh.data.vertices.foreach_set("co", basis)
    for key in plan.added:
        add_key(mesh, plan.points[BASIS], key)
        add_driver(mesh, armature, key)
    for name, value in plan.values.items():
        blocks[name].value = value
    for image, png in plan.pictures.items():
        fill_image(image, png)
    for part, png in plan.estimates.items():
        _add_estimate(mesh, rig, part, png)
    _move_camera(mesh, armature, plan.placement)
    write_properties(mesh, rig.properties)
    store_signatures(mesh, plan.signed)
    store_offsets(mesh, rig)
    joints = moved_joints(rig.joints, rig.properties.get(IDENTITY_JOINTS, {}), mesh)
    place_bones(armature, rig.joint_names, to_object(joints, origin_of(rig.properties)))
    armature.select_set(False)
    mesh.select_set(True)
    bpy.context.view_layer.objects.active = mesh
    mesh.data.update()
    mesh.update_tag()


def _move_camera(mesh: bpy.types.Object, armature: bpy.types.Object, placement: Placement) -> None:
    camera = linked_part(mesh, "camera")
    if isinstance(camera, bpy.types.Object) and camera.type == "CAMERA":
        camera.matrix_world = armature.matrix_world @ placement.matrix
        set_lens(camera.data, placement.view)
