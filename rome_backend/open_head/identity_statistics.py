# SPDX-License-Identifier: Apache-2.0
"""How scanned heads differ: the modes of ICT-FaceKit, carried to any points of a mean head.

Does not know meshes: points in, displacements out. tools/compute_identity_modes.py wrote the file.

Source: ICT-FaceKit Light (github.com/ICT-VGL/ICT-FaceKit), MIT licence, (c) 2020 USC Institute
for Creative Technologies; its first 40 identity modes, standard normal by its convention.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from rome_backend.core.types import F64

FILE = Path(__file__).with_name("identity_modes.npz")
_LANDMARKS = 468
_NEIGHBOURS = 30


def scan_modes(positions: F64) -> F64:
    """Return displacements (N, 3, 40) m per standard deviation at points of a mean head.

    positions (N, 3) m, MediaPipe's 468 landmarks first. Elsewhere the modes are interpolated where
    the point would lie on the scans' mean head, by the warp that takes landmarks to landmarks.
    Each mode is freed of the landmarks' translation, turn and change of size.
    """
    with np.load(FILE) as stored:
        points = stored["points"].astype(np.float64)
        modes = stored["modes_mm"].astype(np.float64).transpose(1, 2, 0) / 1000
    ours, theirs = positions[:_LANDMARKS], points[:_LANDMARKS]
    warp = RBFInterpolator(ours, theirs - ours, kernel="linear", smoothing=1e-3)
    there = positions[_LANDMARKS:] + warp(positions[_LANDMARKS:])
    count = modes.shape[2]
    field = RBFInterpolator(points, modes.reshape(len(points), -1), _NEIGHBOURS, 1e-4, "linear")
    elsewhere = field(there).reshape(len(there), 3, count)
    return without_similarity(positions, np.concatenate([modes[:_LANDMARKS], elsewhere]))


def without_similarity(positions: F64, modes: F64) -> F64:
    """Return modes (N, 3, K) less the similarity motion nearest to their first 468 points."""
    arm = positions - positions[:_LANDMARKS].mean(axis=0)
    motions = [np.broadcast_to(axis, arm.shape) for axis in np.eye(3)]
    motions += [np.cross(axis, arm) for axis in np.eye(3)]
    basis = np.stack([*motions, arm], axis=2)
    near = basis[:_LANDMARKS].reshape(3 * _LANDMARKS, 7)
    flat = modes[:_LANDMARKS].reshape(3 * _LANDMARKS, -1)
    share = np.linalg.lstsq(near, flat, rcond=None)[0]
    return modes - np.einsum("nxm,mk->nxk", basis, share)
