# SPDX-License-Identifier: Apache-2.0
"""Shards: round trip, the same bytes after a kill, refusals, damaged and hostile files."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid, UsageError
from training.batch import Sample
from training.data.shards import MANIFEST, ShardSet, StoredSample, write_shards

Make = Callable[[int], StoredSample]
SETTINGS = {"kind": "noise", "seed": 1}


@pytest.fixture
def make(make_sample: Callable[[int], Sample]) -> Make:
    def stored(number: int) -> StoredSample:
        sample = make_sample(number)
        offsets = np.full((4, 3), 0.001 * number, np.float32)
        layers = np.full((32, 8, 4), number, np.uint8)
        sample = replace(sample, offsets=offsets, layers=layers if number % 2 else None)
        return StoredSample(sample, {"labels": sample.hair // 51})

    return stored


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_samples_survive_a_shard(tmp_path: Path, make: Make) -> None:
    write_shards(tmp_path, make, 5, SETTINGS, per_shard=2)
    shards = ShardSet(tmp_path)
    assert len(shards) == 5 and shards.manifest["settings"] == {**SETTINGS, "per_shard": 2}
    for place in (4, 0, 3):
        stored, wanted = shards.stored(place), make(place)
        for name in Sample.__annotations__.keys() - {"offsets"}:
            assert np.array_equal(getattr(stored.sample, name), getattr(wanted.sample, name)), name
        assert np.array_equal(stored.extra["labels"], wanted.extra["labels"])
        assert stored.sample.offsets is not None and wanted.sample.offsets is not None
        assert np.abs(stored.sample.offsets - wanted.sample.offsets).max() < 1e-5


def test_the_layout_is_webdataset_s(tmp_path: Path, make: Make) -> None:
    write_shards(tmp_path, make, 2, SETTINGS)
    with tarfile.open(tmp_path / "shard-000000.tar") as tar:
        names = tar.getnames()
    keys = [name.split(".")[0] for name in names]
    assert keys == sorted(keys) and set(keys) == {"00000000", "00000001"}
    parts = {name.split(".", 1)[1] for name in names}
    assert {"source.png", "target.png", "hair.png", "labels.png", "json", "offsets.npy"} <= parts


class Killed(BaseException):
    """Nothing catches it, like a signal."""


def test_a_killed_run_continues_with_the_same_bytes(tmp_path: Path, make: Make) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    write_shards(whole, make, 7, SETTINGS, per_shard=2)

    def dying(number: int) -> StoredSample:
        if number == 5:
            raise Killed
        return make(number)

    with pytest.raises(Killed):
        write_shards(broken, dying, 7, SETTINGS, per_shard=2)
    assert sorted(contents(broken)) == [MANIFEST, "shard-000000.tar", "shard-000001.tar"]
    made: list[int] = []

    def counted(number: int) -> StoredSample:
        made.append(number)
        return make(number)

    write_shards(broken, counted, 7, SETTINGS, per_shard=2)
    assert made == [4, 5, 6]
    assert contents(broken) == contents(whole)


def test_a_finished_set_is_left_alone_and_a_longer_one_extends_it(
    tmp_path: Path, make: Make
) -> None:
    write_shards(tmp_path / "a", make, 3, SETTINGS, per_shard=2)
    made: list[int] = []

    def counted(number: int) -> StoredSample:
        made.append(number)
        return make(number)

    write_shards(tmp_path / "a", counted, 3, SETTINGS, per_shard=2)
    assert not made
    write_shards(tmp_path / "a", counted, 5, SETTINGS, per_shard=2)
    assert made == [2, 3, 4]
    write_shards(tmp_path / "b", make, 5, SETTINGS, per_shard=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_damaged_shard_is_made_again(tmp_path: Path, make: Make) -> None:
    write_shards(tmp_path, make, 4, SETTINGS, per_shard=2)
    before = contents(tmp_path)
    (tmp_path / "shard-000000.tar").write_bytes(b"x")
    write_shards(tmp_path, make, 4, SETTINGS, per_shard=2)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("other", [{"seed": 2}, {"kind": "clips"}])
def test_shards_of_other_settings_are_not_mixed(tmp_path: Path, make: Make, other: dict) -> None:
    write_shards(tmp_path, make, 1, SETTINGS)
    with pytest.raises(UsageError) as caught:
        write_shards(tmp_path, make, 1, {**SETTINGS, **other})
    assert caught.value.code == "shards_differ"


def _cut(folder: Path) -> None:
    path = folder / "shard-000000.tar"
    path.write_bytes(path.read_bytes()[:700])


def _other_manifest(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest.update(values)
    (folder / MANIFEST).write_text(json.dumps(manifest))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "no json": lambda folder: (folder / MANIFEST).write_bytes(b"{"),
    "another format": lambda folder: _other_manifest(folder, format="x"),
    "another version": lambda folder: _other_manifest(folder, version=99),
    "no shards": lambda folder: _other_manifest(folder, shards=[{}]),
    "a path": lambda folder: _other_manifest(
        folder, shards=[{"file": "../x.tar", "samples": 1, "sha256": ""}]
    ),
    "cut shard": _cut,
    "gone shard": lambda folder: (folder / "shard-000000.tar").unlink(),
    "too many": lambda folder: _other_manifest(
        folder, shards=[{"file": "shard-000000.tar", "samples": 9, "sha256": ""}]
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_sets_are_refused(tmp_path: Path, make: Make, name: str) -> None:
    write_shards(tmp_path, make, 2, SETTINGS)
    DAMAGE[name](tmp_path)
    with pytest.raises(FileInvalid) as caught:
        shards = ShardSet(tmp_path)
        shards.sample(len(shards) - 1)
    assert caught.value.code == "shards_invalid"
