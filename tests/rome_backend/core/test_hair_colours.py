# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.core.hair_colours."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.hair_colours import COVER_SHARE, worn_share

HAIR = {
    "black": (8, 1, 0),
    "blue shimmer of black": (9, 2, -14),
    "black in a blue room": (22, 3, -17),
    "brown in a blue room": (35, 2, -14),
    "brown": (25, 10, 18),
    "ginger": (45, 25, 38),
    "blond": (75, 5, 30),
    "grey": (60, -1, -4),
    "white": (92, 0, 3),
}
CLOTH = {
    "blue": (45, 0, -35),
    "green": (50, -30, 20),
    "violet": (40, 30, -30),
    "pink": (65, 40, 2),
    "red": (45, 62, 42),
}


@pytest.mark.parametrize("name", HAIR)
def test_natural_hair_is_no_cloth(name: str) -> None:
    assert worn_share(np.array([HAIR[name]] * 5)) == 0.0


@pytest.mark.parametrize("name", CLOTH)
def test_bright_cloth_is_no_hair(name: str) -> None:
    assert worn_share(np.array([CLOTH[name]] * 5)) == 1.0


def test_the_share_counts_colours() -> None:
    mixed = np.array([CLOTH["blue"], *[HAIR["brown"]] * 3])
    assert worn_share(mixed) == pytest.approx(0.25)
    assert worn_share(mixed) > COVER_SHARE > worn_share(np.array([*mixed, *[HAIR["grey"]] * 8]))
    assert worn_share(np.zeros((0, 3))) == 0.0
