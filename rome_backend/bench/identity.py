# SPDX-License-Identifier: Apache-2.0
"""`bench identity`: how well the tracker and the fit recover known identities.

Does not know photos of real people unless their textures are asked for.

Synthetic people, drawn from the head's own identity space with hair, are photographed by our
renderer through a pinhole at several yaws and lights, then tracked and fitted like any photo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rome_backend.avatar.create import CreateOptions, Tools, create_avatar, load_tools
from rome_backend.bench.dataset import photos
from rome_backend.bench.people import Person, draw_person, draw_shot, photograph
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F32, F64, U8, HeadModel, Mask
from rome_backend.tracking.identity_metric import identity_distances
from rome_backend.tracking.pose_estimate import procrustes

YAWS = (0, 20, 35, 50)
PEOPLE = 24
PHOTOS_EACH = 6
COUNTS = (1, 2, 3, 6)
WIDEST_YAW = 30.0
DISTANCE = "log odds of tracking.identity_metric between fits of single photos"
TEXTURES = 4
_TEXTURE_PX = 512
_NOT_SHAPE = ("neck", "mouth_inside", "left_eyeball", "right_eyeball")
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class _Studio:
    """People (with the textures they wear), tools to fit them, and what is drawn at random."""

    tools: Tools
    people: list[Person]
    textures: list[U8]
    random: np.random.Generator

    def landmarks(self, number: int, yaw: float, lively: bool) -> F32 | None:
        """Return the landmarks of a new photo of a person; None when no face is seen."""
        head = self.tools.head
        shot = draw_shot(head, yaw, lively, self.random)
        texture = self.textures[number % len(self.textures)]
        rgb = photograph(head, self.people[number], texture, shot, self.random)
        found = self.tools.tracker.track(rgb)
        return found[0].landmarks if found else None


def bench_identity(
    options: CreateOptions, progress: Progress, data: Path | None = None, people: int = PEOPLE
) -> dict[str, Any]:
    """Return the bench's JSON payload.

    data: a folder whose first photos of tier A lend their textures; the demo's photo without.
    """
    tools = load_tools(options.head)
    random = np.random.default_rng(options.seed)
    drawn = [draw_person(tools.head, tools.basis, random) for _ in range(people)]
    studio = _Studio(tools, drawn, _textures(data, options, tools), random)
    by_yaw = {}
    for index, yaw in enumerate(YAWS):
        progress(f"yaw {yaw}", index / (len(YAWS) + 1))
        by_yaw[str(yaw)] = _errors(studio, yaw)
    progress("nearest neighbours", len(YAWS) / (len(YAWS) + 1))
    album = [_album(studio, number) for number in range(people)]
    return {
        "by_yaw": by_yaw,
        "by_count": _errors_by_count(studio, album),
        "nearest_neighbour_accuracy": _accuracy(studio, album),
        "people": people,
        "photos": sum(len(taken) for taken in album),
        "distance": DISTANCE,
    }


def _textures(data: Path | None, options: CreateOptions, tools: Tools) -> list[U8]:
    from rome_backend.commands.demo import default_photo

    with TemporaryDirectory(prefix="rome-bench-") as folder:
        if data is None:
            files = [default_photo(Path(folder))]
        else:
            files = [photo.path for photo in photos(data, tiers="A")][:TEXTURES]
        plain = CreateOptions(size=_TEXTURE_PX, seed=options.seed, head=options.head)
        return [create_avatar([file], plain, tools=tools).avatar.albedo for file in files]


def _errors(studio: _Studio, yaw: int) -> dict[str, float]:
    """Return the mean shape error (mm) of fits at +-yaw and that of the average head."""
    head = studio.tools.head
    region = shape_region(head)
    average = head.template.astype(np.float64)
    ours, plain, lost = [], [], 0
    for number, person in enumerate(studio.people):
        truth = shape_vertices(head, person.shape)
        for sign in (1, -1) if yaw else (1,):
            landmarks = studio.landmarks(number, sign * yaw, lively=False)
            if landmarks is None:
                lost += 1
                continue
            shape = studio.tools.fitter.fit(landmarks).params.shape
            ours.append(shape_error_mm(shape_vertices(head, shape), truth, region))
            plain.append(shape_error_mm(average, truth, region))
    found = {"shape_mm": float(np.mean(ours)), "average_mm": float(np.mean(plain))}
    found = {name: round(value, 4) for name, value in found.items()}
    return {**found, "lost": lost} if lost else found


def shape_region(head: HeadModel) -> Mask:
    """Return the vertices (V,) that count: the skin above the neck."""
    return ~np.logical_or.reduce(
        [head.regions[name] for name in _NOT_SHAPE if name in head.regions]
    )


def shape_error_mm(vertices: F64, truth: F64, region: Mask) -> float:
    """Return the mean distance of corresponding vertices (V, 3) m in a region, in mm.

    After the similarity that brings the region's vertices nearest to the truth's.
    """
    ours, theirs = vertices[region], truth[region]
    moved = procrustes(ours, theirs, np.ones(len(ours))).to_view(ours)
    return 1000 * float(np.linalg.norm(moved - theirs, axis=1).mean())


def _album(studio: _Studio, number: int) -> list[F32]:
    """Return the landmarks of a person's photos, every other one with an expression."""
    seen = []
    for photo in range(PHOTOS_EACH):
        yaw = float(studio.random.uniform(-WIDEST_YAW, WIDEST_YAW))
        seen.append(studio.landmarks(number, yaw, lively=photo % 2 == 1))
    return [landmarks for landmarks in seen if landmarks is not None]


