# SPDX-License-Identifier: Apache-2.0
"""Tests of the rome command: JSON, exit codes, what is left behind; making heads is replaced.

No networks and no bpy; tests/rome_backend/test_whole_path.py makes real heads.
"""

from __future__ import annotations

import errno
import json
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rome_backend
from rome_backend.avatar import create as create_module
from rome_backend.avatar.avatar import load_avatar, save_avatar
from rome_backend.avatar.create import CreateOptions, CreateResult
from rome_backend.cli import explained, main
from rome_backend.commands import outputs
from rome_backend.core.errors import AssetMissing, PhotoRefused, RomeError
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis


class Maker:
    """Stands in for create_avatar: notes what it was asked, refuses photos called bad*."""

    def __init__(self, avatar: Avatar) -> None:
        self.avatar = avatar
        self.photos: list[list[str]] = []
        self.options: list[CreateOptions] = []
        self.error: BaseException | None = None

    def __call__(
        self, photos: Sequence[Path], options: CreateOptions, *args: Any, **kwargs: Any
    ) -> CreateResult:
        print("a stray print of a library")
        self.photos.append([photo.name for photo in photos])
        self.options.append(options)
        if self.error is not None:
            raise self.error
        if photos[0].name.startswith("bad"):
            raise PhotoRefused("no_face", "No face was found.", "Use another photo.")
        avatar = replace(self.avatar, name=photos[0].stem, warnings=("underexposed",))
        return CreateResult(avatar, 2, avatar.warnings, {"track": 0.1234}, 0, 0.9)


@pytest.fixture
def maker(
    monkeypatch: pytest.MonkeyPatch,
    small_avatar: Avatar,
    small_head: HeadModel,
    small_basis: OffsetBasis,
) -> Maker:
    made = Maker(small_avatar)
    monkeypatch.setattr(create_module, "create_avatar", made)
    monkeypatch.setattr(create_module, "load_tools", lambda head, progress, choice, device: None)
    monkeypatch.setattr(outputs, "load_head", lambda head: (small_head, small_basis))
    return made


def rome(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, Any, str]:
    """Run with --json; return exit code, the JSON of stdout and stderr."""
    code = main([*map(str, arguments), "--json"])
    said = capfd.readouterr()
    return code, json.loads(said.out), said.err


def test_create_reports_the_promised_fields(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, result, err = rome(capfd, "create", "me.jpg", "-o", tmp_path / "x.glb")
    assert code == 0
    assert result["avatar"] == str(tmp_path / "x.rome")
    assert result["outputs"] == [str(tmp_path / "x.rome"), str(tmp_path / "x.glb")]
    assert all(Path(path).is_file() for path in result["outputs"])
    assert (result["faces"], result["warnings"]) == (2, ["underexposed"])
    assert result["seconds"]["track"] == 0.123
    assert result["head_model"] == maker.avatar.topology_id
    assert result["licences"] == [{"part": "head model", "licence": "Apache-2.0"}]
    assert "warning: The face is very dark" in err and "stray print" in err


def test_several_photos_are_one_person(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rome(capfd, "create", "b.jpg", "a.jpg", "-o", tmp_path / "x.rome", "--seed", "7",
         "--face", "1", "--texture-size", "2048", "--delight", "--no-maps")  # fmt: skip
    assert maker.photos == [["b.jpg", "a.jpg"]]
    assert maker.options == [CreateOptions(size=2048, face=1, seed=7, delight=True, maps=False)]


def test_a_folder_is_one_avatar_per_photo_and_a_bad_one_stops_nothing(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(outputs, "FOLDER_GETS", (".rome",))
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", "a.png", "bad.png", "c.JPG", ".hidden.jpg", "notes.txt"):
        (photos / name).write_bytes(b"")
    code, result, err = rome(capfd, "create", photos, "-o", tmp_path / "heads")
    assert code == 0
    assert maker.photos == [["a.jpg"], ["a.png"], ["bad.png"], ["c.JPG"]]
    made = sorted(path.name for path in (tmp_path / "heads").iterdir())
    assert made == ["a_jpg.rome", "a_png.rome", "c.rome"]
    assert [Path(avatar["avatar"]).name for avatar in result["avatars"]] == made
    assert result["refused"][0]["error"]["code"] == "no_face"
    assert "refused: No face was found." in err


def test_a_folder_without_any_head_is_a_refusal(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.png").write_bytes(b"")
    code, result, _ = rome(capfd, "create", tmp_path / "photos", "-o", tmp_path / "heads")
    assert (code, result["error"]["code"], len(result["refused"])) == (3, "all_refused", 1)
    assert not (tmp_path / "heads").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["create"],
        ["create", "a.jpg"],
        ["create", "a.jpg", "-o", "x.fbx"],
        ["create", "a.jpg", "-o", "x.rome", "--texture-size", "7"],
        ["create", "a.jpg", "-o", "x.rome", "--face", "-1"],
        ["create", "a.jpg", "-o", "x.rome", "--device", "toaster"],
        ["create", ".", "a.jpg", "-o", "x"],
        ["render", "a.rome", "-o", "x.png", "--size", "1"],
        ["render", "a.rome", "-o", "x", "--turntable", "0"],
        ["export", "a.rome", "-o", "x.rome"],
        ["bench", "photos", "--data", "nowhere"],
    ],
)
def test_usage_errors_are_2_and_say_what_to_do(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str], arguments: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, result, err = rome(capfd, *arguments)
    assert code == 2
    assert result["error"]["code"] and result["error"]["message"] and result["error"]["hint"]
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (PhotoRefused("no_face", "No face.", "Another."), 3, "no_face"),
        (AssetMissing("tracker_models_missing", "None.", "Fetch."), 4, "tracker_models_missing"),
        (MemoryError(), 5, "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 5, "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), 5, "disk_full"),
        (KeyboardInterrupt(), 130, "cancelled"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 1, "file_problem"),
        (ZeroDivisionError("secret"), 1, "internal_error"),
    ],
)
def test_every_failure_has_its_exit_code_and_leaves_nothing(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    error: BaseException, code: int, name: str,
) -> None:  # fmt: skip
    maker.error = error
    got, result, err = rome(capfd, "create", "me.jpg", "-o", tmp_path / "new" / "heads")
    assert (got, result["error"]["code"]) == (code, name)
    assert result["error"]["hint"]
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    maker.error = ZeroDivisionError("secret")
    _, _, err = rome(capfd, "create", "me.jpg", "-o", tmp_path / "x.rome", "--debug")
    assert "ZeroDivisionError: secret" in err


