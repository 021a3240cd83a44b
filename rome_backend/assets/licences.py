# SPDX-License-Identifier: Apache-2.0
"""The licences that assets come under, from free to restrictive, and what a whole inherits.

Does not give legal advice; it only keeps the strictest word from being lost.
"""

from __future__ import annotations

from collections.abc import Mapping

FLAME = "FLAME-noncommercial-research"
DECA = "DECA-noncommercial-research"
ROME = "ROME-noncommercial-research"
WHOLE = "the whole"
PHOTO = "the photo's own rights"

# From free to restrictive. The last ones forbid commercial use, the very last passing on.
_ORDER = (
    "CC0-1.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0",
    "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CelebAMask-HQ-noncommercial-research", ROME, FLAME, DECA,
)  # fmt: skip
_NONCOMMERCIAL = _ORDER.index("CC-BY-NC-4.0")


def strictness(licence: str) -> int:
    """Return a licence's place from free (0) to restrictive; unknown ones come last."""
    return _ORDER.index(licence) if licence in _ORDER else len(_ORDER)


def most_restrictive(licences: Mapping[str, str]) -> str:
    """Return the strictest licence of the parts; of none, CC0-1.0.

    The photo's own rights are the user's and a matter of its own; they do not count here.
    """
    counted = [licence for licence in licences.values() if licence != PHOTO]
    return max(counted, key=strictness, default="CC0-1.0")


def with_whole(licences: Mapping[str, str]) -> dict[str, str]:
    """Return the parts with an entry for the whole, which is as strict as its strictest part."""
    parts = {part: licence for part, licence in licences.items() if part != WHOLE}
    return {**parts, WHOLE: most_restrictive(parts)}


def is_noncommercial(licence: str) -> bool:
    """Whether commercial use is not allowed; an unknown licence counts as such."""
    return strictness(licence) >= _NONCOMMERCIAL
