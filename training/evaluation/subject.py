# SPDX-License-Identifier: Apache-2.0
"""The person of a clip: the avatar of its source frame, and what draws that person.

Does not know measures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from rome_backend.avatar.create import Tools, create_avatar
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.avatar.photo_weights import load_photo_mender
from rome_backend.core.types import Avatar
from training.evaluation.frames import RealFrame, TrackedClip, real_frame, track_frames
from training.evaluation.renderers import Photo, Renderer, TexturedMesh, WarpedSource, networks_on
from training.trainee import Trainee

_TEXTURE = 1024


@dataclass(frozen=True)
class Subject:
    """A clip's name, its tracked frames, its source frame, and the avatar made of that frame."""

    name: str
    clip: TrackedClip
    source: RealFrame
    avatar: Avatar


def subject_of(path: Path, tools: Tools, size: int, every: int) -> Subject:
    """Return the person of a clip; frames are looked at ``every`` one, squares of ``size`` px.

    Raises PhotoRefused where no head can be made of it.
    """
    clip = track_frames(path, tools, every)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / f"{path.stem}.png"
        Image.fromarray(clip.frames[clip.source].rgb).save(photo)
        options = CreateOptions(size=_TEXTURE, maps=False)
        avatar = create_avatar([photo], options, tools=tools).avatar
    source = real_frame(clip.frames[clip.source], tools, size)
    return Subject(path.stem, clip, source, avatar)


def renderers_of(
    subject: Subject, tools: Tools, trainees: Mapping[str, Trainee]
) -> dict[str, Renderer]:
    """Return what draws a person, by name; trainees: networks on the tools' head, or the
    program's default ones, ``neural``, where there are none."""
    found: dict[str, Renderer] = {
        "textured_mesh": TexturedMesh(subject.avatar, tools.head),
        "warped_source": WarpedSource(subject.source),
    }
    if not trainees:
        found["neural"] = Photo(subject.avatar, tools.head, load_photo_mender())
    for name, trainee in trainees.items():
        found[name] = networks_on(trainee, subject.avatar, subject.source)
    return found
