# SPDX-License-Identifier: GPL-3.0-or-later
"""The avatar inside the .blend comes out as it went in, or says that it is damaged."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from blender_addon.core_access import RomeError, pack_steps
from blender_addon.head.stored_avatar import (
    avatar_id,
    has_avatar,
    neural_weights,
    store,
    stored_avatar,
    text_of,
)


def _packed(content):
    steps = pack_steps(content)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.mark.parametrize("content", [b"", b"\0", b"a\0b" * 1000, bytes(range(256)) * 20000])
def test_round_trip(built, content):
    store(built.mesh, _packed(content))
    assert has_avatar(built.mesh) and stored_avatar(built.mesh) == content
    assert avatar_id(built.mesh) == hashlib.sha256(content).hexdigest()[:32]


def test_an_array_is_as_good_as_bytes(built):
    array = np.frombuffer(b"hello" * 100, np.uint8)
    store(built.mesh, _packed(array))
    assert stored_avatar(built.mesh) == b"hello" * 100


def test_a_second_avatar_replaces_the_first_also_when_it_is_longer(built):
    for content in (b"short\0", b"much longer\0" * 1000, b"short\0"):
        store(built.mesh, _packed(content))
        assert stored_avatar(built.mesh) == content


def test_the_text_is_found_by_the_avatar_s_id(built):
    store(built.mesh, _packed(b"one"), "weights")
    assert text_of(avatar_id(built.mesh)) == built.mesh.data["rome_avatar"]
    assert text_of("0" * 32) is None


def test_what_its_networks_are_is_known_as_long_as_there_is_an_avatar(built):
    store(built.mesh, _packed(b"one"), "weights")
    assert neural_weights(built.mesh) == "weights"
    del built.mesh.data["rome_avatar"]
    assert neural_weights(built.mesh) == ""
    store(built.mesh, _packed(b"two"))
    assert neural_weights(built.mesh) == ""


def test_a_head_without_one_says_so(built):
    assert not has_avatar(built.mesh) and avatar_id(built.mesh) == ""
    with pytest.raises(RomeError) as caught:
        stored_avatar(built.mesh)
    assert caught.value.code == "avatar_missing" and caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "A" + text[1:],
        lambda text: text[:-8],
        lambda text: "not base64 \u00e4",
        lambda text: "",
    ],
)
def test_damage_is_told(built, damage):
    store(built.mesh, _packed(bytes(range(256)) * 50))
    built.mesh.data["rome_avatar"] = damage(built.mesh.data["rome_avatar"])
    with pytest.raises(RomeError) as caught:
        stored_avatar(built.mesh)
    assert caught.value.code == "avatar_damaged"


def test_another_avatar_s_id_is_told(built):
    store(built.mesh, _packed(b"one"))
    built.mesh.data["rome_avatar_id"] = "0" * 32
    with pytest.raises(RomeError):
        stored_avatar(built.mesh)
