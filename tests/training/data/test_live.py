# SPDX-License-Identifier: Apache-2.0
"""People made on the fly: those of `synthesize`, whoever makes them; training on them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rome_backend.assets.store import cache_dir
from rome_backend.core.errors import OutOfResources
from rome_backend.open_head.build import open_head
from training.__main__ import main
from training.batch import Sample
from training.checkpoint import read_checkpoint
from training.data.live import LiveSequences, live_sequences
from training.data.synthetic.sequence import SequenceMaker

SIDE, SEED = 16, 5


def same(one: Sample, other: Sample) -> bool:
    return all(
        np.array_equal(getattr(one, each.name), getattr(other, each.name))
        for each in fields(Sample)
    )


@pytest.mark.timeout(400)
def test_the_same_people_whoever_makes_them() -> None:
    maker = SequenceMaker(open_head(cache_dir() / "heads"), SIDE, SEED)
    wanted = [maker.make(place).sample for place in range(3)]
    with live_sequences(SIDE, SEED, 3, workers=0) as here:
        assert len(here) == 3 and here.workers is None
        assert all(same(here.sample(place), wanted[place]) for place in (2, 0))
        with pytest.raises(IndexError):
            here.sample(3)
    with live_sequences(SIDE, SEED, 3, workers=1) as there, ThreadPoolExecutor(2) as readers:
        found = list(readers.map(there.sample, range(3)))
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))
    with pytest.raises((OutOfResources, RuntimeError)):  # nobody is there any more
        there.sample(0)


def test_what_samples_depend_on_is_told() -> None:
    one, other = LiveSequences(SIDE, 1, 4).settings(), LiveSequences(SIDE, 2, 4).settings()
    assert one["kind"] == "live" and one["seed"] == 1 and one != other
    assert one["topology_id"] == open_head(cache_dir() / "heads").topology_id


def test_training_on_people_made_on_the_fly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "--live", "2", "--people", "5", "--side", "32", "--config", "small"]
    call += ["--batch", "2", "--device", "cpu", "--json", "--quiet", "-o", str(tmp_path)]
    assert main([*call, "--steps", "2"]) == 0
    result = json.loads(capfd.readouterr().out)
    facts = read_checkpoint(Path(result["checkpoint"])).facts["run"]
    assert facts["samples"] == 2
    assert (facts["settings"]["kind"], facts["settings"]["seed"]) == ("live", 5)
    assert main([*call, "--steps", "3", "--people", "6"]) == 2  # other people, another run
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "other_run"


@pytest.mark.parametrize(
    "wrong",
    [[], ["--live", "0"], ["shards", "--live", "1"], ["--live", "1", "--side", "33"],
     ["--live", "1", "--workers", "-1"], ["--live", "1", "--people", "-1"]],
)  # fmt: skip
def test_nonsense_is_refused(
    tmp_path: Path, wrong: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    call = ["train", *wrong, "-o", str(tmp_path / "new"), "--steps", "1", "--json"]
    assert main(call) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"
    assert not (tmp_path / "new").exists()
