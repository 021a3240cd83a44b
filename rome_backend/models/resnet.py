# SPDX-License-Identifier: Apache-2.0
"""ResNet-50, the trunk of the face regressor and the whole of the linear offset regressor.

Does not know what is regressed, and no torchvision: names and shapes of the state are the same.

Source: He et al. 2016 with the stride on the 3 x 3 convolution; rome-spec 1.6 and 1.10.
"""

from __future__ import annotations

import torch
from torch import nn

FEATURES = 2048
_EXPANSION = 4
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride


class ResidualBlock(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolution, each with batch norm, around a shortcut."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = _EXPANSION * width
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, 4 width, H / stride, W / stride)."""
        main = self.relu(self.bn1(self.conv1(values)))
        main = self.relu(self.bn2(self.conv2(main)))
        main = self.bn3(self.conv3(main))
        return self.relu(main + self.downsample(values))


class ResNet50(nn.Module):
    """ResNet-50 with ``outputs`` outputs, or with its 2048 averaged features when None."""

    def __init__(self, outputs: int | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for number, (width, blocks, stride) in enumerate(_STAGES, 1):
            stage = []
            for block in range(blocks):
                stage.append(ResidualBlock(channels, width, stride if block == 0 else 1))
                channels = _EXPANSION * width
            setattr(self, f"layer{number}", nn.Sequential(*stage))
        self.fc = nn.Identity() if outputs is None else nn.Linear(FEATURES, outputs)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Map (N, 3, H, W), RGB in [0, 1], to (N, outputs) or (N, 2048)."""
        values = self.maxpool(self.relu(self.bn1(self.conv1(picture))))
        for number in range(1, len(_STAGES) + 1):
            values = self.get_submodule(f"layer{number}")(values)
        return self.fc(values.mean(dim=(2, 3)))
