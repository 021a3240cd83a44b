# SPDX-License-Identifier: Apache-2.0
"""Engines: order, bounded work, errors and deaths of workers; a Ray cluster of two nodes."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from rome_backend.core.errors import OutOfResources, PhotoRefused, UsageError
from training.data import engines
from training.data.engines import InProcess, Job, Processes, RayCluster
from training.data.shards import Packed


def slow(number: int) -> Packed:
    """Later jobs are done sooner."""
    time.sleep(0.3 / (number + 1))
    return Packed(bytes([number]), number, {"threads": os.environ.get("OMP_NUM_THREADS")})


def refusing() -> Packed:
    raise PhotoRefused("odd", "This one is odd.", "Take another.")


def dying() -> Packed:
    os.kill(os.getpid(), signal.SIGKILL)
    return Packed(b"", 0)


def jobs(count: int) -> list[Job]:
    return [partial(slow, number) for number in range(count)]


def test_results_come_in_order_here() -> None:
    found = list(InProcess().run(jobs(3)))
    assert [(shard.tar[0], shard.samples) for shard in found] == [(n, n) for n in range(3)]


@pytest.mark.timeout(400)
def test_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order, one thread each, an error that arrives as it was, the environment as before."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    results = Processes(2).run([*jobs(4), refusing])
    found = [next(results) for _ in range(4)]
    assert [(shard.tar[0], shard.samples) for shard in found] == [(n, n) for n in range(4)]
    assert {shard.facts["threads"] for shard in found} == {"1"}
    with pytest.raises(PhotoRefused) as caught:
        next(results)
    assert (caught.value.code, caught.value.hint) == ("odd", "Take another.")
    assert os.environ["OMP_NUM_THREADS"] == "3" and "MKL_NUM_THREADS" not in os.environ


@pytest.mark.timeout(400)
def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(OutOfResources) as caught:
        list(Processes(1).run([dying, *jobs(2)]))
    assert caught.value.code == "worker_died"


def test_few_jobs_are_given_out_ahead() -> None:
    """A folder of a million videos is not held in memory."""
    given: list[int] = []

    def submit(job: Job) -> int:
        given.append(len(given))
        return given[-1]

    results = engines._in_order(submit, lambda n: Packed(b"", n), jobs(20), 2)
    assert next(results).samples == 0 and len(given) == 4
    assert next(results).samples == 1 and len(given) == 5
    assert [shard.samples for shard in results] == list(range(2, 20))


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        RayCluster()
    assert caught.value.code == "no_ray" and "'ray'" in caught.value.hint
