# SPDX-License-Identifier: Apache-2.0
"""Warning codes in plain words.

Does not know when a warning is given.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {}


def plain_words(code: str) -> str:
    """Return a sentence for a warning code; the code itself, spaced, where none is written."""
    return SENTENCES.get(code, code.replace("_", " "))