def _errors_by_count(studio: _Studio, album: list[list[F32]]) -> dict[str, float]:
    """Return the mean shape error (mm) of one identity fitted to 1, 2, 3 and 6 photos."""
    head, fitter = studio.tools.head, studio.tools.fitter
    region = shape_region(head)
    found = {}
    for count in COUNTS:
        errors = []
        for person, taken in zip(studio.people, album, strict=True):
            truth = shape_vertices(head, person.shape)
            for first in range(0, len(taken) - count + 1, count):
                fits = fitter.fit_shared(taken[first : first + count])
                vertices = shape_vertices(head, fits[0].params.shape)
                errors.append(shape_error_mm(vertices, truth, region))
        found[str(count)] = round(float(np.mean(errors)), 4)
    return found


def _accuracy(studio: _Studio, album: list[list[F32]]) -> float:
    """Return the share of photos whose nearest other photo shows the same person."""
    fitter = studio.tools.fitter
    shapes = [fitter.fit(landmarks).params.shape for taken in album for landmarks in taken]
    people = [number for number, taken in enumerate(album) for _ in taken]
    return nearest_accuracy(identity_distances(studio.tools.head, shapes), people)


def nearest_accuracy(distances: F64, people: Sequence[int]) -> float:
    """Return the share of rows of distances (N, N) whose nearest other row is the same person."""
    apart = distances + np.diag(np.full(len(distances), np.inf))
    owner = np.asarray(people)
    return float((owner[apart.argmin(axis=1)] == owner).mean())


def missed_bounds(payload: dict[str, Any]) -> list[str]:
    """Return a sentence for each bound that is missed: each yaw below average, 90 % right, and
    less error with more photos."""
    missed = [
        f"at {yaw} degrees the fit is {row['shape_mm']} mm off, the average {row['average_mm']}"
        for yaw, row in payload["by_yaw"].items()
        if row["shape_mm"] >= row["average_mm"]
    ]
    counts = payload["by_count"]
    if max(error for count, error in counts.items() if count != "1") >= counts["1"]:
        missed.append(f"more photos do not lower the error: {counts}")
    if payload["nearest_neighbour_accuracy"] < 0.9:
        missed.append(f"nearest neighbours: {payload['nearest_neighbour_accuracy']:.2f} are right")
    return missed
