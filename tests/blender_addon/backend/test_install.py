# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up of the private environment: with a stand-in for Python, and once for real, offline.

Does not use the network: real packages are two made here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.backend import environment, install
from blender_addon.core_access import Cancelled, OutOfResources, RomeError

HASH = "0" * 64
KEPT = ["set_up.lock", "set_up.log"]
LIST = f"tiny==1.0 \\\n    --hash=sha256:{HASH}\n"
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in needs a shebang")


def _silent(stage, fraction):
    pass


@pytest.fixture
def source(tmp_path):
    """A backend of version 9.9 that does nothing."""
    folder = tmp_path / "source" / "rome_backend"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    (folder / "__init__.py").write_text('__version__ = "9.9"\n')
    return folder


@pytest.fixture
def options(tmp_path, source, monkeypatch):
    """Options for a set-up with the stand-in."""
    program = tmp_path / "python3.11"
    text = Path(__file__).with_name("fake_python.py").read_text()
    program.write_text(f"#!{sys.executable}\n{text}")
    program.chmod(0o755)
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "pip.txt"))
    path = tmp_path / "list.txt"
    path.write_text(LIST)
    return install.Options(
        folder=tmp_path / "data",
        online=True,
        commands=((str(program),),),
        list_path=path,
        source=source,
        check="checks nothing",
    )


