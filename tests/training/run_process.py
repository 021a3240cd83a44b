# SPDX-License-Identifier: Apache-2.0
"""One process of a small training run, for tests that kill it or start several together.

python run_process.py FOLDER STEPS EVERY MICRO_BATCH [DIE_AT]
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import torch

from training.batch import Sample
from training.losses.networks import LossNetworks
from training.processes import joined
from training.trainer import RunOptions, train

HERE = Path(__file__).parent
COUNT = 5


def neighbour(path: Path) -> ModuleType:
    """Load a file of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Few:
    """Samples of noise."""

    def __len__(self) -> int:
        return COUNT

    def sample(self, place: int) -> Sample:
        return small.noise_sample(place)


small = neighbour(HERE / "small_run.py")


def main() -> None:
    folder, numbers = Path(sys.argv[1]), [int(text) for text in sys.argv[2:]]
    steps, every, micro = numbers[:3]
    die_at = numbers[3] if len(numbers) > 3 else None
    torch.set_num_threads(1)
    head = neighbour(HERE.parent / "rome_backend" / "small_head.py").small_head()
    config = replace(small.tiny_config(), micro_batch=micro, ema=0.5)

    def told(done: int, steps: int, losses: Mapping[str, float]) -> None:
        if done == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with joined(torch.device("cpu")) as processes:
        options = RunOptions(folder, steps, checkpoint_every=every)
        train(config, head, Few(), options, LossNetworks(), processes, told)


if __name__ == "__main__":
    main()
