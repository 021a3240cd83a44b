# SPDX-License-Identifier: Apache-2.0
"""The built-in head, generated once per test process."""

from __future__ import annotations

import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import generate


@pytest.fixture(scope="session")
def average_head() -> HeadModel:
    """The open head as it leaves the generator."""
    return generate()
