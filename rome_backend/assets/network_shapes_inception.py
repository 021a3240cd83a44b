# SPDX-License-Identifier: Apache-2.0
"""The layers of the Inception network that the Frechet distance of pictures is measured with.

Does not know files, nor how a network computes.

Source: Szegedy et al. 2016 (Inception v3) in torchvision's names, with the 1,008 classes of
TensorFlow's graph of 2015-12-05, as pytorch-fid and torch-fidelity publish it
(`pt_inception-2015-12-05-6726825d.pth`).
"""

from __future__ import annotations

from rome_backend.assets.network_shapes import Shapes, batch_norm, joined, linear

FEATURES, CLASSES = 2048, 1008
Layer = tuple[str, int, int, tuple[int, int]]  # name, input and output channels, kernel

_STEM: tuple[Layer, ...] = (
    ("Conv2d_1a_3x3", 3, 32, (3, 3)),
    ("Conv2d_2a_3x3", 32, 32, (3, 3)),
    ("Conv2d_2b_3x3", 32, 64, (3, 3)),
    ("Conv2d_3b_1x1", 64, 80, (1, 1)),
    ("Conv2d_4a_3x3", 80, 192, (3, 3)),
)


def _first(name: str, inputs: int, pooled: int) -> list[Layer]:
    return [
        (f"{name}.branch1x1", inputs, 64, (1, 1)),
        (f"{name}.branch5x5_1", inputs, 48, (1, 1)),
        (f"{name}.branch5x5_2", 48, 64, (5, 5)),
        (f"{name}.branch3x3dbl_1", inputs, 64, (1, 1)),
        (f"{name}.branch3x3dbl_2", 64, 96, (3, 3)),
        (f"{name}.branch3x3dbl_3", 96, 96, (3, 3)),
        (f"{name}.branch_pool", inputs, pooled, (1, 1)),
    ]


def _long(name: str, inner: int) -> list[Layer]:
    across, down = (1, 7), (7, 1)
    return [
        (f"{name}.branch1x1", 768, 192, (1, 1)),
        (f"{name}.branch7x7_1", 768, inner, (1, 1)),
        (f"{name}.branch7x7_2", inner, inner, across),
        (f"{name}.branch7x7_3", inner, 192, down),
        (f"{name}.branch7x7dbl_1", 768, inner, (1, 1)),
        (f"{name}.branch7x7dbl_2", inner, inner, down),
        (f"{name}.branch7x7dbl_3", inner, inner, across),
        (f"{name}.branch7x7dbl_4", inner, inner, down),
        (f"{name}.branch7x7dbl_5", inner, 192, across),
        (f"{name}.branch_pool", 768, 192, (1, 1)),
    ]


def _last(name: str, inputs: int) -> list[Layer]:
    return [
        (f"{name}.branch1x1", inputs, 320, (1, 1)),
        (f"{name}.branch3x3_1", inputs, 384, (1, 1)),
        (f"{name}.branch3x3_2a", 384, 384, (1, 3)),
        (f"{name}.branch3x3_2b", 384, 384, (3, 1)),
        (f"{name}.branch3x3dbl_1", inputs, 448, (1, 1)),
        (f"{name}.branch3x3dbl_2", 448, 384, (3, 3)),
        (f"{name}.branch3x3dbl_3a", 384, 384, (1, 3)),
        (f"{name}.branch3x3dbl_3b", 384, 384, (3, 1)),
        (f"{name}.branch_pool", inputs, 192, (1, 1)),
    ]


_REDUCTIONS: tuple[Layer, ...] = (
    ("Mixed_6a.branch3x3", 288, 384, (3, 3)),
    ("Mixed_6a.branch3x3dbl_1", 288, 64, (1, 1)),
    ("Mixed_6a.branch3x3dbl_2", 64, 96, (3, 3)),
    ("Mixed_6a.branch3x3dbl_3", 96, 96, (3, 3)),
    ("Mixed_7a.branch3x3_1", 768, 192, (1, 1)),
    ("Mixed_7a.branch3x3_2", 192, 320, (3, 3)),
    ("Mixed_7a.branch7x7x3_1", 768, 192, (1, 1)),
    ("Mixed_7a.branch7x7x3_2", 192, 192, (1, 7)),
    ("Mixed_7a.branch7x7x3_3", 192, 192, (7, 1)),
    ("Mixed_7a.branch7x7x3_4", 192, 192, (3, 3)),
)
INCEPTION_LAYERS: tuple[Layer, ...] = (
    *_STEM,
    *_first("Mixed_5b", 192, 32),
    *_first("Mixed_5c", 256, 64),
    *_first("Mixed_5d", 288, 64),
    *_REDUCTIONS,
    *_long("Mixed_6b", 128),
    *_long("Mixed_6c", 160),
    *_long("Mixed_6d", 160),
    *_long("Mixed_6e", 192),
    *_last("Mixed_7b", 1280),
    *_last("Mixed_7c", 2048),
)


def inception() -> Shapes:
    """Return the tensors of the network with its classifier."""
    parts: list[Shapes] = []
    for name, inputs, outputs, kernel in INCEPTION_LAYERS:
        parts.append({f"{name}.conv.weight": (outputs, inputs, *kernel)})
        parts.append(batch_norm(f"{name}.bn", outputs))
    return joined(parts) | linear("fc", FEATURES, CLASSES)
