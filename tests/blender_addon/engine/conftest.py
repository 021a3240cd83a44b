# SPDX-License-Identifier: GPL-3.0-or-later
"""A registered engine, a backend that draws, scenes to render, and what came out as arrays.

Does not know what the tests expect.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


class BackendInProcess:
    """Draws at once, without a process or a pipe; `sent` are the messages."""

    def __init__(self):
        from rome_backend.server.frames import Frames

        self.frames, self.sent, self.cancelled = Frames(), [], []

    def request(self, message):
        from rome_backend.core.errors import RomeError
        from rome_backend.server.jobs import Job

        self.sent.append(message)
        future = Future()
        try:
            handler = self.frames.table()[_type_of(message, self.frames.table())]
            future.set_result(handler(message, Job(message, lambda answer: None)))
        except RomeError as error:
            future.set_exception(_addon_error(error))
        return SimpleNamespace(future=future)

    def cancel(self, request):
        self.cancelled.append(request)


def _type_of(message, table):
    """The backend's class of a message: in a built add-on the core is another copy."""
    return next(each for each in table if each.__name__ == type(message).__name__)


def _addon_error(error):
    from blender_addon.core_access import RomeError

    return RomeError(error.code, error.message, error.hint)


@pytest.fixture
def engine(empty_blender):
    """The bpy module with the engine registered; ask for `drawing` or `process` to draw."""
    from blender_addon.engine import engine as module
    from blender_addon.engine import frames, panels, renderer, textures

    textures.forget_textures()
    frames.forget_sent()
    classes = (*renderer.CLASSES, *module.CLASSES, *panels.CLASSES)
    for cls in classes:
        empty_blender.utils.register_class(cls)
    renderer.register()
    yield empty_blender
    empty_blender.context.scene.render.engine = "BLENDER_WORKBENCH"
    renderer.unregister()
    for cls in reversed(classes):
        empty_blender.utils.unregister_class(cls)


class BackendProcess:
    """A real client of a real backend process; `sent` and `cancelled` are what went to it."""

    def __init__(self, client):
        self.client, self.sent, self.cancelled = client, [], []

    def request(self, message):
        self.sent.append(message)
        return self.client.request(message)

    def cancel(self, request):
        self.cancelled.append(request)
        self.client.cancel(request)


@pytest.fixture(scope="session")
def client(root, backend_python, tmp_path_factory):
    """A client of a process that runs `rome serve`."""
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    from blender_addon.backend.client import Client
    from blender_addon.backend.locate import Launch

    command = (backend_python, "-m", "rome_backend", "serve")
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    log = tmp_path_factory.mktemp("logs") / "backend.log"
    client = Client(lambda: Launch(command, environment, log), "0.1.0")
    yield client
    client.close()


@pytest.fixture
def process(engine, client, monkeypatch):
    """A backend process that the engine uses."""
    return used(BackendProcess(client), monkeypatch)


@pytest.fixture
def drawing(engine, request, monkeypatch):
    """A backend that the engine uses: in this process where it can be, which is faster."""
    if importlib.util.find_spec("torch") is None:
        return request.getfixturevalue("process")
    return used(BackendInProcess(), monkeypatch)


def used(backend, monkeypatch):
    """Let the engine use a backend."""
    from blender_addon.engine import frames, preview

    monkeypatch.setattr(frames, "shared", lambda: backend)
    monkeypatch.setattr(preview, "shared", lambda: backend)
    return backend


@pytest.fixture
def stage(engine):
    """The scene with an orthographic camera 2 m in front of the origin that shows 1 m x 1 m."""
    bpy = engine
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.location, camera.rotation_euler = (0.0, -2.0, 0.0), (np.pi / 2, 0.0, 0.0)
    camera.data.type, camera.data.ortho_scale = "ORTHO", 1.0
    scene.world = bpy.data.worlds.new("World")
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.resolution_percentage = 100
    bpy.ops.rome.use_render_engine()
    return scene


@pytest.fixture
def viewport():
    from blender_addon.engine import viewport as module

    module._viewports.clear()  # those of earlier tests
    return module.new_viewport()


@pytest.fixture
def card(stage, engine):
    """A function that makes a ROME head out of a 1 m square that faces the camera."""
    return lambda *arguments, **options: make_card(engine, stage, *arguments, **options)


def make_card(bpy, scene, colour=(255, 0, 0), y=0.0, size=1.0, pixels=None, name="Card"):
    """pixels (H, W, 3) u8, top row first, instead of one colour; y: away from the camera, m."""
    from blender_addon.rig.material import packed_image

    pixels = np.full((8, 8, 3), colour, np.uint8) if pixels is None else pixels
    half = size / 2
    corners = [(-half, y, -half), (half, y, -half), (half, y, half), (-half, y, half)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2), (0, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap")
    places = np.float32([[0, 0], [1, 0], [1, 1], [0, 1]])[[0, 1, 2, 0, 2, 3]]
    layer.data.foreach_set("uv", places.ravel())
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    thing.shape_key_add(name="Basis")
    thing["rome_topology_id"] = "card"
    thing["romelink_albedo"] = packed_image(name, pixels, "sRGB")
    return thing


@pytest.fixture
def render_png(engine, tmp_path):
    """A function that renders the scene to a PNG and returns it (H, W, 4) u8."""
    image = pytest.importorskip("PIL.Image")

    def render():
        settings = engine.context.scene.render
        settings.filepath = str(tmp_path / "still.png")
        settings.image_settings.file_format = "PNG"
        settings.image_settings.color_mode = "RGBA"
        assert engine.ops.render.render(write_still=True) == {"FINISHED"}
        return np.array(image.open(settings.filepath))

    return render


@pytest.fixture
def render_passes(engine, tmp_path):
    """A function that renders the scene with an engine; returns 'Depth.Z' -> (H, W), ..."""
    spec = importlib.util.spec_from_file_location("rome_exr", Path(__file__).with_name("exr.py"))
    reader = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = reader
    spec.loader.exec_module(reader)

    def render(name="ROME", samples=16):
        scene = engine.context.scene
        settings, image = scene.render, scene.render.image_settings
        settings.engine = name
        if name == "CYCLES":
            scene.cycles.samples, scene.cycles.use_denoising = samples, False
            scene.cycles.pixel_filter_type = "BOX"
        if hasattr(image, "media_type"):
            image.media_type = "MULTI_LAYER_IMAGE"
        image.file_format = "OPEN_EXR_MULTILAYER"
        image.color_depth, image.exr_codec = "32", "NONE"
        if hasattr(image, "use_exr_interleave"):
            image.use_exr_interleave = True  # else every pass is a part of its own
        settings.filepath = str(tmp_path / f"{name}.exr")
        assert engine.ops.render.render(write_still=True) == {"FINISHED"}
        found = reader.read_exr(Path(settings.filepath))
        return {key.split(".", 1)[1]: values for key, values in found.items()}

    return render
