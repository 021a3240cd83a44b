# SPDX-License-Identifier: Apache-2.0
"""Real clips as training samples: tracked, one person each, filtered, cut out, masked, aligned.

Does not know shards or networks.

Source: paper section 4 (clips filtered by quality and by how much the head turns), rome-spec
section 4. Quality is a classical sharpness instead of a network's; hair, face, neck and clothes
come from the fitted head's regions, the matte and a colour model (tracking.hair_mask).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from rome_backend.avatar.create import Tools
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.rotations import axis_angle_from_matrix
from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import F32, F64, U8, FaceFit, HeadCrop, HeadModel, Mask, Photo
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.aligned_source import align_source
from rome_backend.tracking.alignment import landmarks_ndc
from rome_backend.tracking.clip import open_clip
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import face_extent
from rome_backend.tracking.hair_mask import EAR, FACE, OTHER, SCALP, find_hair, seen_regions
from rome_backend.tracking.outline import SquareView
from rome_backend.tracking.video import ClipTracker
from training.batch import Sample
from training.evaluation.frames import TrackedFrame, turn_degrees

VERSION = 1
_MARGIN = 1.1  # half a target's side in face heights
_SHARPNESS_SIDE = 96  # px that a face is brought to before its sharpness is measured
_LEAST_CONTRAST = 1.0  # levels of brightness, under which there is nothing to be sharp
_SAME_FACE = 0.5  # of its extent that a face may move from one looked-at frame to the next
_MOST_YAW = 60.0
_SHAPE_FRAMES = 5


@dataclass(frozen=True)
class ClipRules:
    """What is taken from a clip, checked at construction."""

    every: int = 5
    """Look at each n-th frame."""
    pairs: int = 8
    """Samples per clip at most."""
    least_face: float = 0.3
    """Height of a face as a share of the samples' side, under which a frame is left out."""
    least_sharpness: float = 0.12
    """Sharpness (see ``sharpness``) under which a frame is left out: sharp clips have 0.35 to
    0.7, the same ones blurred by a hundredth of the face's height half of it, by two 0.1."""
    least_turn: float = 3.0
    """Degrees that the head turns between the two frames of a sample at least."""

    def __post_init__(self) -> None:
        """Raise ValueError on rules that take nothing."""
        if min(self.every, self.pairs) < 1 or min(self.least_face, self.least_turn) < 0:
            raise ValueError(f"these rules take nothing: {self}")


def clip_samples(
    path: Path, tools: Tools, rules: ClipRules, side: int, seed: int, first: int
) -> list[Sample]:
    """Return the samples of a clip, numbered from ``first``.

    Raises PhotoRefused: `clip_unreadable`, `no_face`, `clip_unsharp` when too few frames are
    large, sharp and frontal enough, `clip_still` when the head hardly turns.
    """
    shots = tracked_shots(path, tools, rules)
    good = [frame for frame in max(shots, key=len) if usable(frame, rules, side)]
    if len(good) < 2:
        raise PhotoRefused(
            "clip_unsharp", f"{path.name} has too few frames with a large, sharp face.",
            "Use a clip of a higher resolution.",
        )  # fmt: skip
    fits = one_identity(good, tools)
    pairs = chosen_pairs(fits, rules, seed)
    if not pairs:
        raise PhotoRefused(
            "clip_still", f"The head hardly turns in {path.name}.", "Use a livelier clip."
        )
    return [
        _sample(first + place, good[source], good[target], fits[target], tools, side)
        for place, (source, target) in enumerate(pairs)
    ]


def tracked_shots(path: Path, tools: Tools, rules: ClipRules) -> list[list[TrackedFrame]]:
    """Return the frames of a clip that show a face, cut where it is lost or jumps.

    Fits are of single frames. Raises PhotoRefused (`clip_unreadable`, `no_face`).
    """
    shots: list[list[TrackedFrame]] = [[]]
    follower = ClipTracker(tools.tracker)
    for number, rgb in enumerate(open_clip(path).frames()):
        if number % rules.every:
            continue
        face = follower.next(rgb)
        if face is None:
            shots.append([])
            continue
        frame = TrackedFrame(number, rgb, face, tools.fitter.fit(face.landmarks))
        if shots[-1] and _jumped(shots[-1][-1], frame):
            shots.append([])
        shots[-1].append(frame)
    if not any(shots):
        raise PhotoRefused(
            "no_face", f"No face was found in {path.name}.", "Use a clip that shows a face."
        )
    return shots


