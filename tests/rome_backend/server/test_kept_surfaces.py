# SPDX-License-Identifier: Apache-2.0
"""Old surfaces go when there are too many or they take too much; those of a frame never do."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.errors import RomeError
from rome_backend.render.surface import Surface, textured_surface
from rome_backend.server import kept_surfaces
from rome_backend.server.kept_surfaces import MOST, KeptSurfaces

FACES = np.array([[0, 1, 2]], np.int32)
UVS = np.zeros((1, 3, 2), np.float32)


def surface(side: int = 2) -> Surface:
    return textured_surface(FACES, UVS, np.zeros((side, side, 3), np.uint8))


def kept(surfaces: KeptSurfaces, *names: str) -> list[str]:
    """Return which of the names are still there, without using them."""
    return [name for name in names if name in surfaces._kept]


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for three surfaces of 64 px, whose levels take 65,532 bytes and the mesh 48."""
    monkeypatch.setattr(kept_surfaces, "MOST_BYTES", 3 * 65_580)


def draw(surfaces: KeptSurfaces, *names: str) -> None:
    surfaces.begin_frame()
    for name in names:
        surfaces.used(name)


def test_the_least_used_of_too_many_goes() -> None:
    surfaces = KeptSurfaces()
    for number in range(MOST):
        surfaces.keep(str(number), surface())
    draw(surfaces, "0")
    surfaces.keep("new", surface())
    assert kept(surfaces, "0", "1", "2", "new") == ["0", "2", "new"]
    with pytest.raises(RomeError) as failed:
        surfaces.used("1")
    assert failed.value.code == "surface_unknown"


def test_strokes_on_a_texture_do_not_pile_up(little_room: None) -> None:
    surfaces = KeptSurfaces()
    for number in range(20):
        surfaces.keep(str(number), surface(64))
        draw(surfaces, str(number))
    assert kept(surfaces, *map(str, range(20))) == ["17", "18", "19"]


def test_a_frame_of_many_large_heads_is_drawn(little_room: None) -> None:
    surfaces = KeptSurfaces()
    names = tuple(map(str, range(8)))
    for _ in range(2):
        for name in names:
            surfaces.keep(name, surface(64))
    for _ in range(3):
        draw(surfaces, *names)
    surfaces.keep("painted", surface(64))
    draw(surfaces, "painted", *names[1:])
    assert kept(surfaces, *names, "painted") == [*names, "painted"]
    draw(surfaces, *names[1:])
    draw(surfaces, *names[1:])
    surfaces.keep("next", surface(64))
    assert kept(surfaces, *names, "painted", "next") == [*names[1:], "next"]


def test_what_lies_beside_small_ones_stays(little_room: None) -> None:
    surfaces = KeptSurfaces()
    for number in range(20):
        surfaces.keep(str(number), surface())
        draw(surfaces, str(number))
    assert len(kept(surfaces, *map(str, range(20)))) == 20


def test_the_newest_of_a_name_counts() -> None:
    surfaces = KeptSurfaces()
    first, second = surface(), surface(4)
    surfaces.keep("a", first)
    surfaces.keep("a", second)
    assert surfaces.used("a") is second
