# SPDX-License-Identifier: Apache-2.0
"""Tests of dev.py: what it runs, what it skips, and what it says when something is missing.

Installs nothing.
"""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def dev(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """dev.py as a module whose virtual environment would lie in tmp_path."""
    spec = importlib.util.spec_from_file_location("dev_under_test", root / "dev.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / "venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / "venv" / "installed.sha256")
    return module


class Calls:
    """Stands in for subprocess.call: notes the commands; the venv it is asked for appears."""

    def __init__(self, venv: Path, fail: str = "") -> None:
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.folders: list[str | None] = []
        self._venv, self._fail = venv, fail

    def __call__(self, command: list[str], cwd: str | None, env: dict[str, str]) -> int:
        self.commands.append(command)
        self.folders.append(cwd)
        self.environments.append(env)
        if self._fail and self._fail in command:
            return 7
        if "venv" in command:
            tail = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
            python = self._venv / tail
            python.parent.mkdir(parents=True)
            python.write_text("")
        return 0

    def said(self, *words: str) -> bool:
        return any(all(word in command for word in words) for command in self.commands)


@pytest.fixture
def calls(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    recorder = Calls(tmp_path / "venv")
    monkeypatch.setattr(dev.subprocess, "call", recorder)
    monkeypatch.setattr(dev, "works", lambda command: Path(command[0]).exists())
    return recorder


def test_it_parses_on_python_38_and_imports_only_the_standard_library(root: Path) -> None:
    tree = ast.parse((root / "dev.py").read_text(), feature_version=(3, 8))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_this_python_works_and_another_version_or_program_does_not(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dev.works([sys.executable]) == (sys.version_info[:2] == (3, 11))
    assert not dev.works(["/there/is/no/python"])
    answer = subprocess.CompletedProcess([], 0, stdout=b"3 12\n")
    monkeypatch.setattr(dev.subprocess, "run", lambda *args, **kwargs: answer)
    assert not dev.works([sys.executable])


@pytest.mark.parametrize(
    ("platform", "advice"), [("linux", "apt install"), ("darwin", "brew"), ("win32", "winget")]
)
def test_without_python_311_it_says_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str, advice: str
) -> None:
    monkeypatch.setattr(dev, "works", lambda command: False)
    monkeypatch.setattr(dev.sys, "platform", platform)
    with pytest.raises(dev.Problem, match=advice):
        dev.find_python()


def test_it_looks_in_pyenv_too(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("3.10.1", "3.11.2", "3.11.7"):
        (tmp_path / "pyenv" / "versions" / version).mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = [command[0] for command in dev.python_commands() if "pyenv" in command[0]]
    ours = [entry for entry in found if str(tmp_path) in entry]
    assert ["3.11.7" in ours[0], "3.11.2" in ours[1]] == [True, True]
    assert len(ours) == 2


def test_a_fresh_clone_is_installed_once(dev: ModuleType, calls: Calls) -> None:
    python = dev.ensure_environment()
    assert calls.said("-m", "venv") and calls.said("pip", "install", "requirements.lock")
    assert len(calls.commands) == 2
    assert dev.ensure_environment() == python
    assert len(calls.commands) == 2


def test_changed_pins_are_installed_again_without_a_new_venv(
    dev: ModuleType, calls: Calls
) -> None:
    dev.ensure_environment()
    dev.STAMP.write_text("something older")
    dev.ensure_environment()
    assert [command[2] for command in calls.commands] == ["venv", "pip", "pip"]


def test_a_failed_installation_is_tried_again(
    dev: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev.subprocess, "call", Calls(tmp_path / "venv", fail="pip"))
    with pytest.raises(dev.Problem, match="pip could not install"):
        dev.ensure_environment()
    monkeypatch.setattr(dev.subprocess, "call", calls)
    dev.ensure_environment()
    assert calls.said("pip", "install")


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_the_fingerprint_follows_what_is_pinned(
    dev: ModuleType, tmp_path: Path, name: str
) -> None:
    for file in ("pyproject.toml", "requirements.lock"):
        (tmp_path / file).write_text("a")
    before = dev.fingerprint(tmp_path)
    (tmp_path / name).write_text("b")
    assert dev.fingerprint(tmp_path) != before


def test_tests_run_after_the_models_are_fetched(dev: ModuleType, calls: Calls) -> None:
    assert dev.main(["test", "-k", "camera"]) == 0
    fetch, tests = calls.commands[-2:]
    assert fetch[-3:] == ["rome_backend", "assets", "fetch"]
    assert "--import-mode=importlib" in tests and tests[-2:] == ["-k", "camera"]
    assert calls.environments[-1]["OMP_NUM_THREADS"] == "1"


def test_paths_are_those_of_the_caller_but_tests_run_in_the_project(
    dev: ModuleType, calls: Calls, root: Path
) -> None:
    dev.main(["rome", "doctor"])
    assert calls.folders[-1] is None
    dev.main(["test"])
    assert calls.folders[-1] == str(root)


def test_demo_and_rome_pass_their_arguments_on(dev: ModuleType, calls: Calls) -> None:
    assert dev.main(["demo", "me.jpg"]) == 0
    assert calls.commands[-1][-3:] == ["rome_backend", "demo", "me.jpg"]
    assert dev.main(["rome", "create", "x.png", "-o", "y"]) == 0
    assert calls.commands[-1][-5:] == ["rome_backend", "create", "x.png", "-o", "y"]


def test_check_runs_both_tools_even_if_the_first_fails(
    dev: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dev.ensure_environment()
    recorder = Calls(tmp_path / "venv", fail="ruff")
    monkeypatch.setattr(dev.subprocess, "call", recorder)
    assert dev.main(["check"]) == 7
    assert recorder.said("mypy")


def test_blender_is_the_tool_s_work(dev: ModuleType, calls: Calls) -> None:
    assert dev.main(["blender", "--only", "5.0"]) == 0
    assert calls.commands[-1][1:] == ["tools/blender_tests.py", "--only", "5.0"]


def test_bench_takes_a_data_folder(dev: ModuleType, calls: Calls) -> None:
    assert dev.main(["bench", "some/data"]) == 0
    kinds = [command[4] for command in calls.commands if "bench" in command]
    assert kinds == ["photos", "negatives", "create", "rig"]
    assert calls.said("bench", "photos", "some/data")


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["-h"], 0), (["fly"], 2)])
def test_usage_needs_no_environment(
    dev: ModuleType, calls: Calls, arguments: list[str], code: int
) -> None:
    assert dev.main(arguments) == code
    assert not calls.commands


def test_ctrl_c_is_130(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "ensure_environment", interrupted)
    assert dev.main(["demo"]) == 130


def test_a_problem_is_one_line(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "works", lambda command: False)
    assert dev.main(["test"]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 2 and "Traceback" not in said.err  # "making .venv", the problem


def test_every_direct_requirement_is_pinned_in_the_lock(root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["dev"] + extras["train"] + extras["ray"]
    lock = set((root / "requirements.lock").read_text().lower().splitlines())
    for requirement in wanted:
        assert requirement.split(";")[0].strip().lower() in lock, requirement