def _leftovers(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@posix
def test_it_makes_an_environment_with_the_backend_in_it(options):
    said = []
    made = install.set_up(options, lambda *each: said.append(each), threading.Event())
    assert made == options.folder / "environment"
    assert (environment.site_packages(made) / "rome_backend" / "__init__.py").is_file()
    assert not list(environment.site_packages(made).rglob("*.pyc"))
    marker = environment.read_marker(made)
    assert (marker.version, marker.python) == ("9.9", "3.11.7") and marker.size > 0
    assert environment.state_of(options.folder, "9.9", LIST) is environment.State.READY
    assert _leftovers(options.folder) == ["environment", *KEPT]
    fractions = [fraction for _, fraction in said]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    assert {"Fetching tiny", "Installing packages", "Checking"} <= {stage for stage, _ in said}


@posix
def test_pip_may_install_exactly_the_list_and_nothing_else(options, tmp_path):
    chosen = replace(options, torch_index="https://example.org/cpu")
    install.set_up(chosen, _silent, threading.Event())
    said = (tmp_path / "pip.txt").read_text().splitlines()
    assert said[0] == "install"
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input"} <= set(said)
    assert said[said.index("-r") + 1] == str(options.list_path)
    assert said[said.index("--extra-index-url") + 1] == "https://example.org/cpu"


@posix
def test_without_an_index_of_its_own_pip_is_not_told_of_one(options, tmp_path):
    install.set_up(options, _silent, threading.Event())
    assert "--extra-index-url" not in (tmp_path / "pip.txt").read_text()


def test_without_the_internet_nothing_is_tried(options):
    with pytest.raises(RomeError) as caught:
        install.set_up(replace(options, online=False), _silent, threading.Event())
    assert caught.value.code == "offline" and "Online Access" in caught.value.hint
    assert not options.folder.exists()


def test_without_python_the_advice_says_what_to_install(options):
    with pytest.raises(RomeError) as caught:
        install.set_up(replace(options, commands=(("/nowhere/python",),)), _silent, _event())
    assert caught.value.code == "python_missing" and "Python 3.11" in caught.value.hint


def _event():
    return threading.Event()


@posix
def test_a_platform_without_packages_is_refused_before_anything_is_made(options, monkeypatch):
    monkeypatch.setenv("FAKE_PROBE", '[[3, 11, 7], "darwin", "x86_64", true]')
    with pytest.raises(RomeError) as caught:
        install.set_up(options, _silent, _event())
    assert caught.value.code == "platform_unsupported"
    assert not options.folder.exists()


@posix
def test_too_little_room_is_known_before_fetching(options, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OutOfResources) as caught:
        install.set_up(options, _silent, _event())
    assert caught.value.code == "disk_full" and "1.0 GB are free" in caught.value.message
    assert not (tmp_path / "pip.txt").exists()


@posix
def test_a_failure_of_pip_leaves_nothing_and_is_in_the_log(options, monkeypatch, tmp_path):
    (tmp_path / "said.txt").write_text("Collecting tiny\nERROR: the moon is full.\n")
    monkeypatch.setenv("FAKE_PIP", str(tmp_path / "said.txt"))
    with pytest.raises(RomeError) as caught:
        install.set_up(options, _silent, _event())
    assert caught.value.code == "pip_failed" and "the moon is full" in caught.value.message
    assert _leftovers(options.folder) == KEPT
    assert "the moon is full" in (options.folder / "set_up.log").read_text()


@posix
@pytest.mark.parametrize(
    ("variable", "code"), [("FAKE_VENV", "venv_failed"), ("FAKE_CHECK", "environment_unusable")]
)
def test_other_failures_leave_nothing_either(options, monkeypatch, variable, code):
    monkeypatch.setenv(variable, "no such thing")
    with pytest.raises(RomeError) as caught:
        install.set_up(options, _silent, _event())
    assert caught.value.code == code and "no such thing" in caught.value.message
    assert _leftovers(options.folder) == KEPT


@posix
def test_cancel_ends_pip_and_its_children_within_a_second(options, monkeypatch, tmp_path):
    monkeypatch.setenv("FAKE_PIP", "slow")
    cancel, pids = threading.Event(), tmp_path / "pip.pids"

    def when_pip_runs():
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            time.sleep(0.01)
        cancel.set()
        times.append(time.monotonic())

    times = []
    threading.Thread(target=when_pip_runs).start()
    with pytest.raises(Cancelled):
        install.set_up(options, _silent, cancel)
    assert time.monotonic() - times[0] < 1.0
    assert _leftovers(options.folder) == KEPT
    for pid in pids.read_text().split():
        assert not _runs(int(pid))


def _runs(pid):
    """Whether a process runs; a dead one that nobody has waited for yet does not."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


@posix
def test_a_failed_repair_keeps_the_environment_that_was_there(options, monkeypatch, source):
    made = install.set_up(options, _silent, _event())
    (made / "mine.txt").write_text("still here")
    (source / "__init__.py").write_text('__version__ = "10.0"\n')
    monkeypatch.setenv("FAKE_VENV", "no")
    with pytest.raises(RomeError):
        install.set_up(options, _silent, _event())
    assert (made / "mine.txt").read_text() == "still here"
    assert environment.state_of(options.folder, "10.0", LIST) is environment.State.OUTDATED
    monkeypatch.delenv("FAKE_VENV")
    install.set_up(options, _silent, _event())
    assert not (made / "mine.txt").exists()
    assert environment.state_of(options.folder, "10.0", LIST) is environment.State.READY


@posix
def test_two_blenders_do_not_set_up_at_once(options, tmp_path):
    """The second one neither waits nor deletes what the first one is making."""
    half = options.folder / ".new-first"
    half.mkdir(parents=True)
    with environment.only_one(options.folder):
        with pytest.raises(RomeError) as caught:
            install.set_up(options, _silent, _event())
        with pytest.raises(RomeError) as refused:
            environment.remove(options.folder)
    assert caught.value.code == refused.value.code == "set_up_running"
    assert half.exists() and not (tmp_path / "pip.txt").exists()
    install.set_up(options, _silent, _event())
    assert not half.exists()


@posix
def test_what_a_killed_set_up_left_is_cleaned_by_the_next(options):
    half = options.folder / ".new-dead"
    half.mkdir(parents=True)
    (half / "half.txt").touch()
    install.set_up(options, _silent, _event())
    assert _leftovers(options.folder) == ["environment", *KEPT]


def _wheel(folder, name, content):
    """Write a wheel of version 1.0 with one module; return its SHA-256."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": content,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{each},,\n" for each in files) + f"{about}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as file:
        for each, text in {**files, f"{about}/RECORD": record}.items():
            file.writestr(each, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def offline_pip(options, tmp_path, monkeypatch):
    """Options for the real thing: this Python's venv and pip, and a folder of two packages."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the environment is Python 3.11's")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    sums = {name: _wheel(wheels, name, f"NAME = {name!r}\n") for name in ("tiny", "small")}
    lines = [f"{name}==1.0 \\\n    --hash=sha256:{each}\n" for name, each in sums.items()]
    options.list_path.write_text("".join(lines))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "not" / "for" / "children"))
    check = "import rome_backend, tiny, small; print(rome_backend.__version__)"
    base = Path(sys.base_prefix, "python.exe" if os.name == "nt" else "bin/python3.11")
    return replace(options, commands=((str(base),), (sys.executable,)), check=check)


def test_the_real_pip_makes_an_environment_that_works_where_it_ends_up(offline_pip):
    made = install.set_up(offline_pip, _silent, _event())
    code = "import rome_backend, tiny, sys; print(rome_backend.__version__, tiny.NAME, sys.prefix)"
    python = environment.environment_python(made)
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["9.9", "tiny", str(made)]


def test_the_real_pip_refuses_a_changed_package(offline_pip, tmp_path):
    _wheel(tmp_path / "wheels", "small", "NAME = 'something else'\n")
    with pytest.raises(RomeError) as caught:
        install.set_up(offline_pip, _silent, _event())
    assert caught.value.code == "package_changed"
    assert _leftovers(offline_pip.folder) == KEPT
