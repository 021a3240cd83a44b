# SPDX-License-Identifier: Apache-2.0
"""The operators of MediaPipe's face and person networks, each bound to its weights in torch.

Does not know files or graphs: a builder takes a Node and returns a function of tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

Function = Callable[..., Tensor]

_SAME = 0
_ACTIVATIONS: dict[int, Callable[[Tensor], Tensor]] = {
    0: lambda x: x,
    1: functional.relu,
    3: functional.relu6,
}


@dataclass(frozen=True)
class Node:
    """One operator: its options, constant inputs by position (None where an activation comes
    in), the shape of its output as stored (NHWC) and the number of its inputs."""

    options: Any
    constants: Mapping[int, Tensor | None]
    output_shape: tuple[int, ...]
    input_count: int

    def constant(self, position: int) -> Tensor:
        """Return the constant at an input position; NotImplementedError when it is computed."""
        value = self.constants.get(position)
        if value is None:
            raise NotImplementedError(f"a computed input {position}")
        return value


def _activation(code: int) -> Callable[[Tensor], Tensor]:
    if code not in _ACTIVATIONS:
        raise NotImplementedError(f"activation {code}")
    return _ACTIVATIONS[code]


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _padded(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], value: float) -> Tensor:
    vertical = _same_padding(x.shape[2], kernel[0], stride[0])
    horizontal = _same_padding(x.shape[3], kernel[1], stride[1])
    if not any(vertical) and not any(horizontal):
        return x
    return functional.pad(x, [*horizontal, *vertical], value=value)


def _convolution(node: Node, weight: Tensor, groups: int) -> Function:
    options = node.options
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        raise NotImplementedError("a dilated kernel")
    bias = node.constant(2) if node.input_count > 2 else None
    stride = (options.StrideH(), options.StrideW())
    activation = _activation(options.FusedActivationFunction())
    kernel = (weight.shape[2], weight.shape[3])
    same = options.Padding() == _SAME

    def run(x: Tensor) -> Tensor:
        if same:
            x = _padded(x, kernel, stride, 0.0)
        return activation(functional.conv2d(x, weight, bias, stride, groups=groups))

    return run


def conv_2d(node: Node) -> Function:
    """Convolution; weights are stored (out, height, width, in)."""
    return _convolution(node, node.constant(1).permute(0, 3, 1, 2).contiguous(), 1)


def depthwise_conv_2d(node: Node) -> Function:
    """Convolution of each channel by itself; weights are stored (1, height, width, channels)."""
    if node.options.DepthMultiplier() != 1:
        raise NotImplementedError("a depth multiplier")
    weight = node.constant(1).permute(3, 0, 1, 2).contiguous()
    return _convolution(node, weight, weight.shape[0])


def transpose_convolution_bias(node: Node) -> Function:
    """MediaPipe's custom transposed convolution with bias, kernel equal to stride only."""
    weight = node.constant(1).permute(3, 0, 1, 2).contiguous()
    bias = node.constant(2)
    stride = tuple(int(n) for n in node.options["padding_stride"][1:3])
    if stride != tuple(weight.shape[2:]):
        raise NotImplementedError("a kernel that differs from its stride")
    return lambda x: functional.conv_transpose2d(x, weight, bias, stride=stride)


def prelu(node: Node) -> Function:
    """Leaky activation with a slope per channel (or per element)."""
    slope = node.constant(1)
    if slope.numel() == slope.shape[-1]:
        flat = slope.reshape(-1)
        return lambda x: functional.prelu(x, flat)
    full = slope.permute(2, 0, 1)[None]
    return lambda x: torch.where(x > 0, x, x * full)


def add(node: Node) -> Function:
    """Sum of two activations with an optional activation."""
    activation = _activation(node.options.FusedActivationFunction())
    return lambda a, b: activation(a + b)


def multiply(node: Node) -> Function:
    """Product of two activations, or of one without image axes and a constant."""
    activation = _activation(node.options.FusedActivationFunction())
    constant = node.constants.get(1)
    if constant is None:
        return lambda a, b: activation(a * b)
    if len(node.output_shape) == 4:
        raise NotImplementedError("an image multiplied by a constant")
    return lambda a: activation(a * constant)


def max_pool_2d(node: Node) -> Function:
    """Maximum over windows; padding never wins."""
    options = node.options
    kernel = (options.FilterHeight(), options.FilterWidth())
    stride = (options.StrideH(), options.StrideW())
    same = options.Padding() == _SAME

    def run(x: Tensor) -> Tensor:
        if same:
            x = _padded(x, kernel, stride, -math.inf)
        return functional.max_pool2d(x, kernel, stride)

    return run


def average_pool_2d(node: Node) -> Function:
    """Mean over windows; padding is not counted, so only windows that need none are run."""
    options = node.options
    kernel = (options.FilterHeight(), options.FilterWidth())
    stride = (options.StrideH(), options.StrideW())
    same = options.Padding() == _SAME

    def run(x: Tensor) -> Tensor:
        if same and _padded(x, kernel, stride, 0.0) is not x:
            raise NotImplementedError("padded average pooling")
        return functional.avg_pool2d(x, kernel, stride)

    return run


def pad(node: Node) -> Function:
    """Zero padding; the amounts are stored (4, 2) in NHWC order."""
    amounts = [[int(n) for n in row] for row in node.constant(1)]
    order = [*amounts[2], *amounts[1], *amounts[3], *amounts[0]]
    return lambda x: functional.pad(x, order)


