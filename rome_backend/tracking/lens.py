# SPDX-License-Identifier: Apache-2.0
"""What is known of the lens a photo was taken with, and how far the camera then stood.

Does not know heads, landmarks or how a file tells its focal length.

Focal lengths in mm are those of 35 mm film by the picture's diagonal (CIPA DCG-001), of the whole
picture as it is. Landmarks have no say: the tracker reports frontal faces as if seen from afar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rome_backend.core.types import HeadCrop, Photo

FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
# Portraits are taken from arm's length to five metres, mostly from one and a half to three; within
# that, where the head's ears meet those of the project's photos (our own).
USUAL_M = 2.0
USUAL_SPREAD = 0.6
# A file's focal length is rounded, and may be that of the photo before it was cropped.
_FILE_SPREAD = 0.25
_GIVEN_SPREAD = 0.01


@dataclass(frozen=True)
class Lens:
    """A focal length in px of a picture and the standard deviation of its logarithm.

    Nothing is known by default.
    """

    focal: float = 1.0
    spread: float = math.inf


UNKNOWN = Lens()


def film_focal(focal: float, width: int, height: int) -> float:
    """Return the focal length in mm of 35 mm film for ``focal`` px of a picture in px."""
    return focal * FILM_DIAGONAL_MM / math.hypot(width, height)


def lens_of(photo: Photo, crop: HeadCrop, given_mm: float | None = None) -> Lens:
    """Return what is known of a photo's lens, in px of its crop.

    given_mm: what a person says of it; otherwise the photo's own word counts, with doubt.
    """
    focal_mm = photo.focal_mm if given_mm is None else given_mm
    if focal_mm is None:
        return UNKNOWN
    height, width = photo.rgb.shape[:2]
    focal = focal_mm / FILM_DIAGONAL_MM * math.hypot(width, height)
    spread = _FILE_SPREAD if given_mm is None else _GIVEN_SPREAD
    return Lens(focal * float(crop.photo_to_crop[0, 0]), spread)


def likeliest_distance(lens: Lens, scale: float) -> float:
    """Return the likeliest distance of the camera in m from a head seen at a scale in px/m.

    Two opinions, each by its certainty: the usual distance, and the one at which the lens gives
    this scale.
    """
    usual, told = USUAL_SPREAD**-2, lens.spread**-2
    log = usual * math.log(USUAL_M) + told * math.log(lens.focal / scale)
    return math.exp(log / (usual + told))
