# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.assets.mediapipe: with small wheels made here, never the network."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rome_backend.assets import mediapipe
from rome_backend.assets.mediapipe import (
    MEMBERS,
    Member,
    ensure_tracker_models,
    import_wheel,
    installed,
)
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import AssetMissing, FileInvalid

CONTENT = {"a/one.tflite": b"first" * 100, "a/two.tflite": b"second" * 50}


def members_of(content: dict[str, bytes]) -> tuple[Member, ...]:
    return tuple(
        Member(path[2:5], path, hashlib.sha256(data).hexdigest(), len(data))
        for path, data in content.items()
    )


WANTED = members_of(CONTENT)


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore(tmp_path / "assets")


def wheel(folder: Path, content: dict[str, bytes]) -> Path:
    path = folder / "mediapipe-0.10.21-cp311.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def take(path: Path, store: AssetStore) -> Path:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return import_wheel(path, store, digest, WANTED)


def test_a_good_wheel_is_taken_apart(tmp_path: Path, store: AssetStore) -> None:
    folder = take(wheel(tmp_path, CONTENT | {"setup.py": b"raise SystemExit"}), store)
    assert (folder / "one.tflite").read_bytes() == CONTENT["a/one.tflite"]
    assert [r.name for r in store.list()] == ["one", "two"]
    assert {r.licence for r in store.list()} == {"Apache-2.0"}
    assert "setup.py" not in {p.name for p in folder.iterdir()}


def test_another_wheel_is_refused_unread(tmp_path: Path, store: AssetStore) -> None:
    with pytest.raises(FileInvalid) as caught:
        import_wheel(wheel(tmp_path, CONTENT), store)
    assert caught.value.code == "wheel_wrong"
    assert "mediapipe==0.10.21" in caught.value.hint
    assert not store.folder.exists()


def test_a_wheel_that_is_not_there_is_refused(tmp_path: Path, store: AssetStore) -> None:
    with pytest.raises(FileInvalid):
        import_wheel(tmp_path / "none.whl", store)


@pytest.mark.parametrize(
    "content",
    [
        {"a/one.tflite": CONTENT["a/one.tflite"]},
        CONTENT | {"a/two.tflite": b"other" * 60},
        CONTENT | {"a/two.tflite": b"zecond" * 50},
        CONTENT | {"a/two.tflite": b"\0" * 50_000_000},
        {"../a/one.tflite": CONTENT["a/one.tflite"], "a/two.tflite": CONTENT["a/two.tflite"]},
    ],
    ids=["missing", "other size", "other content", "bomb", "other folder"],
)
def test_a_damaged_wheel_installs_nothing(
    tmp_path: Path, store: AssetStore, content: dict[str, bytes]
) -> None:
    with pytest.raises(FileInvalid) as caught:
        take(wheel(tmp_path, content), store)
    assert caught.value.code == "wheel_invalid"
    assert not store.folder.exists()


def test_a_lying_size_in_the_zip_does_not_help(tmp_path: Path, store: AssetStore) -> None:
    """The directory claims the expected size, the stream holds far more."""
    huge = CONTENT | {"a/two.tflite": b"\0" * 5_000_000}
    path = wheel(tmp_path, huge)
    data = path.read_bytes()
    claimed = len(CONTENT["a/two.tflite"]).to_bytes(4, "little")
    path.write_bytes(data.replace((5_000_000).to_bytes(4, "little"), claimed))
    with pytest.raises(FileInvalid) as caught:
        take(path, store)
    assert caught.value.code == "wheel_invalid"


def test_what_is_no_zip_is_refused(tmp_path: Path, store: AssetStore) -> None:
    path = tmp_path / "mediapipe.whl"
    path.write_bytes(b"PK\3\4 not really")
    with pytest.raises(FileInvalid) as caught:
        take(path, store)
    assert caught.value.code == "wheel_invalid"


def test_installed_compares_contents(store: AssetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediapipe, "MEMBERS", WANTED)
    assert not installed(store)
    for member in WANTED:
        store.add(member.asset, member.file, CONTENT[member.path], "Apache-2.0", "here")
    assert installed(store)
    path = store.folder / "two.tflite"
    path.write_bytes(path.read_bytes()[::-1])
    assert not installed(store)


def test_nothing_is_fetched_when_all_is_there(
    store: AssetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mediapipe, "MEMBERS", WANTED)
    for member in WANTED:
        store.add(member.asset, member.file, CONTENT[member.path], "Apache-2.0", "here")

    def forbidden(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", forbidden)
    assert ensure_tracker_models(store=store) == store.folder


def test_offline_the_next_step_is_named(store: AssetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(command: list[str], **kwargs: Any) -> subprocess.CompletedProcess[str]:
        assert "--no-deps" in command and "mediapipe==0.10.21" in command
        return subprocess.CompletedProcess(command, 1, "", "no network")

    monkeypatch.setattr(subprocess, "run", offline)
    with pytest.raises(AssetMissing) as caught:
        ensure_tracker_models(store=store)
    assert caught.value.code == "tracker_models_missing"
    assert caught.value.exit_code == 4
    assert "rome assets import" in caught.value.hint
    assert not store.folder.exists()


def test_a_download_that_hangs_ends_in_the_same_error(
    store: AssetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(command: list[str], **kwargs: Any) -> None:
        raise subprocess.TimeoutExpired(command, 600)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(AssetMissing):
        ensure_tracker_models(store=store)


def test_another_wheel_from_the_index_is_refused(
    tmp_path: Path, store: AssetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(command: list[str], **kwargs: Any) -> subprocess.CompletedProcess[str]:
        wheel(Path(command[command.index("--dest") + 1]), CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", other)
    stages: list[tuple[str, float]] = []
    with pytest.raises(FileInvalid):
        ensure_tracker_models(lambda stage, fraction: stages.append((stage, fraction)), store)
    assert stages[0] == ("fetch tracker models", 0.0)
    assert not store.folder.exists()


def test_the_real_models_have_the_pinned_checksums(tracker_models: Path) -> None:
    for member in MEMBERS:
        data = (tracker_models / member.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == member.sha256
