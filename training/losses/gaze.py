# SPDX-License-Identifier: Apache-2.0
"""The gaze loss: features of a network for gaze, with gradients at the eyes alone.

Does not know files or trackers; the eyes come as landmarks.

Source: paper section 3.4 (after He et al. 2019); rome-spec section 4. How far the eyes' outlines
are widened and blurred is our own choice.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as functional

from training.losses.vgg import VggFeatures, perceptual

SIDE = 224
_EYES = (slice(36, 42), slice(42, 48))
_WIDENED = 9  # px of 224, an eye being about 25 px wide
_BLUR = 4.0


def eye_masks(landmarks: Any, side: int = SIDE) -> torch.Tensor:
    """Return where the eyes are, (N, 1, side, side) f32 in [0, 1]: their outlines, widened, soft.

    landmarks (N, 68, 2): iBUG's, NDC with y down.
    """
    masks = []
    for face in (np.asarray(landmarks, np.float64) + 1) / 2 * side:
        picture = np.zeros((side, side), np.float32)
        for eye in _EYES:
            outline = np.round(face[eye] - 0.5).astype(np.int32)
            cv2.fillConvexPoly(picture, cv2.convexHull(outline), 1.0)
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _WIDENED + 1,) * 2)
        masks.append(cv2.GaussianBlur(cv2.dilate(picture, brush), (0, 0), _BLUR))
    return torch.from_numpy(np.stack(masks))[:, None]


def gaze(
    network: VggFeatures, found: torch.Tensor, wanted: torch.Tensor, landmarks: Any
) -> torch.Tensor:
    """Return the distance of pictures (N, 3, H, W) in [0, 1] to a network for gaze.

    landmarks (N, 68, 2) of the wanted picture, NDC.
    """
    first, second = (
        functional.interpolate(each, (SIDE, SIDE), mode="bicubic", align_corners=False)
        for each in (found, wanted)
    )
    mask = eye_masks(landmarks).to(first)
    return perceptual(network, first.detach() + mask * (first - first.detach()), second)
