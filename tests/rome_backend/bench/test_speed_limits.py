# SPDX-License-Identifier: Apache-2.0
"""What the speed bench promises, and its chart."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.bench.speed_limits import LIMITS, TIMES, chart, missed_limits

GOOD = {name: bound for name, (bound, _) in LIMITS.items()}
LIGHT = {"rest_ms": 15.0, "hogged_p90_ms": 120.0, "peak_mib": 600, "frame_ms": 1e9}
ABOUT = {"cores": 2, "machine": "x86_64", "torch": "2", "runs": 3}


def payload(**changed: object) -> dict:
    return {"ratios": {**GOOD, **changed}, "light": LIGHT, **ABOUT}


def test_every_limit_may_be_met_exactly() -> None:
    assert missed_limits(payload()) == []


@pytest.mark.parametrize("name", LIMITS)
def test_every_ratio_can_miss_its_limit(name: str) -> None:
    bound, least = LIMITS[name]
    worse = bound * (0.99 if least else 1.01)
    (sentence,) = missed_limits(payload(**{name: worse}))
    assert sentence.startswith(name) and f"{bound:g}" in sentence


@pytest.mark.parametrize("name", ["rest_ms", "hogged_p90_ms", "peak_mib"])
def test_light_frames_have_limits_of_their_own(name: str) -> None:
    slow = {**payload(), "light": {**LIGHT, name: 1e6}}
    (sentence,) = missed_limits(slow)
    assert "1000000.0" in sentence
    assert missed_limits({**slow, "light": {**LIGHT, name: None}}) == []


def test_what_was_not_measured_or_not_promised_misses_nothing() -> None:
    assert missed_limits(payload(raster_vs_pytorch3d=None, something_else=0.0)) == []


def rows_of_bars(found: np.ndarray) -> int:
    """How many bars there are, by their colour in the column where bars begin."""
    blue = (found[..., 2].astype(int) - found[..., 0]) > 80
    column = blue[:, blue.any(0).argmax() + 1]
    return int((column[1:] & ~column[:-1]).sum())


def test_the_chart_has_a_bar_for_everything_that_was_measured() -> None:
    full, fewer = chart(payload()), chart(payload(raster_vs_pytorch3d=None))
    assert full.dtype == np.uint8 and full.shape[2] == 3
    assert rows_of_bars(full) == len(TIMES) and rows_of_bars(fewer) == len(TIMES) - 1


def test_longer_bars_are_more() -> None:
    def blue(found: np.ndarray) -> int:
        return int(((found[..., 2].astype(int) - found[..., 0]) > 80).sum())

    one, two = ({name: None for name, _ in TIMES} for _ in range(2))
    one |= {TIMES[0][0]: 10.0, TIMES[1][0]: 100.0}
    two |= {TIMES[0][0]: 80.0, TIMES[1][0]: 100.0}
    assert blue(chart(payload(**one))) < blue(chart(payload(**two)))
    assert chart(payload(**{name: None for name, _ in TIMES})).size
