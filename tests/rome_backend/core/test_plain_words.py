# SPDX-License-Identifier: Apache-2.0
"""Tests that every warning code of the tracker has a sentence.

Keeps no list of its own: it finds the codes in the tracker's documentation.
"""

from __future__ import annotations

import re

import pytest

from rome_backend.core.plain_words import SENTENCES, plain_words
from rome_backend.tracking.checks import judge
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.upright import find_faces


@pytest.mark.parametrize("function", [judge, load_photo, find_faces])
def test_every_documented_warning_has_a_sentence(function: object) -> None:
    documented = (function.__doc__ or "").split("Raises:")[0]
    codes = set(re.findall(r"'([a-z]+_[a-z_]+|\w+exposed)'", documented))
    assert codes and codes <= set(SENTENCES)


def test_sentences_are_sentences() -> None:
    for sentence in SENTENCES.values():
        assert sentence[0].isupper() and sentence.endswith(".") and len(sentence) < 90


def test_an_unknown_code_is_still_readable() -> None:
    assert plain_words("hair_is_on_fire") == "hair is on fire"
