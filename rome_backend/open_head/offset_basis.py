# SPDX-License-Identifier: Apache-2.0
"""Linear basis of hair, neck and shoulder offsets: PCA of procedural volumes.

Does not know photos or networks; a distilled basis may replace it in the same type.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64, HeadModel, OffsetBasis
from rome_backend.open_head.hair import draw_hair, hair_offsets
from rome_backend.open_head.neck_shapes import neck_offsets
from rome_backend.open_head.offset_region import OffsetRegion, offset_regions
from rome_backend.open_head.scalp import build_scalp

HAIR_COMPONENTS, NECK_COMPONENTS = 50, 10


def offset_basis(head: HeadModel, seed: int = 0, count: int = 320) -> OffsetBasis:
    """Return the basis (paper section 3.5: 50 hair + 10 neck) of any head model.

    head needs the disjoint regions 'hair' and 'neck'. count: volumes of hair, and of neck
    shapes, half drawn and half their mirror images; the same seed gives the same basis.
    Hair moves only vertices of 'hair', neck only those of 'neck'. On a region too small for all
    components the rest are zero. Raises FileInvalid when a region is missing or they overlap.
    """
    hair, neck = offset_regions(head)
    random = np.random.default_rng(seed)
    scalp = build_scalp(head, head.template.astype(np.float64))
    styles = draw_hair(random, count // 2)
    volumes = np.concatenate([hair_offsets(scalp, s) for s in (styles, styles.mirrored())])
    shapes = neck_offsets(neck, random, count // 2)
    mean = np.zeros(head.template.shape)
    dirs = np.zeros((*head.template.shape, HAIR_COMPONENTS + NECK_COMPONENTS))
    groups = ((hair, volumes, 0, HAIR_COMPONENTS), (neck, shapes, HAIR_COMPONENTS, NECK_COMPONENTS))
    for region, samples, first, components in groups:
        mean[region.vertices] = samples.mean(axis=0)
        dirs[region.vertices, :, first : first + components] = principal_components(
            samples, region, components
        )
    names = [f"Hair{k + 1:02d}" for k in range(HAIR_COMPONENTS)]
    names += [f"Neck{k + 1:02d}" for k in range(NECK_COMPONENTS)]
    return OffsetBasis(mean.astype(np.float32), dirs.astype(np.float32), tuple(names))


def principal_components(samples: F64, region: OffsetRegion, components: int) -> F64:
    """Return the leading components (H, 3, components) m per standard deviation.

    samples (N, H, 3) m. Mutually orthogonal, ordered by size; positive means outwards on the
    whole.
    """
    count = len(samples)
    flat = (samples - samples.mean(axis=0)).reshape(count, -1)
    # The Gram matrix is far smaller than a singular value decomposition of all volumes.
    squares, mixes = np.linalg.eigh(flat @ flat.T)
    leading = np.argsort(-squares)[:components]
    kept = int((squares[leading] > 1e-12 * max(squares.max(), 1e-30)).sum())
    found = flat.T @ mixes[:, leading[:kept]] / np.sqrt(count - 1)
    found *= np.where(found.T @ region.outward.ravel() < 0, -1.0, 1.0)
    result = np.zeros((flat.shape[1], components))
    result[:, :kept] = found
    return result.reshape(len(region.vertices), 3, components)