def reshape(node: Node) -> Function:
    """New shape in NHWC order; a leading 1 stands for the batch and may be any number."""
    shape = list(node.output_shape)
    if shape[0] == 1:
        shape[0] = -1

    def run(x: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
        result = flat.reshape(shape)
        return result.permute(0, 3, 1, 2) if result.dim() == 4 else result

    return run


def concatenation(node: Node) -> Function:
    """Join along an axis that is counted in NHWC order."""
    axis = node.options.Axis()
    dims = len(node.output_shape)
    axis = axis % dims
    if dims == 4:
        axis = (0, 2, 3, 1)[axis]
    return lambda *xs: torch.cat(xs, axis)


def strided_slice(node: Node) -> Function:
    """Slice with begin, end and step per axis, counted in NHWC order."""
    begin, end, step = ([int(n) for n in node.constant(k)] for k in (1, 2, 3))
    options = node.options
    if options.EllipsisMask() or options.NewAxisMask() or options.ShrinkAxisMask():
        raise NotImplementedError("an ellipsis, new or dropped axis")
    slices = tuple(
        slice(
            None if options.BeginMask() >> k & 1 or begin[k] == 0 else begin[k],
            None if options.EndMask() >> k & 1 or k == 0 else end[k],
            step[k],
        )
        for k in range(len(begin))
    )

    def run(x: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
        part = flat[slices]
        return part.permute(0, 3, 1, 2) if part.dim() == 4 else part

    return run


def resize_bilinear(node: Node) -> Function:
    """Bilinear resampling to a constant size (height, width)."""
    size = [int(n) for n in node.constant(1)]
    align = bool(node.options.AlignCorners())
    if not align and not node.options.HalfPixelCenters():
        raise NotImplementedError("corner-anchored resampling")
    return lambda x: functional.interpolate(x, size=size, mode="bilinear", align_corners=align)


def landmarks_to_transform_matrix(node: Node) -> Function:
    """MediaPipe's custom operator: the upright box round a subset of landmarks as a (4, 4) matrix
    from the pixels of a small square to the pixels of the network's input."""
    options = node.options
    subset = torch.tensor(options["subset_idxs"])
    left, right = options["left_rotation_idx"], options["right_rotation_idx"]
    target = options["target_rotation_radians"]
    size = torch.tensor([options["output_width"], options["output_height"]], dtype=torch.float32)
    grow = torch.tensor([options["scale_x"], options["scale_y"]], dtype=torch.float32)

    def run(landmarks: Tensor) -> Tensor:
        points = landmarks[..., :2]
        across = points[:, right] - points[:, left]
        angle = torch.atan2(across[:, 1], across[:, 0]) - target
        cosine, sine = torch.cos(angle), torch.sin(angle)
        turn = torch.stack([cosine, -sine, sine, cosine], -1).reshape(-1, 2, 2)
        upright = points[:, subset] @ turn
        low, high = upright.amin(1), upright.amax(1)
        linear = turn * (grow * (high - low) / size)[:, None]
        centre = (turn @ ((low + high) / 2)[..., None])[..., 0]
        matrix = torch.eye(4).repeat(len(points), 1, 1)
        matrix[:, :2, :2] = linear
        matrix[:, :2, 3] = centre - (linear @ (size / 2))
        return matrix

    return run


def transform_tensor_bilinear(node: Node) -> Function:
    """MediaPipe's custom operator: sample a feature map through a (4, 4) matrix; outside is 0."""
    width, height = node.options["output_width"], node.options["output_height"]
    rows, columns = torch.meshgrid(
        torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij"
    )
    grid = torch.stack([columns, rows], -1).reshape(-1, 2)

    def run(features: Tensor, matrix: Tensor) -> Tensor:
        extent = torch.tensor([features.shape[3] - 1.0, features.shape[2] - 1.0])
        xy = grid @ matrix[:, :2, :2].transpose(1, 2) + matrix[:, None, :2, 3] - 0.5
        inside = ((xy >= 0) & (xy <= extent)).all(-1).reshape(-1, 1, height, width)
        place = (xy / extent * 2 - 1).reshape(-1, height, width, 2)
        return functional.grid_sample(features, place, align_corners=True) * inside

    return run


def transform_landmarks(node: Node) -> Function:
    """MediaPipe's custom operator: move (N, L, 2) landmarks by a (4, 4) matrix."""
    return lambda points, matrix: (
        points @ matrix[:, :2, :2].transpose(1, 2) + matrix[:, None, :2, 3]
    )


BUILDERS: dict[str, Callable[[Node], Function]] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "Convolution2DTransposeBias": transpose_convolution_bias,
    "PRELU": prelu,
    "RELU": lambda node: functional.relu,
    "HARD_SWISH": lambda node: functional.hardswish,
    "LOGISTIC": lambda node: torch.sigmoid,
    "ADD": add,
    "MUL": multiply,
    "MAX_POOL_2D": max_pool_2d,
    "AVERAGE_POOL_2D": average_pool_2d,
    "PAD": pad,
    "RESHAPE": reshape,
    "CONCATENATION": concatenation,
    "STRIDED_SLICE": strided_slice,
    "RESIZE_BILINEAR": resize_bilinear,
    "Landmarks2TransformMatrix": landmarks_to_transform_matrix,
    "TransformTensorBilinear": transform_tensor_bilinear,
    "TransformLandmarks": transform_landmarks,
}
