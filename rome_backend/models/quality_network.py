# SPDX-License-Identifier: Apache-2.0
"""HyperIQA: how good a picture looks, by a small network whose weights another one makes.

Does not know which pictures are judged; names of the state are the published ones.

Source: Su et al., CVPR 2020, in the published sizes.
"""

from __future__ import annotations

import torch
from torch import nn

from rome_backend.models.resnet import ResNet50

SIDE = 224
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FEATURES, _CELLS = 112, 7  # of the grid that weights are made from: channels, side
_LOCAL = 16  # values of each stage
_WIDTHS = (SIDE, 112, 56, 28, 14)  # of the small network
_POOLED = ((256, 16, 64), (512, 32, 16), (1024, 64, 4))  # a stage's channels, kept, places


class _Trunk(ResNet50):
    """ResNet-50 with values of every stage beside its last features."""

    def __init__(self) -> None:
        super().__init__(None)
        for number, (channels, kept, places) in enumerate(_POOLED, 1):
            pool = nn.Sequential(nn.Conv2d(channels, kept, 1, bias=False), nn.AvgPool2d(7, 7))
            setattr(self, f"lda{number}_pool", pool)
            setattr(self, f"lda{number}_fc", nn.Linear(kept * places, _LOCAL))
        self.lda4_pool = nn.AvgPool2d(7, 7)
        self.lda4_fc = nn.Linear(2048, SIDE - 3 * _LOCAL)

    def both(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the last features (N, 2048, 7, 7) and all stages' values (N, 224)."""
        values = self.maxpool(self.relu(self.bn1(self.conv1(picture))))
        found = []
        for number in range(1, 5):
            values = self.get_submodule(f"layer{number}")(values)
            pooled = self.get_submodule(f"lda{number}_pool")(values).flatten(1)
            found.append(self.get_submodule(f"lda{number}_fc")(pooled))
        return values, torch.cat(found, 1)


class QualityNetwork(nn.Module):
    """HyperIQA's two networks as one."""

    def __init__(self) -> None:
        super().__init__()
        self.res = _Trunk()
        self.conv1 = nn.Sequential(
            nn.Conv2d(2048, 1024, 1), nn.ReLU(inplace=True),
            nn.Conv2d(1024, 512, 1), nn.ReLU(inplace=True),
            nn.Conv2d(512, _FEATURES, 1), nn.ReLU(inplace=True),
        )  # fmt: skip
        for number, (inputs, outputs) in enumerate(zip(_WIDTHS, _WIDTHS[1:], strict=False), 1):
            made = inputs * outputs // _CELLS**2
            setattr(self, f"fc{number}w_conv", nn.Conv2d(_FEATURES, made, 3, padding=1))
            setattr(self, f"fc{number}b_fc", nn.Linear(_FEATURES, outputs))
        self.fc5w_fc = nn.Linear(_FEATURES, _WIDTHS[-1])
        self.fc5b_fc = nn.Linear(_FEATURES, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, 224, 224), RGB in [0, 1], to scores (N,) from 0 to 100."""
        mean, spread = (picture.new_tensor(each)[:, None, None] for each in (_MEAN, _SPREAD))
        features, values = self.res.both((picture - mean) / spread)
        grid = self.conv1(features)
        pooled = grid.mean((2, 3))
        count = len(picture)
        for number, (inputs, outputs) in enumerate(zip(_WIDTHS, _WIDTHS[1:], strict=False), 1):
            weight = self.get_submodule(f"fc{number}w_conv")(grid).reshape(count, outputs, inputs)
            bias = self.get_submodule(f"fc{number}b_fc")(pooled)
            values = torch.sigmoid(_applied(weight, bias, values))
        last = _applied(self.fc5w_fc(pooled)[:, None], self.fc5b_fc(pooled), values)
        return last[:, 0]


def _applied(weight: torch.Tensor, bias: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return each sample's own linear layer (N, O, I), (N, O) of its values (N, I)."""
    return torch.baddbmm(bias[..., None], weight, values[..., None])[..., 0]
