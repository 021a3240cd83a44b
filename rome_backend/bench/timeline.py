# SPDX-License-Identifier: Apache-2.0
"""Draws a long timeline as `rome render` does, in a process of its own, and watches it.

Does not know what its numbers are compared with. Weights are random.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import rome_backend
from rome_backend.bench.processes import peak_resident_mib, resident_mib, run_child
from rome_backend.core.errors import RomeError

SIDE = 256
EARLY = 10  # memory is looked at after a tenth of the frames, and at the end
MOST_SECONDS = 1200.0
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from rome_backend.bench.timeline import child; child(*sys.argv[2:])"
)


def watched_timeline(
    renderer: str, frames: int, size: int = SIDE, busy: bool = False, alone: bool = False
) -> dict[str, Any]:
    """Return what drawing a timeline of the average head took.

    renderer: rome or a light one. busy: another process keeps one core busy meanwhile.
    alone: each frame by itself, as a viewport asks for them, in the backend's thread settings;
    else in batches, written as PNG, with every core.

    Returns frames, seconds, network_seconds, frame_ms (alone: of each frame), early_mib and
    late_mib (resident after a tenth of the frames and after the last; None where the system does
    not tell), peak_mib. Raises RomeError (`bench_failed`).
    """
    root = str(Path(rome_backend.__file__).resolve().parents[1])
    cores = os.cpu_count() or 1
    settings = {"OMP_WAIT_POLICY": "passive"}
    if alone:
        settings["OMP_NUM_THREADS"] = str(max(1, cores - 1))
    command = [sys.executable, "-c", _PROGRAM, root, renderer, str(frames), str(size)]
    with hogged(busy):
        done = run_child([*command, "alone" if alone else "batches"], MOST_SECONDS, settings)
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RomeError(
            "bench_failed",
            f"The timeline could not be drawn (exit code {done.code}: {said}).",
            "Run 'rome doctor' to see what is missing.",
        ) from error
    return dict(found)


@contextmanager
def hogged(busy: bool) -> Iterator[None]:
    """Keep one core busy while the block runs, if asked to."""
    if not busy:
        yield
        return
    hog = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
    hog.start()
    try:
        yield
    finally:
        hog.kill()
        hog.join()


def _spin() -> None:
    while True:
        pass


def child(renderer: str, frames: str, size: str, how: str) -> None:
    """Be the process: draw, and write what was seen as one line of JSON."""
    from rome_backend.assets.store import cache_dir
    from rome_backend.bench.random_networks import random_neural_avatar
    from rome_backend.bench.speed_frames import views
    from rome_backend.open_head.build import open_head

    head = open_head(cache_dir())
    avatar, network = random_neural_avatar(renderer, head)
    shown = views(head, int(size))
    avatar.pictures([next(shown)])
    network.seconds = 0.0
    watch = _Watch(int(frames))
    if how == "alone":
        for view in islice(shown, int(frames)):
            start = time.perf_counter()
            avatar.pictures([view])
            watch.frame(time.perf_counter() - start)
    else:
        _written(avatar, islice(shown, int(frames)), int(size), watch)
    sys.stdout.write(json.dumps(watch.found(network.seconds)) + "\n")


def _written(avatar: Any, shown: Iterator[Any], size: int, watch: _Watch) -> None:
    """Draw and write views as the command does."""
    from rome_backend.commands.render import drawn_by_network, write_pictures

    titled = ((f"{number:05d}", view) for number, view in enumerate(shown))

    def counted() -> Iterator[tuple[str, Any]]:
        for picture in drawn_by_network(avatar, titled, size):
            yield picture
            watch.frame(0.0)

    with tempfile.TemporaryDirectory(prefix="rome-bench-") as folder:
        write_pictures(counted(), Path(folder), "frame", several=True)


class _Watch:
    """Counts frames, and looks at the clock and the memory."""

    def __init__(self, frames: int) -> None:
        self._early = max(1, frames // EARLY)
        self._frames: list[float] = []
        self._early_mib: float | None = None
        self._start = time.perf_counter()

    def frame(self, seconds: float) -> None:
        self._frames.append(seconds)
        if len(self._frames) == self._early:
            self._early_mib = resident_mib()

    def found(self, network_seconds: float) -> dict[str, Any]:
        return {
            "frames": len(self._frames),
            "seconds": time.perf_counter() - self._start,
            "network_seconds": network_seconds,
            "frame_ms": [round(1e3 * seconds, 3) for seconds in self._frames],
            "early_mib": self._early_mib,
            "late_mib": resident_mib(),
            "peak_mib": peak_resident_mib(),
        }


def quantile(values: list[float], share: float) -> float:
    """Return the value under which a share of the values lies."""
    return float(np.quantile(values, share))
