# SPDX-License-Identifier: Apache-2.0
"""Tests of core/pixels.py: known points, round trips and the sRGB standard's values.

Does not know cameras.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.core.pixels import (
    linear_to_srgb,
    ndc_to_px,
    px_to_ndc,
    px_to_uv,
    srgb_to_linear,
    uv_to_px,
)


def test_ndc_corners_are_the_picture_s_corners() -> None:
    corners = np.array([[-1.0, 1.0, 9.0], [1.0, -1.0, 9.0], [0.0, 0.0, 9.0]])
    assert np.array_equal(ndc_to_px(corners, 200, 100), [[0, 0], [200, 100], [100, 50]])


def test_uv_zero_is_the_bottom_left_of_the_texture() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert np.array_equal(uv_to_px(corners, 8, 4), [[0, 4], [8, 0]])


@pytest.mark.parametrize(("there", "back"), [(ndc_to_px, px_to_ndc), (uv_to_px, px_to_uv)])
def test_round_trips(there: object, back: object) -> None:
    points = np.random.default_rng(0).uniform(-2, 2, (5, 4, 2))
    assert np.allclose(back(there(points, 640, 480), 640, 480), points, atol=1e-14)


def test_srgb_known_values() -> None:
    srgb = np.array([0.0, 0.04045, 0.5, 1.0])
    assert np.allclose(srgb_to_linear(srgb), [0, 0.0031308, 0.21404114, 1], atol=1e-7)


def test_srgb_round_trips_every_byte() -> None:
    bytes_ = np.arange(256)
    again = linear_to_srgb(srgb_to_linear(bytes_ / 255))
    assert np.array_equal(np.round(again * 255).astype(int), bytes_)
    assert (np.diff(srgb_to_linear(bytes_ / 255)) > 0).all()


@pytest.mark.parametrize("function", [srgb_to_linear, linear_to_srgb])
def test_torch_colours_agree_and_have_finite_gradients(function: object) -> None:
    values = np.linspace(0, 1, 101)
    given = torch.tensor(values, requires_grad=True)
    found = function(given, torch)
    assert np.abs(found.detach().numpy() - function(values)).max() < 1e-14
    found.sum().backward()
    assert bool(torch.isfinite(given.grad).all())


def test_torch_pixels_agree() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (7, 3))
    found = ndc_to_px(torch.tensor(points), 64, 48, torch)
    assert np.array_equal(found.numpy(), ndc_to_px(points, 64, 48))
