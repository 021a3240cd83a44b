# SPDX-License-Identifier: Apache-2.0
"""Measures of a head model that hair, neck and shoulder shapes are written in.

Does not know any topology: it needs the regions 'hair' and 'neck' of any head model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.errors import FileInvalid
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F64, HeadModel
from rome_backend.open_head.surface_distance import surface_distance

FAR_M = 1.0


@dataclass(frozen=True)
class OffsetRegion:
    """One region's vertices with what hair and neck shapes need to know of them. H vertices.

    vertices (H,): numbers in the head model; positions (H, 3) m; outward (H, 3) unit, blend of
    normal and radial direction; border (H,) m: distance along the surface to skin that may not
    move; centre (3,) m and radius m of the cranium.
    """

    vertices: NDArray[np.integer]
    positions: F64
    outward: F64
    border: F64
    centre: F64
    radius: float


def offset_regions(head: HeadModel) -> tuple[OffsetRegion, OffsetRegion]:
    """Return the regions 'hair' and 'neck' of a head model.

    Raises FileInvalid when a region is missing, empty, or when they overlap.
    """
    for name in ("hair", "neck"):
        if name not in head.regions or not np.any(head.regions[name]):
            raise FileInvalid(
                "region_missing",
                f"The head model {head.name!r} has no region {name!r}.",
                "Rebuild or re-import the head model.",
            )
    hair, neck = head.regions["hair"], head.regions["neck"]
    if np.any(hair & neck):
        raise FileInvalid(
            "regions_overlap",
            f"The regions 'hair' and 'neck' of the head model {head.name!r} overlap.",
            "Rebuild or re-import the head model.",
        )
    positions = head.template.astype(np.float64)
    border = surface_distance(positions, head.faces, ~hair & ~neck)
    normals = vertex_normals(positions, head.faces)
    centre, radius = cranium(positions[hair])
    hair_region, neck_region = (
        OffsetRegion(
            vertices=np.flatnonzero(mask),
            positions=positions[mask],
            outward=_outward(positions[mask], normals[mask], centre),
            border=np.minimum(border[mask], FAR_M),
            centre=centre,
            radius=radius,
        )
        for mask in (hair, neck)
    )
    return hair_region, neck_region


def cranium(hair: F64) -> tuple[F64, float]:
    """Return centre (3,) m and half width m of the cranium under hair vertices (H, 3) m."""
    low, high = hair.min(axis=0), hair.max(axis=0)
    radius = (high[0] - low[0]) / 2
    centre = np.array([(low[0] + high[0]) / 2, high[1] - 1.15 * radius, (low[2] + high[2]) / 2])
    return centre, float(radius)


def _outward(positions: F64, normals: F64, centre: F64) -> F64:
    radial = positions - centre
    outward = normals + radial / np.linalg.norm(radial, axis=1, keepdims=True)
    return outward / np.linalg.norm(outward, axis=1, keepdims=True)
