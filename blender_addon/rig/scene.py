# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of a .blend that holds nothing but one head: render settings, light and world.

Does not know the head's parts; an artist's own scene is never touched by this module.
"""

from __future__ import annotations

from math import radians

import bpy
from mathutils import Euler, Vector

from .build import BuiltHead

STUDIO = "Studio"
KEY_LIGHT_ANGLES = (radians(55.0), 0.0, radians(25.0))
KEY_LIGHT_STRENGTH = 1.5
KEY_LIGHT_SIZE = radians(15.0)
WORLD_GREY = (0.55, 0.55, 0.55, 1.0)
SAMPLES = 64
VIEW_ANGLES = (radians(85.0), 0.0, radians(15.0))
VIEW_DISTANCES = 3.0
VIEW_CLIP_START = 0.005
FIRST_SCREEN = "Layout"


def prepare_scene(head: BuiltHead, width: int, height: int) -> None:
    """Make the current scene render the head as the photo's crop showed it.

    width, height: the crop in px. Colours pass through unchanged (view transform Standard), a
    soft sun and a grey world light the head. Every viewport shows the texture and has the head in
    its middle; the first one looks through the photo's camera, with the photo behind the head.
    """
    scene = bpy.context.scene
    scene.camera = head.camera
    scene.render.resolution_x = width
    scene.render.resolution_y = height
    scene.render.resolution_percentage = 100
    scene.unit_settings.system = "METRIC"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    _add_light(scene)
    _add_world(scene)
    _frame_viewports(head.mesh)


def _add_light(scene: bpy.types.Scene) -> None:
    studio = bpy.data.collections.new(STUDIO)
    scene.collection.children.link(studio)
    data = bpy.data.lights.new("Key Light", "SUN")
    data.energy = KEY_LIGHT_STRENGTH
    data.angle = KEY_LIGHT_SIZE
    light = bpy.data.objects.new("Key Light", data)
    light.rotation_euler = KEY_LIGHT_ANGLES
    studio.objects.link(light)


def _add_world(scene: bpy.types.Scene) -> None:
    world = bpy.data.worlds.new(STUDIO)
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True
    background = next(
        node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground"
    )
    background.inputs["Color"].default_value = WORLD_GREY
    scene.world = world


def _frame_viewports(mesh: bpy.types.Object) -> None:
    corners = [Vector(corner) for corner in mesh.bound_box]
    middle = sum(corners, Vector()) / len(corners)
    size = max((corner - middle).length for corner in corners)
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type != "VIEW_3D":
                continue
            space = area.spaces.active
            space.clip_start = VIEW_CLIP_START
            space.shading.color_type = "TEXTURE"
            view = space.region_3d
            view.view_location = middle
            view.view_distance = VIEW_DISTANCES * size
            view.view_rotation = Euler(VIEW_ANGLES).to_quaternion()
            view.view_perspective = "CAMERA" if screen.name == FIRST_SCREEN else "PERSP"
