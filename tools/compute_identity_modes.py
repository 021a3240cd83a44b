# SPDX-License-Identifier: Apache-2.0
"""Computes how heads differ, for the open head's identity space, out of ICT-FaceKit's modes.

Does not know the open head's mesh: it writes displacements at MediaPipe's landmarks and at points
of cranium, ears and neck. Nothing at run time calls it.

    python tools/compute_identity_modes.py --model ../shared/data/ict/ict_facekit_light_reduced.npz

Source: ICT-FaceKit Light, MIT licence, (c) 2020 USC Institute for Creative Technologies.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from rome_backend.core.types import F64
from rome_backend.open_head.identity_statistics import FILE
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks
from rome_backend.tracking.pose_estimate import procrustes

# MediaPipe's landmarks at iBUG's 17..67, the order of the model's own landmarks; 8 is the chin.
INNER = (
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 195, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
CHIN = 152
SKIN_PARTS = (0, 1)
FACE_LANDMARKS = 468
ROUNDS = 6
SPACING_M = 0.0085
CLEARANCE_M = 0.006
CM, MM = 0.01, 0.001


def registered(skin: F64, known: F64) -> tuple[F64, F64]:
    """Return the skin's vertices (V, 3) m in the mean face's frame and the 468 landmarks on them.

    known (52, 3): the model's own inner landmarks and chin. A similarity by the known landmarks,
    then the mean face is bent onto the skin: by the known landmarks, and towards the closest
    vertices more and more smoothly-weighted.
    """
    mean = mean_face()[:FACE_LANDMARKS]
    chosen = list(INNER) + [CHIN]
    pose = procrustes(known, mean[chosen], np.ones(len(known)))
    skin, known = pose.to_view(skin), pose.to_view(known)
    bent = mean + RBFInterpolator(
        mean[chosen], known - mean[chosen], smoothing=1e-3, kernel="linear"
    )(mean)
    tree = cKDTree(skin)
    for _ in range(ROUNDS):
        pull = skin[tree.query(bent)[1]] - bent
        bent = bent + RBFInterpolator(mean, pull, kernel="linear", smoothing=0.01)(mean)
    return skin, skin[tree.query((bent + bent[mirror_landmarks()[:468]] * (-1, 1, 1)) / 2)[1]]


def scattered(skin: F64, landmarks: F64) -> NDArray[np.integer]:
    """Return vertices about 8.5 mm apart, off the face (farthest point first)."""
    gap = np.asarray(cKDTree(landmarks).query(skin)[0])
    gap[gap < CLEARANCE_M] = 0.0
    chosen: list[int] = []
    while gap.max() > SPACING_M:
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(skin - skin[chosen[-1]], axis=1))
    return np.array(chosen)


def main() -> None:
    """Compute the modes and write them next to the code that reads them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Compute the identity modes.")
    parser.add_argument("--model", type=Path, required=True, help="ict_facekit_light_reduced.npz")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    with np.load(args.model) as model:
        used = np.unique(model["faces"][np.isin(model["face_part"], SKIN_PARTS)])
        neutral = model["neutral_cm"].astype(np.float64)
        modes = model["identity_deltas"][:, used].astype(np.float64)
        known = neutral[np.r_[model["landmarks68"][17:], model["landmarks68"][8]]]
    skin, landmarks = registered(neutral[used], known)
    scale = np.linalg.norm(np.ptp(skin, axis=0)) / np.linalg.norm(np.ptp(neutral[used], axis=0))
    rows = np.r_[cKDTree(skin).query(landmarks)[1], scattered(skin, landmarks)]
    partial = args.out.with_suffix(".partial.npz")
    np.savez(
        partial,
        points=skin[rows].astype(np.float32),
        modes_mm=(modes[:, rows] * scale / MM).astype(np.float16),
    )
    os.replace(partial, args.out)
    size = args.out.stat().st_size
    logging.info("%s: %d points, %d modes, %d bytes", args.out, len(rows), len(modes), size)


if __name__ == "__main__":
    main()
