# SPDX-License-Identifier: Apache-2.0
"""Recordings as training samples: one person each, filtered, cut out, masked, aligned.

Does not know shards, nor how frames are tracked, judged or parsed.

Source: paper section 4 (clips filtered by quality and by how much the head turns), rome-spec
section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from rome_backend.avatar.create import Tools
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.rotations import axis_angle_from_matrix
from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import F64, U8, FaceFit, HeadCrop, HeadModel, Photo
from rome_backend.tracking.aligned_source import align_source
from rome_backend.tracking.alignment import landmarks_ndc
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import face_extent
from training.batch import Sample
from training.data.instruments import Instruments
from training.data.recordings import Frame, Recording
from training.data.shots import Look, tracked_shots
from training.evaluation.frames import turn_degrees

VERSION = 2
_MARGIN = 1.1  # half a target's side in face heights
_MOST_YAW = 60.0
_SHAPE_FRAMES = 5


@dataclass(frozen=True)
class ClipRules:
    """What is taken from a clip, checked at construction."""

    every: int = 5
    """Look at each n-th frame of a video; of frames that were chosen before, at each."""
    pairs: int = 8
    """Samples per clip at most."""
    least_face: float = 0.3
    """Height of a face as a share of the samples' side, under which a frame is left out."""
    least_quality: float | None = None
    """The judge's score under which a frame is left out; None: as the judge has it."""
    least_turn: float = 3.0
    """Degrees that the head turns between the two frames of a sample at least."""

    def __post_init__(self) -> None:
        """Raise ValueError on rules that take nothing."""
        if min(self.every, self.pairs) < 1 or min(self.least_face, self.least_turn) < 0:
            raise ValueError(f"these rules take nothing: {self}")


@dataclass(frozen=True)
class ClipSamples:
    """samples of a recording, and what manifests say of it: frames looked at and good enough, the
    largest turn between two of these in degrees, their mean quality."""

    samples: Sequence[Sample]
    facts: Mapping[str, Any]


def clip_samples(
    recording: Recording,
    instruments: Instruments,
    rules: ClipRules,
    side: int,
    seed: int,
    first: int,
) -> ClipSamples:
    """Return the samples of a recording, numbered from ``first``; of its shots the best one's.

    Raises PhotoRefused: `clip_unreadable`, `no_face`, `clip_unsharp` when too few frames are
    large, sharp and frontal enough, `clip_still` when the head hardly turns.
    """
    tools, judge = instruments.tools, instruments.judge
    shots = tracked_shots(recording, tools.tracker, tools.fitter, judge, rules.every)
    least = judge.least if rules.least_quality is None else rules.least_quality
    good = max(([look for look in shot if usable(look, rules, least, side)] for shot in shots),
               key=len)  # fmt: skip
    if len(good) < 2:
        raise PhotoRefused(
            "clip_unsharp", f"{recording.name} has too few frames with a large, sharp face.",
            "Use a clip of a higher resolution.",
        )  # fmt: skip
    fits = one_identity(good, tools)
    pairs = chosen_pairs(fits, rules, seed)
    if not pairs:
        raise PhotoRefused(
            "clip_still", f"The head hardly turns in {recording.name}.", "Use a livelier clip."
        )
    frames = _frames(recording, {good[place].number for pair in pairs for place in pair})
    samples = []
    for place, (source, target) in enumerate(pairs):
        first_crop, second_crop = (
            _crop(frames[good[each].number], good[each], tools, side) for each in (source, target)
        )
        samples.append(
            _sample(first + place, first_crop, second_crop, fits[target], instruments, side)
        )
    facts = {
        "looked_at": sum(map(len, shots)),
        "good": len(good),
        "turn": round(max(turn_degrees(a, b) for a in fits for b in fits), 1),
        "mean_quality": round(float(np.mean([look.quality for look in good])), 3),
    }
    return ClipSamples(samples, facts)


def usable(look: Look, rules: ClipRules, least: float, side: int) -> bool:
    """Return whether a frame's face is large, good and frontal enough."""
    large = face_extent(look.face.landmarks) >= rules.least_face * side
    return large and abs(look.fit.yaw) <= _MOST_YAW and look.quality >= least


def _frames(recording: Recording, numbers: set[int]) -> dict[int, Frame]:
    """Return some of a recording's frames, which are read once more."""
    found: dict[int, Frame] = {}
    for frame in recording.frames():
        if frame.number in numbers:
            found[frame.number] = frame
            if len(found) == len(numbers):
                break
    return found


