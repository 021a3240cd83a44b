# SPDX-License-Identifier: Apache-2.0
"""The mean face in MediaPipe's 478 landmarks, and the topology of MediaPipe's face mesh.

Does not know photos or trackers: tools/compute_mean_face.py computed the array.

The triangles and the left/right pairs are facts about MediaPipe's face mesh
(github.com/google-ai-edge/mediapipe, Apache-2.0: FACEMESH_TESSELATION; the two triangles
49-129-64 and 279-294-358, which its edges imply across the nostrils' rims, are left out).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rome_backend.core.types import F64, I32

FILE = Path(__file__).with_name("mean_face.npy")
TOPOLOGY_FILE = Path(__file__).with_name("mediapipe_mesh.npz")


def mean_face() -> F64:
    """Return the mean neutral face (478, 3) in m, mirror symmetric across x = 0.

    Head space with the origin midway between the pupils, which are 63 mm apart; MediaPipe's
    landmarks 10 and 152 stand in one vertical line; the lips are closed. Frontalised by Procrustes,
    mirrored, median of the neutral photos among the project's tier A and B test photos.
    """
    return np.load(FILE).astype(np.float64)


def mirror_landmarks() -> I32:
    """Return the landmark opposite to each of the 478: (478,), its own inverse."""
    with np.load(TOPOLOGY_FILE) as topology:
        return topology["mirror"].astype(np.int32)


def symmetric_triangles() -> I32:
    """Return the face's 852 triangles (852, 3), counter-clockwise seen from the front.

    MediaPipe splits three quads differently left and right; here the left half counts for both.
    No triangle crosses the sagittal plane.
    """
    with np.load(TOPOLOGY_FILE) as topology:
        triangles = topology["triangles"].astype(np.int32)
    mirror = mirror_landmarks()
    x = mean_face()[:, 0]
    x[mirror == np.arange(len(mirror))] = 0.0
    left = triangles[x[triangles].sum(axis=1) > 0]
    return np.concatenate([left, mirror[left][:, ::-1]])
