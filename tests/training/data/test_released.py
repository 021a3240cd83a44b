# SPDX-License-Identifier: Apache-2.0
"""ROME's released databases: frames and masks as they were stored; damage and hostile pickles."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import FileInvalid, PhotoRefused, UsageError
from training.data import released
from training.data.clips import ClipRules
from training.data.instruments import Instruments
from training.data.prepare import prepare, recordings_in
from training.data.recordings import VideoFile
from training.data.released import is_released, released_recordings
from training.data.shards import ShardSet

lmdb = pytest.importorskip("lmdb", reason="the extra 'train' is not installed")
Entry = dict[str, Any]


def encoded(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def entry(rgb: np.ndarray, mask: np.ndarray) -> Entry:
    """A frame as the released code expects it (rome-spec section 4)."""
    return {
        "image": encoded(rgb),
        "mask": encoded(mask),
        "size": len(rgb),
        "face_scale": 0.7,
        "keypoints_2d": np.zeros((68, 2), np.float32),
        "3dmm": {"param": np.zeros(62, np.float32), "bbox": [0.0, 0.0, 1.0, 1.0]},
        "transform_ffhq": {"theta": np.eye(2, 3)},
    }


def store(folder: Path, chunk: int, frames: dict[str, bytes]) -> None:
    path = folder / "chunks" / f"{chunk}_lmdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        lmdb.open(str(path), map_size=64 << 20) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, value in frames.items():
            transaction.put(key.encode(), value)


def list_clips(folder: Path, clips: Any, phase: str = "train") -> None:
    path = folder / "lists" / f"{phase}_keys.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(clips if isinstance(clips, bytes) else pickle.dumps(clips))


@pytest.fixture
def noise() -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    def make(seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        rgb = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        return rgb, random.integers(0, 256, (32, 32), dtype=np.uint8)

    return make


def test_frames_come_as_they_were_stored(tmp_path: Path, noise: Callable) -> None:
    pictures = [noise(seed) for seed in range(3)]
    store(tmp_path, 0, {"a": pickle.dumps(entry(*pictures[0]))})
    store(tmp_path, 127, {f"b{n}": pickle.dumps(entry(*pictures[n]), 2) for n in (1, 2)})
    list_clips(tmp_path, [(127, ["b2", "b1"]), (0, ["a"])])
    assert is_released(tmp_path) and not is_released(tmp_path / "chunks")
    second, first = released_recordings(tmp_path)
    assert (second.name, first.name) == ("127/b2", "000/a")
    assert not first.continuous and first.facts == {}
    found = list(second.frames())
    assert [frame.number for frame in found] == [0, 1]
    for frame, (rgb, mask) in zip(found, (pictures[2], pictures[1]), strict=True):
        assert np.array_equal(frame.rgb, rgb) and np.array_equal(frame.alpha, mask)
    assert len(list(first.frames())) == 1


def test_lists_of_both_phases_are_read(tmp_path: Path) -> None:
    (tmp_path / "chunks").mkdir()
    list_clips(tmp_path, [(0, ["a", "b"])])
    list_clips(tmp_path, [(1, ("c", "d")), (2, ("e", "f"))], "test")
    assert [each.name for each in recordings_in(tmp_path, "test")] == ["001/c", "002/e"]
    assert [each.name for each in recordings_in(tmp_path)] == ["000/a"]


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


LISTS = {
    "another thing": [1, 2],
    "no keys": [(0, [])],
    "a number as a key": [(0, [7])],
    "a place of its own": [(-1, ["a"])],
    "no pickle": b"nothing",
    "hostile": [(0, ["a"]), Hostile()],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_damaged_list_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    list_clips(tmp_path, LISTS[name])
    with pytest.raises(FileInvalid) as caught:
        released_recordings(tmp_path)
    wanted = {"no pickle": "pickle_damaged", "hostile": "pickle_forbidden"}
    assert caught.value.code == wanted.get(name, "keys_invalid")
    assert "run" not in capsys.readouterr().out


def test_an_absent_or_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid):
        released_recordings(tmp_path)
    list_clips(tmp_path, [])
    with pytest.raises(UsageError) as caught:
        released_recordings(tmp_path)
    assert caught.value.code == "no_clips"


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        released_recordings(tmp_path)
    assert caught.value.code == "no_lmdb" and "train" in caught.value.hint


FRAMES: dict[str, Callable[[Entry], Any]] = {
    "no dictionary": lambda stored: [1],
    "no image": lambda stored: {k: v for k, v in stored.items() if k != "image"},
    "a broken image": lambda stored: {**stored, "image": b"\x89PNG"},
    "a number as the mask": lambda stored: {**stored, "mask": 3},
    "a mask of another size": lambda stored: {
        **stored, "mask": encoded(np.zeros((8, 8), np.uint8)),
    },
    "too large": lambda stored: {**stored, "image": encoded(np.zeros((1, 5000, 3), np.uint8))},
    "hostile": lambda stored: {**stored, "size": Hostile()},
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_damaged_frames_are_refused(
    tmp_path: Path, noise: Callable, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, 0, {"a": pickle.dumps(FRAMES[name](entry(*noise(0))))})
    list_clips(tmp_path, [(0, ["a"])])
    with pytest.raises(PhotoRefused) as caught:
        list(released_recordings(tmp_path)[0].frames())
    assert caught.value.code == "clip_unreadable"
    assert "run" not in capsys.readouterr().out


def test_a_missing_frame_or_chunk_is_refused(tmp_path: Path, noise: Callable) -> None:
    store(tmp_path, 0, {"a": pickle.dumps(entry(*noise(0)))})
    list_clips(tmp_path, [(0, ["a", "gone"]), (5, ["a"])])
    for recording in released_recordings(tmp_path):
        with pytest.raises(PhotoRefused) as caught:
            list(recording.frames())
        assert caught.value.code == "clip_unreadable"
    assert not (tmp_path / "chunks" / "5_lmdb").exists()


def test_a_stored_clip_becomes_samples_like_a_video(
    tmp_path: Path, instruments: Instruments, short_clip: Path
) -> None:
    """The masks are the database's: here a disc that no matte would give."""
    frames = {}
    for frame in VideoFile(short_clip, "x").frames():
        rows, columns = np.indices(frame.rgb.shape[:2])
        disc = np.hypot(rows - 240, columns - 240) < 236
        frames[f"f{frame.number}"] = pickle.dumps(entry(frame.rgb, disc.astype(np.uint8) * 255))
    folder = tmp_path / "data"
    store(folder, 3, frames)
    list_clips(folder, [(3, list(frames))])
    prepare(recordings_in(folder), tmp_path / "out", instruments, ClipRules(pairs=1), 64)
    shards = ShardSet(tmp_path / "out")
    (sample,) = [shards.sample(place) for place in range(len(shards))]
    assert shards.manifest["shards"][0]["video"] == "003/f0"
    matte = sample.target_matte > 127
    assert matte.mean() > 0.4 and (sample.hair > 0).mean() < matte.mean()
    assert ((sample.whole > 0) == matte).mean() > 0.98
