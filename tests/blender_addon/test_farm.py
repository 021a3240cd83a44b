# SPDX-License-Identifier: GPL-3.0-or-later
"""Farm workers: the programs of docs/farm.md, run as they stand there, succeed or fail loudly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import build_addon
from blender_addon.backend.find_python import clean_environment

INSTALL = """
import sys, bpy, addon_utils
addon_utils.enable("bl_pkg", default_set=True)
bpy.ops.extensions.package_install_files(
    repo="user_default", filepath=sys.argv[1], enable_on_install=False
)
addon_utils.disable("bl_pkg")
"""
LIMIT_SECONDS = 120


@pytest.fixture(scope="module")
def page(root):
    """The text of docs/farm.md."""
    return (root / "docs" / "farm.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def program(page):
    """The page's program for Blender's Python module."""
    (text,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return text


@pytest.fixture(scope="module")
def check(page):
    """The check in the page's command line for Blender itself."""
    (text,) = re.findall(r'--python-expr "(import bpy; assert .*)" \\', page)
    return text


def _python(folder, code, *arguments, **environment):
    """Run a program in a Blender of its own that keeps its settings in the folder."""
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=clean_environment(BLENDER_USER_RESOURCES=str(folder), **environment),
        cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def worker(root, tmp_path_factory):
    """The folder of a worker's settings, with the add-on installed from its zip."""
    folder = tmp_path_factory.mktemp("worker")
    archive = os.environ.get("ROME_ADDON_ZIP") or build_addon.build(root, folder)
    done = _python(folder, INSTALL, archive)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def bare_worker(tmp_path):
    """The folder of a worker that nobody gave the add-on."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


@pytest.fixture
def scene(enabled, rig, tmp_path):
    """A .blend with an animated head whose engine is ROME."""
    from blender_addon.rig.build import build_head
    from blender_addon.rig.scene import prepare_scene

    head = build_head(rig)
    prepare_scene(head, 48, 48)
    jaw = head.mesh.data.shape_keys.key_blocks["jawOpen"]
    for frame in (1, 2):
        jaw.value = frame - 1.0
        jaw.keyframe_insert("value", frame=frame)
    enabled.context.scene.render.engine = "ROME"
    path = tmp_path / "scene.blend"
    enabled.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def _frames(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.png"))


def test_a_worker_renders_its_frames(program, worker, scene, backend_python, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    given = {"ROME_PYTHON": backend_python, "OMP_NUM_THREADS": "1"}
    done = _python(worker, program, scene, out / "####", 1, 2, **given)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert _frames(out) == ["0001.png", "0002.png"]
    assert (out / "0001.png").read_bytes() != (out / "0002.png").read_bytes()


def test_without_the_add_on_a_worker_fails(program, bare_worker, scene, tmp_path):
    done = _python(bare_worker, program, scene, tmp_path / "####", 1, 2)
    assert done.returncode == 9 and "The ROME add-on is missing." in done.stderr
    assert _frames(tmp_path) == []


def test_with_another_engine_a_worker_fails(program, enabled, worker, scene, tmp_path):
    enabled.context.scene.render.engine = "BLENDER_WORKBENCH"
    enabled.ops.wm.save_as_mainfile(filepath=str(scene))
    done = _python(worker, program, scene, tmp_path / "####", 1, 2)
    assert done.returncode == 9 and "another engine" in done.stderr
    assert _frames(tmp_path) == []


def test_without_a_backend_a_worker_fails(program, worker, scene, tmp_path):
    missing = str(tmp_path / "no" / "python")
    done = _python(worker, program, scene, tmp_path / "####", 1, 2, ROME_PYTHON=missing)
    assert done.returncode == 1, done.stdout[-2000:]
    assert "ROME: " in done.stderr
    assert _frames(tmp_path) == []


def test_the_check_of_the_command_line(check, worker, bare_worker, scene):
    """It passes where the add-on is, and stops Blender where it is not."""
    opened = f"bpy.ops.wm.open_mainfile(filepath={str(scene)!r})\n{check}\n"
    enabled = 'import bpy, addon_utils\naddon_utils.enable("bl_ext.user_default.rome")\n'
    disabled = 'addon_utils.disable("bl_ext.user_default.rome")\n'
    done = _python(worker, enabled + opened + disabled)
    assert done.returncode == 0, done.stderr
    done = _python(bare_worker, "import bpy\n" + opened)
    assert done.returncode != 0
    assert "AssertionError: The ROME add-on is missing" in done.stderr


def test_the_command_s_options_are_in_working_order(page):
    (command,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    wanted = ["-b", "--addons", "SCENE.blend", "--python-exit-code", "--python-expr", " -a"]
    places = [command.index(option) for option in wanted]
    assert places == sorted(places)
