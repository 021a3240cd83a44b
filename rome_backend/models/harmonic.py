# SPDX-License-Identifier: Apache-2.0
"""The harmonic encoding of coordinates, normals and uvs.

Does not know what is encoded.

Source: rome-spec section 2.6 (and 5, row 3: powers of two, the raw input included).
"""

from __future__ import annotations

import torch

FREQUENCIES = 6


def harmonic_encoding(values: torch.Tensor, frequencies: int = FREQUENCIES) -> torch.Tensor:
    """Encode along the last axis.

    Args:
        values: (..., C) float.
        frequencies: how many; frequency k is 2^k.

    Returns:
        (..., C (1 + 2 frequencies)): x, sin x, cos x, sin 2x, cos 2x, ... where each entry spans
        all C coordinates. Zero thus has ones in its cosines.
    """
    parts = [values]
    for power in range(frequencies):
        scaled = values * (1 << power)
        parts += [torch.sin(scaled), torch.cos(scaled)]
    return torch.cat(parts, dim=-1)


def encode_picture(picture: torch.Tensor, frequencies: int = FREQUENCIES) -> torch.Tensor:
    """Encode the channels of a picture (N, C, H, W) -> (N, C (1 + 2 frequencies), H, W)."""
    return harmonic_encoding(picture.movedim(1, -1), frequencies).movedim(-1, 1)
