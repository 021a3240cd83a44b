# SPDX-License-Identifier: Apache-2.0
"""Small samples and configurations (small_run.py) as fixtures; one thread per test.

Does not know which part of training is tested.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from training.batch import Sample
from training.config import TrainConfig


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small_run() -> ModuleType:
    """The module small_run.py."""
    path = Path(__file__).with_name("small_run.py")
    spec = importlib.util.spec_from_file_location("small_run", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_config(small_run: ModuleType) -> TrainConfig:
    """All losses that need no imported network, on pictures of 16 pixels."""
    return small_run.tiny_config()


@pytest.fixture(scope="session")
def make_sample(small_run: ModuleType) -> Callable[[int], Sample]:
    """Return a sample of noise, the same for the same number."""
    return small_run.noise_sample
