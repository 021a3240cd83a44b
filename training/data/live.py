# SPDX-License-Identifier: Apache-2.0
"""Invented people made while training asks for them, instead of shards.

Does not know training. The same place gives the same sample, whoever makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rome_backend.assets.store import cache_dir
from rome_backend.open_head.build import open_head
from training.batch import Sample
from training.data.engines import died, worker_pool
from training.data.synthetic.sequence import VERSION, SequenceMaker


@dataclass(frozen=True)
class LiveSequences:
    """``count`` sequences of invented people, as `synthesize` makes them with this side and seed.

    workers: processes that make them; None: this one.
    """

    side: int
    seed: int
    count: int
    workers: Executor | None = None

    def __len__(self) -> int:
        """Return how many there are."""
        return self.count

    def sample(self, place: int) -> Sample:
        """Return one; several threads may ask at once.

        Raises OutOfResources (`worker_died`).
        """
        if not 0 <= place < self.count:
            raise IndexError(f"there are {self.count} sequences, not {place}")
        if self.workers is None:
            return _made(self.side, self.seed, place)
        try:
            return self.workers.submit(_made, self.side, self.seed, place).result()
        except BrokenProcessPool as error:
            raise died() from error

    def settings(self) -> Mapping[str, Any]:
        """Return what the samples depend on, as shards have it in their manifest."""
        head = open_head(cache_dir() / "heads")
        return {
            "kind": "live",
            "version": VERSION,
            "seed": self.seed,
            "side": self.side,
            "head_model": head.name,
            "topology_id": head.topology_id,
        }


@contextmanager
def live_sequences(side: int, seed: int, count: int, workers: int) -> Iterator[LiveSequences]:
    """Give sequences that are made by some processes, by this one when there are none."""
    if workers < 1:
        yield LiveSequences(side, seed, count)
        return
    with worker_pool(workers) as pool:
        yield LiveSequences(side, seed, count, pool)


def _made(side: int, seed: int, place: int) -> Sample:
    return _maker(side, seed).make(place).sample


@lru_cache(maxsize=2)
def _maker(side: int, seed: int) -> SequenceMaker:
    return SequenceMaker(open_head(cache_dir() / "heads"), side, seed)
