# SPDX-License-Identifier: Apache-2.0
"""Warning codes in plain words.

Does not know when a warning is given.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "colour_profile_ignored": "The photo's colour profile is damaged; colours may be off.",
    "eyes_hidden": "The eyes are hidden; what covers them is painted onto the head.",
    "face_covered": "A part of the face is covered; the cover is painted onto the head.",
    "face_cut_off": "A part of the face lies outside the photo; it is made up.",
    "face_small": "The face is small in the photo; the texture will be blurred.",
    "face_turned": "The face is turned far to the side; its other half is made up.",
    "face_uncertain": "This may not be a human face.",
    "low_detail": "The photo is blurred or blocky there; the texture will be, too.",
    "mouth_open": "The mouth is wide open; what it looks like closed is a guess.",
    "neural_preview_kept": "The neural preview is the old one: its networks are not installed.",
    "overexposed": "Much of the face is overexposed; its colours are lost.",
    "photo_reduced": "The photo is very large and was reduced first.",
    "photo_rotated": "The photo lay on its side or upside down and was turned.",
    "several_faces": "There are several faces; the largest was taken unless you chose another.",
    "several_frames": "The file is an animation; its first frame was taken.",
    "strong_expression": "The face makes a strong expression; some of it stays in the head.",
    "underexposed": "The face is very dark; the texture will be noisy.",
}


def plain_words(code: str) -> str:
    """Return a sentence for a warning code; the code itself, spaced, where none is written."""
    return SENTENCES.get(code, code.replace("_", " "))
