# SPDX-License-Identifier: Apache-2.0
"""Shoulders stay level under a tilted head. Does not know photos: mattes are the head's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FaceFit, FlameParams, HeadCrop, HeadModel, OffsetBasis
from rome_backend.open_head.build import generate
from rome_backend.open_head.offset_basis import offset_basis
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.neck_split import LARGEST_TURN, split_neck, with_torso
from rome_backend.tracking.outline import SquareView
from rome_backend.tracking.silhouette import fit_offsets, silhouette_iou

SIZE, SCALE = 256, 560.0


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return generate()


@pytest.fixture(scope="module")
def basis(head: HeadModel) -> OffsetBasis:
    return offset_basis(head)


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    return Rotation.from_euler("YXZ", [yaw, pitch, roll], degrees=True).as_matrix()


def fit_of(
    head: HeadModel, yaw: float = 0, pitch: float = 0, roll: float = 0, distance: float = np.inf
) -> FaceFit:
    """Return a fit with an open mouth, in the upper half of the picture."""
    params = FlameParams(
        np.zeros(head.shape_dirs.shape[2]),
        np.zeros(len(head.expression_names)),
        jaw=np.array([0.2, 0.0, 0.0]),
    )
    middle = np.array([SIZE / 2, 0.4 * SIZE])
    rotation = turned(yaw, pitch, roll)
    return FaceFit(params, SCALE, rotation, middle, yaw, pitch, roll, 0.0, distance)


def crop_of(head: HeadModel, fit: FaceFit, offsets: np.ndarray | None = None) -> HeadCrop:
    """Return a crop whose matte is the posed head's own silhouette."""
    vertices = posed_vertices(head, fit.params, offsets)
    mask = SquareView(fit, SIZE, SIZE).silhouette(vertices, head.faces, TorchRasterizer())
    empty, marks = np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((478, 3), np.float32)
    return HeadCrop(empty, mask.astype(np.float32), mask | True, np.eye(3)[:2], marks)


def torso_roll(fit: FaceFit) -> float:
    """Return how far (degrees) the shoulders lean in the picture."""
    torso = fit.rotation @ Rotation.from_rotvec(fit.params.rotation).as_matrix()
    return float(Rotation.from_matrix(torso).as_euler("YXZ", degrees=True)[2])


def moved_px(head: HeadModel, fit: FaceFit, other: FaceFit, chosen: np.ndarray) -> float:
    first, second = (
        SquareView(fit, SIZE, SIZE).project(posed_vertices(head, each.params))[chosen, :2]
        for each in (fit, other)
    )
    return float(np.linalg.norm(first - second, axis=1).max())


@pytest.mark.parametrize("angles", [(0, 0, 20), (30, 5, -18), (-35, 15, 10)])
@pytest.mark.parametrize("distance", [np.inf, 0.8])
def test_the_head_stays_where_it_is(
    head: HeadModel, angles: tuple[float, float, float], distance: float
) -> None:
    fit = fit_of(head, *angles, distance)
    divided = with_torso(head, fit, turned(0.5 * angles[0], angles[1], 0))
    assert np.linalg.norm(divided.params.neck) > np.radians(9)
    assert moved_px(head, fit, divided, np.arange(468)) < 0.01
    assert moved_px(head, fit, divided, np.flatnonzero(head.regions["hair"])) < 0.3
    assert (divided.scale, divided.distance) == (fit.scale, fit.distance)
    np.testing.assert_array_equal(divided.rotation, fit.rotation)


def test_shoulders_go_where_they_are_told(head: HeadModel) -> None:
    torso = turned(5, 3, 4)
    divided = with_torso(head, fit_of(head, 12, 8, 20), torso)
    base = np.flatnonzero(head.weights[:, 0] > 0.9999)
    assert len(base) > 100
    posed = posed_vertices(head, divided.params)[base] @ divided.rotation.T
    rest = head.template[base].astype(np.float64) @ torso.T
    np.testing.assert_allclose(posed - posed.mean(axis=0), rest - rest.mean(axis=0), atol=2e-4)


def test_a_neck_never_bends_by_more_than_thirty_degrees(head: HeadModel) -> None:
    divided = with_torso(head, fit_of(head, 0, 0, 45), np.eye(3))
    assert np.linalg.norm(divided.params.neck) == pytest.approx(LARGEST_TURN)
    assert torso_roll(divided) == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize(("roll", "leaning"), [(18, 0), (-15, 0), (14, -8), (0, 0)])
def test_the_matte_tells_how_shoulders_lean(head: HeadModel, roll: float, leaning: float) -> None:
    fit = fit_of(head, 0, 4, roll)
    truth = with_torso(head, fit, turned(0, 4, leaning))
    found = split_neck(head, fit, crop_of(head, truth))
    assert torso_roll(found) == pytest.approx(leaning, abs=4.1)
    assert moved_px(head, fit, found, np.arange(468)) < 0.01


def test_unseen_shoulders_are_taken_to_be_level(head: HeadModel) -> None:
    fit = fit_of(head, 0, 0, 16)
    crop = crop_of(head, with_torso(head, fit, turned(0, 0, 12)))
    valid = crop.valid.copy()
    valid[int(0.55 * SIZE) :] = False
    assert torso_roll(split_neck(head, fit, replace(crop, valid=valid))) == pytest.approx(0)


def test_a_face_that_bends_with_its_neck_is_left_alone(head: HeadModel) -> None:
    bending = head.pose_dirs.copy()
    bending[152, 1, 1] = 0.02
    other = replace(head, pose_dirs=bending)
    fit = fit_of(other, 0, 0, 20)
    assert split_neck(other, fit, crop_of(other, fit)) is fit


def test_offsets_fit_better_under_a_tilted_head(head: HeadModel, basis: OffsetBasis) -> None:
    fit = fit_of(head, 0, 0, 20)
    truth = with_torso(head, fit, np.eye(3))
    crop = crop_of(head, truth)
    divided = split_neck(head, fit, crop)
    tilted, level = fit_offsets(head, basis, fit, crop), fit_offsets(head, basis, divided, crop)
    assert level.iou > tilted.iou
    lower = np.flatnonzero(head.regions["neck"] & (head.weights[:, 0] > 0.5))
    size = [np.abs(found.offsets[lower]).mean() for found in (tilted, level)]
    assert size[1] < 0.5 * size[0]
    assert silhouette_iou(head, divided, crop, level.offsets) == pytest.approx(level.iou)
