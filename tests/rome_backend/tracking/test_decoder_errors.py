# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.decoder_errors: decoders raise nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import PhotoRefused
from rome_backend.tracking.photo import load_photo


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000", "AVIF"])
def test_damaged_files_end_in_a_photo_or_a_refusal(kind: str) -> None:
    stream = io.BytesIO()
    rows, columns = np.mgrid[:64, :96]
    picture = np.stack([columns * 2, rows * 3, 255 - columns], -1).astype(np.uint8)
    Image.fromarray(picture).save(stream, kind)
    data = stream.getvalue()
    random = np.random.default_rng(len(kind))
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(int(random.integers(1, 8))):
            broken[int(random.integers(len(broken)))] = int(random.integers(256))
        broken = broken[: int(random.integers(len(broken) // 2, len(broken) + 1))]
        try:
            photo = load_photo(bytes(broken), max_pixels=1_000_000)
        except PhotoRefused as refusal:
            assert refusal.hint
        else:
            assert photo.rgb.ndim == 3 and photo.rgb.dtype == np.uint8
