# SPDX-License-Identifier: Apache-2.0
"""How many metres a step along u or v is on a head, in the frame that normal maps are told in.

Does not know pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F64, HeadModel

_LEAST = 0.02  # m that the whole texture's side is worth at least, where faces are degenerate


@dataclass(frozen=True)
class TexelMetric:
    """Surface per texture side at every UV vertex, (Vt,) f64 m each.

    The frame is MikkTSpace's, which Blender and glTF share: the tangent runs along growing u, the
    bitangent across it towards growing v. A step of 1 in u is ``along`` of the tangent; a step of
    1 in v is ``slant`` of the tangent and ``across`` of the bitangent.
    """

    along: F64
    across: F64
    slant: F64


def texel_metric(head: HeadModel, vertices: NDArray[np.floating]) -> TexelMetric:
    """Measure the UV layout on a mesh (V, 3) m: the mean of the faces round each UV vertex."""
    corners = np.asarray(vertices, np.float64)[head.faces]
    uvs = head.uvs.astype(np.float64)[head.uv_faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    (a, b), (c, d) = (uvs[:, 1] - uvs[:, 0]).T, (uvs[:, 2] - uvs[:, 0]).T
    area = a * d - b * c
    good = np.abs(area) > 1e-12
    inverse = np.where(good, 1 / np.where(good, area, 1), 0)[:, None]
    by_u = (d[:, None] * first - b[:, None] * second) * inverse
    by_v = (a[:, None] * second - c[:, None] * first) * inverse
    along = np.linalg.norm(by_u, axis=1)
    tangent = by_u / np.maximum(along, 1e-9)[:, None]
    slant = (by_v * tangent).sum(1)
    across = np.linalg.norm(by_v - slant[:, None] * tangent, axis=1)
    count = len(head.uvs)
    members = np.maximum(np.bincount(head.uv_faces[good].ravel(), minlength=count), 1)
    along, across, slant = (
        np.bincount(head.uv_faces[good].ravel(), np.repeat(each[good], 3), count) / members
        for each in (along, across, slant)
    )
    return TexelMetric(np.maximum(along, _LEAST), np.maximum(across, _LEAST), slant)
