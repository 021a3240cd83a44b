# SPDX-License-Identifier: Apache-2.0
"""Takes raised arms out of a matte: what hangs together with the head only by the shoulders.

Does not know how mattes or landmarks are made.

Method (our own): what stands beside the face above the mouth and is joined with the head only
further down is no part of it, but an arm, a hand or another person; it ends where it is joined.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.types import F32, Mask

_SIDE = 256  # px of the matte that is looked at
_UPPER_LIP, _CHIN, _TOP = 13, 152, 10
_LOWEST = 0.35  # heights of the face below the chin: limbs that are joined there are cut there
_SOFT = 7  # px of the matte's soft edge, on both sides
_LEAST = 0.002  # of the face's height squared: smaller parts stay


def without_limbs(matte: F32, landmarks: F32, sure: Mask) -> F32:
    """Return the matte (C, C) f32 in [0, 1] without raised arms.

    landmarks (478, 3) px of the matte; sure (C, C) bool: pixels of the face. Arms that touch the
    head in the picture stay: nothing tells them from hair.
    """
    limbs = raised_limbs(matte, landmarks, sure)
    if not limbs.any():
        return matte
    size = (matte.shape[1], matte.shape[0])
    # some pixels more all round: the matte is soft at its edge
    wide = cv2.dilate(limbs.astype(np.uint8), np.ones((_SOFT, _SOFT)))
    others = cv2.dilate(((_small(matte) > 0.5) & ~limbs).astype(np.uint8), np.ones((3, 3)))
    cut = cv2.resize((wide * (1 - others) + limbs).clip(0, 1).astype(np.float32), size)
    return np.asarray(matte * (1 - cut), np.float32)


def raised_limbs(matte: F32, landmarks: F32, sure: Mask) -> Mask:
    """Return which pixels of the matte, reduced to 256 px, show limbs; arguments as above."""
    person = _small(matte) > 0.5
    step = person.shape[0] / matte.shape[0]
    lip, chin, top = (float(landmarks[k, 1]) * step for k in (_UPPER_LIP, _CHIN, _TOP))
    height = max(chin - top, 1.0)
    face = cv2.resize(sure.astype(np.uint8), person.shape[::-1]) > 0
    limbs = _apart(person, face, round(lip))
    limbs = _large(limbs, _LEAST * height**2)
    if not limbs.any():
        return limbs
    for row in range(round(lip) + 1, min(round(chin + _LOWEST * height), len(person))):
        apart = _apart(person, face, row)
        grown = _touching(apart, limbs)
        if not (grown & limbs).any():
            break
        limbs = limbs | grown
    return limbs


def _small(matte: F32) -> F32:
    side = min(_SIDE, matte.shape[0])
    return np.asarray(cv2.resize(matte, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _apart(person: Mask, face: Mask, row: int) -> Mask:
    """Return the parts of the person above a row that do not hang together with the face there."""
    above = person.copy()
    above[max(row, 0) :] = False
    _, labels = cv2.connectedComponents((above | face).astype(np.uint8), connectivity=4)
    own = np.unique(labels[face])
    return np.asarray(above & ~np.isin(labels, own))


def _touching(parts: Mask, seeds: Mask) -> Mask:
    """Return those of the parts that hold one of the seeds."""
    _, labels = cv2.connectedComponents(parts.astype(np.uint8), connectivity=4)
    wanted = np.unique(labels[seeds & parts])
    return np.asarray(np.isin(labels, wanted[wanted > 0]))


def _large(parts: Mask, least: float) -> Mask:
    count, labels, facts, _ = cv2.connectedComponentsWithStats(
        parts.astype(np.uint8), connectivity=4
    )
    large = [k for k in range(1, count) if facts[k, cv2.CC_STAT_AREA] >= least]
    return np.asarray(np.isin(labels, large))
