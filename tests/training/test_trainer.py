# SPDX-License-Identifier: Apache-2.0
"""Runs: exact resumption after a kill, several processes as one, the average, what is recorded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.errors import FileInvalid, RomeError, UsageError
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.core.types import HeadModel
from training.batch import Sample
from training.checkpoint import checkpoint_path, checkpoints, network_tensors, read_checkpoint
from training.config import TrainConfig
from training.journal import LOSSES, read_losses
from training.losses.networks import LossNetworks
from training.make_trainee import make_trainee
from training.processes import Processes
from training.trainer import RunOptions, RunResult, batch_places, train, trained

ALONE = Processes(1, 0, torch.device("cpu"))
PROGRAM = Path(__file__).with_name("run_process.py")


class Few:
    """Samples of noise; those of ``broken`` are not finite in their pose."""

    def __init__(self, make: Callable[[int], Sample], count: int, broken: bool = False) -> None:
        self._make, self._count, self._broken = make, count, broken

    def __len__(self) -> int:
        return self._count

    def sample(self, place: int) -> Sample:
        sample = self._make(place)
        bad = np.full(3, np.nan, np.float32)
        return replace(sample, camera=bad) if self._broken else sample


@pytest.fixture
def go(
    tiny_config: TrainConfig, small_head: HeadModel, make_sample: Callable[[int], Sample]
) -> Callable[..., RunResult]:
    def run(
        folder: Path, steps: int, every: int = 100, count: int = 5, **changes: object
    ) -> RunResult:
        config = replace(tiny_config, **changes)  # type: ignore[arg-type]
        options = RunOptions(folder, steps, checkpoint_every=every)
        samples = Few(make_sample, count)
        return train(config, small_head, samples, options, LossNetworks(), ALONE)

    return run


def same(first: Path, second: Path) -> None:
    """Two checkpoints hold the same, bit for bit."""
    one, two = read_tensors(first), read_tensors(second)
    assert one[0].keys() == two[0].keys() and one[1] == two[1]
    for name, value in one[0].items():
        assert np.array_equal(value, two[0][name]), name


def process(*arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[2]), **environment},
    )


def test_a_killed_run_ends_like_one_that_was_not(
    tmp_path: Path, go: Callable[..., RunResult]
) -> None:
    """kill -9 after the third step; the last checkpoint is of the second."""
    go(tmp_path / "whole", 5, every=2, ema=0.5)
    assert process(tmp_path / "broken", 5, 2, 2, 3).wait(150) == -signal.SIGKILL
    assert checkpoints(tmp_path / "broken") == [checkpoint_path(tmp_path / "broken", 2)]
    assert process(tmp_path / "broken", 5, 2, 2).wait(150) == 0
    same(checkpoint_path(tmp_path / "whole", 5), checkpoint_path(tmp_path / "broken", 5))
    curves = [read_losses(tmp_path / name) for name in ("whole", "broken")]
    assert curves[0] == curves[1] and [row["step"] for row in curves[0]] == list(range(5))


def test_two_processes_train_like_one_that_accumulates(
    tmp_path: Path, go: Callable[..., RunResult]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    two = [process(tmp_path / "two", 3, 100, 2, RANK=str(rank), **shared) for rank in (0, 1)]
    assert [each.wait(150) for each in two] == [0, 0]
    go(tmp_path / "one", 3, ema=0.5)
    found, wanted = (read_checkpoint(checkpoint_path(tmp_path / n, 3)) for n in ("two", "one"))
    assert found.tensors.keys() == wanted.tensors.keys()
    for name, value in wanted.tensors.items():
        assert torch.allclose(found.tensors[name], value, rtol=0, atol=1e-5), name
    for one, other in zip(
        read_losses(tmp_path / "two"), read_losses(tmp_path / "one"), strict=True
    ):
        assert one == pytest.approx(other, rel=1e-5)


def test_every_pass_sees_every_sample_once(tiny_config: TrainConfig) -> None:
    config = replace(tiny_config, batch=4, micro_batch=2)
    places = [place for step in range(10) for place in batch_places(config, step, 10)]
    for turn in range(4):
        assert sorted(places[10 * turn : 10 * (turn + 1)]) == list(range(10))
    assert places[:10] != places[10:20]
    assert Counter(batch_places(config, 0, 2)) == {0: 2, 1: 2}


def test_the_average_follows_the_weights(
    tmp_path: Path, go: Callable[..., RunResult], tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    go(tmp_path, 2, every=1, ema=0.75)
    start = network_tensors(make_trainee(tiny_config.sizes, small_head, tiny_config.seed))
    steps = [read_checkpoint(checkpoint_path(tmp_path, n)).tensors for n in (1, 2)]
    name = "picture.outputs.weight"
    wanted = 0.75 * (0.75 * start[name] + 0.25 * steps[0][f"network.{name}"])
    wanted = wanted + 0.25 * steps[1][f"network.{name}"]
    assert torch.allclose(steps[1][f"average.{name}"], wanted, atol=1e-6)
    assert not any(n.startswith("average.discriminator") for n in steps[1])
    kept = network_tensors(trained(checkpoint_path(tmp_path, 2), small_head))
    assert torch.equal(kept[name], steps[1][f"average.{name}"])


def test_a_checkpoint_says_what_it_is(tmp_path: Path, go: Callable[..., RunResult]) -> None:
    result = go(tmp_path, 3, every=1)
    assert result.steps == 3 and result.images_per_second > 0 and 0 <= result.waiting <= 1
    assert len(checkpoints(tmp_path)) == 3 and not result.skipped
    checkpoint = read_checkpoint(result.checkpoint)
    assert checkpoint.step == 3 and checkpoint.config.name == "tiny"
    assert checkpoint.facts == {"run": {}, "off": {}}
    losses = read_losses(tmp_path)
    assert losses[-1]["total"] == result.losses["total"]
    assert {"dice", "occupancy_hair", "discriminator", "step"} <= losses[0].keys()
    kinds = {name.rsplit(".", 1)[1] for name in checkpoint.tensors if name.startswith("generator.")}
    assert kinds == {"step", "exp_avg", "exp_avg_sq"}


def test_a_finished_run_is_left_as_it_is(tmp_path: Path, go: Callable[..., RunResult]) -> None:
    go(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert go(tmp_path, 2).steps == 2
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before


def test_old_checkpoints_go(tmp_path: Path, go: Callable[..., RunResult]) -> None:
    go(tmp_path, 5, every=1)
    assert [path.name for path in checkpoints(tmp_path)] == [
        f"step-{number:08d}.safetensors" for number in (3, 4, 5)
    ]


def test_another_run_s_folder_is_refused(tmp_path: Path, go: Callable[..., RunResult]) -> None:
    go(tmp_path, 1)
    with pytest.raises(UsageError) as caught:
        go(tmp_path, 2, seed=7)
    assert caught.value.code == "other_run"


def test_a_run_that_diverges_stops(
    tmp_path: Path,
    tiny_config: TrainConfig,
    small_head: HeadModel,
    make_sample: Callable[[int], Sample],
) -> None:
    config = replace(tiny_config, most_skipped=2)
    options, samples = RunOptions(tmp_path, 9), Few(make_sample, 4, broken=True)
    with pytest.raises(RomeError) as caught:
        train(config, small_head, samples, options, LossNetworks(), ALONE)
    assert caught.value.code == "training_diverged"
    assert not checkpoints(tmp_path)


def test_no_samples_are_refused(tmp_path: Path, go: Callable[..., RunResult]) -> None:
    with pytest.raises(UsageError) as caught:
        go(tmp_path, 1, count=0)
    assert caught.value.code == "no_samples"


DAMAGE: dict[str, Callable[[dict, dict], None]] = {
    "another kind": lambda tensors, metadata: metadata.update(kind="x"),
    "another version": lambda tensors, metadata: metadata.update(version=9),
    "no configuration": lambda tensors, metadata: metadata.pop("config"),
    "a weight gone": lambda tensors, metadata: tensors.pop("network.picture.outputs.weight"),
    "a weight misshapen": lambda tensors, metadata: tensors.update(
        {"network.picture.outputs.weight": np.zeros(3, np.float32)}
    ),
    "a moment misshapen": lambda tensors, metadata: tensors.update(
        {"generator.0.exp_avg": np.zeros(3, np.float32)}
    ),
    "a parameter too many": lambda tensors, metadata: tensors.update(
        {"generator.9999.exp_avg": np.zeros(3, np.float32)}
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_checkpoints_are_refused(
    tmp_path: Path, go: Callable[..., RunResult], name: str
) -> None:
    path = go(tmp_path, 1).checkpoint
    tensors, metadata = read_tensors(path)
    DAMAGE[name](tensors, metadata)
    write_tensors(path, tensors, metadata)
    with pytest.raises(FileInvalid) as caught:
        go(tmp_path, 2)
    assert caught.value.code == "checkpoint_invalid"


def test_a_loss_line_cut_short_is_left_out(tmp_path: Path) -> None:
    (tmp_path / LOSSES).write_text(json.dumps({"step": 0}) + '\n{"step": 1, "tot')
    assert read_losses(tmp_path) == [{"step": 0}]


def test_tensorboard_gets_scalars_and_pictures(
    tmp_path: Path, go: Callable[..., RunResult]
) -> None:
    pytest.importorskip("tensorboard", reason="the extra 'train' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    go(tmp_path, 2)
    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    tags = events.Tags()
    assert "losses/total" in tags["scalars"] and tags["images"] == ["found over wanted"]
    wanted = [row["total"] for row in read_losses(tmp_path)]
    assert [event.value for event in events.Scalars("losses/total")] == pytest.approx(wanted)
