# SPDX-License-Identifier: Apache-2.0
"""The first layers of a VGG, and the distance of two pictures in their features.

Does not know files, nor what the network was trained for.

Source: Simonyan and Zisserman 2015; Johnson et al. 2016; rome-spec section 4 (weights, layers).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as functional
from torch import nn

# Convolutions before each first ReLU of a level: relu1_1, 2_1, 3_1, 4_1 and 5_1.
VGG19_BLOCKS = ((64,), (64, 128), (128, 256), (256, 256, 256, 512), (512, 512, 512, 512))
VGG16_BLOCKS = ((64,), (64, 128), (128, 256), (256, 256, 512), (512, 512, 512))
LAYER_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
_MEAN = (0.485, 0.456, 0.406)
_SPREAD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """A VGG up to relu5_1, its five levels of features, without trainable parameters.

    blocks: widths of the convolutions up to each first ReLU of a level; the last one of a block
    comes after the pooling. The state has torchvision's names, ``<index>.weight`` and ``.bias``.
    """

    def __init__(self, blocks: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        channels, index = 3, 0
        self._levels: list[list[str]] = []
        for block in blocks:
            names = []
            for number, width in enumerate(block):
                if channels != 3 and number == len(block) - 1:
                    names.append("pool")
                    index += 1
                self.add_module(str(index), nn.Conv2d(channels, width, 3, padding=1))
                names.append(str(index))
                channels, index = width, index + 2
            self._levels.append(names)
        self.requires_grad_(False).eval()

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the five levels of pictures (N, 3, H, W), RGB in [0, 1], at least 16 px."""
        mean, spread = (picture.new_tensor(each).view(1, 3, 1, 1) for each in (_MEAN, _SPREAD))
        values, found = (picture - mean) / spread, []
        for names in self._levels:
            for name in names:
                if name == "pool":
                    values = functional.max_pool2d(values, 2)
                else:
                    values = functional.relu(self.get_submodule(name)(values))
            found.append(values)
        return tuple(found)


def vgg_features(
    blocks: tuple[tuple[int, ...], ...], state: Mapping[str, torch.Tensor], prefix: str
) -> VggFeatures:
    """Return features with the weights of a file; tensors of later layers are left out.

    Raises RuntimeError (torch's) when one that is needed is missing or of another shape.
    """
    network = VggFeatures(blocks)
    wanted = network.state_dict().keys()
    mine = {name.removeprefix(prefix): value for name, value in state.items()}
    network.load_state_dict({name: mine[name] for name in wanted if name in mine})
    return network


def perceptual(network: VggFeatures, found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean absolute difference of five levels; (N, 3, H, W) in [0, 1].

    The wanted picture gets no gradient.
    """
    with torch.no_grad():
        target = network(wanted)
    levels = zip(LAYER_WEIGHTS, network(found), target, strict=True)
    return torch.stack([weight * functional.l1_loss(f, t) for weight, f, t in levels]).sum()