def one_identity(frames: Sequence[Look], tools: Tools) -> list[FaceFit]:
    """Return the frames' fits with one identity, found from a few of them together."""
    steps = np.linspace(0, len(frames) - 1, min(_SHAPE_FRAMES, len(frames))).astype(int)
    shared = tools.fitter.fit_shared([frames[step].face.landmarks for step in steps])[0]
    fits = []
    for frame in frames:
        own = replace(frame.fit, params=replace(frame.fit.params, shape=shared.params.shape))
        fits.append(tools.fitter.track(frame.face.landmarks, own))
    return fits


def chosen_pairs(fits: list[FaceFit], rules: ClipRules, seed: int) -> list[tuple[int, int]]:
    """Return pairs (source, target) of different frames, between which the head turns.

    Of each two the more frontal frame is the source; drawn evenly from small turns to large.
    """
    pairs = []
    for one in range(len(fits)):
        for other in range(one + 1, len(fits)):
            turn = turn_degrees(fits[one], fits[other])
            if turn >= rules.least_turn:
                frontal = abs(fits[one].yaw) <= abs(fits[other].yaw)
                pairs.append((turn, (one, other) if frontal else (other, one)))
    random = np.random.default_rng(seed)
    pairs = [pairs[place] for place in random.permutation(len(pairs))]
    pairs.sort(key=lambda pair: pair[0])
    steps = np.linspace(0, len(pairs) - 1, min(rules.pairs, len(pairs))).astype(int)
    return [pairs[step][1] for step in dict.fromkeys(steps.tolist())]


def _sample(
    number: int,
    source: HeadCrop,
    target: HeadCrop,
    fit: FaceFit,
    instruments: Instruments,
    side: int,
) -> Sample:
    head = instruments.tools.head
    points = landmarks_68_of(source.landmarks)[:, :2]
    aligned = align_source(source.rgb, source.matte, points, side, crop=True)
    own = instruments.tools.fitter.track(target.landmarks, fit)
    large = len(target.rgb)
    parsed = instruments.parser.parse(head, own, target)
    rgb, matte, hair, whole = (
        cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA)
        for each in (target.rgb, target.matte * target.valid, parsed.hair, parsed.whole)
    )
    inside = whole > 0.5
    camera, rotation = weak_camera(head, own, large)
    params = own.params
    points = landmarks_68_of(target.landmarks)[:, :2]
    return Sample(
        number=number,
        source=_bytes(255 * aligned.picture.transpose(1, 2, 0)),
        source_matte=_bytes(255 * aligned.matte[0]),
        target=np.asarray(rgb, np.uint8),
        target_matte=_bytes(255 * matte),
        hair=255 * ((hair > 0.5) & inside).astype(np.uint8),
        whole=255 * inside.astype(np.uint8),
        shape=params.shape.astype(np.float32),
        expression=params.expression.astype(np.float32),
        jaw=params.jaw.astype(np.float32),
        rotation=rotation.astype(np.float32),
        camera=camera.astype(np.float32),
        landmarks=landmarks_ndc(points, large).astype(np.float32),
    )


def _crop(frame: Frame, look: Look, tools: Tools, side: int) -> HeadCrop:
    photo = Photo(frame.rgb, frame.alpha, f"frame {frame.number}")
    return head_crop(photo, look.face, tools.matte, _MARGIN, max_size=max(2 * side, 256))


def weak_camera(head: HeadModel, fit: FaceFit, side: int) -> tuple[F64, F64]:
    """Return the camera (3,) s, tx, ty in NDC that shows a fit's landmarks where it has them, and
    the rotation (3,) axis-angle about the root joint, as the system turns heads.

    The fit is in px of a side x side picture; its perspective is lost.
    """
    params, turn = fit.params, np.asarray(fit.rotation)
    vertices = posed_vertices(head, params)
    points = landmark_points(vertices, head.faces, head.landmarks)
    seen = 2 * project(fit_camera(fit, side, side), points)[:, :2] / side - 1
    root = regress_joints(head, shape_vertices(head, params.shape, params.expression))[0]
    turned = (points - root) @ turn.T + root
    up = seen * [1, -1]
    middle = turned[:, :2].mean(0), up.mean(0)
    own, wanted = turned[:, :2] - middle[0], up - middle[1]
    scale = float((own * wanted).sum() / (own**2).sum())
    shift = middle[1] / scale - middle[0]
    return np.array([scale, *shift]), axis_angle_from_matrix(turn)


def _bytes(values: np.ndarray) -> U8:
    return (np.clip(values, 0, 255) + 0.5).astype(np.uint8)
