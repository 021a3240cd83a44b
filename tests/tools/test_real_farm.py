# SPDX-License-Identifier: Apache-2.0
"""The farm tool: it runs the page's own command, and notices every promise that is not kept.

Does not start Blender: what is run is looked at.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PAGE = """
```sh
blender -b --addons a SCENE.blend \\
    --python-expr "assert 'ROME', 'It is missing.'" \\
    -o //frames/#### -F PNG -s FIRST -e LAST -a
```
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, with its chroots in tmp_path."""
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    monkeypatch.setenv("ROME_CHROOTS", str(tmp_path / "chroots"))
    spec = importlib.util.spec_from_file_location("real_farm", TOOLS / "real_farm.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "real_farm", module)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_the_page_s_command_is_run_with_a_scene_of_our_own(tool: ModuleType) -> None:
    words = tool.page_command(PAGE, "/s.blend", "/out/####")
    assert words[:5] == ["blender", "-b", "--addons", "a", "/s.blend"]
    assert words[words.index("--python-expr") + 1] == "assert 'ROME', 'It is missing.'"
    assert words[-9:] == ["-o", "/out/####", "-F", "PNG", "-s", "1", "-e", "3", "-a"]


def test_the_real_page_has_such_a_command(tool: ModuleType) -> None:
    words = tool.page_command(tool.PAGE.read_text("utf-8"), "/s.blend", "/out/####")
    assert {"--python-exit-code", "9", "bl_ext.user_default.rome", "/s.blend"} <= set(words)


@pytest.mark.parametrize("page", ["", PAGE + PAGE, PAGE.replace("FIRST", "1")])
def test_another_page_is_a_problem(tool: ModuleType, page: str) -> None:
    with pytest.raises(tool.Problem):
        tool.page_command(page, "/s.blend", "/out/####")


def test_a_worker_gets_what_its_case_says(tool: ModuleType) -> None:
    for case in tool.CASES:
        lines = tool.shell_lines(case, "a b.zip", "python3.11", "some/assets")
        assert ("extension install-file" in lines) is case.addon
        assert ("ROME_BACKEND_PYTHON=python3.11" in lines) is case.backend
        assert lines.splitlines()[-1].startswith("exec blender -b --addons")
        assert shlex.split(lines)[1:3] == ["HOME=/farm/home", "ROME_HOME=some/assets"]


def test_the_cases_are_the_page_s_table(tool: ModuleType) -> None:
    page = tool.PAGE.read_text("utf-8")
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    codes = [int(cell) for cell in rows if cell.isdigit()]
    assert sorted(case.code for case in tool.CASES) == sorted(codes)


@pytest.mark.parametrize(
    ("answer", "kept"), [((0, 3), True), ((0, 2), False), ((1, 3), False), ((1, 0), False)]
)
def test_a_broken_promise_is_a_sentence(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, int], kept: bool
) -> None:
    monkeypatch.setattr(tool, "CASES", tool.CASES[:1])
    monkeypatch.setattr(tool, "run_case", lambda *arguments: answer)
    found = list(tool.failures("sid", Path("a.zip"), Path("a.blend"), Path("python")))
    assert (found == []) is kept
    assert kept or found[0].startswith("sid, complete")


def test_without_a_chroot_it_says_how_to_make_one(
    tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["sid", "--zip", "a.zip", "--scene", "a.blend"]) == 1
    assert "real_blender.py build sid" in capsys.readouterr().err
