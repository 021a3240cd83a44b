# SPDX-License-Identifier: Apache-2.0
"""What a rasterizer returns: which face each pixel shows, and where on that face.

Does not know how it was found or what is drawn with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Fragments:
    """The nearest surface of every pixel.

    face_index (N, H, W) int32: face shown by the pixel, -1 where there is none;
    barycentric (N, H, W, 3) f32: weights of that face's corners, 0 where there is none;
    depth (N, H, W) f32: the input's z at the pixel, +inf where there is none.
    Barycentrics and depth carry gradients to the vertices; the face index does not.
    """

    face_index: torch.Tensor
    barycentric: torch.Tensor
    depth: torch.Tensor

    def covered(self) -> torch.Tensor:
        """Return (N, H, W) bool: pixels that show a face."""
        return self.face_index >= 0
