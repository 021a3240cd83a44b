# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of the renderer: heads drawn by networks in final frames, and what is told.

The networks are of the official architecture with random weights, in a real backend process; what
they draw is not judged here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")
pytestmark = pytest.mark.timeout(400)
RED = (255, 0, 0)


@pytest.fixture(scope="module")
def installed(root, backend_python, tmp_path_factory):
    """A backend with random networks, an avatar's file with a texture for them, and their id."""
    from blender_addon.backend.client import Client
    from blender_addon.backend.locate import Launch

    folder = tmp_path_factory.mktemp("networks")
    home = {"ROME_HOME": str(folder / "home"), "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    script = root / "tests" / "blender_addon" / "engine" / "random_networks.py"
    command = [backend_python, str(script), str(root / "tests"), str(folder / "a.rome")]
    environment = {**os.environ, **home}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    launch = Launch((backend_python, "-m", "rome_backend", "serve"), environment, folder / "log")
    client = Client(lambda: launch, "0.1.0")
    yield SimpleNamespace(
        client=client, avatar=(folder / "a.rome").read_bytes(), weights=done.stdout.strip()
    )
    client.close()
    shutil.rmtree(folder)


@pytest.fixture
def process(engine, installed, monkeypatch):
    """The backend with networks; `sent` is what went to it."""
    from blender_addon.engine import frames

    sent = []

    def request(message):
        sent.append(message)
        return installed.client.request(message)

    backend = SimpleNamespace(request=request, cancel=installed.client.cancel, sent=sent)
    monkeypatch.setattr(frames, "shared", lambda: backend)
    return backend


@pytest.fixture
def neural(installed, card, process):
    """A red card that carries the avatar."""
    thing = card(RED, size=0.6)
    give_avatar(thing, installed)
    return thing


def give_avatar(thing, installed):
    from blender_addon.core_access import pack_steps
    from blender_addon.head.stored_avatar import store

    steps = pack_steps(installed.avatar)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return store(thing, done.value, installed.weights)


def kinds(process):
    found = [type(message).__name__ for message in process.sent]
    process.sent.clear()
    return found


def test_networks_draw_combined_and_the_mesh_the_other_passes(
    engine, neural, process, render_passes
):
    from blender_addon.engine.renderer import renderer_line

    scene = engine.context.scene
    scene.rome.renderer = "TEXTURED"
    mesh = render_passes()
    assert kinds(process) == ["SetSurface", "RenderFrame"]
    assert mesh["Combined.R"][32, 32] > 0.99 and mesh["Combined.G"][32, 32] < 0.01
    found = {}
    for renderer, side in (("ROME", "256"), ("AUTO", "256"), ("ROME", "512")):
        scene.rome.renderer, scene.rome.picture_side = renderer, side
        found[renderer, side] = render_passes()
    assert kinds(process) == ["KeepAvatar", *["RenderFrame"] * 3]
    drawn = found["ROME", "256"]
    assert drawn["Combined.A"][32, 32] > 0.999 and drawn["Combined.A"][2, 2] == 0
    assert abs(drawn["Combined.R"][32, 32] - 1) + drawn["Combined.G"][32, 32] > 0.2
    for name, values in drawn.items():
        if not name.startswith("Combined"):
            assert np.array_equal(values, mesh[name]), name
        assert np.array_equal(values, found["AUTO", "256"][name]), name
    larger = found["ROME", "512"]
    assert any((larger[name] != drawn[name]).any() for name in drawn)
    assert renderer_line(scene) == "Drawn by: ROME Networks"


def test_a_head_without_a_neural_texture_is_an_error_or_the_mesh_as_was_chosen(
    engine, card, process, render_png
):
    from blender_addon.engine.renderer import networks_may_draw, renderer_line

    card(RED)
    scene = engine.context.scene
    assert render_png()[32, 32].tolist() == [*RED, 255]
    assert renderer_line(scene).endswith("drawn as textured mesh")
    assert not networks_may_draw(scene)
    scene.rome.renderer = "ROME"
    assert networks_may_draw(scene)
    with pytest.raises(RuntimeError, match="no neural texture.*Choose Automatic"):
        render_png()


def test_other_networks_than_the_avatars_are_told_and_not_used(engine, neural, process, installed):
    from blender_addon.engine import renderer

    other = installed.avatar.replace(installed.weights.encode(), b"f" * 16)
    assert other != installed.avatar
    give_avatar(neural, SimpleNamespace(avatar=other, weights="f" * 16))
    engine.ops.render.render()
    line = renderer.renderer_line(engine.context.scene)
    assert line.startswith("Drawn by: Textured Mesh (") and "not installed" in line
    engine.context.scene.rome.renderer = "TEXTURED"
    assert renderer.renderer_line(engine.context.scene) == ""


def test_the_choice_is_saved_with_the_file(engine, tmp_path):
    from blender_addon.engine.renderer import Look, look_of

    scene = engine.context.scene
    assert look_of(scene) == Look("auto", 256)
    scene.rome.renderer, scene.rome.picture_side = "ROME", "512"
    path = str(tmp_path / "a.blend")
    engine.ops.wm.save_as_mainfile(filepath=path)
    engine.ops.wm.read_factory_settings(use_empty=True)
    assert look_of(engine.context.scene) == Look("auto", 256)
    engine.ops.wm.open_mainfile(filepath=path)
    assert look_of(engine.context.scene) == Look("rome", 512)