def _jumped(before: TrackedFrame, after: TrackedFrame) -> bool:
    """Whether a face is elsewhere, or of another size, than a moment ago: the shot has changed."""
    middles = [frame.face.landmarks[:, :2].mean(0) for frame in (before, after)]
    extents = [face_extent(frame.face.landmarks) for frame in (before, after)]
    moved = float(np.linalg.norm(middles[1] - middles[0]))
    return moved > _SAME_FACE * extents[0] or not 0.7 < extents[1] / extents[0] < 1.4


def usable(frame: TrackedFrame, rules: ClipRules, side: int) -> bool:
    """Return whether a frame's face is large, sharp and frontal enough."""
    if (
        face_extent(frame.face.landmarks) < rules.least_face * side
        or abs(frame.fit.yaw) > _MOST_YAW
    ):
        return False
    return sharpness(frame.rgb, frame.face.landmarks) >= rules.least_sharpness


def sharpness(rgb: U8, landmarks: F32) -> float:
    """Return how sharp a face (478, 3) px is: the spread of its Laplacian at a fixed size, as a
    share of the spread of its brightness; 0 outside the picture or without contrast."""
    low = np.maximum(landmarks[:, :2].min(0), 0).astype(int)
    high = landmarks[:, :2].max(0).astype(int)
    face = rgb[low[1] : high[1], low[0] : high[0]]
    if not face.size:
        return 0.0
    size = (_SHARPNESS_SIDE, _SHARPNESS_SIDE)
    small = cv2.resize(face.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    spread, edges = float(grey.std()), cv2.Laplacian(grey, cv2.CV_32F)
    return float(edges.std()) / spread if spread > _LEAST_CONTRAST else 0.0


def one_identity(frames: list[TrackedFrame], tools: Tools) -> list[FaceFit]:
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
    source: TrackedFrame,
    target: TrackedFrame,
    fit: FaceFit,
    tools: Tools,
    side: int,
) -> Sample:
    crop = _crop(source, tools, side)
    points = landmarks_68_of(crop.landmarks)[:, :2]
    aligned = align_source(crop.rgb, crop.matte, points, side, crop=True)
    shown = _crop(target, tools, side)
    own = tools.fitter.track(shown.landmarks, fit)
    large = len(shown.rgb)
    hair = hair_and_face(tools.head, own, shown)
    masks = [shown.matte * shown.valid, hair.astype(np.float32)]
    rgb, matte, hair_share = (
        cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in (shown.rgb, *masks)
    )
    whole = matte > 0.5
    camera, rotation = weak_camera(tools.head, own, large)
    params = own.params
    return Sample(
        number=number,
        source=_bytes(255 * aligned.picture.transpose(1, 2, 0)),
        source_matte=_bytes(255 * aligned.matte[0]),
        target=np.asarray(rgb, np.uint8),
        target_matte=_bytes(255 * matte),
        hair=255 * ((hair_share > 0.5) & whole).astype(np.uint8),
        whole=255 * whole.astype(np.uint8),
        shape=params.shape.astype(np.float32),
        expression=params.expression.astype(np.float32),
        jaw=params.jaw.astype(np.float32),
        rotation=rotation.astype(np.float32),
        camera=camera.astype(np.float32),
        landmarks=landmarks_ndc(landmarks_68_of(shown.landmarks)[:, :2], large).astype(np.float32),
    )


def _crop(frame: TrackedFrame, tools: Tools, side: int) -> HeadCrop:
    photo = Photo(frame.rgb, None, f"frame {frame.number}")
    return head_crop(photo, frame.face, tools.matte, _MARGIN, max_size=max(2 * side, 256))


def hair_and_face(head: HeadModel, fit: FaceFit, crop: HeadCrop) -> Mask:
    """Return which pixels (C, C) of a crop show face, ears or hair; the fit is in its px.

    The bald head's scalp counts: what covers it is hair. Eyes and mouth belong to the face.
    """
    side = len(crop.rgb)
    view = SquareView(fit, side, side)
    vertices = posed_vertices(head, fit.params)
    seen = seen_regions(head, vertices, view, TorchRasterizer())
    person = crop.matte > 0.5
    found = find_hair(head, vertices, view, crop, person, seen)
    return np.asarray((found.hair | np.isin(seen, (FACE, EAR, SCALP, OTHER))) & person)


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
