# SPDX-License-Identifier: Apache-2.0
"""Where the work on recordings is done: in this process, in several, or on a Ray cluster.

Does not know what the work is; each gives the same shards, in their order.

Jobs are pickled to whoever does them. In other processes arithmetic has one thread, so that its
last bits do not depend on the machine's cores.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol

from rome_backend.core.errors import OutOfResources, UsageError
from training.data.shards import Packed

Job = Callable[[], Packed]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_AHEAD = 2  # jobs given out per worker, so that none of them waits for the slowest


class Engine(Protocol):
    """Does jobs."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Packed]:
        """Yield the results in the order of the jobs."""
        ...


class InProcess:
    """Here, one after the other."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Packed]:
        """Yield the results in the order of the jobs."""
        return (job() for job in jobs)


@dataclass(frozen=True)
class Processes:
    """On this machine, in ``count`` processes."""

    count: int

    def run(self, jobs: Sequence[Job]) -> Iterator[Packed]:
        """Yield the results in the order of the jobs.

        Raises OutOfResources (`worker_died`) when a process was ended from outside or crashed.
        """
        with worker_pool(min(self.count, len(jobs))) as pool:
            try:
                yield from _in_order(pool.submit, Future.result, jobs, self.count)
            except BrokenProcessPool as error:
                raise died() from error


@dataclass(frozen=True)
class RayCluster:
    """On the machines of a Ray cluster, a task per job.

    address: of the cluster; None: the one that is running here, or a new one of this machine
    alone. Every machine needs this project, its model files and the recordings at the same places.
    """

    address: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError (`no_ray`) where the package is not installed."""
        if find_spec("ray") is None:
            raise UsageError(
                "no_ray", "The package ray is not installed.", "Install the extra 'ray'."
            )

    def run(self, jobs: Sequence[Job]) -> Iterator[Packed]:
        """Yield the results in the order of the jobs.

        Raises OutOfResources (`worker_died`) when a task's process dies again and again.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # says nothing to anybody
        import ray

        mine = not ray.is_initialized()
        if mine:
            ray.init(
                self.address, include_dashboard=False, log_to_driver=False,
                runtime_env={"env_vars": ONE_THREAD},
            )  # fmt: skip
        try:
            task = ray.remote(num_cpus=1)(_called)
            width = max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield from _in_order(task.remote, ray.get, jobs, width)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise died() from error
        finally:
            if mine:
                ray.shutdown()


def _end_with_parent() -> None:
    """Let this worker end when the process that gives out jobs is killed."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _called(job: Job) -> Packed:
    return job()


def _in_order(
    submit: Callable[[Job], Any], result: Callable[[Any], Packed], jobs: Sequence[Job], workers: int
) -> Iterator[Packed]:
    """Yield results in order, with a bounded number of jobs given out."""
    waiting: deque[Any] = deque()
    for job in jobs:
        if len(waiting) >= _AHEAD * workers:
            yield result(waiting.popleft())
        waiting.append(submit(job))
    while waiting:
        yield result(waiting.popleft())


@contextmanager
def worker_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes with one thread each, which end with this one and with the block."""
    pool = ProcessPoolExecutor(count, get_context("spawn"), _end_with_parent)
    with _environment(ONE_THREAD):  # for as long as processes may be started
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def died() -> OutOfResources:
    """Return the error for a worker that was ended from outside or crashed."""
    return OutOfResources(
        "worker_died", "A process that took samples died, perhaps for want of memory.",
        "Start the same command again, with fewer workers; finished shards are kept.",
    )  # fmt: skip
