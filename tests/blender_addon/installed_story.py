# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by test_story.py in a Blender of its own: the whole use of the installed zip.

Does not know pytest. Arguments: "make", zip, photo, backend's Python, .blend; or "open", .blend.
What it found goes to stdout as JSON.
"""

import json
import os
import signal
import sys
import threading
import time
from importlib import import_module

import bpy
import numpy as np

MODULE = "bl_ext.user_default.rome"
found = {}


def head():
    """Return the scene's one head."""
    meshes = [each for each in bpy.data.objects if each.type == "MESH" and each.data.shape_keys]
    assert len(meshes) == 1, meshes
    return meshes[0]


def evaluated():
    """Return the head's vertices as they are rendered, world space."""
    mesh = head().evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(3 * len(mesh.data.vertices), dtype=np.float32)
    mesh.data.vertices.foreach_get("co", flat)
    world = np.array(mesh.matrix_world)
    return flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


def pose():
    """Open the mouth by its slider and turn the neck."""
    head().data.shape_keys.key_blocks["jawOpen"].value = 0.7
    neck = head().find_armature().pose.bones["neck"]
    neck.rotation_mode = "XYZ"
    neck.rotation_euler = (0.1, 0.4, 0.0)
    bpy.context.view_layer.update()


def kill_the_backend_when_it_works(client):
    """Kill the backend's process as soon as it answers a job."""
    while client.pid is None:
        time.sleep(0.02)
    time.sleep(1.0)
    os.kill(client.pid, signal.SIGKILL)


def make(archive, photo, python, blend):
    """Install, create a head, lose the backend in the next job, pose, save, disable."""
    addon_utils = import_module("addon_utils")
    addon_utils.enable("bl_pkg", default_set=True)
    try:
        bpy.ops.extensions.package_install_files(
            repo="user_default", filepath=archive, enable_on_install=True
        )
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
        bpy.context.preferences.addons[MODULE].preferences.python_path = python
        client = import_module(f"{MODULE}.backend.client").shared()
        bpy.ops.rome.add_photos(filepath=photo)
        killer = threading.Thread(target=kill_the_backend_when_it_works, args=(client,))
        killer.start()
        try:
            bpy.ops.rome.create_head()
        except RuntimeError as error:
            found["killed"] = str(error)
        killer.join()
        found["objects after the kill"] = len(bpy.data.objects)
        found["created"] = sorted(bpy.ops.rome.create_head())
        found["keys"] = len(head().data.shape_keys.key_blocks)
        before = evaluated()
        pose()
        after = evaluated()
        found["moved"] = float(np.abs(after - before).max())
        np.save(blend.replace(".blend", ".npy"), after)
        bpy.ops.wm.save_as_mainfile(filepath=blend)
        backend = client.pid
        addon_utils.disable(MODULE, default_set=True)
        time.sleep(2.0)
        found["backend gone"] = not os.path.exists(f"/proc/{backend}")
    finally:
        addon_utils.disable("bl_pkg")


def reopen(blend):
    """Open the file where the add-on is not known, compare, and animate further."""
    bpy.ops.wm.open_mainfile(filepath=blend)
    found["add-ons"] = [
        each.module for each in bpy.context.preferences.addons if "rome" in each.module
    ]
    saved = np.load(blend.replace(".blend", ".npy"))
    found["difference"] = float(np.abs(evaluated() - saved).max())
    found["unpacked"] = [
        each.name
        for each in bpy.data.images
        if each.type == "IMAGE" and each.source == "FILE" and each.packed_file is None
    ]
    head().find_armature().pose.bones["jaw"].rotation_mode = "XYZ"
    head().find_armature().pose.bones["jaw"].rotation_euler = (0.3, 0.0, 0.0)
    bpy.context.view_layer.update()
    found["jaw moves"] = float(np.abs(evaluated() - saved).max())


if sys.argv[1] == "make":
    make(*sys.argv[2:])
else:
    reopen(sys.argv[2])
sys.stdout.write("FOUND " + json.dumps(found) + "\n")
sys.stdout.flush()
