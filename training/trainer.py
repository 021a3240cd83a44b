# SPDX-License-Identifier: Apache-2.0
"""The loop: batches in an order of their own, steps, average, checkpoints, exact resumption.

Does not know where samples come from or what the losses are.

A run depends on its configuration, its samples and nothing else: the order of samples follows from
seed and step, everything drawn from seed, step and sample. So one that was killed and started
again ends with the weights of one that was not, and processes that share a batch with those of
one that has all of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from rome_backend.core.errors import FileInvalid, RomeError, UsageError
from rome_backend.core.types import HeadModel
from training.batch import Batch, Sample, collate
from training.checkpoint import (
    checkpoints,
    load_networks,
    network_tensors,
    read_checkpoint,
    restore,
    save_checkpoint,
)
from training.config import TrainConfig
from training.journal import Journal
from training.losses.networks import LossNetworks
from training.make_trainee import make_trainee
from training.objective import Objective
from training.processes import Processes
from training.step import Optimizers, StepReport, make_optimizers, take_step
from training.trainee import Trainee

_LOG = logging.getLogger(__name__)


class Samples(Protocol):
    """Samples by their place; shards.ShardSet is one."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def sample(self, place: int) -> Sample:
        """Return one."""
        ...


@dataclass(frozen=True)
class RunOptions:
    """Where a run is kept, how long it is, how often it is recorded."""

    folder: Path
    steps: int
    """After so many steps in all it is done."""
    checkpoint_every: int = 500
    picture_every: int = 500
    kept: int = 3
    """Checkpoints that stay; older ones are deleted."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Written into checkpoints: data and versions."""
    readers: int = 1
    """Threads that fetch samples ahead, which change nothing but speed."""

    def __post_init__(self) -> None:
        """Raise ValueError on numbers that make no run."""
        numbers = (self.steps, self.checkpoint_every, self.picture_every, self.kept, self.readers)
        if min(numbers) < 1:
            raise ValueError(f"every number is at least 1: {self}")


@dataclass(frozen=True)
class RunResult:
    """steps taken in all; losses of the last step; off: losses that are off, with the reason;
    skipped: steps that were, by this run; images_per_second, and the share of its time that this
    run waited for samples; checkpoint: the last file."""

    steps: int
    losses: Mapping[str, float]
    off: Mapping[str, str]
    skipped: int
    images_per_second: float
    waiting: float
    checkpoint: Path


def train(
    config: TrainConfig,
    head: HeadModel,
    samples: Samples,
    options: RunOptions,
    networks: LossNetworks,
    processes: Processes,
    progress: Callable[[int, int, Mapping[str, float]], None] = lambda done, steps, losses: None,
) -> RunResult:
    """Train, from the folder's last checkpoint on where there is one.

    Raises UsageError (`no_samples`, `other_run`), FileInvalid (`checkpoint_invalid`) and
    RomeError (`training_diverged`) when too many steps in a row have no finite gradients.
    """
    if not len(samples):
        raise UsageError("no_samples", "There are no samples to train on.", "Make some first.")
    options.folder.mkdir(parents=True, exist_ok=True)
    run = _Run(config, head, samples, options, networks, processes)
    return run.go(progress)


