# SPDX-License-Identifier: Apache-2.0
"""Invented people as the system itself sees them: an avatar of one picture, others to compare.

Does not know shards; a sample depends on its seed and number alone.

The avatar, its texture, pose and expression are what the whole pipeline makes of the first
picture and tracks in the others, with its mistakes. So networks learn which of it to trust.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.create import Tools, create_avatar
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.avatar.head_surface import HeadSurface, head_surface
from rome_backend.avatar.photo_layers import photo_layers
from rome_backend.avatar.photo_source import PhotoSource, photo_source
from rome_backend.core.camera import fit_camera
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8, Avatar, FaceFit, HeadModel
from rome_backend.tracking.alignment import landmarks_ndc
from training.batch import Sample
from training.data.synthetic.person import LABELS, Person, PersonMaker
from training.data.synthetic.photograph import Picture, Shot, draw_shot, take_picture
from training.data.synthetic.strands import Strands, draw_strands
from training.layers import packed_layers

PICTURES = 4  # of a person, beside the first
VERSION = 1
_TEXTURE, _SOURCE = 512, 512  # px
_SCALE, _SOURCE_SCALE = 5.0, 4.6
_TURNS = (4.0, 9.0, 18.0)  # degrees, spread of the yaw
_QUIET = 0.7  # share of first pictures that are nearly neutral
_SAME = 0.3  # share of others with the first one's expression
_TRIES = 12
_WITH_HAIR = ("face", "ears", "hair")
Made = TypeVar("Made")


@dataclass(frozen=True)
class _Known:
    """A person, its strands, the shot and picture an avatar was made of, and that avatar."""

    person: Person
    strands: Strands
    shot: Shot
    picture: Picture
    avatar: Avatar
    fit: FaceFit
    source: PhotoSource


class ReenactedMaker:
    """Makes samples with photo layers, pictures of ``side`` px, on the tools' head."""

    def __init__(self, tools: Tools, side: int = 192, seed: int = 0) -> None:
        self._tools, self._side, self._seed = tools, side, seed
        self._people = PersonMaker(tools.head, 2 * side)
        still = np.ones(len(tools.head.template), np.float32)
        self._surface: HeadSurface = head_surface(tools.head, still)
        self._last: tuple[int, _Known] | None = None

    @property
    def head(self) -> HeadModel:
        """The head model that people have."""
        return self._tools.head

    def make(self, number: int) -> Sample:
        """Return a sample; the same number gives the same one, in any order.

        Raises PhotoRefused when no picture of a person could be tracked.
        """
        known = self._known(number // PICTURES)
        random = np.random.default_rng([self._seed, number, 1])

        def tracked() -> tuple[Picture, FaceFit] | None:
            picture = take_picture(
                random, self.head, known.person, _next_shot(random, self.head, known.shot),
                2 * self._side, known.strands,
            )  # fmt: skip
            faces = self._tools.tracker.track(picture.rgb)
            fitter = self._tools.fitter
            return (picture, fitter.track(faces[0].landmarks, known.fit)) if faces else None

        picture, fit = _tried(tracked)
        large = len(picture.rgb)
        vertices = avatar_vertices(known.avatar, self.head, fit.params)
        layers = photo_layers(
            known.source, self._surface, known.avatar.albedo, vertices,
            fit_camera(fit, large, large),
        )  # fmt: skip
        return replace(self._sample(number, known, picture), layers=packed_layers(layers))

    def _known(self, place: int) -> _Known:
        if self._last is None or self._last[0] != place:
            random = np.random.default_rng([self._seed, place])
            self._last = place, _tried(lambda: self._invented(random))
        return self._last[1]

    def _invented(self, random: np.random.Generator) -> _Known | None:
        """Return a person of whom the pipeline can make an avatar, or None for another try."""
        head = self.head
        person = self._people.draw(random)
        strands = draw_strands(random, head, person)
        shot = draw_shot(random, head, _TURNS[0] * 1.5, _SOURCE_SCALE)
        if random.random() < _QUIET:
            quiet = shot.expression * random.uniform(0, 0.3)
            shot = replace(shot, expression=quiet, jaw=np.zeros(3))
        picture = take_picture(random, head, person, shot, _SOURCE, strands)
        faces = self._tools.tracker.track(picture.rgb)
        avatar = self._avatar(picture.rgb) if faces else None
        if avatar is None:
            return None
        fit = self._tools.fitter.fit(faces[0].landmarks)
        source = photo_source(avatar, head)
        return _Known(person, strands, shot, picture, avatar, fit, source)

    def _avatar(self, rgb: U8) -> Avatar | None:
        with tempfile.TemporaryDirectory() as folder:
            photo = Path(folder) / "person.png"
            Image.fromarray(rgb).save(photo)
            options = CreateOptions(size=_TEXTURE, maps=False)
            try:
                return create_avatar([photo], options, tools=self._tools).avatar
            except PhotoRefused:
                return None

    def _sample(self, number: int, known: _Known, picture: Picture) -> Sample:
        size = (self._side, self._side)
        small = [
            cv2.resize(each, size, interpolation=cv2.INTER_AREA)
            for each in (known.picture.rgb, known.picture.matte, picture.rgb, picture.matte)
        ]
        labels = cv2.resize(picture.labels, size, interpolation=cv2.INTER_NEAREST)
        hair = np.isin(labels, [LABELS.index(name) for name in _WITH_HAIR])
        pose = {name: value[0].numpy() for name, value in vars(picture.pose).items()}
        return Sample(
            number=number,
            source=np.asarray(small[0], np.uint8),
            source_matte=np.asarray(small[1], np.uint8),
            target=np.asarray(small[2], np.uint8),
            target_matte=np.asarray(small[3], np.uint8),
            hair=255 * hair.astype(np.uint8),
            whole=255 * (labels > 0).astype(np.uint8),
            landmarks=landmarks_ndc(picture.landmarks, 2 * self._side).astype(np.float32),
            **pose,
        )


def _next_shot(random: np.random.Generator, head: HeadModel, first: Shot) -> Shot:
    """Return another shot in the same place and light: a turn of the head, another expression."""
    shot = draw_shot(random, head, float(random.choice(_TURNS)), _SCALE)
    gain = random.normal(1, 0.02)
    shot = replace(
        shot,
        rotation=np.clip(shot.rotation + 0.7 * first.rotation, -1, 1),
        lights=(first.lights[0], first.lights[1] * gain),
        ambient=first.ambient * gain,
        background=first.background,
        noise=0.5 * first.noise,
    )
    if random.random() < _SAME:
        shot = replace(shot, expression=first.expression, jaw=first.jaw)
    return shot


def _tried(make: Callable[[], Made | None]) -> Made:
    """Return the first thing that could be made. Raises PhotoRefused (`no_face`)."""
    for _ in range(_TRIES):
        made = make()
        if made is not None:
            return made
    raise PhotoRefused("no_face", "No invented picture could be tracked.", "Try another seed.")
