# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip, installed for real through Blender's extension system in a Blender of its own.

Does not use the network: a stand-in for Python makes the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import build_addon

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def found(tmp_path_factory, root):
    """What installed_zip.py found."""
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    if os.name != "posix":
        pytest.skip("the stand-in for Python needs a shebang")
    folder = tmp_path_factory.mktemp("blender")
    path = os.environ.get("ROME_ADDON_ZIP") or build_addon.build(root, folder)
    programs = folder / "programs"
    programs.mkdir()
    fake = programs / "python3.11"
    fake.write_text(f"#!{sys.executable}\n{(HERE / 'backend' / 'fake_python.py').read_text()}")
    fake.chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "FAKE_LOG": str(folder / "pip.txt"),
    }
    command = [sys.executable, "-P", str(HERE / "installed_zip.py"), str(path)]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines and done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return {**json.loads(lines[-1].removeprefix("FOUND ")), "pip": (folder / "pip.txt").read_text()}


def test_blender_installs_and_enables_it(found):
    assert found["enabled"] is True
    assert found["folder"].endswith("/user/extensions/user_default/rome")


def test_it_carries_its_own_core(found):
    assert found["strangers"] == []


def test_without_online_access_set_up_is_refused_with_the_reason(found):
    assert "Allow Online Access in Preferences > System > Network" in found["offline"]


def test_the_buttons_take_the_environment_through_its_states(found):
    assert found["states"] == [
        "ABSENT",
        "set_up FINISHED READY",
        "check FINISHED READY",
        "repair FINISHED READY",
        "remove FINISHED ABSENT",
    ]


def test_its_files_lie_where_an_update_of_the_add_on_leaves_them(found):
    assert "/.user/user_default/rome" in found["user_folder"]
    assert not found["user_folder"].startswith(found["folder"])


def test_pip_gets_the_bundled_list_and_the_index_of_the_preferences(found):
    said = found["pip"].splitlines()
    assert said[said.index("-r") + 1].startswith(found["folder"])
    assert said[said.index("--extra-index-url") + 1] == "https://example.org/cpu"


def test_a_failure_is_reported_with_its_next_step(found):
    assert "no room for snakes" in found["failure"]
    code, hint = found["reports"]
    assert code == "venv_failed" and hint in found["failure"]


def test_disabled_it_leaves_nothing(found):
    assert found["disabled"] is True and found["left"] == []
