# SPDX-License-Identifier: Apache-2.0
"""Brings pixel values of any number type into 8 bits.

Does not know files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import U8


def to_eight_bits(values: NDArray[Any]) -> U8:
    """Return values of any shape as u8.

    Whole numbers fill their own type's range (32-bit ones hold 8 or 16 bits, by their maximum).
    Floating-point values count as sRGB in [0, 1], or [0, 255], or [0, 65535], by their maximum;
    what is not finite becomes 0. Our own rule: files do not say which they mean.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return (values // 257).astype(np.uint8)
    finite = np.where(np.isfinite(values), values, 0)
    highest = float(finite.max(initial=0))
    limits = (255.0, 65535.0) if values.dtype.kind in "iub" else (1.5, 255.0, 65535.0)
    limit = next((n for n in limits if highest <= n), max(highest, 1.0))
    full = 1.0 if limit == 1.5 else limit
    return np.rint(np.clip(finite / full, 0, 1) * 255).astype(np.uint8)
