# SPDX-License-Identifier: Apache-2.0
"""Hair or a scarf that is tied behind: how far its tail hangs, and how close it lies before that.

Does not know meshes or how hair is laid out.

Method (our own): hair that ends beside the ears and is seen again beside the neck hangs in a tail
behind it; of a scarf all that hangs is its tail.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.hair_chart import ROW_M, grid_azimuths, grid_ways
from rome_backend.tracking.hair_rays import HairSide

_LENGTH = 0.12  # m below the nape that a tail hangs whose end is not seen
_AGAIN, _NO_SHOULDER = 0.008, 0.030  # m beside the neck: of a tail at least, at most
_GAP, _ROWS = 4, 5  # rows of the chart: between hair beside the ear and a tail, and of a tail
_FROM, _TO = np.radians(128.0), np.radians(146.0)  # azimuths between which a tail begins
_THICK = 0.024  # m of a tail of hair over the neck
_COVER, _TAIL = 0.018, 0.045  # m of a scarf beside the head; of its tail besides


def tail_way(
    sides: Sequence[HairSide], hems: Sequence[float], ears: tuple[int, int], nape: float,
    cover: bool,
) -> float:  # fmt: skip
    """Return the way (m) from the pole to the end of the tail behind the neck, 0 without one.

    hems m: where each side's hair ends, 0 where none hangs; ears: first and last row beside the
    ears; nape m: the way to the hairline behind; cover: a scarf is worn.
    """
    bottom = grid_ways()[ears[1]]
    if cover:
        longest = max(hems)
        return longest if longest > bottom + 0.03 else 0.0
    if not all(hems) or max(hems) > bottom + 0.03:
        return 0.0
    tied = any(
        _seen_behind(side, round(hem / ROW_M)) for side, hem in zip(sides, hems, strict=True)
    )
    return nape + _LENGTH if tied else 0.0


def _seen_behind(side: HairSide, hem: int) -> bool:
    """Return whether hair is seen beside the neck again, below a gap from the hem's row on."""
    low = side.hairy[hem : side.last + 1]
    again = (low > _AGAIN) & (low < _NO_SHOULDER)
    first = int(np.argmax(again)) if again.any() else 0
    return bool(side.covered and first >= _GAP and again[first:].sum() >= _ROWS)


def with_tail(hem: F64, tail: float) -> F64:
    """Return a hem (AZIMUTHS,) m that goes down to the way ``tail`` m behind the neck."""
    return hem + _behind() * np.maximum(tail - hem, 0.0)


def tied_reach(outer: F64, slim: F64, lowest: int, cover: bool) -> F64:
    """Return the reach outer (AZIMUTHS, ROWS) m of what is tied: close to the head and, but for a
    scarf's tail, which is seen, close to the neck.

    slim (AZIMUTHS, ROWS) m: reach of head and neck; lowest: the row beside the ears' middle.
    """
    ways = grid_ways()
    low = _step((ways - ways[lowest]) / 0.03)[None]
    behind = _behind()[:, None]
    if cover:
        return np.minimum(outer, slim + _COVER + behind * _TAIL)
    close = np.minimum(outer, slim + _THICK)
    return outer + low * behind * (close - outer)


def _behind() -> F64:
    return _step((np.abs(grid_azimuths()) - _FROM) / (_TO - _FROM))


def _step(value: F64) -> F64:
    part = np.clip(value, 0.0, 1.0)
    return part**2 * (3 - 2 * part)
