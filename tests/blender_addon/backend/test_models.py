# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files are asked about and fetched through a backend's Python; here a stand-in for one."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from blender_addon.backend import models
from blender_addon.backend.environment import backend_source
from blender_addon.backend.find_python import clean_environment
from blender_addon.backend.locate import Launch
from blender_addon.core_access import RomeError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
STAND_IN = """#!/bin/sh
echo "$@" >> {folder}/said
case "$*" in
  -c*) cat {folder}/answer; exit $(cat {folder}/code);;
  *) cat {folder}/fetched; exit $(cat {folder}/fetch_code);;
esac
"""


@pytest.fixture
def backend(tmp_path):
    """A function that sets the stand-in's answers and returns how to start it."""
    program = tmp_path / "python"
    program.write_text(STAND_IN.format(folder=tmp_path))
    program.chmod(0o755)

    def answers(answer, code=0, fetched="", fetch_code=0):
        texts = {"answer": answer, "code": code, "fetched": fetched, "fetch_code": fetch_code}
        for name, text in texts.items():
            (tmp_path / name).write_text(f"{text}\n")
        return Launch((str(program), "-m", "rome_backend", "serve"), dict(os.environ), tmp_path)

    return answers


def _fetch(launch, online=True):
    said = []
    models.fetch(launch, online, lambda *each: said.append(each), threading.Event())
    return said


def test_asks_the_backend_whether_they_are_there(backend):
    assert models.are_installed(backend("True"), threading.Event())
    assert not models.are_installed(backend("a warning\nFalse"), threading.Event())


def test_what_is_there_is_not_fetched_and_needs_no_internet(backend, tmp_path):
    assert _fetch(backend("True"), online=False) == []
    assert "fetch" not in (tmp_path / "said").read_text().replace("mediapipe", "")


def test_fetching_uses_the_backend_s_command(backend, tmp_path):
    said = _fetch(backend("False", fetched='{"folder": "x"}'))
    assert "-m rome_backend assets fetch --json" in (tmp_path / "said").read_text()
    assert said[-1] == (models.STAGE, 1.0)


def test_without_the_internet_nothing_is_fetched(backend, tmp_path):
    with pytest.raises(RomeError) as caught:
        _fetch(backend("False"), online=False)
    assert caught.value.code == "offline"
    assert "assets fetch" not in (tmp_path / "said").read_text()


def test_the_backend_s_own_error_is_shown(backend):
    told = '{"error": {"code": "tracker_models_missing", "message": "M.", "hint": "H."}}'
    with pytest.raises(RomeError) as caught:
        _fetch(backend("False", fetched=f"noise\n{told}\nmore", fetch_code=4))
    assert (caught.value.code, caught.value.hint) == ("tracker_models_missing", "H.")


@pytest.mark.parametrize("fetched", ["no JSON", "{broken", '{"error": 1}', ""])
def test_whatever_else_it_says_becomes_an_error_too(backend, fetched):
    with pytest.raises(RomeError) as caught:
        _fetch(backend("False", fetched=fetched, fetch_code=1))
    assert caught.value.code == "backend_unusable"


def test_a_python_without_the_packages_says_what_is_missing(backend):
    launch = backend("ModuleNotFoundError: No module named 'torch'", code=1)
    with pytest.raises(RomeError, match="No module named 'torch'") as caught:
        models.check(launch, threading.Event())
    assert caught.value.code == "backend_unusable" and "Repair" in caught.value.hint


def test_this_python_has_what_the_backend_needs(tmp_path):
    pytest.importorskip("torch", reason="the Blender test environments have no torch")
    environment = clean_environment(
        PYTHONPATH=str(backend_source().parent), ROME_HOME=str(tmp_path)
    )
    launch = Launch((sys.executable,), environment, tmp_path / "log")
    assert models.check(launch, threading.Event()) == sys.version.split()[0]
    assert models.are_installed(launch, threading.Event()) is False
