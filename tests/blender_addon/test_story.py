# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole story with the installed zip, the real backend and a real photo, in two Blenders.

The first installs the zip, makes a head and saves it; the second has never heard of the add-on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import build_addon
from blender_addon.backend.environment import backend_source
from blender_addon.backend.find_python import clean_environment
from blender_addon.backend.locate import Launch
from blender_addon.backend.models import are_installed
from blender_addon.core_access import RomeError

SCRIPT = Path(__file__).with_name("installed_story.py")
PHOTO = "p02_obama_official.jpg"
LIMIT_SECONDS = 300


def _blender(user, *arguments):
    """Run the script in a Blender that keeps its settings in ``user``; return what it found."""
    environment = clean_environment(BLENDER_USER_RESOURCES=str(user))
    command = [sys.executable, "-P", str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(
        command, env=environment, cwd=user.parent, capture_output=True, text=True,
        timeout=LIMIT_SECONDS,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines and done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(lines[-1].removeprefix("FOUND "))


@pytest.fixture(scope="module")
def story(tmp_path_factory, root, data_dir, backend_python):
    """What both Blenders found."""
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    if os.name != "posix":
        pytest.skip("the backend is killed with a signal")
    launch = Launch(
        (backend_python,), clean_environment(PYTHONPATH=str(backend_source().parent)), Path("log")
    )
    try:
        ready = are_installed(launch, threading.Event())
    except RomeError:
        ready = False
    if not ready:
        pytest.skip("the backend's packages or model files are not installed")
    folder = tmp_path_factory.mktemp("story")
    archive = os.environ.get("ROME_ADDON_ZIP") or build_addon.build(root, folder)
    blend = folder / "head.blend"
    photo = data_dir / "photos" / PHOTO
    made = _blender(folder / "first", "make", archive, photo, backend_python, blend)
    return {"made": made, "opened": _blender(folder / "second", "open", blend)}


def test_a_killed_backend_is_reported_and_leaves_the_scene_as_it_was(story):
    assert "Do it again" in story["made"]["killed"]
    assert story["made"]["objects after the kill"] == 0


def test_the_next_click_restarts_it_and_makes_the_head(story):
    assert story["made"]["created"] == ["FINISHED"]
    assert story["made"]["keys"] > 100


def test_sliders_and_bones_move_the_head(story):
    assert story["made"]["moved"] > 0.01


def test_disabling_the_add_on_ends_the_backend(story):
    assert story["made"]["backend gone"] is True


def test_without_the_add_on_the_saved_head_is_the_same(story):
    assert story["opened"]["add-ons"] == []
    assert story["opened"]["difference"] < 1e-6
    assert story["opened"]["unpacked"] == []


def test_without_the_add_on_it_keeps_animating(story):
    assert story["opened"]["jaw moves"] > 0.005
