# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Python 3.11: what will do, what will not, and what is tried.

Does not install a Python.
"""

from __future__ import annotations

import os
import sys

import pytest

from blender_addon.backend import find_python as module

posix = pytest.mark.skipif(os.name != "posix", reason="scripts with a shebang")


@pytest.fixture
def pretend(tmp_path):
    """A maker of programs that answer the probe with a text."""

    def make(name, answer, code=0):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
        path.chmod(0o755)
        return (str(path),)

    return make


GOOD = '[[3, 11, 9], "linux", "x86_64", true]'


@posix
def test_the_first_that_will_do_is_taken(pretend):
    older = pretend("a", '[[3, 10, 1], "linux", "x86_64", true]')
    good, other = pretend("b", GOOD), pretend("c", GOOD)
    found = module.find_python([("/nowhere",), older, good, other])
    assert found == module.FoundPython(good, "3.11.9", "linux", "x86_64")


@posix
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ('[[3, 12, 1], "linux", "x86_64", true]', 0),
        ('[[3, 11, 1], "win32", "AMD64", false]', 0),
        (GOOD, 1),
        ("Python 3.11", 0),
        ("", 0),
        ("[1]", 0),
        ("17", 0),
    ],
)
def test_what_will_not_do_is_passed_over(pretend, answer, code):
    assert module.find_python([pretend("a", answer, code)]) is None


@posix
def test_a_program_that_hangs_is_passed_over(tmp_path, monkeypatch):
    path = tmp_path / "slow"
    path.write_text("#!/bin/sh\nexec sleep 30\n")
    path.chmod(0o755)
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.1)
    assert module.probe((str(path),)) is None


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="this is another Python")
def test_this_python_answers_the_probe():
    found = module.probe((sys.executable,))
    assert found is not None and found.version.startswith("3.11.")
    assert found.system == sys.platform


def test_the_python_we_run_in_is_tried_last(tmp_path):
    versions = tmp_path / ".pyenv" / "versions"
    for name in ("3.10.1", "3.11.2", "3.11.9"):
        (versions / name).mkdir(parents=True)
    tried = [command[0] for command in module.candidates(tmp_path)]
    assert tried[-1] == sys.executable
    mine = [path for path in tried if str(tmp_path) in path]
    assert ["3.11.9" in mine[0], "3.11.2" in mine[1]] == [True, True] and len(mine) == 2


def test_children_do_not_inherit_what_bends_a_python(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/blender/python")
    monkeypatch.setenv("PythonPath", "/elsewhere")
    monkeypatch.setenv("PIP_PROXY", "kept")
    clean = module.clean_environment(MORE="1")
    assert "PYTHONHOME" not in clean and "PythonPath" not in clean
    assert clean["PIP_PROXY"] == "kept" and clean["MORE"] == "1"


@pytest.mark.parametrize("system", ["win32", "darwin", "linux", "freebsd14"])
def test_there_is_advice_for_every_system(monkeypatch, system):
    monkeypatch.setattr(module.sys, "platform", system)
    assert "3.11" in module.advice()
