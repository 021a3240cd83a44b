# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which Python runs the backend, and what its environment is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blender_addon.backend import locate
from blender_addon.backend.environment import NAME, environment_python
from blender_addon.backend.locate import Choice, find_backend
from blender_addon.core_access import RomeError


def python_in(environment: Path) -> Path:
    python = environment_python(environment)
    python.parent.mkdir(parents=True)
    python.touch()
    return python


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a backend beside the add-on, and nothing set up."""
    monkeypatch.delenv("ROME_BACKEND_PYTHON", raising=False)
    (tmp_path / "repo" / "blender_addon").mkdir(parents=True)
    (tmp_path / "repo" / "rome_backend").mkdir()
    (tmp_path / "repo" / "rome_backend" / "__init__.py").write_text('__version__ = "1"\n')
    return tmp_path / "repo"


@pytest.fixture
def addon(checkout):
    return checkout / "blender_addon"


def chosen(choice):
    return Path(find_backend(choice).command[0])


def test_the_order_is_preference_private_variable_checkout(checkout, addon, tmp_path, monkeypatch):
    mine, variable = tmp_path / "mine", tmp_path / "variable"
    mine.touch()
    variable.touch()
    folder = tmp_path / "data"
    everything = Choice(str(mine), folder, addon=addon)
    some = Choice("", folder, addon=addon)
    monkeypatch.setenv("ROME_BACKEND_PYTHON", str(variable))
    private, venv = python_in(folder / NAME), python_in(checkout / ".venv")
    assert chosen(everything) == mine
    assert chosen(some) == private
    private.unlink()
    assert chosen(some) == variable
    monkeypatch.delenv("ROME_BACKEND_PYTHON")
    assert chosen(some) == venv


def test_without_anything_it_says_to_press_set_up(addon):
    with pytest.raises(RomeError) as caught:
        find_backend(Choice(addon=addon))
    assert caught.value.code == "backend_missing" and "Set Up" in caught.value.hint


def test_a_chosen_python_that_is_gone_is_named_and_not_passed_over(checkout, addon, tmp_path):
    python_in(checkout / ".venv")
    with pytest.raises(RomeError) as caught:
        find_backend(Choice(str(tmp_path / "gone"), addon=addon))
    assert caught.value.code == "python_missing" and "gone" in caught.value.message


def test_only_the_private_environment_runs_its_own_backend(checkout, addon, tmp_path):
    python_in(checkout / ".venv")
    assert find_backend(Choice(addon=addon)).environment["PYTHONPATH"] == str(checkout)
    folder = tmp_path / "data"
    python_in(folder / NAME)
    assert "PYTHONPATH" not in find_backend(Choice(folder=folder, addon=addon)).environment


def test_the_built_extension_brings_its_backend_along(tmp_path):
    addon, mine = tmp_path / "rome", tmp_path / "python"
    mine.touch()
    source = addon / "backend_source" / "rome_backend"
    source.mkdir(parents=True)
    (source / "__init__.py").touch()
    launch = find_backend(Choice(str(mine), addon=addon))
    assert launch.environment["PYTHONPATH"] == str(source.parent)


def test_variables_of_blender_s_python_stay_behind(checkout, addon, monkeypatch):
    python_in(checkout / ".venv")
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PythonWarnings"):
        monkeypatch.setenv(name, "/blender")
    monkeypatch.setenv("KEPT", "yes")
    environment = find_backend(Choice(addon=addon)).environment
    assert not [name for name, value in environment.items() if value == "/blender"]
    assert environment["KEPT"] == "yes" and environment["PYTHONSAFEPATH"] == "1"


@pytest.mark.parametrize("interactive", [True, False])
def test_one_core_is_left_to_a_person(checkout, addon, interactive):
    python_in(checkout / ".venv")
    environment = find_backend(Choice(addon=addon, interactive=interactive)).environment
    cores = os.cpu_count() or 1
    wanted = max(1, cores - 1) if interactive else cores
    assert int(environment["OMP_NUM_THREADS"]) == wanted
    assert environment["OMP_WAIT_POLICY"] == "passive"


def test_the_command_is_the_rome_command(checkout, addon, tmp_path):
    python_in(checkout / ".venv")
    launch = find_backend(Choice(folder=tmp_path / "data", addon=addon))
    assert launch.command[1:4] == ("-m", "rome_backend", "serve")
    assert launch.log == tmp_path / "data" / "backend.log"
    assert "KEPT" not in repr(launch)


def test_another_device_or_log_level_is_another_launch(checkout, addon):
    """The client starts the backend anew where the launch differs."""
    python_in(checkout / ".venv")
    usual = find_backend(Choice(addon=addon))
    assert usual.command[4:] == ("--device", "auto", "--log-level", "info")
    assert usual == find_backend(Choice(addon=addon))
    for chosen in (Choice(addon=addon, device="cpu"), Choice(addon=addon, log_level="debug")):
        assert find_backend(chosen) != usual


def test_the_choices_are_those_that_the_backend_takes():
    from rome_backend.commands import serve

    assert (locate.DEVICES, locate.LOG_LEVELS) == (serve.DEVICES, serve.LOG_LEVELS)
