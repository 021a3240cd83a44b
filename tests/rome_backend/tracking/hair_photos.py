# SPDX-License-Identifier: Apache-2.0
"""Plain pictures of the built-in head with known hair, for the tests of hair.

Does not know how hair is found.
"""

from __future__ import annotations

import numpy as np
import torch

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import F64, FaceFit, FlameParams, HeadCrop, HeadModel
from rome_backend.open_head.drape import lay_out, raise_hair, start_place
from rome_backend.open_head.hair_chart import AZIMUTHS
from rome_backend.open_head.hair_rest import Curtain, hanging_reach
from rome_backend.open_head.scalp import Scalp
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.outline import SquareView

SIZE, SCALE = 256, 620.0
SKIN, HAIR, CLOTH, WALL = (205, 160, 135), (60, 40, 30), (40, 60, 140), (190, 200, 205)


def fit_of(head: HeadModel, yaw: float = 0.0) -> FaceFit:
    """A weak-perspective fit of the mean head in a square of SIZE px."""
    sizes = head.shape_dirs.shape[2], head.expression_dirs.shape[2]
    params = FlameParams(shape=np.zeros(sizes[0]), expression=np.zeros(sizes[1]))
    rotation = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    return FaceFit(params, SCALE, rotation, np.array([SIZE / 2, SIZE * 0.42]), yaw, 0.0, 0.0, 0.0)


def grown(
    head: HeadModel, scalp: Scalp, thickness: float, drop: float = 0.0, front: float = 75.0
) -> F64:
    """Offsets (V, 3) m of even hair, hanging ``drop`` m below the chart's equator if positive."""
    angle = float(np.radians(front))
    hem = np.full(AZIMUTHS, scalp.chart.equator + drop)
    curtains = tuple(
        Curtain(side, start_place(scalp, side, angle - 0.2), angle, angle + 0.1, hem)
        for side in (1, -1)
    )
    layout = lay_out(scalp, curtains if drop > 0 else ())
    offsets = np.zeros(head.template.shape)
    outer = hanging_reach(scalp, 0.2) + thickness
    even = np.full(len(scalp.rest), thickness)
    offsets[scalp.vertices] = raise_hair(scalp, layout, even, outer)
    return offsets


def photo_of(head: HeadModel, offsets: F64, fit: FaceFit, bald: bool = False) -> HeadCrop:
    """A flatly coloured picture: skin, hair (skin when bald), cloth from the collar down."""
    view = SquareView(fit, SIZE, SIZE)
    vertices = head.template + offsets
    px = view.project(vertices)
    ndc = np.column_stack([2 * px[:, :2] / SIZE - 1, -px[:, 2]])
    faces = torch.from_numpy(np.ascontiguousarray(head.faces)).long()
    found = TorchRasterizer().rasterize(torch.from_numpy(ndc).float()[None], faces, SIZE, SIZE)
    index = found.face_index[0].numpy()
    colours = np.full((len(head.faces), 3), SKIN, np.float64)
    low = head.template[head.faces, 1].mean(axis=1) < -0.14
    colours[low] = CLOTH
    if not bald:
        colours[head.regions["hair"][head.faces].any(axis=1)] = HAIR
    noise = np.random.default_rng(0).normal(0, 5, (SIZE, SIZE, 3))
    rgb = np.where((index >= 0)[..., None], colours[np.maximum(index, 0)], WALL) + noise
    return HeadCrop(
        rgb=np.clip(rgb, 0, 255).astype(np.uint8),
        matte=(index >= 0).astype(np.float32),
        valid=np.ones((SIZE, SIZE), bool),
        photo_to_crop=np.eye(3)[:2],
        landmarks=np.zeros((478, 3), np.float32),
    )
