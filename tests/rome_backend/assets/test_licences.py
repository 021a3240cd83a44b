# SPDX-License-Identifier: Apache-2.0
"""The whole is as strict as its strictest part."""

from __future__ import annotations

import pytest

from rome_backend.assets import licences
from rome_backend.assets.importer import KINDS
from rome_backend.assets.licences import (
    is_noncommercial,
    most_restrictive,
    strictness,
    with_whole,
)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], "CC0-1.0"),
        (["Apache-2.0"], "Apache-2.0"),
        (["Apache-2.0", "CC-BY-4.0", "MIT"], "CC-BY-4.0"),
        (["CC-BY-4.0", licences.FLAME, "CC-BY-NC-SA-4.0"], licences.FLAME),
        ([licences.FLAME, licences.DECA, licences.ROME], licences.DECA),
        ([licences.DECA, "somebody's own"], "somebody's own"),
        ([licences.PHOTO, "MIT"], "MIT"),
    ],
)
def test_the_strictest_part_wins_in_any_order(parts: list[str], whole: str) -> None:
    assert most_restrictive({str(n): part for n, part in enumerate(parts)}) == whole
    assert most_restrictive({str(n): part for n, part in enumerate(reversed(parts))}) == whole


def test_the_whole_is_one_entry_that_follows_its_parts() -> None:
    once = with_whole({"head": "CC-BY-4.0", "tracker": "Apache-2.0"})
    assert once[licences.WHOLE] == "CC-BY-4.0"
    again = with_whole(once | {"tracker": licences.DECA})
    assert again[licences.WHOLE] == licences.DECA and len(again) == 3
    back = with_whole(again | {"tracker": "MIT", "head": "MIT"})
    assert back[licences.WHOLE] == "MIT"


def test_research_licences_and_unknown_ones_are_not_for_commerce() -> None:
    free = ("CC0-1.0", "MIT", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0")
    bound = ("CC-BY-NC-4.0", licences.FLAME, licences.DECA, licences.ROME, "unheard of")
    assert not any(map(is_noncommercial, free)) and all(map(is_noncommercial, bound))


def test_every_kind_has_a_known_licence_and_a_source() -> None:
    for kind in KINDS:
        assert strictness(kind.licence) < strictness("unheard of"), kind.name
        assert len(kind.source) > 10 and kind.what
