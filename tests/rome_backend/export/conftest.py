# SPDX-License-Identifier: Apache-2.0
"""Synthetic heads and their rigs for the exporters' tests.

Does not know Blender.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rome_backend.export.rig_arrays import rig_arrays


def _synthetic_module():
    path = Path(__file__).with_name("synthetic_head.py")
    spec = spec_from_file_location("rome_synthetic_head", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic():
    """A small head model with basis and avatar (190 vertices)."""
    return _synthetic_module().synthetic_head()


@pytest.fixture(scope="session")
def rig(synthetic):
    """The small head's rig arrays."""
    return rig_arrays(synthetic.head, synthetic.basis, synthetic.avatar)
