# SPDX-License-Identifier: Apache-2.0
"""Separates the person from the background: MediaPipe's selfie network, refined at the edge.

Does not know landmarks or photo files.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.core.types import F32, U8, Mask
from rome_backend.tracking.tflite_graph import TfliteGraph

_SIDE = 256
_WORK_SIDE = 384
_ROUNDS = 2
_BAND = 9
_FILTER_RADIUS = 6
_FILTER_EPSILON = 1e-3


class PersonMatte:
    """Mattes of square crops round a head.

    Source: MediaPipe 0.10.21's general selfie segmenter; GrabCut (Rother et al. 2004) with it as
    the trimap; guided filter (He et al. 2010) for the soft edge.
    """

    def __init__(self, models: Path | None = None) -> None:
        """Load the network from the folder `models`, by default ensure_tracker_models()."""
        folder = models or ensure_tracker_models()
        self._graph = TfliteGraph(folder / "selfie_segmentation.tflite")

    def __call__(self, rgb: U8, sure: Mask | None = None) -> F32:
        """Return the matte (H, W) f32 in [0, 1], 1 = person, of `rgb` (H, W, 3).

        Args:
            sure: (H, W) bool, pixels known to be of the person (the face): they are kept, and
                parts of the matte that are not connected with them are dropped.
        """
        height, width = rgb.shape[:2]
        small = cv2.resize(rgb, (_WORK_SIDE, _WORK_SIDE), interpolation=cv2.INTER_AREA)
        known = np.zeros(small.shape[:2], bool)
        if sure is not None:
            known = cv2.resize(sure.astype(np.uint8), (_WORK_SIDE, _WORK_SIDE)) > 0
        guess = np.maximum(self.likelihood(small), known.astype(np.float32))
        binary = _refine(np.asarray(small, np.uint8), guess, known)
        if sure is not None:
            binary = _connected(binary, known)
        matte = _soften(rgb, np.asarray(small, np.uint8), binary, (width, height))
        return matte if sure is None else np.maximum(matte, sure.astype(np.float32))

    def likelihood(self, rgb: U8 | np.ndarray) -> F32:
        """Return the network's own answer (H, W) f32 in [0, 1] for `rgb` (H, W, 3)."""
        image = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        batch = torch.from_numpy(image.astype(np.float32) / np.float32(255))[None]
        (result,) = self._graph(batch).values()
        matte = cv2.resize(result[0, ..., 0].numpy(), (rgb.shape[1], rgb.shape[0]))
        return np.asarray(matte, np.float32)


def _refine(rgb: U8, guess: F32, known: Mask) -> Mask:
    """Let GrabCut decide where the network is unsure or near its edge; ties go to the network."""
    likely = guess > 0.5
    labels = np.full(guess.shape, cv2.GC_BGD, np.uint8)
    labels[guess > 0.08] = cv2.GC_PR_BGD
    labels[likely] = cv2.GC_PR_FGD
    labels[guess > 0.9] = cv2.GC_FGD
    kernel = np.ones((_BAND, _BAND), np.uint8)
    mask = likely.astype(np.uint8)
    band = (cv2.dilate(mask, kernel) - cv2.erode(mask, kernel)) > 0
    labels[band & likely] = cv2.GC_PR_FGD
    labels[band & ~likely] = cv2.GC_PR_BGD
    labels[known] = cv2.GC_FGD
    cut = _grab_cut(rgb, labels) if (labels == cv2.GC_BGD).any() and likely.any() else likely
    both = cut.astype(np.float32) * 0.5 + guess * 0.5
    return np.asarray(cv2.GaussianBlur(both, (0, 0), 1.5) > 0.5)


def _grab_cut(rgb: U8, labels: U8) -> Mask:
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    image = np.ascontiguousarray(rgb[..., ::-1])
    whole = (0, 0, rgb.shape[1], rgb.shape[0])
    cv2.setRNGSeed(0)
    cv2.grabCut(image, labels, whole, background, foreground, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.asarray(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)))


def _connected(binary: Mask, known: Mask) -> Mask:
    _, labels = cv2.connectedComponents(binary.astype(np.uint8))
    wanted = np.unique(labels[known & binary])
    return np.asarray(np.isin(labels, wanted[wanted > 0]) | known)


def _soften(rgb: U8, small: U8, binary: Mask, size: tuple[int, int]) -> F32:
    """Return the matte at full size: a guided filter makes its edge follow the picture's."""
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    target = binary.astype(np.float32)
    box = (2 * _FILTER_RADIUS + 1, 2 * _FILTER_RADIUS + 1)
    mean_guide, mean_target = cv2.blur(guide, box), cv2.blur(target, box)
    covariance = cv2.blur(guide * target, box) - mean_guide * mean_target
    variance = cv2.blur(guide * guide, box) - mean_guide * mean_guide
    slope = covariance / (variance + _FILTER_EPSILON)
    offset = mean_target - slope * mean_guide
    full = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    wide_slope = cv2.resize(cv2.blur(slope, box), size)
    wide_offset = cv2.resize(cv2.blur(offset, box), size)
    return np.clip(wide_slope * full + wide_offset, 0, 1).astype(np.float32)
