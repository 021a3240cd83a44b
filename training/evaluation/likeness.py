# SPDX-License-Identifier: Apache-2.0
"""How alike the people of two pictures are to a network that recognises faces (CSIM).

Does not know heads, clips or where its weights came from.

The cosine of the features of two face crops, by the network of the identity loss (VGGFace2's);
the paper takes ArcFace's, so the figures are not those of its tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.types import F64
from rome_backend.tracking.alignment import landmarks_ndc
from training.losses.identity import FaceRecogniser, face_crops, recogniser_input


class Likeness:
    """Compares faces by a recogniser."""

    def __init__(self, network: FaceRecogniser) -> None:
        self._network = network

    def features(self, picture: F64, landmarks: Any) -> torch.Tensor:
        """Return the features (C,) of a face.

        picture (S, S, 3) sRGB 0..255; landmarks (478, 2 or 3) px of it.
        """
        points = landmarks_ndc(landmarks_68_of(landmarks)[:, :2], len(picture))
        values = torch.from_numpy(np.asarray(picture, np.float32) / np.float32(255))
        crop = face_crops(values.permute(2, 0, 1)[None], points[None])
        with torch.no_grad():
            found: torch.Tensor = self._network(recogniser_input(crop))
        return found[0]


def alike(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return the cosine of two features (C,)."""
    return float(functional.cosine_similarity(first, second, dim=0))
