# SPDX-License-Identifier: Apache-2.0
"""Texel values laid out as a picture, continued beyond the UV islands.

Does not know what the values are.
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from rome_backend.texture.atlas import Atlas

Values = TypeVar("Values", np.float32, np.uint8)


def padded(atlas: Atlas, values: NDArray[Values]) -> NDArray[Values]:
    """Lay texel values (P, C) out as (T, T, C); every other texel has its nearest covered one's."""
    image = np.zeros((atlas.size**2, values.shape[1]), values.dtype)
    image[atlas.texel] = values
    empty = (~atlas.covered).astype(np.uint8)
    if not empty.any():
        return image.reshape(atlas.size, atlas.size, -1)
    _, labels = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = labels.reshape(-1)
    source = np.zeros(labels.max() + 1, np.int64)
    source[labels[atlas.texel]] = atlas.texel
    return image[source[labels]].reshape(atlas.size, atlas.size, -1)
