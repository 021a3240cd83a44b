# SPDX-License-Identifier: Apache-2.0
"""Scores of several methods side by side, as lines of text.

Does not know what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping

_ABSENT = "-"


def table(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a line of the measures' names and a line per method, in columns.

    rows: method -> measure -> value; a measure that a method lacks is a dash.
    """
    measures = list(dict.fromkeys(name for row in rows.values() for name in row))
    cells = [["", *measures]]
    for method, row in rows.items():
        cells.append([method, *(_text(row.get(name)) for name in measures)])
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    return ["  ".join(_padded(line, widths)).rstrip() for line in cells]


def _text(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.4g}"


def _padded(line: list[str], widths: list[int]) -> list[str]:
    first, *others = (
        text.ljust(width) if place == 0 else text.rjust(width)
        for place, (text, width) in enumerate(zip(line, widths, strict=True))
    )
    return [first, *others]
