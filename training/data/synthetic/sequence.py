# SPDX-License-Identifier: Apache-2.0
"""Two-frame sequences of invented people, as training sees them, with their ground truth.

Does not know shards; a sequence depends on its seed and number alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rome_backend.core.camera import crop_camera
from rome_backend.core.types import U8, HeadModel
from rome_backend.texture.bake import bake
from rome_backend.texture.view import TextureView
from rome_backend.tracking.alignment import align_landmarks, aligned, ffhq_theta, landmarks_ndc
from training.batch import Sample
from training.data.synthetic.person import LABELS, PersonMaker
from training.data.synthetic.photograph import Picture, draw_shot, take_picture

VERSION = 1  # of how sequences are made; part of every shard's manifest
_SOURCE_TURN, _TARGET_TURN = 10.0, 20.0  # degrees
_SOURCE_SCALE, _TARGET_SCALE = 4.6, 6.0  # the aligned source reaches further than the picture
_SOURCE_SIDE = 1.5
_WITH_HAIR = ("face", "ears", "hair")


@dataclass(frozen=True)
class Sequence:
    """sample: what training sees, and the person's offsets, which only networks with given
    geometry may see; labels (T, T) u8: what the target shows, of person.LABELS; source_view:
    the aligned source as texture is taken from it, everything known."""

    sample: Sample
    labels: U8
    source_view: TextureView


class SequenceMaker:
    """Makes sequences on one head model, pictures of ``side`` px."""

    def __init__(self, head: HeadModel, side: int = 256, seed: int = 0) -> None:
        self._people = PersonMaker(head, 2 * side)
        self._head, self._side, self._seed = head, side, seed

    def make(self, number: int) -> Sequence:
        """Return a sequence; the same number gives the same one, in any order."""
        random = np.random.default_rng([self._seed, number])
        person = self._people.draw(random)
        large = int(_SOURCE_SIDE * self._side)
        shots = [
            draw_shot(random, self._head, turn, scale)
            for turn, scale in ((_SOURCE_TURN, _SOURCE_SCALE), (_TARGET_TURN, _TARGET_SCALE))
        ]
        source = take_picture(random, self._head, person, shots[0], large)
        target = take_picture(random, self._head, person, shots[1], self._side)
        sample = self._sample(number, source, target)
        sample = replace(sample, offsets=person.offsets.astype(np.float32))
        return Sequence(sample, target.labels, self._view(sample, source))

    def _view(self, sample: Sample, source: Picture) -> TextureView:
        side, large = self._side, len(source.rgb)
        theta = ffhq_theta(source.landmarks, large)
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        moved = align_landmarks(corners, theta, large, side=side)
        affine = np.column_stack([moved[1] - moved[0], moved[2] - moved[0], moved[0]])
        seen = aligned(np.ones((1, large, large), np.float32), theta, side=side)[0] > 0.99
        matte = sample.source_matte.astype(np.float32) / np.float32(255)
        camera = crop_camera(source.camera, affine, side, side)
        still = np.zeros((len(source.vertices), 2))
        return TextureView(sample.source, matte, seen, camera, source.vertices, still)

    def _sample(self, number: int, source: Picture, target: Picture) -> Sample:
        theta = ffhq_theta(source.landmarks, len(source.rgb))
        layers = np.dstack([source.rgb, source.matte]).transpose(2, 0, 1).astype(np.float32)
        seen = aligned(layers, theta, side=self._side).transpose(1, 2, 0)
        rounded = (np.clip(seen, 0, 255) + 0.5).astype(np.uint8)
        hair = np.isin(target.labels, [LABELS.index(name) for name in _WITH_HAIR])
        pose = {name: value[0].numpy() for name, value in vars(target.pose).items()}
        return Sample(
            number=number,
            source=rounded[..., :3],
            source_matte=rounded[..., 3],
            target=target.rgb,
            target_matte=target.matte,
            hair=255 * hair.astype(np.uint8),
            whole=255 * (target.labels > 0).astype(np.uint8),
            landmarks=landmarks_ndc(target.landmarks, self._side).astype(np.float32),
            **pose,
        )


def with_texture(sequence: Sequence, head: HeadModel, side: int) -> Sample:
    """Return the sample with the texture (side, side, 4) baked from its source, as avatars have."""
    baked = bake(head, [sequence.source_view], side)
    texture = np.dstack([baked.albedo, baked.confidence])
    return replace(sequence.sample, texture=texture)
