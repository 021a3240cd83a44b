# SPDX-License-Identifier: Apache-2.0
"""The table's columns: all measures of all methods, in line, dashes where there is none."""

from __future__ import annotations

from training.evaluation.tables import table


def test_methods_stand_side_by_side() -> None:
    lines = table({"ours": {"psnr": 20.4567, "ssim": 0.5}, "a longer name": {"fid": 133.25}})
    assert lines[0].split() == ["psnr", "ssim", "fid"]
    assert lines[1].split() == ["ours", "20.46", "0.5", "-"]
    assert lines[2].split() == ["a", "longer", "name", "-", "-", "133.2"]
    ends = [
        line.index(word) + len(word) for line, word in zip(lines, ("psnr", "20.46"), strict=False)
    ]
    assert ends[0] == ends[1]


def test_nothing_measured_is_an_empty_line() -> None:
    assert table({}) == [""] and table({"a": {}}) == ["", "a"]
