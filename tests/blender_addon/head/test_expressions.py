# SPDX-License-Identifier: GPL-3.0-or-later
"""Sides, groups, words and random expressions of ARKit's names."""

from __future__ import annotations

import pytest

from blender_addon.head.expressions import (
    GROUPS,
    PAIRS,
    grouped,
    is_pair,
    opposite,
    preset,
    presets,
    random_expression,
    readable,
    stem_of,
)

MIDDLE = ("jawOpen", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "browInnerUp", "cheekPuff")
KEYS = [stem + side for stem in PAIRS for side in ("Left", "Right")] + list(MIDDLE)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("eyeBlinkLeft", "eyeBlinkRight"),
        ("mouthSmileRight", "mouthSmileLeft"),
        ("jawLeft", "jawRight"),
        ("jawOpen", "jawOpen"),
    ],
)
def test_opposites(key, other):
    assert opposite(key) == other and opposite(other) == key


def test_pairs_are_sides_and_not_directions():
    assert is_pair("eyeBlinkLeft") and not is_pair("jawOpen")
    assert not is_pair("jawLeft") and not is_pair("mouthRight")
    assert {stem_of(key) for key in KEYS if is_pair(key)} == set(PAIRS)


def test_every_key_falls_into_one_group():
    found = grouped([*KEYS, "Hair01", "Pose3", "Basis"])
    assert list(found) == [group for group in GROUPS if group in found]
    assert sorted(name for names in found.values() for name in names) == sorted(KEYS)


@pytest.mark.parametrize(
    ("key", "words"),
    [("eyeBlinkLeft", "Blink left"), ("jawOpen", "Open"), ("mouthLowerDown", "Lower down")],
)
def test_keys_are_read_as_words(key, words):
    assert readable(key) == words


@pytest.mark.parametrize("name", presets())
def test_presets_name_keys_and_stay_within_sliders(name):
    values = preset(name)
    known = {*KEYS, "mouthPucker", "mouthFunnel", "mouthShrugLower"}
    assert set(values) <= known and max(values.values()) > 0.3
    assert all(0.0 < value <= 1.0 for value in values.values())


def test_an_unknown_preset_is_an_error():
    with pytest.raises(KeyError):
        preset("Bored")


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_are_mild_and_possible(seed):
    values = random_expression(KEYS, seed, 0.5)
    assert set(values) == set(KEYS)
    assert 0.0 < max(values.values()) <= 0.5
    for first, second in (("eyeBlink", "eyeWide"), ("mouthSmile", "mouthFrown")):
        assert not (values[first + "Left"] and values[second + "Left"])
    assert not (values["jawLeft"] and values["jawRight"])
    for stem in PAIRS:
        left, right = values[stem + "Left"], values[stem + "Right"]
        assert (left > 0) == (right > 0) and abs(left - right) <= 0.16 * max(left, right) + 1e-9


def test_the_order_of_the_keys_does_not_matter():
    assert random_expression(KEYS, 3, 0.5) == random_expression(KEYS[::-1], 3, 0.5)


def test_no_strength_is_no_expression():
    assert max(random_expression(KEYS, 3, 0.0).values()) == 0.0
