# SPDX-License-Identifier: Apache-2.0
"""Tests of how large a texel is: planes of known layout, and the frame on a closed surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.tangents import texel_metric


def _sheet(egg: HeadModel, uvs: np.ndarray) -> tuple[HeadModel, np.ndarray]:
    """A flat sheet of two faces, 3 m wide and 2 m high, with the given UVs (4, 2)."""
    points = np.array([[0, 0, 0], [3, 0, 0], [3, 2, 0], [0, 2, 0]], np.float64)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return replace(egg, uvs=uvs.astype(np.float32), uv_faces=faces, faces=faces), points


SQUARE = np.array([[0.1, 0.2], [0.6, 0.2], [0.6, 0.7], [0.1, 0.7]])


def test_a_sheet_is_as_large_as_it_is(egg: HeadModel) -> None:
    head, points = _sheet(egg, SQUARE)
    metric = texel_metric(head, points)
    np.testing.assert_allclose(metric.along, 6.0, rtol=1e-5)
    np.testing.assert_allclose(metric.across, 4.0, rtol=1e-5)
    np.testing.assert_allclose(metric.slant, 0.0, atol=1e-5)


@pytest.mark.parametrize("shear", [0.5, -0.4])
def test_a_slanted_layout_says_what_of_v_lies_along_the_tangent(
    egg: HeadModel, shear: float
) -> None:
    slanted = SQUARE + np.outer(SQUARE[:, 1] - 0.2, [shear, 0])
    metric = texel_metric(*_sheet(egg, slanted))
    np.testing.assert_allclose(metric.along, 6.0, rtol=1e-5)
    np.testing.assert_allclose(metric.slant, -6.0 * shear, rtol=1e-5)
    np.testing.assert_allclose(metric.across, 4.0, rtol=1e-5)


def test_a_mirrored_and_a_turned_layout_keep_their_sizes(egg: HeadModel) -> None:
    metric = texel_metric(*_sheet(egg, 1 - SQUARE * [1, -1] * [1, -1]))
    np.testing.assert_allclose(metric.along, 6.0, rtol=1e-5)
    metric = texel_metric(*_sheet(egg, SQUARE[:, ::-1]))
    np.testing.assert_allclose(metric.along, 4.0, rtol=1e-5)
    np.testing.assert_allclose(metric.across, 6.0, rtol=1e-5)


def test_a_face_without_a_place_in_the_texture_spoils_nothing(egg: HeadModel) -> None:
    head, points = _sheet(egg, SQUARE)
    flat = np.array([[0, 1, 2], [0, 0, 0]], np.int32)
    metric = texel_metric(replace(head, uv_faces=flat), points)
    np.testing.assert_allclose(metric.along[:3], 6.0, rtol=1e-5)
    assert all(np.isfinite(part).all() for part in (metric.along, metric.across, metric.slant))
    assert metric.along[3] > 0


def test_larger_heads_have_larger_texels(egg: HeadModel) -> None:
    one, two = texel_metric(egg, egg.template), texel_metric(egg, 2 * egg.template)
    inner = one.along > 0.03  # not where the poles' faces are degenerate
    np.testing.assert_allclose(two.along[inner], 2 * one.along[inner], rtol=1e-5)
    assert inner.mean() > 0.8
