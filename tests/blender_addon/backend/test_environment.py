# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment on disk: its state, its place, and taking it away."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from blender_addon.backend import environment
from blender_addon.backend.environment import NAME, Marker, State
from blender_addon.backend.packages import fingerprint
from blender_addon.core_access import RomeError

LIST = "a list\n"
KEPT = ["set_up.lock", "set_up.log"]


@pytest.fixture
def made(tmp_path):
    """A finished environment of version 1.0 in tmp_path."""
    folder = tmp_path / NAME
    python = environment.environment_python(folder)
    python.parent.mkdir(parents=True)
    python.write_bytes(b"12345")
    environment.write_marker(folder, Marker("1.0", fingerprint(LIST), "3.11.7", 5))
    return folder


def test_ready_is_what_is_finished_and_of_this_version(made, tmp_path):
    assert environment.state_of(tmp_path, "1.0", LIST) is State.READY


def test_either_of_two_lists_is_as_good(made, tmp_path):
    assert environment.state_of(tmp_path, "1.0", "another list\n", LIST) is State.READY
    assert environment.state_of(tmp_path, "1.0", "another\n", "third\n") is State.OUTDATED


def test_nothing_there_is_absent(tmp_path):
    assert environment.state_of(tmp_path, "1.0", LIST) is State.ABSENT


@pytest.mark.parametrize(("version", "text"), [("1.1", LIST), ("1.0", "another list\n")])
def test_another_version_or_list_is_outdated(made, tmp_path, version, text):
    assert environment.state_of(tmp_path, version, text) is State.OUTDATED


@pytest.mark.parametrize("text", [None, "", "[]", '{"version": "1.0"}', "\0"])
def test_without_a_sensible_marker_it_is_broken(made, tmp_path, text):
    marker = made / environment.MARKER
    marker.unlink() if text is None else marker.write_text(text)
    assert environment.state_of(tmp_path, "1.0", LIST) is State.BROKEN


def test_without_its_python_it_is_broken(made, tmp_path):
    """As when the Python that it was made from has been removed."""
    python = environment.environment_python(made)
    python.unlink()
    if os.name == "posix":
        python.symlink_to(tmp_path / "gone")
    assert environment.state_of(tmp_path, "1.0", LIST) is State.BROKEN


def test_every_state_that_is_not_ready_says_what_to_press():
    for state in State:
        assert state is State.READY or ("Press Set Up" in state.value or "Repair" in state.value)


def test_remove_takes_everything_away_and_says_how_much(made, tmp_path):
    (tmp_path / ".new-123").mkdir()
    (tmp_path / "set_up.log").touch()
    assert environment.remove(tmp_path) >= 5
    assert sorted(path.name for path in tmp_path.iterdir()) == KEPT
    assert environment.remove(tmp_path) == 0
    assert environment.remove(tmp_path / "never there") == 0


def test_a_new_one_takes_the_place_of_the_old(made, tmp_path):
    built = environment.new_folder(tmp_path, "tag")
    built.mkdir()
    (built / "new.txt").touch()
    assert environment.put_in_place(built, tmp_path, "tag") == made
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (made / "new.txt").exists() and not (made / environment.MARKER).exists()


def test_the_old_one_stays_where_the_new_one_cannot_go(made, tmp_path, monkeypatch):
    built = environment.new_folder(tmp_path, "tag")
    built.mkdir()
    rename = Path.rename

    def refuse(path, target):
        if path == built:
            raise PermissionError(13, "a program uses it")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RomeError) as caught:
        environment.put_in_place(built, tmp_path, "tag")
    assert caught.value.code == "environment_in_use" and "a program uses it" in str(caught.value)
    assert environment.read_marker(made) is not None


def test_links_count_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    if os.name == "posix":
        (tmp_path / "b").symlink_to(sys.executable)
    assert environment.size_on_disk(tmp_path) == 5


def test_the_backend_that_comes_along_is_found_and_states_its_version():
    import rome_backend

    source = environment.backend_source()
    assert environment.version_in(source) == rome_backend.__version__
    assert (source / "__main__.py").is_file()


def test_inside_a_built_add_on_the_source_lies_inside(tmp_path):
    addon = tmp_path / "rome"
    for folder in (addon / "backend_source" / "rome_backend", tmp_path / "rome_backend"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text('__version__ = "1.0"\n')
    inside = environment.backend_source(addon)
    assert inside == addon / "backend_source" / "rome_backend"
    (inside / "__init__.py").unlink()
    assert environment.backend_source(addon) == tmp_path / "rome_backend"


def test_a_missing_source_says_what_to_do(tmp_path):
    with pytest.raises(RomeError) as caught:
        environment.backend_source(tmp_path / "rome")
    assert caught.value.code == "backend_source_missing" and "zip" in caught.value.hint


def test_windows_gets_a_folder_whose_longest_file_it_accepts():
    home = "C:/Users/firstname.lastname/AppData/"
    deep = Path(home, "Roaming/Blender Foundation/Blender/4.2/extensions/.user/user_default/rome")
    local = home + "Local"
    chosen = environment.place(deep, local, windows=True)
    assert chosen == Path(local, "rome")
    below = "/.new-12345678/Lib/site-packages/" + "x" * 167
    assert len(str(chosen) + below) < 260 <= len(str(deep) + below)
    assert environment.place(deep, local, windows=False) == deep
    assert environment.place(Path("C:/b"), local, windows=True) == Path("C:/b")
