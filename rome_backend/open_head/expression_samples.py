# SPDX-License-Identifier: Apache-2.0
"""ICT-FaceKit's expressions as moves of a few thousand points, brought onto any face.

Does not know this head's mesh beyond its landmarks and triangles, and no expression by name.

The numbers are statistics of ICT-FaceKit (github.com/ICT-VGL/ICT-FaceKit, MIT licence, Copyright
(c) 2020 USC Institute for Creative Technologies), reduced by tools/transfer_expressions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from rome_backend.core.types import F64, Mask
from rome_backend.open_head.landmark_sets import (
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP_ROWS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP_ROWS,
)
from rome_backend.open_head.surface_distance import surface_distance

FILE = Path(__file__).with_name("expression_samples.npz")
STEP_M = 1e-5
# What lies above and below the mouth and the eyes, as landmarks. The mouth's corners are both,
# so that the skin beside them moves as one; the eyes' are neither.
SIDES = (
    (
        (*UPPER_LIP_ROWS[0], *UPPER_LIP_ROWS[-1]),
        (*LOWER_LIP_ROWS[0], *LOWER_LIP_ROWS[-1], 61, 291, 78, 308),
    ),
    ((*LEFT_UPPER_LID, *RIGHT_UPPER_LID), (*LEFT_LOWER_LID, *RIGHT_LOWER_LID)),
)
APART_M, REACH_M = 0.025, 0.014
NEIGHBOURS, BLUR_M = 8, 0.0015
STIFFNESS = 1e-6


def side_coordinates(
    vertices: F64,
    faces: NDArray[np.integer],
    sides: Sequence[tuple[NDArray[np.integer], NDArray[np.integer]]],
) -> F64:
    """Return for each vertex (V,) how far it counts as above or below each opening: (V, S) m.

    vertices (V, 3) m; sides: S pairs of vertex numbers above and below. Upper and lower lip touch
    in space but not along the surface; as further coordinates these keep them apart.
    """
    columns = []
    for above, below in sides:
        up, down = (
            np.minimum(surface_distance(vertices, faces, _mask(len(vertices), side)), 1.0)
            for side in (above, below)
        )
        near = np.exp(-((np.minimum(up, down) / REACH_M) ** 2))
        columns.append(APART_M * near * np.tanh((down - up) / 0.003))
    return np.column_stack(columns)


def _mask(count: int, members: NDArray[np.integer]) -> Mask:
    mask = np.zeros(count, dtype=bool)
    mask[members] = True
    return mask


def sampled_moves(
    landmarks: F64, vertices: F64, faces: NDArray[np.integer], chosen: Mask
) -> dict[str, F64]:
    """Return ICT's moves at the chosen vertices: ARKit name -> (C, 3) m at value 1.

    landmarks (468, 3) m of this face; vertices (V, 3) m of its skin, faces (F, 3), chosen (V,)
    bool. Sided expressions appear once, as ...Left. A thin-plate warp of the landmarks leads from
    this face to ICT's; moves shrink or grow with the distance of the eyes' outer corners.
    """
    with np.load(FILE) as stored:
        data = {name: stored[name] for name in stored.files}
    theirs = data.pop("landmarks").astype(np.float64)
    points = np.concatenate([data.pop("points"), data.pop("sides")], axis=1).astype(np.float64)
    data.pop("attribution")
    warp = RBFInterpolator(
        landmarks, theirs, kernel="thin_plate_spline", smoothing=STIFFNESS, degree=1
    )
    wide, their_wide = (np.linalg.norm(eyes[33] - eyes[263]) for eyes in (landmarks, theirs))
    scale = wide / their_wide
    sides = [(np.array(above), np.array(below)) for above, below in SIDES]
    apart = side_coordinates(vertices / scale, faces, sides)
    here = np.concatenate([warp(vertices[chosen]), apart[chosen]], axis=1)
    distance, nearest = cKDTree(points).query(here, k=NEIGHBOURS)
    share = 1 / (distance**2 + BLUR_M**2) - 1 / (distance[:, -1:] ** 2 + BLUR_M**2)
    share = np.maximum(share, 1e-9)
    share /= share.sum(axis=1, keepdims=True)
    return {
        name: scale * STEP_M * np.einsum("ck,ckx->cx", share, move[nearest].astype(np.float64))
        for name, move in sorted(data.items())
    }
