# SPDX-License-Identifier: Apache-2.0
"""BiSeNet for face parsing: which of 19 parts of a head each pixel shows.

Does not know what the parts are for, and no torchvision: names of the state are the published ones.

Source: Yu et al. 2018, with a ResNet-18 as the context path and its features in place of a spatial
path, as in the published network for CelebAMask-HQ.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CLASSES = 19
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # width, stride of the first block


class _Unit(nn.Module):
    """A convolution with batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn(self.conv(values)))


class _BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != width:
            shortcut = nn.Conv2d(inputs, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        main = functional.relu(self.bn1(self.conv1(values)))
        return functional.relu(self.bn2(self.conv2(main)) + self.downsample(values))


class _Resnet18(nn.Module):
    """ResNet-18 without its classifier; features at an 8th, a 16th and a 32nd."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for number, (width, stride) in enumerate(_STAGES, 1):
            blocks = _BasicBlock(channels, width, stride), _BasicBlock(width, width, 1)
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            channels = width

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        values = self.maxpool(functional.relu(self.bn1(self.conv1(picture))))
        found = []
        for number in range(1, len(_STAGES) + 1):
            values = self.get_submodule(f"layer{number}")(values)
            found.append(values)
        return found[1:]


class _Refinement(nn.Module):
    """Features weighed by their mean over the picture."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _Unit(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found = self.conv(values)
        mean = found.mean((2, 3), keepdim=True)
        return found * torch.sigmoid(self.bn_atten(self.conv_atten(mean)))


class _ContextPath(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.resnet = _Resnet18()
        self.arm16, self.arm32 = _Refinement(256, 128), _Refinement(512, 128)
        self.conv_head32, self.conv_head16 = _Unit(128, 128), _Unit(128, 128)
        self.conv_avg = _Unit(512, 128, 1)

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        fine, middle, coarse = self.resnet(picture)
        mean = self.conv_avg(coarse.mean((2, 3), keepdim=True))
        found = self.arm32(coarse) + mean
        wide = self.conv_head32(_enlarged(found, middle))
        near = self.conv_head16(_enlarged(self.arm16(middle) + wide, fine))
        return fine, near, wide


class _Fusion(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convblk = _Unit(256, 256, 1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, fine: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
        found = self.convblk(torch.cat([fine, near], 1))
        inner = functional.relu(self.conv1(found.mean((2, 3), keepdim=True)))
        return found * torch.sigmoid(self.conv2(inner)) + found


class _Output(nn.Module):
    def __init__(self, inputs: int, middle: int) -> None:
        super().__init__()
        self.conv = _Unit(inputs, middle)
        self.conv_out = nn.Conv2d(middle, CLASSES, 1, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.conv_out(self.conv(values))


class FaceParser(nn.Module):
    """BiSeNet of 19 classes; outputs that only its training needs are there, as weights are."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = _ContextPath()
        self.ffm = _Fusion()
        self.conv_out = _Output(256, 256)
        self.conv_out16, self.conv_out32 = _Output(128, 64), _Output(128, 64)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Map (N, 3, H, W), RGB in ImageNet's normalisation, to scores (N, 19, H, W)."""
        fine, near, _ = self.cp(picture)
        scores = self.conv_out(self.ffm(fine, near))
        size = picture.shape[2:]
        return functional.interpolate(scores, size, mode="bilinear", align_corners=True)


def _enlarged(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(values, like.shape[2:], mode="nearest")
