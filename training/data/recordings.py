# SPDX-License-Identifier: Apache-2.0
"""What samples are taken from: recordings of one person, each a video file or stored frames.

Does not know faces or samples; the released database's frames are read in released.py.

VoxCeleb2's folders (Chung et al. 2018) are person/video/part.mp4, below ``mp4`` with a text per
part below ``txt``: the face track that the part was cut from.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rome_backend.core.errors import UsageError
from rome_backend.core.types import U8
from rome_backend.tracking.clip import open_clip

_LOG = logging.getLogger(__name__)
CLIPS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
_PERSON = re.compile(r"id\d{4,6}")
_FRAME = re.compile(r"\s*(\d+)((?:\s+-?\d+(?:\.\d+)?){4})\s*")
_MOST_TEXT = 4 << 20


@dataclass(frozen=True)
class Frame:
    """number in its recording; rgb (H, W, 3) u8; alpha (H, W) u8, 255 = the person, or None."""

    number: int
    rgb: U8
    alpha: U8 | None = None


class Recording(Protocol):
    """Frames of one person.

    name: its own among the recordings; facts: what is known of it besides, JSON-able;
    continuous: whether its frames follow each other in time.
    """

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what is known of it besides."""
        ...

    @property
    def continuous(self) -> bool:
        """Return whether its frames follow each other in time."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield its frames. Raises PhotoRefused when it cannot be read."""
        ...


@dataclass(frozen=True)
class VideoFile:
    """A video file; the protocol's fields as it says."""

    path: Path
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    continuous: bool = True

    def frames(self) -> Iterator[Frame]:
        """Yield its frames. Raises PhotoRefused (`clip_unreadable`, `clip_too_large`)."""
        for number, rgb in enumerate(open_clip(self.path).frames()):
            yield Frame(number, rgb)


def video_files(folder: Path) -> list[Path]:
    """Return the videos under a folder, by name; VoxCeleb2's person/video/part.mp4 too.

    Raises UsageError (`no_clips`).
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in CLIPS)
    if not found:
        raise UsageError(
            "no_clips", f"There are no clips in {str(folder)!r}.", f"Use {', '.join(CLIPS)}."
        )
    return found


def video_recordings(folder: Path) -> list[Recording]:
    """Return the videos under a folder as recordings, with what their places say of them.

    Raises UsageError (`no_clips`).
    """
    return [
        VideoFile(path, path.relative_to(folder).as_posix(), _known(path, folder))
        for path in video_files(folder)
    ]


def named(recordings: Sequence[Recording], names: str | None) -> list[Recording]:
    """Return the recordings of whose names a part begins like one of some, given with commas.

    All by default. Raises UsageError (`no_clips`) when there are none.
    """
    starts = tuple(names.split(",")) if names else ("",)
    kept = [
        recording
        for recording in recordings
        if any(part.startswith(starts) for part in recording.name.split("/"))
    ]
    if not kept:
        raise UsageError("no_clips", f"No clip is called {names}.", "Look at the folder.")
    return kept


@dataclass(frozen=True)
class Utterance:
    """What VoxCeleb2's text says of a part: the person, the video it is of, and the numbers of
    the first and the last frame there, at 25 per second."""

    person: str
    video: str
    first: int
    last: int


def read_utterance(path: Path) -> Utterance:
    """Return the content of VoxCeleb2's text of a part.

    Raises ValueError when it is not one.
    """
    if path.stat().st_size > _MOST_TEXT:
        raise ValueError("it is too long")
    lines = path.read_text("utf-8").splitlines()
    heads = [line.partition(":") for line in lines if ":" in line]
    values = {name.strip().lower(): value.strip() for name, _, value in heads}
    frames = [int(found[1]) for line in lines if (found := _FRAME.fullmatch(line))]
    if not frames or frames != sorted(frames) or {"identity", "reference"} - values.keys():
        raise ValueError("it names no person, no video or no frames")
    return Utterance(values["identity"], values["reference"], frames[0], frames[-1])


def _known(path: Path, folder: Path) -> dict[str, Any]:
    """Return who a part of VoxCeleb2 shows, of which video; nothing of other files."""
    places = path.relative_to(folder).parts
    if len(places) < 3 or not _PERSON.fullmatch(places[-3]):
        return {}
    facts: dict[str, Any] = {"person": places[-3], "of_video": places[-2]}
    text = _text_of(path)
    if text is None:
        return facts
    try:
        found = read_utterance(text)
    except (OSError, ValueError) as error:
        _LOG.warning("%s is not used: %s", text, error)
        return facts
    if found.person != places[-3]:
        _LOG.warning("%s is not used: it is of another person", text)
        return facts
    return {**facts, "of_frames": [found.first, found.last]}


def _text_of(path: Path) -> Path | None:
    """Return the text beside a part, or in the folder ``txt`` beside ``mp4``."""
    top = path.parents[2]
    beside = [path.with_suffix(".txt")]
    if top.name == "mp4":
        beside.append(top.with_name("txt") / path.relative_to(top).with_suffix(".txt"))
    return next((text for text in beside if text.is_file()), None)
