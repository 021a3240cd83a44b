# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.tflite_ops against plain numpy loops in the file's own layout."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend.core.types import F32
from rome_backend.tracking.tflite_ops import BUILDERS, Node

SAME, VALID = 0, 1
RNG = np.random.default_rng(3)


class Options:
    """Stands for the schema's option tables: every field is a method."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, lambda value=value: value)


def conv_options(
    stride: tuple[int, int], padding: int, activation: int = 0, **more: Any
) -> Options:
    values = {
        "StrideH": stride[0],
        "StrideW": stride[1],
        "Padding": padding,
        "FusedActivationFunction": activation,
        "DilationHFactor": 1,
        "DilationWFactor": 1,
        "DepthMultiplier": 1,
    }
    return Options(**(values | more))


def run(name: str, node: Node, *inputs: F32) -> F32:
    """Run an operator on NHWC arrays and return its result as an NHWC array."""
    tensors = [torch.from_numpy(np.asarray(x, np.float32)) for x in inputs]
    tensors = [t.permute(0, 3, 1, 2) if t.dim() == 4 else t for t in tensors]
    result = BUILDERS[name](node)(*tensors)
    return (result.permute(0, 2, 3, 1) if result.dim() == 4 else result).numpy()


def node(options: Any = None, shape: tuple[int, ...] = (1, 1, 1, 1), **constants: Any) -> Node:
    found = {int(k[1:]): torch.from_numpy(np.asarray(v)) for k, v in constants.items()}
    return Node(options, found, shape, 1 + len(found))


def windows(x: F32, kernel: tuple[int, int], stride: tuple[int, int], padding: int, fill: float):
    """Yield (row, column, window) as the TensorFlow documentation defines SAME and VALID."""
    height, width = x.shape[1:3]
    if padding == SAME:
        rows, columns = math.ceil(height / stride[0]), math.ceil(width / stride[1])
        total = (
            max((rows - 1) * stride[0] + kernel[0] - height, 0),
            max((columns - 1) * stride[1] + kernel[1] - width, 0),
        )
    else:
        rows = (height - kernel[0]) // stride[0] + 1
        columns = (width - kernel[1]) // stride[1] + 1
        total = (0, 0)
    around = [(0, 0), *((n // 2, n - n // 2) for n in total), (0, 0)]
    padded = np.pad(x, around, constant_values=fill)
    for row, column in itertools.product(range(rows), range(columns)):
        top, left = row * stride[0], column * stride[1]
        yield row, column, padded[:, top : top + kernel[0], left : left + kernel[1]]


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize("side", [7, 8])
def test_convolution(padding: int, stride: tuple[int, int], side: int) -> None:
    x = RNG.normal(size=(2, side, side + 1, 3)).astype(np.float32)
    weight = RNG.normal(size=(5, 3, 2, 3)).astype(np.float32)
    bias = RNG.normal(size=5).astype(np.float32)
    got = run("CONV_2D", node(conv_options(stride, padding), _1=weight, _2=bias), x)
    want = np.zeros_like(got)
    for row, column, window in windows(x, (3, 2), stride, padding, 0.0):
        want[:, row, column] = np.einsum("nhwc,ohwc->no", window, weight) + bias
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("padding", [SAME, VALID])
def test_depthwise_convolution(padding: int) -> None:
    x = RNG.normal(size=(1, 9, 6, 4)).astype(np.float32)
    weight = RNG.normal(size=(1, 3, 3, 4)).astype(np.float32)
    bias = RNG.normal(size=4).astype(np.float32)
    options = conv_options((2, 2), padding)
    got = run("DEPTHWISE_CONV_2D", node(options, _1=weight, _2=bias), x)
    want = np.zeros_like(got)
    for row, column, window in windows(x, (3, 3), (2, 2), padding, 0.0):
        want[:, row, column] = np.einsum("nhwc,hwc->nc", window, weight[0]) + bias
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize(("code", "low", "high"), [(0, -9, 9), (1, 0, 9), (3, 0, 6)])
def test_fused_activations(code: int, low: float, high: float) -> None:
    x = np.array([[-9.0, 0.5, 9.0]])
    got = run("ADD", node(Options(FusedActivationFunction=code)), x, np.zeros_like(x))
    np.testing.assert_array_equal(got, [[low, 0.5, high]])


def test_transposed_convolution_with_bias() -> None:
    x = RNG.normal(size=(1, 3, 4, 5)).astype(np.float32)
    weight = RNG.normal(size=(2, 2, 2, 5)).astype(np.float32)
    bias = RNG.normal(size=2).astype(np.float32)
    options = {"padding_stride": np.array([1, 2, 2])}
    got = run("Convolution2DTransposeBias", node(options, _1=weight, _2=bias), x)
    blocks = np.einsum("nhwc,oijc->nhiwjo", x, weight)
    np.testing.assert_allclose(got, blocks.reshape(1, 6, 8, 2) + bias, atol=1e-5)


def test_prelu_per_channel_and_per_element() -> None:
    x = RNG.normal(size=(1, 3, 4, 5)).astype(np.float32)
    for shape in ((1, 1, 5), (3, 4, 5)):
        slope = RNG.uniform(size=shape).astype(np.float32)
        want = np.where(x > 0, x, x * slope)
        np.testing.assert_allclose(run("PRELU", node(_1=slope), x), want, atol=1e-6)


@pytest.mark.parametrize("padding", [SAME, VALID])
def test_max_pool_never_takes_the_padding(padding: int) -> None:
    x = -1 - RNG.uniform(size=(1, 5, 5, 2)).astype(np.float32)
    options = conv_options((2, 2), padding, FilterHeight=3, FilterWidth=3)
    got = run("MAX_POOL_2D", node(options), x)
    want = np.zeros_like(got)
    for row, column, window in windows(x, (3, 3), (2, 2), padding, -np.inf):
        want[:, row, column] = window.max((1, 2))
    np.testing.assert_array_equal(got, want)
    assert (got < -1).all()


def test_average_pool() -> None:
    x = RNG.normal(size=(1, 4, 6, 2)).astype(np.float32)
    options = conv_options((4, 6), SAME, FilterHeight=4, FilterWidth=6)
    got = run("AVERAGE_POOL_2D", node(options), x)
    np.testing.assert_allclose(got[:, 0, 0], x.mean((1, 2)), atol=1e-6)


def test_pad_is_in_the_order_of_the_file() -> None:
    x = RNG.normal(size=(1, 2, 3, 4)).astype(np.float32)
    amounts = np.array([[0, 0], [1, 2], [3, 0], [0, 5]], np.int32)
    np.testing.assert_array_equal(run("PAD", node(_1=amounts), x), np.pad(x, amounts))


def test_reshape_and_slice_count_in_the_order_of_the_file() -> None:
    x = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4)
    got = run("RESHAPE", node(shape=(1, 6, 4), _1=np.array([1, 6, 4])), x)
    np.testing.assert_array_equal(got, x.reshape(2, 6, 4))
    masks = dict.fromkeys(("EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "BeginMask"), 0)
    options = Options(**masks, EndMask=0b0100)
    begin, end, step = np.array([0, 1, 0, 1]), np.array([1, 2, 0, 4]), np.array([1, 1, 2, 2])
    got = run("STRIDED_SLICE", node(options, _1=begin, _2=end, _3=step), x)
    np.testing.assert_array_equal(got, x[:, 1:2, ::2, 1:4:2])


def test_concatenation_along_channels_and_along_rows_of_a_matrix() -> None:
    a = RNG.normal(size=(1, 2, 2, 3)).astype(np.float32)
    b = RNG.normal(size=(1, 2, 2, 5)).astype(np.float32)
    got = run("CONCATENATION", node(Options(Axis=-1), (1, 2, 2, 8)), a, b)
    np.testing.assert_array_equal(got, np.concatenate([a, b], -1))
    got = run(
        "CONCATENATION", node(Options(Axis=1), (1, 5, 3)), a[:, 0], RNG.normal(size=(1, 3, 3))
    )
    assert got.shape == (1, 5, 3)


def test_resize_has_half_pixel_centres() -> None:
    x = np.array([0.0, 1.0]).reshape(1, 1, 2, 1)
    options = Options(AlignCorners=False, HalfPixelCenters=True)
    got = run("RESIZE_BILINEAR", node(options, _1=np.array([1, 4])), x)
    np.testing.assert_allclose(got.ravel(), [0, 0.25, 0.75, 1])


def transform(points: F32, matrix: F32) -> F32:
    return points @ matrix[:2, :2].T + matrix[:2, 3]


@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_landmarks_to_transform_matrix_frames_the_subset(turn: float) -> None:
    """The small square, carried to the picture, holds the subset in its middle with room to spare
    by the given factor, and its axis runs from the left to the right landmark."""
    box = np.array([[-4.0, 0.0], [4.0, 0.0], [0.0, -1.0], [0.0, 1.0], [99.0, 99.0]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = np.c_[box @ rotation.T + [30, 50], np.zeros(5)].astype(np.float32)
    options = {
        "subset_idxs": [0, 1, 2, 3],
        "left_rotation_idx": 0,
        "right_rotation_idx": 1,
        "target_rotation_radians": 0.0,
        "output_width": 16,
        "output_height": 16,
        "scale_x": 1.5,
        "scale_y": 2.0,
    }
    matrix = run("Landmarks2TransformMatrix", node(options), landmarks[None])[0]
    corners = transform(np.array([[0, 0], [16, 0], [0, 16], [8, 8]], np.float32), matrix)
    np.testing.assert_allclose(corners[3], [30, 50], atol=1e-4)
    np.testing.assert_allclose(corners[1] - corners[0], rotation @ [8 * 1.5, 0], atol=1e-4)
    np.testing.assert_allclose(corners[2] - corners[0], rotation @ [0, 2 * 2.0], atol=1e-4)


def test_bilinear_transform_samples_pixel_centres_and_is_zero_outside() -> None:
    features = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    identity = np.eye(4, dtype=np.float32)[None]
    options = {"output_width": 4, "output_height": 4}
    same = run("TransformTensorBilinear", node(options), features, identity)
    np.testing.assert_allclose(same, features, atol=1e-5)
    shifted = identity.copy()
    shifted[0, 0, 3] = 1.5
    got = run("TransformTensorBilinear", node(options), features, shifted)[0, 0, :, 0]
    np.testing.assert_allclose(got, [1.5, 2.5, 0, 0], atol=1e-5)


def test_transform_landmarks_moves_points() -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:2, :2], matrix[:2, 3] = [[0, -2], [2, 0]], [5, 7]
    points = RNG.normal(size=(1, 9, 2)).astype(np.float32)
    got = run("TransformLandmarks", node(), points, matrix[None])
    np.testing.assert_allclose(got[0], transform(points[0], matrix), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("CONV_2D", node(conv_options((1, 1), SAME, DilationHFactor=2), _1=np.ones((1, 1, 1, 1)))),
        ("CONV_2D", node(conv_options((1, 1), SAME, 4), _1=np.ones((1, 1, 1, 1)))),
        ("CONV_2D", Node(conv_options((1, 1), SAME), {1: None}, (1,), 2)),
        (
            "DEPTHWISE_CONV_2D",
            node(conv_options((1, 1), SAME, DepthMultiplier=2), _1=np.ones((1, 1, 1, 2))),
        ),
        ("RESIZE_BILINEAR", node(Options(AlignCorners=False, HalfPixelCenters=False), _1=[2, 2])),
        ("MUL", node(Options(FusedActivationFunction=0), _1=np.ones(3))),
        (
            "Convolution2DTransposeBias",
            node({"padding_stride": [0, 1, 1]}, _1=np.ones((1, 2, 2, 1)), _2=np.ones(1)),
        ),
    ],
)
def test_what_is_not_implemented_says_so(name: str, made: Node) -> None:
    with pytest.raises(NotImplementedError):
        BUILDERS[name](made)
