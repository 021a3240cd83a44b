# SPDX-License-Identifier: Apache-2.0
"""Throughput: what is counted and what is not, and the table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch

from rome_backend.core.types import HeadModel
from training.__main__ import main
from training.batch import Sample
from training.config import TrainConfig
from training.data import prepare as preparing
from training.data.clips import ClipRules, ClipSamples
from training.data.recordings import Frame
from training.throughput import (
    Throughput,
    prepare_throughput,
    sample_throughput,
    table,
    train_throughput,
)


class Slow:
    """Samples of noise that take their time."""

    def __init__(self, make: Callable[[int], Sample], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 4

    def sample(self, place: int) -> Sample:
        self.asked.append(place)
        time.sleep(self._seconds)
        return self._make(place)


def test_training_that_waits_says_so(
    tiny_config: TrainConfig, small_head: HeadModel, make_sample: Callable[[int], Sample]
) -> None:
    """Samples of 0.4 s bound the speed to 2.5 a second; ready ones do not."""
    cpu, config = torch.device("cpu"), replace(tiny_config, batch=2, micro_batch=2)
    slow, quick = (
        train_throughput(config, small_head, Slow(make_sample, seconds), 2, cpu)
        for seconds in (0.4, 0.0)
    )
    assert slow.images_per_second < 2.6 < quick.images_per_second
    assert slow.waiting is not None and quick.waiting is not None
    assert slow.waiting > quick.waiting and slow.waiting > 0.3
    assert (slow.what, slow.side, slow.batch) == ("train tiny", 16, 2)


def test_making_samples_counts_two_pictures_each(make_sample: Callable[[int], Sample]) -> None:
    samples = Slow(make_sample, 0.05)
    row = sample_throughput("make", samples, 6, 16)
    assert samples.asked == [0, 1, 2, 3, 0, 1, 2]
    assert 10 < row.images_per_second <= 2 / 0.05


@dataclass(frozen=True)
class Named:
    name: str
    facts: dict = field(default_factory=dict)
    continuous: bool = True

    def frames(self) -> Iterator[Frame]:
        return iter(())


def test_prepare_counts_the_frames_that_were_looked_at(
    make_sample: Callable[[int], Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(recording: Named, *more: object) -> ClipSamples:
        time.sleep(0.1)
        return ClipSamples([make_sample(0)], {"looked_at": 20})

    class Nothing:
        def names(self) -> dict[str, str]:
            return {}

    monkeypatch.setattr(preparing, "clip_samples", quick)
    row = prepare_throughput([Named("a"), Named("b")], Nothing(), ClipRules(), 16)  # type: ignore
    assert 20 < row.images_per_second <= 200 and row.what == "prepare"


def test_the_table_is_markdown() -> None:
    rows = [
        Throughput("prepare", 256, None, "cpu", 3.14159),
        Throughput("train open", 256, 4, "cuda", 123.456, 0.0123),
    ]
    assert table(rows)[2:] == [
        "| prepare | 256 |  | cpu | 3.14 |  |",
        "| train open | 256 | 4 | cuda | 123 | 1.2 % |",
    ]


def test_the_command_measures_and_refuses(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.commands import throughput as command

    def quick(config: TrainConfig, *more: object) -> Throughput:
        return Throughput(f"train {config.name}", config.sizes.side, config.batch, "cpu", 1.0, 0.5)

    monkeypatch.setattr(command, "train_throughput", quick)
    call = ["throughput", "--side", "16", "--people", "1", "--device", "cpu", "--quiet", "--json"]
    assert main([*call, "--config", "small,open", "--batch", "2"]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    assert [row["what"] for row in rows] == [
        "synthesize", "read shards", "train small", "train open",
    ]  # fmt: skip
    assert rows[1]["images_per_second"] > rows[0]["images_per_second"] > 0
    assert rows[3]["batch"] == 2 and rows[3]["side"] == 16
    for wrong in (["--steps", "0"], ["--side", "15"], ["--config", "x"], ["--side", "18"]):
        assert main([*call, *wrong]) == 2
        assert json.loads(capfd.readouterr().out)["error"]["code"] in ("usage", "unknown_config")
