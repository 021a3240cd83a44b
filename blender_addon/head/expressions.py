# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the expression keys: sides, groups, presets and mild random expressions.

Does not know bpy. Keys bear ARKit's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..rig.names import key_group

SIDES = ("Left", "Right")
# These two name a direction, not a side of the face.
DIRECTIONS = frozenset({"jaw", "mouth"})
GROUPS = ("Eyes", "Brows", "Jaw", "Mouth", "Cheeks", "Nose", "Tongue")

PAIRS = (
    "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide",
    "mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthLowerDown",
    "mouthUpperUp", "browDown", "browOuterUp", "cheekSquint", "noseSneer",
)  # fmt: skip

_EXCLUSIVE = (
    ("eyeBlink", "eyeWide"), ("mouthSmile", "mouthFrown"), ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
)  # fmt: skip

_PRESETS: Mapping[str, Mapping[str, float]] = {
    "Smile": {"mouthSmile": 0.8, "cheekSquint": 0.4, "eyeSquint": 0.25, "mouthDimple": 0.2},
    "Laugh": {
        "mouthSmile": 0.9, "jawOpen": 0.45, "cheekSquint": 0.7, "eyeSquint": 0.5,
        "mouthUpperUp": 0.4, "browOuterUp": 0.2,
    },
    "Sad": {"mouthFrown": 0.7, "browInnerUp": 0.8, "mouthShrugLower": 0.3, "eyeSquint": 0.15},
    "Angry": {
        "browDown": 0.9, "eyeSquint": 0.4, "noseSneer": 0.5, "mouthPress": 0.5, "mouthFrown": 0.3,
    },
    "Surprised": {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.7, "jawOpen": 0.5},
    "Disgusted": {"noseSneer": 0.9, "mouthUpperUp": 0.6, "browDown": 0.5, "eyeSquint": 0.4},
    "Afraid": {
        "browInnerUp": 0.9, "eyeWide": 0.8, "mouthStretch": 0.6, "jawOpen": 0.2, "browDown": 0.2,
    },
    "Eyes Closed": {"eyeBlink": 1.0},
    "Wink": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.5, "mouthSmileLeft": 0.5},
    "Kiss": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    "Open Mouth": {"jawOpen": 0.8},
}  # fmt: skip


def opposite(key: str) -> str:
    """Return the key of the other side of the face; a key in the middle is its own."""
    for side, other in (SIDES, SIDES[::-1]):
        if key.endswith(side):
            return key.removesuffix(side) + other
    return key


def is_pair(key: str) -> bool:
    """Whether a key is one half of a left and right pair."""
    stem = stem_of(key)
    return stem != key and stem not in DIRECTIONS


def stem_of(key: str) -> str:
    """Return a key's name without its side."""
    for side in SIDES:
        if key.endswith(side):
            return key.removesuffix(side)
    return key


def grouped(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the expression keys by group, in the order of GROUPS; other keys are left out."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for key in keys:
        if key_group(key) in found:
            found[key_group(key)].append(key)
    return {group: names for group, names in found.items() if names}


def readable(key: str) -> str:
    """Return an ARKit name as words: eyeBlinkLeft becomes 'Blink Left' within its group."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in key).split()
    return " ".join(words[1:] or words).capitalize() if len(words) > 1 else key.capitalize()


def presets() -> tuple[str, ...]:
    """Return the names of the presets."""
    return tuple(_PRESETS)


def preset(name: str) -> dict[str, float]:
    """Return a preset as key to value, both sides spelled out; KeyError where it is unknown."""
    values: dict[str, float] = {}
    for key, value in _PRESETS[name].items():
        halves = [key + side for side in SIDES] if key in PAIRS else [key]
        values |= dict.fromkeys(halves, value)
    return values


def random_expression(keys: Iterable[str], seed: int, strength: float) -> dict[str, float]:
    """Return a mild expression for the keys: the same seed gives the same one everywhere.

    A handful of movements get values up to ``strength``; both sides move nearly alike, and no two
    movements that exclude each other (eyes wide and closed, smile and frown) come together.
    """
    generator = np.random.default_rng(seed)
    names = sorted(set(keys))
    stems = sorted({stem_of(key) if is_pair(key) else key for key in names})
    stems = [stem for stem in stems if not stem.startswith(("eyeLook", "tongue"))]
    count = min(6, len(stems))
    chosen = [stems[index] for index in generator.permutation(len(stems))[:count]]
    for exclusive in (
        ("eyeBlink", "eyeWide"),
        ("mouthSmile", "mouthFrown"),
        ("jawLeft", "jawRight"),
    ):
        if set(exclusive) <= set(chosen):
            chosen.remove(exclusive[1])
    values = dict.fromkeys(names, 0.0)
    for stem in chosen:
        amount = strength * float(generator.uniform(0.2, 1.0))
        halves = [stem + side for side in SIDES] if stem not in values else [stem]
        for half in halves:
            if half in values:
                uneven = float(generator.uniform(0.85, 1.0))
                values[half] = min(1.0, amount * uneven)
    return values
