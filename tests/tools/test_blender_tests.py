# SPDX-License-Identifier: Apache-2.0
"""The tool that tests the built extension in several Blenders: what it runs and what it reports.

Does not know Blender: pip, the zip and the interpreters are stand-ins.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "blender_tests.py"
posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in interpreter is a shell script")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool in an empty project folder."""
    spec = importlib.util.spec_from_file_location("blender_tests", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


@pytest.fixture
def commands(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the tool would run; making a venv makes its interpreter."""
    noted: list[list[str]] = []

    def call(command: list[str], cwd: Path) -> int:
        noted.append(command)
        if "venv" in command:
            python = next(v.python for v in tool.VERSIONS if str(v.folder) == command[-1])
            python.parent.mkdir(parents=True)
            python.touch()
        return 0

    monkeypatch.setattr(tool.subprocess, "call", call)
    return noted


def archive(folder: Path, *names: str) -> Path:
    path = folder / "rome-0.0.0.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, "")
    return path


EXTENSION = ("__init__.py", "blender_manifest.toml", "core/types.py")


def test_an_environment_is_made_once_for_each_version(
    tool: ModuleType, commands: list[list[str]]
) -> None:
    for version in tool.VERSIONS:
        tool.ensure_environment(version)
    assert [command[1:3] for command in commands] == [["-m", "venv"], ["-m", "pip"]] * 2
    for version, command in zip(tool.VERSIONS, commands[1::2], strict=True):
        assert set(version.packages) <= set(command)
    for version in tool.VERSIONS:
        tool.ensure_environment(version)
    assert len(commands) == 4


def test_another_pin_makes_it_again(
    tool: ModuleType, commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("numpy==1.26.4\n")
    monkeypatch.setattr(tool, "REQUIREMENTS", pins)
    version = tool.VERSIONS[0]
    before = tool.fingerprint(version)
    assert before != tool.fingerprint(tool.VERSIONS[1])
    pins.write_text("numpy==1.26.3\n")
    assert tool.fingerprint(version) != before


def test_a_failed_installation_leaves_no_stamp(
    tool: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = tool.VERSIONS[0]
    tool.ensure_environment(version)
    (version.folder / "installed.sha256").write_text("older")
    monkeypatch.setattr(tool.subprocess, "call", lambda command, cwd: 1)
    with pytest.raises(tool.Problem, match="failed"):
        tool.ensure_environment(version)
    assert not (version.folder / "installed.sha256").exists()


def test_the_pins_suit_the_oldest_numpy_that_both_blenders_want() -> None:
    lines = (TOOL.parent / "requirements-blender.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pins["numpy"].startswith("1.26.")
    assert "torch" not in pins and "bpy" not in pins


def test_one_zip_is_built_where_asked(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(command: list[str], cwd: Path) -> int:
        archive(Path(command[command.index("--out") + 1]), *EXTENSION)
        return 0

    monkeypatch.setattr(tool.subprocess, "call", build)
    assert tool.build_zip(tmp_path) == tmp_path / "rome-0.0.0.zip"
    (tmp_path / "second.zip").touch()
    with pytest.raises(tool.Problem, match="2 zip files"):
        tool.build_zip(tmp_path)


@pytest.mark.parametrize("missing", EXTENSION)
def test_a_zip_that_is_no_extension_is_refused(
    tool: ModuleType, tmp_path: Path, missing: str
) -> None:
    path = archive(tmp_path, *(name for name in EXTENSION if name != missing))
    with pytest.raises(tool.Problem, match=missing):
        tool.unpack(path, tmp_path / "there")


@posix
@pytest.mark.parametrize("code", [0, 3])
def test_every_version_gets_its_own_copy_and_its_failure_is_told(
    tool: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    for version in tool.VERSIONS:
        version.python.parent.mkdir(parents=True)
        ends = code if version.name == "4.5" else 0
        script = f"#!/bin/sh\necho at $ROME_ADDON_DIR with $*\nexit {ends}\n"
        version.python.write_text(script)
        version.python.chmod(0o755)
    path = archive(tmp_path, *EXTENSION)
    failed = tool.run_tests(path, tool.VERSIONS, tmp_path / "scratch", ["-k", "camera"])
    assert failed == (["the tests in Blender 4.5"] if code else [])
    said = capfd.readouterr().out
    for version in tool.VERSIONS:
        assert f"at {tmp_path / 'scratch' / version.name / 'addon'} with" in said
    assert said.count("tests/blender_addon -k camera") == 2


def test_tests_write_no_settings_over_the_developer_s(tool: ModuleType, tmp_path: Path) -> None:
    variables = tool.environment(tmp_path / "addon", tmp_path / "a.zip", tmp_path / "home")
    assert variables["BLENDER_USER_RESOURCES"] == str(tmp_path / "home")
    assert variables["ROME_BACKEND_PYTHON"] == sys.executable
    assert set(os.environ) <= set(variables)


def test_what_hangs_is_ended(tool: ModuleType) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    started = time.monotonic()
    assert tool._finish(process, 0.1) == 124
    assert time.monotonic() - started < 30 and process.poll() is not None


@posix
@pytest.mark.parametrize(("ends", "code"), [(True, 3), (False, -signal.SIGALRM)])
def test_a_python_that_does_not_end_is_ended_and_told(
    tool: ModuleType, tmp_path: Path, ends: bool, code: int
) -> None:
    """pytest is a stand-in; an exit handler stands in for the hang in C code."""
    wait = "" if ends else "atexit.register(time.sleep, 600)\n"
    stand_in = f"import atexit, time\n{wait}def main():\n    return 3\n"
    (tmp_path / "pytest.py").write_text(stand_in)
    program = tool.PYTEST.replace(str(tool.END_SECONDS), "1")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=60)
    assert done.returncode == code
    assert ("holds Blender's module" in tool._said(code)) is not ends


def test_removed_names_are_errors_and_what_stubs_cannot_know_is_not(tool: ModuleType) -> None:
    removed = [
        'a.py:1: error: "Action" has no attribute "fcurves"  [attr-defined]',
        'a.py:2: error: "Scene" has no attribute "node_tree"  [attr-defined]',
        'a.py:3: error: Too many arguments for "new" of "ActionSlots"  [call-arg]',
    ]
    harmless = [
        'a.py:4: error: "Node" has no attribute "image"  [attr-defined]',
        'a.py:5: error: "float" has no attribute "foreach_set"  [attr-defined]',
        'a.py:6: error: Unsupported right operand type for in ("Object")  [operator]',
        'a.py:6: error: "type[Object]" has no attribute "rome"  [attr-defined]',
        "a.py:7: note: See the documentation",
        "Found 6 errors in 1 file (checked 1 source file)",
    ]
    assert tool.type_errors("\n".join(harmless + removed)) == removed


@pytest.mark.parametrize(
    ("output", "code", "failures"),
    [
        ("Success: no issues found", 0, 0),
        ('a.py:1: error: "Node" has no attribute "image"  [attr-defined]', 1, 0),
        ('a.py:1: error: "Action" has no attribute "fcurves"  [attr-defined]', 1, 1),
        ("mypy: can't read its settings", 2, 1),
    ],
)
def test_types_fail_on_errors_and_on_a_broken_checker(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, output: str, code: int, failures: int
) -> None:
    answer = subprocess.CompletedProcess([], code, stdout=output)
    monkeypatch.setattr(tool.subprocess, "run", lambda *args, **kwargs: answer)
    assert len(tool.check_types(tool.VERSIONS[0])) == failures


@pytest.mark.parametrize(
    ("arguments", "versions", "types"),
    [
        ([], ["4.5", "5.0"], 2),
        (["--only", "5.0"], ["5.0"], 1),
        (["--skip-types"], ["4.5", "5.0"], 0),
    ],
)
def test_the_program_does_what_is_asked(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    versions: list[str],
    types: int,
) -> None:
    made: list[str] = []
    checked: list[str] = []
    ran: list[tuple[list[str], list[str]]] = []

    def run_tests(path: Path, which: tuple, scratch: Path, rest: list[str]) -> list[str]:
        ran.append(([version.name for version in which], rest))
        return ["the tests"] if "--fail" in rest else []

    monkeypatch.setattr(tool, "ensure_environment", lambda version: made.append(version.name))
    monkeypatch.setattr(tool, "build_zip", lambda folder: folder / "a.zip")
    monkeypatch.setattr(tool, "run_tests", run_tests)
    monkeypatch.setattr(tool, "check_types", lambda version: checked.append(version.name) or [])
    assert tool.main([*arguments, "-x"]) == 0
    assert made == versions and ran == [(versions, ["-x"])] and len(checked) == types
    assert tool.main([*arguments, "--fail"]) == 1


def test_a_problem_ends_the_program_with_one_line(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool.subprocess, "call", lambda command, cwd: 1)
    assert tool.main(["--only", "4.5"]) == 1
    assert "Traceback" not in capfd.readouterr().err
