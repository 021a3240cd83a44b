# SPDX-License-Identifier: Apache-2.0
"""Recordings to shards: bad ones are skipped and named, broken runs go on, commands are checked."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rome_backend.core.errors import PhotoRefused, UsageError
from training.__main__ import main
from training.batch import Sample
from training.data import prepare as preparing
from training.data.clips import ClipRules, ClipSamples
from training.data.engines import InProcess, Job
from training.data.instruments import Instruments
from training.data.prepare import PrepareJob, prepare, recordings_in
from training.data.recordings import Frame, video_recordings
from training.data.shards import MANIFEST, Packed, ShardSet

RULES = ClipRules(every=1, pairs=2)


@dataclass(frozen=True)
class Named:
    """A recording of nothing."""

    name: str
    facts: dict = field(default_factory=dict)
    continuous: bool = True

    def frames(self) -> Iterator[Frame]:
        return iter(())


class Killed(BaseException):
    """Nothing catches it, like a signal."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, make_sample: object) -> list[str]:
    """Names of the recordings that samples were taken from, in order; those with a b are bad."""
    names: list[str] = []

    def quick(recording: Named, instruments: object, rules: object, side: int, seed: int,
              first: int) -> ClipSamples:  # fmt: skip
        names.append(recording.name)
        if "dying" in recording.name:
            raise Killed
        if "b" in recording.name:
            raise PhotoRefused("clip_still", "It is still.", "Use another.")
        sample: Sample = make_sample(first)  # type: ignore[operator]
        return ClipSamples([replace(sample, number=first)], {"good": 3})

    monkeypatch.setattr(preparing, "clip_samples", quick)
    return names


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_bad_one_is_skipped_and_named(
    tmp_path: Path, instruments: Instruments, made: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    recordings = [Named("p/a", {"person": "p"}), Named("b"), Named("c")]
    told: list[tuple[str, float]] = []
    with caplog.at_level(logging.WARNING):
        prepare(recordings, tmp_path, instruments, RULES, 16, progress=lambda *e: told.append(e))
    assert "b is skipped: It is still." in caplog.text
    shards = ShardSet(tmp_path)
    entries = shards.manifest["shards"]
    assert [(e["video"], e["samples"], e.get("skipped")) for e in entries] == [
        ("p/a", 1, None), ("b", 0, "clip_still"), ("c", 1, None),
    ]  # fmt: skip
    assert entries[0]["person"] == "p" and entries[2]["good"] == 3
    assert [shards.sample(place).number for place in (0, 1)] == [0, 20_000]
    assert told == [("p/a", 1 / 3), ("b", 2 / 3), ("c", 1.0)]
    settings = shards.manifest["settings"]
    assert settings["videos"] == ["p/a", "b", "c"]
    assert (settings["parser"], settings["quality"]) == ("regions", "classical")


def test_a_run_that_broke_off_ends_with_the_same_bytes(
    tmp_path: Path, instruments: Instruments, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = [Named("a"), Named("b"), Named("c")]
    prepare(recordings, tmp_path / "whole", instruments, RULES, 16)
    quick = preparing.clip_samples

    def dying(recording: Named, *more: object) -> ClipSamples:
        if recording.name == "c":
            raise Killed
        return quick(recording, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "clip_samples", dying)
    with pytest.raises(Killed):
        prepare(recordings, tmp_path / "broken", instruments, RULES, 16)
    monkeypatch.setattr(preparing, "clip_samples", quick)
    made.clear()
    prepare(recordings, tmp_path / "broken", instruments, RULES, 16)
    assert made == ["c"] and contents(tmp_path / "broken") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "change", [{"parser": "bisenet"}, {"quality": "hyperiqa"}, {"topology_id": "x"}]
)
def test_shards_of_other_instruments_are_not_mixed(
    tmp_path: Path, instruments: Instruments, made: list[str], change: dict
) -> None:
    prepare([Named("a")], tmp_path, instruments, RULES, 16)

    class Others:
        def names(self) -> dict[str, str]:
            return {**instruments.names(), **change}

    with pytest.raises(UsageError) as caught:
        prepare([Named("a")], tmp_path, Others(), RULES, 16)  # type: ignore[arg-type]
    assert caught.value.code == "shards_differ"
    job = PrepareJob(0, Named("a"), RULES, 16, 0, Others().names(), instruments)
    with pytest.raises(UsageError) as caught:
        job()
    assert caught.value.code == "instruments_differ"


def test_jobs_for_others_carry_no_instruments(
    tmp_path: Path, instruments: Instruments, made: list[str]
) -> None:
    seen: list[PrepareJob] = []

    class Elsewhere:
        def run(self, jobs: Sequence[Job]) -> Iterator[Packed]:
            seen.extend(jobs)  # type: ignore[arg-type]
            return InProcess().run([replace(job, instruments=instruments) for job in seen])

    prepare([Named("a"), Named("c")], tmp_path, instruments, RULES, 16, engine=Elsewhere())
    assert [job.instruments for job in seen] == [None, None]
    assert [(job.place, job.recording.name) for job in seen] == [(0, "a"), (1, "c")]
    assert len(ShardSet(tmp_path)) == 2


WANTED = {
    "empty.mp4": "clip_unreadable",
    "no_face.mp4": "no_face",
    "odd_size_250x334_7fps.mp4": None,
    "one_frame.mp4": "clip_unsharp",
    "text.mp4": "clip_unreadable",
    "truncated.mp4": None,
}


def test_bad_videos_of_all_kinds_are_skipped(
    tmp_path: Path, instruments: Instruments, data_dir: Path
) -> None:
    """What is readable of a cut file is used; every other one has its reason in the manifest."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in WANTED:
        (videos / name).symlink_to(data_dir / "videos_negative" / name)
    rules = ClipRules(every=12, pairs=1, least_turn=0.1)
    prepare(recordings_in(videos), tmp_path / "out", instruments, rules, 32)
    entries = ShardSet(tmp_path / "out").manifest["shards"]
    found = {entry["video"]: entry.get("skipped") for entry in entries}
    assert set(found) == set(WANTED)
    for name, code in WANTED.items():
        assert found[name] == code or code is None, name
    assert ShardSet(tmp_path / "out").manifest["shards"][2]["samples"] <= 1


def test_a_folder_of_videos_is_found_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert recordings_in(tmp_path) == video_recordings(tmp_path)
    with pytest.raises(UsageError) as caught:
        recordings_in(tmp_path / "none")
    assert caught.value.code == "no_clips"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (["--every", "0"], "usage"),
        (["--side", "33"], "usage"),
        (["--workers", "0"], "usage"),
        (["--only", "x"], "no_clips"),
    ],
)
def test_nonsense_is_a_usage_error(
    tmp_path: Path, wrong: list[str], code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert main(["prepare", str(tmp_path), "-o", str(tmp_path / "new"), *wrong, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == code
    assert not (tmp_path / "new").exists()


def test_the_command_says_what_it_did(
    tmp_path: Path,
    instruments: Instruments,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from training.commands import data

    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(data, "load_instruments", lambda store: instruments)
    monkeypatch.setattr(data, "_engine", lambda options: None)
    out = tmp_path / "out"
    assert main(["prepare", str(tmp_path), "-o", str(out), "--side", "16", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["manifest"] == str(out / MANIFEST)
    assert (result["videos"], result["samples"]) == (2, 1)
    assert result["skipped"] == {"b.mp4": "clip_still"} and result["frames_per_second"] >= 0
