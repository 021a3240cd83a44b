# SPDX-License-Identifier: GPL-3.0-or-later
"""A posed head to export, and reading exported files back into an empty Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

FRAMES = (1, 3, 5)
SUFFIXES = {"glb": ".glb", "fbx": ".fbx", "usd": ".usdc", "obj": ".obj", "alembic": ".abc"}


@dataclass
class Blender:
    """What the tests do with Blender: exporting, importing, measuring."""

    bpy: object

    def world(self, thing):
        """Vertices (V, 3) of an object as shown, in world space."""
        evaluated = thing.evaluated_get(self.bpy.context.evaluated_depsgraph_get())
        points = np.empty(3 * len(evaluated.data.vertices), np.float32)
        evaluated.data.vertices.foreach_get("co", points)
        place = np.array(evaluated.matrix_world)
        return points.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3]

    def at(self, frame, thing):
        """Vertices of an object at a frame."""
        self.bpy.context.scene.frame_set(frame)
        return self.world(thing)

    def export(self, kind, folder, **settings):
        """Export the active head and return the file's path."""
        path = folder / f"Ada{SUFFIXES[kind]}"
        path = settings.pop("path", path)
        operator = getattr(self.bpy.ops.rome, f"export_{kind}")
        assert operator(filepath=str(path), **settings) == {"FINISHED"}
        return path

    def read(self, path):
        """Import a file into an empty file and return its largest mesh."""
        ops = self.bpy.ops
        ops.wm.read_factory_settings(use_empty=True)
        importer, settings = {
            ".glb": (ops.import_scene.gltf, {}),
            # Blender's FBX importer puts time 0 on frame 1 unless told otherwise.
            ".fbx": (ops.import_scene.fbx, {"anim_offset": 0.0}),
            ".obj": (ops.wm.obj_import, {}),
            ".abc": (ops.wm.alembic_import, {}),
        }.get(path.suffix, (ops.wm.usd_import, {}))
        importer(filepath=str(path), **settings)
        self.bpy.context.scene.frame_set(self.bpy.context.scene.frame_current)
        meshes = [thing for thing in self.bpy.data.objects if thing.type == "MESH"]
        return max(meshes, key=lambda mesh: len(mesh.data.vertices))

    def pose_as(self, poses):
        """Turn the bones of the only armature as those of a head were: name -> matrix.

        Blender's USD importer before 5.0 leaves bones at rest that do not move in the file.
        """
        rig = next(thing for thing in self.bpy.data.objects if thing.type == "ARMATURE")
        for name, matrix in poses.items():
            rig.pose.bones[name].matrix_basis = matrix
        self.bpy.context.view_layer.update()

    def bones(self):
        """Names of the bones of the only armature, none where there is no armature."""
        rigs = [thing for thing in self.bpy.data.objects if thing.type == "ARMATURE"]
        return {bone.name for rig in rigs for bone in rig.data.bones}


def keys_of(mesh):
    """Values of a mesh's shape keys by name, the Basis left out."""
    blocks = mesh.data.shape_keys.key_blocks
    return {block.name: block.value for block in list(blocks)[1:]}


def poses_of(armature):
    """The turns of an armature's bones by name."""
    return {bone.name: bone.matrix_basis.copy() for bone in armature.pose.bones}


def distance(found, wanted):
    """How far two surfaces' vertices lie apart at most, whatever their order (m)."""
    apart = np.linalg.norm(found[:, None] - wanted[None], axis=-1)
    return max(apart.min(0).max(), apart.min(1).max())


@pytest.fixture
def blender(enabled):
    """The helper; the add-on stays registered while files are read back."""
    return Blender(enabled)


@pytest.fixture
def measure():
    """The functions that compare: distance(found, wanted) and keys_of(mesh)."""
    return distance, keys_of


@pytest.fixture
def read_back(blender):
    """Exports a head and reads it back with the pose that its file holds."""

    def back(head, kind, folder, **settings):
        poses = poses_of(head.armature)
        mesh = blender.read(blender.export(kind, folder, **settings))
        if kind == "usd" and blender.bpy.app.version < (4, 5, 0):
            blender.pose_as(poses)
        return mesh

    return back


@pytest.fixture
def ada(enabled, rig):
    """A head that was moved and turned, with bones turned and keys outside 0..1."""
    from mathutils import Quaternion

    from blender_addon.rig.build import build_head

    built = build_head(rig)
    blocks = built.mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].slider_max = 2.0
    blocks["jawOpen"].value, blocks["mouthSmileLeft"].value = 1.5, 0.4
    blocks["Hair01"].value, blocks["Neck02"].value = -2.5, 2.0
    bones = built.armature.pose.bones
    bones["jaw"].rotation_quaternion = Quaternion((1.0, 0.3, 0.1, 0.0)).normalized()
    bones["neck"].rotation_quaternion = Quaternion((1.0, 0.0, 0.2, 0.05)).normalized()
    bones["root"].location = (0.01, 0.02, 0.0)
    built.armature.location = (1.0, 2.0, 0.5)
    built.armature.rotation_euler = (0.0, 0.0, 0.4)
    enabled.context.view_layer.update()
    return built


@pytest.fixture
def moving(ada, enabled):
    """The same head, animated over the scene's five frames, beyond the keys' usual range."""
    scene = enabled.context.scene
    scene.frame_start, scene.frame_end = FRAMES[0], FRAMES[-1]
    blocks = ada.mesh.data.shape_keys.key_blocks
    jaw = ada.armature.pose.bones["jaw"]
    for frame, amount in ((1, 0.0), (5, 1.8)):
        blocks["jawOpen"].value, blocks["Hair02"].value = amount, -amount
        blocks["jawOpen"].keyframe_insert("value", frame=frame)
        blocks["Hair02"].keyframe_insert("value", frame=frame)
        jaw.rotation_quaternion = (1.0, 0.2 * amount, 0.0, 0.0)
        jaw.keyframe_insert("rotation_quaternion", frame=frame)
    scene.frame_set(3)
    return ada