class _Run:
    """The state of a run between its steps."""

    def __init__(
        self,
        config: TrainConfig,
        head: HeadModel,
        samples: Samples,
        options: RunOptions,
        networks: LossNetworks,
        processes: Processes,
    ) -> None:
        self._config, self._options, self._processes = config, options, processes
        self._samples = samples
        device = processes.device
        self._trainee = make_trainee(config.sizes, head, config.seed, device, config.precision)
        self._optimizers: Optimizers = make_optimizers(self._trainee, config)
        self._objective = Objective(config, head, networks)
        self._average: dict[str, torch.Tensor] = {}
        self._step = self._resumed()
        if config.ema and not self._average:
            self._average = {n: v.clone() for n, v in _generator_tensors(self._trainee).items()}
        self._in_a_row = self._skipped = 0

    def _resumed(self) -> int:
        found = checkpoints(self._options.folder)
        if not found:
            return 0
        checkpoint = read_checkpoint(found[-1])
        if checkpoint.config != self._config:
            raise UsageError(
                "other_run",
                f"The folder {str(self._options.folder)!r} holds another run.",
                "Choose an empty folder, or the configuration of that run.",
            )
        if checkpoint.facts.get("run") != dict(self._options.facts):
            raise UsageError(
                "other_run",
                f"The run in {str(self._options.folder)!r} was trained on other samples.",
                "Choose an empty folder, or the samples of that run.",
            )
        average = restore(checkpoint, found[-1], self._trainee, self._optimizers)
        self._average = {n: v.to(self._processes.device) for n, v in average.items()}
        return checkpoint.step

    def go(self, progress: Callable[[int, int, Mapping[str, float]], None]) -> RunResult:
        options, first = self._options, self._processes.first
        journal = Journal(options.folder, self._step) if first else None
        losses: Mapping[str, float] = {}
        start, waited, begun = time.monotonic(), 0.0, self._step
        for parts, waiting in self._batches():
            waited += waiting
            report = take_step(self._trainee, self._objective, self._optimizers, parts, self._step)
            self._guard(report)
            self._blend()
            losses = self._processes.averaged(report.losses)
            if journal is not None:
                journal.losses(self._step, losses)
                if self._step % options.picture_every == 0:
                    journal.pictures(self._step, report.found, report.wanted)
            self._step += 1
            last = self._step == options.steps
            if first and (last or self._step % options.checkpoint_every == 0):
                self._save()
            progress(self._step, options.steps, losses)
        if journal is not None:
            journal.close()
        seconds = max(time.monotonic() - start, 1e-9)
        return RunResult(
            steps=self._step,
            losses=losses,
            off=self._objective.off,
            skipped=self._skipped,
            images_per_second=(self._step - begun) * self._config.batch / seconds,
            waiting=waited / seconds,
            checkpoint=(checkpoints(options.folder) or [options.folder])[-1],
        )

    def _batches(self) -> Iterator[tuple[list[Batch], float]]:
        """Yield this process's parts of every step's batch, read ahead, and seconds waited."""
        with ThreadPoolExecutor(self._options.readers) as readers, ThreadPoolExecutor(1) as ahead:
            coming: Future[list[list[Sample]]] | None = None
            for step in range(self._step, self._options.steps):
                begin = time.monotonic()
                found = (coming or ahead.submit(self._read, step, readers)).result()
                if step + 1 < self._options.steps:
                    coming = ahead.submit(self._read, step + 1, readers)
                parts = [collate(part, self._processes.device) for part in found]
                yield parts, time.monotonic() - begin

    def _read(self, step: int, readers: ThreadPoolExecutor) -> list[list[Sample]]:
        places = batch_places(self._config, step, len(self._samples))
        micro, processes = self._config.micro_batch, self._processes
        share = self._config.parts(processes.count) * micro
        mine = places[processes.place * share : (processes.place + 1) * share]
        samples = list(readers.map(self._samples.sample, mine))
        return [samples[start : start + micro] for start in range(0, share, micro)]

    def _guard(self, report: StepReport) -> None:
        """Count skipped steps; stop when there are too many in a row."""
        self._skipped += bool(report.skipped)
        self._in_a_row = self._in_a_row + 1 if report.skipped else 0
        if report.skipped:
            _LOG.warning("step %d: no finite gradients for %s", self._step, report.skipped)
        if self._in_a_row > self._config.most_skipped:
            raise RomeError(
                "training_diverged",
                f"{self._in_a_row} steps in a row had no finite gradients.",
                "Go back to an earlier checkpoint with a lower rate.",
            )

    def _blend(self) -> None:
        """Take the step's weights into the average."""
        if not self._config.ema:
            return
        with torch.no_grad():
            for name, value in _generator_tensors(self._trainee).items():
                self._average[name].lerp_(value, 1 - self._config.ema)

    def _save(self) -> None:
        facts = {"run": dict(self._options.facts), "off": dict(self._objective.off)}
        save_checkpoint(
            self._options.folder, self._step, self._config, self._trainee,
            self._optimizers, self._average, facts,
        )  # fmt: skip
        for old in checkpoints(self._options.folder)[: -self._options.kept]:
            old.unlink(missing_ok=True)


def batch_places(config: TrainConfig, step: int, count: int) -> Sequence[int]:
    """Return which of ``count`` samples a step takes; each pass has an order of its own."""
    first = step * config.batch
    numbers = range(first, first + config.batch)
    orders: dict[int, Any] = {}
    for number in numbers:
        turn = number // count
        if turn not in orders:
            orders[turn] = np.random.default_rng([config.seed, turn]).permutation(count)
    return [int(orders[number // count][number % count]) for number in numbers]


def _generator_tensors(trainee: Trainee) -> dict[str, torch.Tensor]:
    found = network_tensors(trainee).items()
    return {name: value for name, value in found if not name.startswith("discriminator.")}


def trained(path: Path, head: HeadModel, device: torch.device | str = "cpu") -> Trainee:
    """Return the networks of a checkpoint, averaged where it has an average.

    Raises FileInvalid (`checkpoint_invalid`).
    """
    checkpoint = read_checkpoint(path)
    trainee = make_trainee(checkpoint.config.sizes, head, device=device)
    averaged = any(name.startswith("average.") for name in checkpoint.tensors)
    try:
        load_networks(trainee, checkpoint.tensors, "average" if averaged else "network")
    except ValueError as error:
        raise FileInvalid(
            "checkpoint_invalid", f"{path.name}: {error}.", "Choose another checkpoint."
        ) from error
    return trainee
