# SPDX-License-Identifier: Apache-2.0
"""An avatar's file comes out of its text as it went in, or is told to be damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from rome_backend.core import avatar_text
from rome_backend.core.avatar_text import Packed, avatar_key, pack_steps, unpacked
from rome_backend.core.errors import FileInvalid

CONTENT = bytes(range(256)) * 50


def packed(content: bytes | np.ndarray) -> Packed:
    steps = pack_steps(content)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.mark.parametrize("content", [b"", b"\0", b"a\0b" * 1000, bytes(range(256)) * 20000])
def test_round_trip_as_text_and_as_bytes(content: bytes) -> None:
    found = packed(content)
    assert found.key == hashlib.sha256(content).hexdigest()[:32]
    assert found.text.isascii() and "\0" not in found.text
    sent = np.frombuffer(found.text.encode(), np.uint8)
    assert unpacked(found.text, found.key, "Ada") == unpacked(sent, found.key, "Ada") == content


def test_an_array_is_as_good_as_bytes() -> None:
    assert packed(np.frombuffer(CONTENT, np.uint8)) == packed(CONTENT)


def test_a_large_file_is_packed_in_short_steps() -> None:
    content = np.random.default_rng(0).integers(0, 256, 5 << 20).astype(np.uint8)
    assert sum(1 for _ in pack_steps(content)) >= 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "A" + text[1:],
        lambda text: text[:-8],
        lambda text: "not base64 \u00e4",
        lambda text: "",
        lambda text: packed(b"another").text,
    ],
)
def test_damage_is_told_with_the_name(damage: Callable[[str], str]) -> None:
    found = packed(CONTENT)
    with pytest.raises(FileInvalid, match="inside Ada") as caught:
        unpacked(damage(found.text), found.key, "Ada")
    assert caught.value.code == "avatar_damaged"


def test_a_text_that_swells_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = packed(CONTENT)
    monkeypatch.setattr(avatar_text, "LIMIT", len(CONTENT) - 1)
    with pytest.raises(FileInvalid):
        unpacked(found.text, found.key, "Ada")
    assert avatar_key(CONTENT) == found.key
