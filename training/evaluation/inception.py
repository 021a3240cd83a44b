# SPDX-License-Identifier: Apache-2.0
"""The Inception network whose features the Frechet distance of pictures (FID) is taken of.

Does not know the distance, files or where its weights came from.

Source: Heusel et al. 2017; Szegedy et al. 2016. As TensorFlow's graph of 2015 has it and unlike
torchvision's: averages leave padding out, the last block pools by the maximum, and pictures come
as -1..1. They are resized as pytorch-fid does it (bilinear, pixel centres).
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.assets.network_shapes_inception import CLASSES, FEATURES, INCEPTION_LAYERS

SIDE = 299
_STRIDED = frozenset(
    ("Conv2d_1a_3x3", "Mixed_6a.branch3x3", "Mixed_6a.branch3x3dbl_3", "Mixed_7a.branch3x3_2",
     "Mixed_7a.branch7x7x3_4")
)  # fmt: skip
_UNPADDED = _STRIDED | {"Conv2d_2a_3x3", "Conv2d_4a_3x3"}
_LONG = ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e")
_EPSILON = 1e-3


class Inception(nn.Module):
    """The network without trainable parameters; its state is that of the published file."""

    def __init__(self) -> None:
        super().__init__()
        for name, inputs, outputs, kernel in INCEPTION_LAYERS:
            stride = 2 if name in _STRIDED else 1
            padding = (0, 0) if name in _UNPADDED else (kernel[0] // 2, kernel[1] // 2)
            layer = nn.Module()
            layer.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
            layer.bn = nn.BatchNorm2d(outputs, eps=_EPSILON)
            *block, last = name.split(".")
            if block and block[0] not in self._modules:
                self.add_module(block[0], nn.Module())
            (self.get_submodule(block[0]) if block else self).add_module(last, layer)
        self.fc = nn.Linear(FEATURES, CLASSES)
        self.requires_grad_(False).eval()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return features (N, 2048) of pictures (N, 3, H, W), RGB in [0, 1]."""
        size = (SIDE, SIDE)
        small = functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
        values = self._chain(2 * small - 1, "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
        values = functional.max_pool2d(values, 3, 2)
        values = self._chain(values, "Conv2d_3b_1x1", "Conv2d_4a_3x3")
        values = functional.max_pool2d(values, 3, 2)
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            values = self._first(block, values)
        values = self._reduced("Mixed_6a", values, (("branch3x3",), _numbered("branch3x3dbl", 3)))
        for block in _LONG:
            values = self._long(block, values)
        rows = (_numbered("branch3x3", 2), _numbered("branch7x7x3", 4))
        values = self._reduced("Mixed_7a", values, rows)
        values = self._last("Mixed_7b", values, _average(values))
        values = self._last("Mixed_7c", values, functional.max_pool2d(values, 3, 1, 1))
        return values.mean(dim=(2, 3))

    def _layer(self, name: str, values: torch.Tensor) -> torch.Tensor:
        layer = self.get_submodule(name)
        return functional.relu(layer.bn(layer.conv(values)))  # type: ignore[operator]

    def _chain(self, values: torch.Tensor, *names: str) -> torch.Tensor:
        for name in names:
            values = self._layer(name, values)
        return values

    def _row(self, block: str, values: torch.Tensor, names: tuple[str, ...]) -> torch.Tensor:
        return self._chain(values, *(f"{block}.{name}" for name in names))

    def _first(self, block: str, values: torch.Tensor) -> torch.Tensor:
        rows = (("branch1x1",), _numbered("branch5x5", 2), _numbered("branch3x3dbl", 3))
        found = [self._row(block, values, names) for names in rows]
        return torch.cat([*found, self._layer(f"{block}.branch_pool", _average(values))], 1)

    def _reduced(
        self, block: str, values: torch.Tensor, rows: tuple[tuple[str, ...], ...]
    ) -> torch.Tensor:
        found = [self._row(block, values, names) for names in rows]
        return torch.cat([*found, functional.max_pool2d(values, 3, 2)], 1)

    def _long(self, block: str, values: torch.Tensor) -> torch.Tensor:
        rows = (("branch1x1",), _numbered("branch7x7", 3), _numbered("branch7x7dbl", 5))
        found = [self._row(block, values, names) for names in rows]
        return torch.cat([*found, self._layer(f"{block}.branch_pool", _average(values))], 1)

    def _last(self, block: str, values: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        short = self._layer(f"{block}.branch3x3_1", values)
        double = self._row(block, values, _numbered("branch3x3dbl", 2))
        found = [
            self._layer(f"{block}.branch1x1", values),
            self._layer(f"{block}.branch3x3_2a", short),
            self._layer(f"{block}.branch3x3_2b", short),
            self._layer(f"{block}.branch3x3dbl_3a", double),
            self._layer(f"{block}.branch3x3dbl_3b", double),
            self._layer(f"{block}.branch_pool", pooled),
        ]
        return torch.cat(found, 1)


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{number}" for number in range(1, count + 1))


def _average(values: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(values, 3, 1, 1, count_include_pad=False)
