# SPDX-License-Identifier: Apache-2.0
"""MobileNetV2: the released light network for expression, pose and camera of a driving frame.

Does not know FLAME nor cameras beyond the slices, and no torchvision: the state is the same.

Source: Sandler et al. 2018; rome-spec section 1.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

# expansion, output channels, blocks, stride of the first block
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_LAST = 1280
_DROPOUT = 0.2


@dataclass(frozen=True)
class CameraRegressorParams:
    """Size of the camera regressor; the default is the released one."""

    outputs: int = 59
    """50 expression, 6 pose, 3 camera."""

    def __post_init__(self) -> None:
        """Raise ValueError without outputs."""
        if self.outputs < 1:
            raise ValueError("there must be at least one output")


@dataclass(frozen=True)
class CameraCode:
    """What the network says: expression (N, 50), pose (N, 6) rad, camera (N, 3) s, tx, ty.

    The pose is the head's axis-angle, then the jaw's; the camera is that of the whole picture.
    """

    expression: torch.Tensor
    pose: torch.Tensor
    camera: torch.Tensor


def split_camera_code(code: torch.Tensor) -> CameraCode:
    """Cut an output (N, 59) into its parts. Raises ValueError on another length."""
    expression, pose, camera = code.split((50, 6, 3), dim=-1)
    return CameraCode(expression, pose, camera)


def _layer(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel alone, project; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        layers = [_layer(inputs, inner, 1)] if expansion > 1 else []
        layers.append(_layer(inner, inner, 3, stride, groups=inner))
        layers += [nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self._adds = stride == 1 and inputs == outputs

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        return values + self.conv(values) if self._adds else self.conv(values)


class MobileNetV2(nn.Module):
    """MobileNetV2 of width 1; made by make_camera_regressor."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        channels = 32
        layers = [_layer(3, channels, 3, stride=2)]
        for expansion, width, blocks, stride in _STAGES:
            for block in range(blocks):
                first = stride if block == 0 else 1
                layers.append(InvertedResidual(channels, width, first, expansion))
                channels = width
        layers.append(_layer(channels, _LAST, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(_DROPOUT), nn.Linear(_LAST, outputs))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Map (N, 3, H, W), RGB in [0, 1], to (N, outputs)."""
        return self.classifier(self.features(picture).mean(dim=(2, 3)))


def make_camera_regressor(params: CameraRegressorParams | None = None) -> MobileNetV2:
    """Return the regressor with random weights: (N, 3, 256, 256) RGB in [0, 1] -> (N, 59)."""
    return MobileNetV2((params or CameraRegressorParams()).outputs)
