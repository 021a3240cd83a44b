# SPDX-License-Identifier: Apache-2.0
"""The face fit recovers what synthetic faces were made of. Does not know trackers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.camera import fit_camera, project
from rome_backend.core.landmarks import LANDMARKS_105, landmark_points, reprojection_percent_iod
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.skinning import posed_vertices, shape_vertices
from rome_backend.core.types import F64, FlameParams, HeadModel
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.lens import USUAL_M, Lens
from rome_backend.tracking.tracker_errors import tracker_bias

SCALE, CENTRE = 1800.0, np.array([260.0, 240.0])
AFAR = Lens(1e4 * SCALE, 0.001)


@pytest.fixture(scope="module")
def fitter(small_head: HeadModel) -> FaceFitter:
    return FaceFitter(small_head)


def params(
    head: HeadModel, shape: F64 | None = None, jaw: float = 0.0, **keys: float
) -> FlameParams:
    expression = np.array([keys.get(name, 0.0) for name in head.expression_names])
    shape = np.zeros(head.shape_dirs.shape[2]) if shape is None else shape
    return FlameParams(shape=shape, expression=expression, jaw=np.radians([jaw, 0.0, 0.0]))


def photograph(
    head: HeadModel,
    face: FlameParams,
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    noise: float = 0.0,
    depth_noise: float = 0.0,
    biased: bool = False,
    distance: float = np.inf,
) -> F64:
    """Landmarks (478, 3) px of a posed head before a camera, by default far away.

    biased: as the tracker would report them at this turn.
    """
    points = landmark_points(posed_vertices(head, face), head.faces, head.landmarks)
    points[:468] += tracker_bias(*angles[:2]) if biased else 0.0
    turned = points @ matrix_from_yaw_pitch_roll(*angles).T
    turned[:, :2] /= 1 - turned[:, 2:] / distance
    view = SCALE * turned
    rng = np.random.default_rng(3)
    view = view + rng.normal(0, 1, view.shape) * np.array([noise, noise, depth_noise])
    return view * np.array([1.0, -1.0, -1.0]) + np.array([*CENTRE, 50.0])


def identity(head: HeadModel) -> F64:
    return np.random.default_rng(11).normal(0, 1, head.shape_dirs.shape[2])


def displacement(head: HeadModel, shape: F64) -> F64:
    return shape_vertices(head, shape)[:468] - head.template[:468]


def rms_mm(field: F64) -> float:
    return float(1e3 * np.sqrt((field**2).sum(-1).mean()))


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, -5, 10), (-35, 10, -20), (50, 0, 0)])
def test_pose_and_camera_are_recovered_under_noise(
    small_head: HeadModel, fitter: FaceFitter, angles: tuple[float, float, float]
) -> None:
    face = params(small_head, 0.7 * identity(small_head), mouthSmileLeft=0.6, mouthSmileRight=0.5)
    fit = fitter.fit(photograph(small_head, face, angles, noise=1.0, depth_noise=4.0), AFAR)
    assert (fit.yaw, fit.pitch, fit.roll) == pytest.approx(angles, abs=2.5)
    assert fit.scale == pytest.approx(SCALE, rel=0.04)
    assert fit.rotation @ fit.rotation.T == pytest.approx(np.eye(3), abs=1e-9)


def test_the_mean_face_is_fitted_exactly(small_head: HeadModel, fitter: FaceFitter) -> None:
    fit = fitter.fit(photograph(small_head, params(small_head), (0, 0, -7)), AFAR)
    assert fit.residual < 0.05
    assert np.abs(fit.params.shape).max() < 1e-3
    assert np.abs(fit.params.expression).max() < 0.01
    assert fit.translation == pytest.approx(CENTRE, abs=0.1)


def test_residual_is_the_reprojection_of_the_posed_mesh(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    face = params(small_head, identity(small_head), jaw=8.0, browInnerUp=0.5)
    seen = photograph(small_head, face, (10, 0, 0), noise=2.0, depth_noise=6.0)
    fit = fitter.fit(seen)
    points = landmark_points(
        posed_vertices(small_head, fit.params), small_head.faces, small_head.landmarks
    )
    flat = project(fit_camera(fit, 512, 512), points)[:, :2]
    assert fit.residual == pytest.approx(reprojection_percent_iod(flat, seen), abs=1e-4)


def test_the_lens_tells_the_distance(small_head: HeadModel, fitter: FaceFitter) -> None:
    seen, near = photograph(small_head, params(small_head)), Lens(SCALE * 0.5, 0.001)
    assert fitter.fit(seen).distance == pytest.approx(USUAL_M)
    shared = fitter.fit_shared([seen, seen], [AFAR, near])
    assert shared[0].distance > 1e3 and shared[1].distance == pytest.approx(0.5, rel=0.02)


def test_a_clip_keeps_its_lens(small_head: HeadModel, fitter: FaceFitter) -> None:
    first = fitter.fit(photograph(small_head, params(small_head)), Lens(SCALE * 0.8, 0.001))
    fit = fitter.track(2 * photograph(small_head, params(small_head), distance=0.4), first)
    assert fit.distance == pytest.approx(0.4, rel=0.05) and fit.residual < 0.1


def test_an_open_mouth_is_jaw_not_identity(small_head: HeadModel, fitter: FaceFitter) -> None:
    fit = fitter.fit(photograph(small_head, params(small_head, jaw=20.0)))
    assert np.degrees(fit.params.jaw[0]) == pytest.approx(20.0, abs=3.0)
    assert rms_mm(displacement(small_head, fit.params.shape)) < 0.7


def test_keys_are_told_apart_and_from_identity(small_head: HeadModel, fitter: FaceFitter) -> None:
    face = params(small_head, mouthSmileLeft=0.9, mouthSmileRight=0.9, browInnerUp=0.6)
    fit = fitter.fit(photograph(small_head, face))
    found = dict(zip(small_head.expression_names, fit.params.expression, strict=True))
    assert found["mouthSmileLeft"] == pytest.approx(0.9, abs=0.2)
    assert found["browInnerUp"] == pytest.approx(0.6, abs=0.2)
    assert found["eyeBlinkLeft"] < 0.1
    assert rms_mm(displacement(small_head, fit.params.shape)) < 0.6


def test_lips_closed_over_an_open_jaw_stay_closed(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    truth = params(small_head, jaw=10.0, mouthClose=0.8)
    fit = fitter.fit(photograph(small_head, truth))

    def opening(face: FlameParams) -> float:
        posed = posed_vertices(small_head, face)
        return float(posed[13, 1] - posed[14, 1])

    assert opening(fit.params) == pytest.approx(opening(truth), abs=0.0004)
    assert opening(params(small_head, jaw=10.0)) > opening(truth) + 0.005


def test_closed_eyes_are_blinks(small_head: HeadModel, fitter: FaceFitter) -> None:
    face = params(small_head, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    found = fitter.fit(photograph(small_head, face)).params.expression
    names = small_head.expression_names
    assert found[names.index("eyeBlinkLeft")] > 0.8
    assert found[names.index("eyeBlinkRight")] > 0.8


def test_keys_that_joints_replace_stay_zero_and_others_in_their_box(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    face = params(small_head, jaw=34.0, mouthSmileLeft=3.0, jawOpen=0.5)
    fit = fitter.fit(photograph(small_head, face))
    names = small_head.expression_names
    held = [names.index(name) for name in ("jawOpen", "eyeLookUpLeft")]
    assert np.all(fit.params.expression[held] == 0)
    assert fit.params.expression.min() >= 0
    assert fit.params.expression.max() <= 1.3
    assert 0 <= fit.params.jaw[0] <= np.radians(35) + 1e-9


def test_identity_is_found_shrunk_and_less_with_yaw(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    truth = identity(small_head)
    goal = displacement(small_head, truth)[:, :2].ravel()
    gains = []
    for yaw in (0.0, 25.0, 48.0):
        face = params(small_head, truth)
        fit = fitter.fit(photograph(small_head, face, (yaw, 0, 0), biased=True))
        got = displacement(small_head, fit.params.shape)[:, :2].ravel()
        gains.append(float(got @ goal / (goal @ goal)))
    assert 0.5 < gains[0] < 0.9
    assert gains[0] > gains[1] > gains[2]
    assert gains[2] > 0.05


def test_an_asymmetric_hidden_half_is_not_believed(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    skew = np.zeros(10)
    skew[-2:] = 2.0
    frontal = fitter.fit(photograph(small_head, params(small_head, skew)))
    turned = fitter.fit(photograph(small_head, params(small_head, skew), (42, 0, 0)))
    shown = np.abs(frontal.params.shape[-2:]).max()
    assert np.abs(turned.params.shape[-2:]).max() < 0.5 * shown


def test_landmarks_of_something_else_make_no_monster(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    seen = photograph(small_head, params(small_head))
    seen[:, :2] += np.random.default_rng(0).normal(0, 25.0, (478, 2))
    fit = fitter.fit(seen)
    assert np.isfinite(fit.params.shape).all()
    assert np.linalg.norm(fit.params.shape) < 5.0 + 1e-9
    assert fit.residual > 5.0


@pytest.mark.parametrize("bad", ["few", "nan", "point"])
def test_what_cannot_be_a_face_is_an_error(
    small_head: HeadModel, fitter: FaceFitter, bad: str
) -> None:
    seen = photograph(small_head, params(small_head))
    first = fitter.fit(seen)
    if bad == "few":
        seen = seen[:468]
    elif bad == "nan":
        seen[7, 2] = np.nan
    else:
        seen[:] = 5.0
    with pytest.raises(ValueError, match="landmarks|corners"):
        fitter.fit(seen)
    with pytest.raises(ValueError, match="landmarks|corners"):
        fitter.fit_shared([seen, seen])
    with pytest.raises(ValueError, match="landmarks|corners"):
        fitter.track(seen, first)


def test_a_fit_is_deterministic_and_moves_with_the_picture(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    face = params(small_head, identity(small_head), jaw=5.0)
    seen = photograph(small_head, face, (15, 3, 2), noise=1.0, depth_noise=3.0)
    one, again = fitter.fit(seen), FaceFitter(small_head).fit(seen)
    assert np.array_equal(one.params.shape, again.params.shape)
    assert np.array_equal(one.rotation, again.rotation)
    moved = fitter.fit(2 * seen + np.array([30.0, -10.0, 7.0]))
    assert moved.params.shape == pytest.approx(one.params.shape, abs=1e-6)
    assert moved.scale == pytest.approx(2 * one.scale)
    assert moved.translation == pytest.approx(2 * one.translation + [30.0, -10.0], abs=1e-4)


def test_several_photos_share_one_better_identity(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    truth = 0.8 * identity(small_head)
    views = [(0.0, 0.0, 0.0), (18.0, 5.0, 0.0), (-40.0, 0.0, 8.0)]
    photos = [
        photograph(small_head, params(small_head, truth, jaw=4.0 * k), angles, 1.0, 4.0)
        for k, angles in enumerate(views)
    ]
    fits = fitter.fit_shared(photos)
    assert all(np.array_equal(fit.params.shape, fits[0].params.shape) for fit in fits)
    for fit, angles in zip(fits, views, strict=True):
        assert fit.yaw == pytest.approx(angles[0], abs=3.0)
    assert np.degrees(fits[2].params.jaw[0]) > np.degrees(fits[0].params.jaw[0]) + 3
    goal = displacement(small_head, truth)
    worst = fitter.fit(photos[2]).params.shape
    error = rms_mm(displacement(small_head, fits[0].params.shape) - goal)
    assert error < rms_mm(displacement(small_head, worst) - goal)


def test_one_shared_photo_is_a_plain_fit(small_head: HeadModel, fitter: FaceFitter) -> None:
    seen = photograph(small_head, params(small_head, identity(small_head)))
    assert fitter.fit_shared([]) == []
    alone = fitter.fit_shared([seen])[0]
    assert np.array_equal(alone.params.shape, fitter.fit(seen).params.shape)


def test_tracking_keeps_identity_and_follows_pose_and_jaw(
    small_head: HeadModel, fitter: FaceFitter
) -> None:
    truth = 0.7 * identity(small_head)
    first = fitter.fit(photograph(small_head, params(small_head, truth)))
    face = params(small_head, truth, jaw=15.0, mouthSmileLeft=0.5, mouthSmileRight=0.5)
    seen = photograph(small_head, face, (25, 8, -5))
    fit = fitter.track(seen, fitter.track(seen, first))
    assert np.array_equal(fit.params.shape, first.params.shape)
    assert (fit.yaw, fit.pitch, fit.roll) == pytest.approx((25, 8, -5), abs=2.5)
    assert np.degrees(fit.params.jaw[0]) == pytest.approx(15.0, abs=4.0)


def test_a_head_with_fewer_and_displaced_landmarks_fits_by_delta_transfer(
    small_head: HeadModel,
) -> None:
    table = small_head.landmarks
    few = np.isin(table.indices, LANDMARKS_105)
    offset = small_head.template + np.float32(0.001) * np.sin(90 * small_head.template)
    other = replace(
        small_head,
        template=offset.astype(np.float32),
        landmarks=replace(
            table,
            indices=table.indices[few],
            faces=table.faces[few],
            barycentric=table.barycentric[few],
        ),
    )
    fit = FaceFitter(other).fit(photograph(small_head, params(small_head), (0, 0, 10)))
    # the tracker's mean face is the other head's mean face, whatever its own landmarks say
    assert np.abs(fit.params.shape).max() < 0.05
    assert fit.roll == pytest.approx(10.0, abs=2.0)
