# SPDX-License-Identifier: Apache-2.0
"""The identity loss: how alike two faces are to a network that recognises people.

Does not know files or trackers; the face's place comes as landmarks.

Source: paper section 3.4; VGGFace2 (Cao et al. 2018), its ResNet-50 of 2048 features in the names
of S. Albanie's conversion (stride on the first convolution of a block, as Caffe has it);
rome-spec section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.tracking.alignment import CROP_SIDE, crop_box
from training.losses.form import Form, is_released

_STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))  # number, width, blocks
_MEAN = (131.0912, 103.8827, 91.4953)  # RGB, of 255
_MARGIN = 10  # px that the release cuts off each side of the crop
_EXPANSION = 4


class FaceRecogniser(nn.Module):
    """VGGFace2's ResNet-50 without its classifier, without trainable parameters."""

    def __init__(self) -> None:
        super().__init__()
        self._add("conv1_7x7_s2", 3, 64, 7, 2)
        channels = 64
        for stage, width, blocks in _STAGES:
            for block in range(1, blocks + 1):
                at = f"conv{stage}_{block}_"
                stride = 2 if block == 1 and stage > _STAGES[0][0] else 1
                self._add(at + "1x1_reduce", channels, width, 1, stride)
                self._add(at + "3x3", width, width, 3, 1)
                self._add(at + "1x1_increase", width, _EXPANSION * width, 1, 1)
                if block == 1:
                    self._add(at + "1x1_proj", channels, _EXPANSION * width, 1, stride)
                channels = _EXPANSION * width
        self.requires_grad_(False).eval()

    def _add(self, name: str, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        padding = kernel // 2
        self.add_module(name, nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False))
        self.add_module(name + "_bn", nn.BatchNorm2d(outputs))

    def _run(self, name: str, values: torch.Tensor) -> torch.Tensor:
        return self.get_submodule(name + "_bn")(self.get_submodule(name)(values))

    def forward(self, face: torch.Tensor) -> torch.Tensor:
        """Return features (N, 2048) of faces (N, 3, 224, 224) less the network's mean."""
        values = functional.relu(self._run("conv1_7x7_s2", face))
        values = functional.max_pool2d(values, 3, 2, ceil_mode=True)
        for stage, _, blocks in _STAGES:
            for block in range(1, blocks + 1):
                at = f"conv{stage}_{block}_"
                kept = self._run(at + "1x1_proj", values) if block == 1 else values
                inner = functional.relu(self._run(at + "1x1_reduce", values))
                inner = functional.relu(self._run(at + "3x3", inner))
                values = functional.relu(kept + self._run(at + "1x1_increase", inner))
        return values.mean(dim=(2, 3))


def face_recogniser(state: Mapping[str, torch.Tensor]) -> FaceRecogniser:
    """Return the network with the weights of a file, strictly. Raises RuntimeError (torch's)."""
    network = FaceRecogniser()
    network.load_state_dict(dict(state))
    return network


def face_crops(picture: torch.Tensor, landmarks: Any) -> torch.Tensor:
    """Return DECA's crops (N, 3, 224, 224) of pictures (N, 3, H, W), with gradients.

    landmarks (N, 68, 2): iBUG's, NDC with y down. The same places as alignment.face_crop.
    """
    steps = np.linspace(0, 1, CROP_SIDE)
    grids = []
    for face in np.asarray(landmarks, np.float64):
        box = crop_box(face)
        across, down = (2 * (start + steps * box.side) - 1 for start in (box.left, box.top))
        grids.append(np.stack(np.meshgrid(across, down), -1))
    grid = torch.from_numpy(np.stack(grids)).to(picture)
    return functional.grid_sample(picture, grid, align_corners=False)


def recogniser_input(crop: torch.Tensor, form: Form = "paper") -> torch.Tensor:
    """Return what the recogniser sees of crops (N, 3, 224, 224), RGB in [0, 1].

    paper: the values it was trained on, 255 times RGB less the mean. released: the quirk of
    reversed channels, a margin of 10 px cut off and twice the values less one.
    """
    mean = crop.new_tensor(_MEAN).view(1, 3, 1, 1)
    if not is_released(form):
        return 255 * crop - mean
    values = (255 * crop.flip(1) - mean)[..., _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    size = (CROP_SIDE, CROP_SIDE)
    return functional.interpolate(2 * values - 1, size, mode="bilinear", align_corners=False)


def identity(found: torch.Tensor, wanted: torch.Tensor, form: Form = "paper") -> torch.Tensor:
    """Return minus the cosine of features (N, C), in the mean; released: 1 more.

    The wanted features get no gradient.
    """
    cosine = functional.cosine_similarity(found, wanted.detach(), dim=-1).mean()
    return 1 - cosine if is_released(form) else -cosine
