# SPDX-License-Identifier: Apache-2.0
"""Measures eyelids: the gap between their edges and how they lie on the eyeball.

Does not know which expression moved them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F64, I32, FlameParams, HeadModel, Mask
from rome_backend.open_head.landmark_sets import LEFT_LOWER_LID, LEFT_UPPER_LID

ALONG_EDGE = np.linspace(0, 1, 9)[:, None, None]
IN_FACE = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)]) / 6
SEEN_M = 0.006  # beside the pupil; the corners and the tear duct lie off the eyeball
FRONT = 0.2
LEFT_EYE, UPPER_LID = 3, 386  # the joint, and the middle of the lid above it
GAZES = ((30.0, 0.0), (15.0, 10.0), (-25.0, 0.0), (0.0, 30.0), (0.0, -30.0))


@dataclass(frozen=True)
class LeftLids:
    """The left eye of an open head: its lids' edge, lid faces and eyeball.

    edges (E, 2) i32: the lids' edge as pairs of vertices; upper (E,) bool: of the upper lid;
    faces (F, 3) i32: skin that may touch the eyeball; ball (B,) i32.
    """

    edges: I32
    upper: Mask
    faces: I32
    ball: I32


def left_lids(head: HeadModel) -> LeftLids:
    """Return the left eye's lids; the edge is where face and socket meet."""
    face, eye = head.regions["face"], head.regions["left_eye_region"]
    socket = eye & ~face
    touching = socket[head.faces].any(axis=1) & face[head.faces].any(axis=1)
    pairs = np.concatenate([head.faces[touching][:, k] for k in ([0, 1], [1, 2], [2, 0])])
    edges = np.unique(np.sort(pairs[face[pairs].all(axis=1)], axis=1), axis=0)
    points = head.template.astype(np.float64)
    middles = points[edges].mean(axis=1)
    sides = [points[list(side)] for side in (LEFT_UPPER_LID, LEFT_LOWER_LID)]
    above, below = (cKDTree(side).query(middles)[0] for side in sides)
    return LeftLids(
        edges=edges.astype(np.int32),
        upper=above < below,
        faces=head.faces[(eye & face)[head.faces].all(axis=1)],
        ball=np.flatnonzero(head.regions["left_eyeball"]).astype(np.int32),
    )


def lid_gap_mm(lids: LeftLids, vertices: F64) -> float:
    """Return the widest distance in mm from the upper lid's edge to the lower one's.

    vertices (V, 3) m. The edges are sampled between their vertices.
    """
    ends = vertices[lids.edges]
    samples = (1 - ALONG_EDGE) * ends[None, :, 0] + ALONG_EDGE * ends[None, :, 1]
    upper, lower = (samples[:, part].reshape(-1, 3) for part in (lids.upper, ~lids.upper))
    return 1000 * float(cKDTree(lower).query(upper)[0].max())


def off_eyeball_mm(lids: LeftLids, vertices: F64, centre: F64) -> tuple[float, float]:
    """Return how near the lids come to the eyeball, and how far their edge stands off, in mm.

    vertices (V, 3) m; centre (3,) m. The first is the least distance over all of the lids'
    skin, sampled inside its faces: below zero where the eyeball pokes through. The second is
    the largest distance of the lids' edge within 6 mm sideways of the pupil.
    """
    skin = np.einsum("sc,fcx->sfx", IN_FACE, vertices[lids.faces]).reshape(-1, 3)
    nearest = _height(skin, vertices[lids.ball], centre).min()
    edge = vertices[np.unique(lids.edges)]
    pupil_x = vertices[lids.ball[vertices[lids.ball, 2].argmax()], 0]
    over_iris = edge[np.abs(edge[:, 0] - pupil_x) < SEEN_M]
    farthest = _height(over_iris, vertices[lids.ball], centre).max()
    return 1000 * float(nearest), 1000 * float(farthest)


def gaze_measures(head: HeadModel) -> list[dict[str, Any]]:
    """Return one entry for each turn of the eye bones in `GAZES`, degrees down and to +X.

    nearest_mm and edge_off_mm as in `off_eyeball_mm`; upper_lid: how far its middle goes down.
    """
    lids, entries = left_lids(head), []
    centre = (head.joint_regressor.astype(np.float64) @ head.template)[LEFT_EYE]
    rest = _elevation(head.template[UPPER_LID] - centre)
    for pitch, yaw in GAZES:
        turn = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_rotvec()
        zeros = np.zeros(head.shape_dirs.shape[2]), np.zeros(len(head.expression_names))
        vertices = posed_vertices(head, FlameParams(*zeros, eyes=np.array([turn, turn])))
        nearest, farthest = off_eyeball_mm(lids, vertices, centre)
        follows = rest - _elevation(vertices[UPPER_LID] - centre)
        entries.append(
            {
                "pitch": pitch,
                "yaw": yaw,
                "nearest_mm": round(nearest, 2),
                "edge_off_mm": round(farthest, 2),
                "upper_lid": round(follows, 1),
            }
        )
    return entries


def _elevation(arm: F64) -> float:
    return float(np.degrees(np.arctan2(arm[1], arm[2])))


def _height(points: F64, ball: F64, centre: F64) -> F64:
    """Return the distances (N,) m of points in front of the eyeball from its surface."""
    arms, radii = points - centre, np.linalg.norm(ball - centre, axis=1)
    length = np.linalg.norm(arms, axis=1)
    near = (arms[:, 2] > FRONT * length) & (length < 1.6 * radii.max())
    directions = arms[near] / length[near, None]
    away, found = cKDTree((ball - centre) / radii[:, None]).query(directions, k=3)
    share = 1 / (away + 1e-9)
    radius = np.sum(share * radii[found], axis=1) / share.sum(axis=1)
    return length[near] - radius