def test_being_terminated_is_being_cancelled(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach only the main thread")
    monkeypatch.setattr(
        create_module, "create_avatar", lambda *a, **k: signal.raise_signal(signal.SIGTERM)
    )
    code, result, _ = rome(capfd, "create", "me.jpg", "-o", tmp_path / "x.rome")
    assert (code, result["error"]["code"]) == (130, "cancelled")


def test_without_json_stdout_names_the_files(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["create", "me.jpg", "-o", str(tmp_path / "x.rome")]) == 0
    assert capfd.readouterr().out == f"wrote {tmp_path / 'x.rome'}\n"


def test_version_and_help_go_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, word in ((["--version"], rome_backend.__version__), (["-h"], "create")):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert word in capfd.readouterr().out


def test_export_writes_from_the_avatar_file(
    maker: Maker, small_avatar: Avatar, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_avatar(small_avatar, tmp_path / "a.rome")
    code, result, _ = rome(capfd, "export", tmp_path / "a.rome", "-o", tmp_path / "b.obj")
    assert code == 0
    assert {Path(path).suffix for path in result["outputs"]} == {".obj", ".mtl", ".png"}
    assert all(Path(path).is_file() for path in result["outputs"])


def test_a_damaged_avatar_is_one_sentence(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.rome").write_bytes(b"not an avatar")
    code, result, _ = rome(capfd, "export", tmp_path / "a.rome", "-o", tmp_path / "b.glb")
    assert (code, result["error"]["code"]) == (1, "avatar_damaged")


def test_our_own_errors_pass_unchanged() -> None:
    error = RomeError("x", "y")
    assert explained(error) is error


@pytest.mark.parametrize(("extra", "count"), [([], 1), (["--turntable", "3"], 3)])
def test_render_writes_pictures(
    maker: Maker, small_avatar: Avatar, small_head: HeadModel, tmp_path: Path,
    capfd: pytest.CaptureFixture[str], monkeypatch: Any, extra: list[str], count: int,
) -> None:  # fmt: skip
    from rome_backend.avatar import heads

    monkeypatch.setattr(heads, "load_head", lambda choice: (small_head, None))
    save_avatar(small_avatar, tmp_path / "a.rome")
    out = tmp_path / "pictures"
    code, result, _ = rome(capfd, "render", tmp_path / "a.rome", "-o", out, "--size", "32", *extra)
    assert code == 0
    assert len(result["outputs"]) == count == len(list(out.iterdir()))


def test_avatars_made_by_the_command_can_be_loaded(
    maker: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, result, _ = rome(capfd, "create", "me.jpg", "-o", tmp_path / "x.rome")
    assert load_avatar(Path(result["avatar"])).name == "me"
