# SPDX-License-Identifier: Apache-2.0
"""How many processes train together, and which of them this one is.

Does not know what is trained; torchrun's environment variables say who there is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as distributed


@dataclass(frozen=True)
class Processes:
    """count of processes, and this one's place among them, from 0; device: where it computes."""

    count: int
    place: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.place == 0

    def averaged(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the means of numbers over the processes; all must call it with the same names."""
        if self.count == 1:
            return dict(values)
        names = sorted(values)
        rows = torch.tensor([values[name] for name in names], dtype=torch.float64)
        rows = rows.to(self.device)
        distributed.all_reduce(rows)
        return dict(zip(names, (rows / self.count).tolist(), strict=True))


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun has started, or be alone.

    device: cpu, or cuda, of which each process on a machine takes its own.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(1, 0, device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(count, distributed.get_rank(), device)
    finally:
        distributed.destroy_process_group()
