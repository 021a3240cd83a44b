# SPDX-License-Identifier: Apache-2.0
"""The chroot tool: where it takes packages from, what it mounts, and what it refuses.

Does not make a chroot: commands are looked at, not run.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "real_blender.py"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, with its chroots in tmp_path."""
    spec = importlib.util.spec_from_file_location("real_blender", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("ROME_CHROOTS", str(tmp_path / "chroots"))
    return module


def blender_in(tool: ModuleType, suite: str) -> Path:
    """Make a chroot that looks as if it held Blender."""
    blender = tool.chroot_folder(suite) / "usr" / "bin" / "blender"
    blender.parent.mkdir(parents=True)
    blender.touch()
    return blender


def environment_of(tmp_path: Path, home: str) -> Path:
    """Make a virtual environment's skeleton and return its interpreter."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.11.7\n")
    return python


@pytest.mark.parametrize(
    "text",
    [
        "deb http://mirror.example/debian bookworm main\n",
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main\n",
        "# deb http://old.example/debian x\nTypes: deb\nURIs: http://mirror.example/debian\n",
        "Types: deb\nURIs: http://a.example/debian-security http://mirror.example/debian\n",
    ],
)
def test_packages_come_from_where_this_machine_takes_them(tool: ModuleType, text: str) -> None:
    others = "deb https://packages.example/apt main\n"
    assert tool.apt_address([others, text]) == "http://mirror.example/debian"


def test_a_machine_without_a_debian_archive_is_told(tool: ModuleType) -> None:
    with pytest.raises(tool.Problem, match="sources.list"):
        tool.apt_address(["deb https://packages.example/apt main\n", ""])


def test_the_build_keeps_the_machine_s_apt_settings(tool: ModuleType, tmp_path: Path) -> None:
    settings = tmp_path / "proxy.conf"
    command = tool.build_command(
        "sid", tmp_path / "sid", "http://mirror.example/debian", [settings]
    )
    assert f"--aptopt={settings}" in command
    assert command[-3:-1] == ["sid", str(tmp_path / "sid")]
    assert command[-1].endswith("http://mirror.example/debian sid main")
    include = next(word for word in command if word.startswith("--include="))
    assert {"blender", "xvfb", "xdotool", "tesseract-ocr"} <= set(include[10:].split(","))


def test_a_chroot_that_stands_is_not_built_again(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blender_in(tool, "sid")
    monkeypatch.setattr(tool.subprocess, "call", lambda command: pytest.fail("it was built"))
    assert tool.main(["build", "sid"]) == 0
    assert "there already" in capsys.readouterr().out


def test_without_mmdebstrap_it_says_what_to_install(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool.shutil, "which", lambda name: None)
    assert tool.main(["build", "trixie"]) == 1
    assert "apt install mmdebstrap" in capsys.readouterr().err


def test_a_failed_build_leaves_nothing(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(command: list[str]) -> int:
        (tool.chroot_folder("sid") / "usr").mkdir(parents=True)
        return 25

    monkeypatch.setattr(tool.shutil, "which", lambda name: "/usr/bin/mmdebstrap")
    monkeypatch.setattr(tool.subprocess, "call", call)
    monkeypatch.setattr(tool, "_apt_sources", lambda: ["URIs: http://mirror.example/debian"])
    assert tool.main(["build", "sid"]) == 1
    assert not tool.chroot_folder("sid").exists()


def test_clean_removes_the_chroot_and_nothing_else(tool: ModuleType) -> None:
    blender_in(tool, "sid")
    other = blender_in(tool, "trixie")
    assert tool.main(["clean", "sid"]) == 0
    assert not tool.chroot_folder("sid").exists() and other.exists()
    assert tool.main(["clean", "sid"]) == 0


def test_clean_stops_at_something_mounted(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    blender = blender_in(tool, "sid")
    folder = tool.chroot_folder("sid").resolve()
    mounts = f"/dev/vda / ext4 rw 0 0\n/dev/vda {folder}/home ext4 rw 0 0\n"
    monkeypatch.setattr(tool.Path, "read_text", lambda self, *_: mounts)
    assert tool.main(["clean", "sid"]) == 1
    assert blender.exists()


def test_the_base_of_an_environment_is_where_its_python_came_from(
    tool: ModuleType, tmp_path: Path
) -> None:
    python = environment_of(tmp_path, str(tmp_path / "pyenv" / "bin"))
    assert tool.base_of(python) == (tmp_path / "pyenv").resolve()


def test_a_base_that_would_hide_the_chroot_s_files_is_refused(
    tool: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(tool.Problem, match="outside /usr"):
        tool.base_of(environment_of(tmp_path, "/usr/bin"))
    with pytest.raises(tool.Problem, match="no interpreter"):
        tool.base_of(tmp_path / "bin" / "python")


def test_the_script_mounts_then_changes_root(tool: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    text = tool.script(
        folder, [("/src/one", "/one"), ("/src/two", "/two")], ["python3", "-m", "x y"]
    )
    lines = text.splitlines()
    assert lines[0] == "set -e" and lines[1] == "mount --make-rprivate /"
    mounts = [line for line in lines if line.startswith("mount --bind")]
    assert mounts == [f"mount --bind /src/{n} '{folder}/{n}'" for n in ("one", "two")]
    assert lines[-1].startswith(f"exec chroot '{folder}'")
    subprocess.run(["sh", "-n", "-c", text], check=True)


def test_inside_a_fresh_home_the_command_keeps_its_words(tool: ModuleType, tmp_path: Path) -> None:
    """The last line through a real shell, with chroot and env played by printf."""
    text = tool.script(tmp_path, [], ["python3", "two words"]).splitlines()[-1]
    played = text.replace("exec chroot", "printf '%s\\n'")
    said = subprocess.run(["sh", "-c", played], check=True, capture_output=True, text=True).stdout
    inner = said.splitlines()[-1].replace("exec /usr/bin/env -i", "printf '%s\\n'")
    words = subprocess.run(["sh", "-c", inner], check=True, capture_output=True, text=True).stdout
    assert words.splitlines()[-2:] == ["python3", "two words"]
    assert f"HOME={tool.HOME}" in words.splitlines()


@pytest.mark.parametrize("missing", ["chroot", "zip", "photo", "python"])
def test_a_run_says_what_is_missing(
    tool: ModuleType, tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing != "chroot":
        blender_in(tool, "sid")
    python = environment_of(tmp_path, str(tmp_path / "pyenv" / "bin"))
    files = {"zip": tmp_path / "rome.zip", "photo": tmp_path / "me.jpg", "python": python}
    for name, path in files.items():
        path.unlink(missing_ok=True) if name == missing else path.touch()
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert tool.main(["run", "sid", *options]) == 1
    wanted = "build sid" if missing == "chroot" else files[missing].name
    assert wanted in capsys.readouterr().err


def test_a_run_starts_as_a_new_person_with_the_photo_at_home(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blender_in(tool, "sid")
    home = Path(f"{tool.chroot_folder('sid')}{tool.HOME}")
    (home / ".config").mkdir(parents=True)
    python = environment_of(tmp_path, str(tmp_path / "pyenv" / "bin"))
    (tmp_path / "rome.zip").touch()
    (tmp_path / "me.jpg").write_bytes(b"photo")
    ran: list[list[str]] = []
    monkeypatch.setattr(tool.subprocess, "call", lambda command: ran.append(command) or 0)
    answer = subprocess.CompletedProcess([], 0, stdout=f"{tmp_path}/assets\n")
    monkeypatch.setattr(tool.subprocess, "run", lambda *args, **kwargs: answer)
    out = tmp_path / "out"
    code = tool.run("sid", tmp_path / "rome.zip", tmp_path / "me.jpg", python, out)
    assert code == 0 and out.is_dir()
    assert sorted(path.name for path in home.iterdir()) == ["portrait.jpg", "rome.zip"]
    (command,) = ran
    assert command[0] == "unshare" and f"ROME_BACKEND_PYTHON={python}" in command[-1]
    assert str(tmp_path / "pyenv") in command[-1] and str(tmp_path / "assets") in command[-1]


def test_it_is_a_program(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(TOOL), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "build" in done.stdout
