# SPDX-License-Identifier: Apache-2.0
"""Videos in folders: VoxCeleb2's people and texts, what is chosen by name, damaged texts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rome_backend.core.errors import PhotoRefused, UsageError
from training.data.recordings import (
    Utterance,
    VideoFile,
    named,
    read_utterance,
    video_files,
    video_recordings,
)

TEXT = """Identity  : \tid00017
Reference : \t01dfn2spqyE
Offset    : \t-1
FV Conf   : \t26.263\t(1)
ASD Conf  : \t3.948

FRAME \tX \tY \tW \tH
000319 \t0.398 \t0.125 \t0.166 \t0.294
000320 \t0.397 \t0.125 \t0.166 \t0.294
000434 \t0.395 \t-0.012 \t0.168 \t0.299
"""


def tree(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_videos_are_found_in_folders_of_people(tmp_path: Path) -> None:
    tree(tmp_path, "id2/a/00001.mp4", "id1/b/00002.MP4", "id1/b/note.txt")
    names = [path.relative_to(tmp_path).as_posix() for path in video_files(tmp_path)]
    assert names == ["id1/b/00002.MP4", "id2/a/00001.mp4"]
    with pytest.raises(UsageError) as caught:
        video_files(tmp_path / "id1" / "nothing")
    assert caught.value.code == "no_clips"


@pytest.mark.parametrize("place", ["mp4", "dev/mp4", "."])
def test_voxceleb2_s_folders_say_who_is_seen(tmp_path: Path, place: str) -> None:
    part = f"{place}/id00017/01dfn2spqyE/00001"
    tree(tmp_path, f"{part}.mp4", f"{place}/id00018/x/00002.mp4")
    text = tmp_path / f"{part.replace('mp4', 'txt')}.txt"
    text.parent.mkdir(parents=True, exist_ok=True)
    text.write_text(TEXT)
    first, second = video_recordings(tmp_path)
    assert first.facts == {
        "person": "id00017", "of_video": "01dfn2spqyE", "of_frames": [319, 434],
    }  # fmt: skip
    assert second.facts == {"person": "id00018", "of_video": "x"}
    assert first.continuous and first.name.endswith("id00017/01dfn2spqyE/00001.mp4")


def test_other_folders_say_nothing(tmp_path: Path) -> None:
    tree(tmp_path, "a.mp4", "people/holiday/b.mp4")
    assert [recording.facts for recording in video_recordings(tmp_path)] == [{}, {}]


def test_a_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    assert read_utterance(path) == Utterance("id00017", "01dfn2spqyE", 319, 434)


DAMAGED = {
    "of another person": TEXT.replace("id00017", "id00099"),
    "no frames": TEXT[: TEXT.index("000319")],
    "nobody": TEXT.replace("Identity", "x"),
    "backwards": TEXT.replace("000434", "000001"),
    "no text": "\x00\x01",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_text_is_left_out_and_told(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    tree(tmp_path, "id00017/v/1.mp4")
    (tmp_path / "id00017/v/1.txt").write_text(DAMAGED[name])
    with caplog.at_level(logging.WARNING):
        (recording,) = video_recordings(tmp_path)
    assert recording.facts == {"person": "id00017", "of_video": "v"}
    assert "1.txt" in caplog.text


def test_a_text_of_other_bytes_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "id00017/v/1.mp4")
    (tmp_path / "id00017/v/1.txt").write_bytes(b"\xff\xfe\x00")
    assert "of_frames" not in video_recordings(tmp_path)[0].facts


def test_names_choose_by_any_part(tmp_path: Path) -> None:
    tree(tmp_path, "id00017/v/1.mp4", "id00018/w/1.mp4", "id00018/x/2.mp4")
    recordings = video_recordings(tmp_path)

    def chosen(names: str | None) -> list[str]:
        return [recording.name for recording in named(recordings, names)]

    assert len(chosen(None)) == 3
    assert chosen("id00018") == ["id00018/w/1.mp4", "id00018/x/2.mp4"]
    assert chosen("v,2") == ["id00017/v/1.mp4", "id00018/x/2.mp4"]
    with pytest.raises(UsageError) as caught:
        named(recordings, "00018")
    assert caught.value.code == "no_clips"


def test_frames_are_numbered_and_a_bad_file_is_refused(tmp_path: Path, short_clip: Path) -> None:
    frames = list(VideoFile(short_clip, "short").frames())
    assert [frame.number for frame in frames] == list(range(5))
    assert all(frame.rgb.shape == (480, 480, 3) and frame.alpha is None for frame in frames)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all")
    with pytest.raises(PhotoRefused) as caught:
        next(VideoFile(bad, "bad").frames())
    assert caught.value.code == "clip_unreadable"
