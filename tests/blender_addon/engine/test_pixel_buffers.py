# SPDX-License-Identifier: GPL-3.0-or-later
"""Buffers are touched before they are lent, lent again, few, and not kept for ever."""

from __future__ import annotations

import time
from concurrent.futures import Future

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon.engine import pixel_buffers
from blender_addon.engine.pixel_buffers import MOST, PixelBuffers


@pytest.fixture
def buffers():
    made = PixelBuffers()
    yield made
    made.drop_free()


def taken(buffers, size=1000):
    """Take a buffer, waiting as often as that is asked for."""
    while isinstance(found := buffers.take(size), Future):
        assert found.result(30) is None
    return found


def test_the_first_time_it_has_to_be_waited_for(buffers):
    assert isinstance(buffers.take(1000), Future)
    assert taken(buffers).shape == (1000,) and taken(buffers).dtype == "float32"


def test_what_was_given_back_is_lent_at_once(buffers):
    first = taken(buffers)
    buffers.give_back(first)
    assert buffers.take(1000) is first


def test_no_more_than_few_are_made(buffers, monkeypatch):
    lent = [taken(buffers) for _ in range(MOST)]
    assert len({id(each) for each in lent}) == MOST
    coming = buffers.take(1000)
    assert coming is buffers.take(1000)
    time.sleep(0.05)
    assert not coming.done()
    buffers.give_back(lent[0])
    assert coming.done() and buffers.take(1000) is lent[0]


def test_another_size_takes_the_place_of_what_is_free(buffers):
    for size in (1000, 2000, 1000, 3000):
        found = [taken(buffers, size) for _ in range(MOST)]
        assert [each.size for each in found] == [size] * MOST
        for each in found:
            buffers.give_back(each)


def test_free_ones_go_after_a_while(buffers, monkeypatch):
    monkeypatch.setattr(pixel_buffers, "KEEP_SECONDS", 0.05)
    first = taken(buffers)
    buffers.give_back(first)
    deadline = time.monotonic() + 10
    while buffers._free and time.monotonic() < deadline:
        time.sleep(0.01)
    assert taken(buffers) is not first


def test_a_use_puts_the_end_off(buffers, monkeypatch):
    monkeypatch.setattr(pixel_buffers, "KEEP_SECONDS", 0.4)
    first = taken(buffers)
    for _ in range(6):
        buffers.give_back(first)
        time.sleep(0.1)
        assert buffers.take(1000) is first
    time.sleep(0.5)
    buffers.give_back(first)
    assert buffers.take(1000) is first
