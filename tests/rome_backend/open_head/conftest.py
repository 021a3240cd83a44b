# SPDX-License-Identifier: Apache-2.0
"""The open head, generated once per test process.

Does not know what the tests look for.
"""

from __future__ import annotations

import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import build_geometry, generate
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.surface import Skin, build_skin


@pytest.fixture(scope="session")
def skin() -> Skin:
    """The mean head's skin."""
    return build_skin()


@pytest.fixture(scope="session")
def geometry() -> HeadGeometry:
    """The mean head with eyeballs, atlas, weights and regions."""
    return build_geometry()


@pytest.fixture(scope="session")
def head() -> HeadModel:
    """The complete head model, as it leaves the generator."""
    return generate()
