# SPDX-License-Identifier: Apache-2.0
"""The databases that ROME's released training code reads, as recordings.

Does not know faces or samples.

Source: rome-spec section 4 (dataset): ``chunks/<number>_lmdb``, lists of clips in
``lists/<phase>_keys.pkl``, each the number of its chunk with the keys of its frames; a frame is a
pickled dictionary with the encoded image and its mask. What else it holds (landmarks, a 3DMM's
parameters, an alignment) is not used: the same tracker sees these frames as all others, and the
stored landmarks do not belong to the aligned picture (section 5, row 25). Pickles are read by our
own reader, which runs nothing; LMDB's files themselves are read by its library.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rome_backend.assets.pickle_reader import PickleReader
from rome_backend.core.errors import FileInvalid, PhotoRefused, UsageError
from rome_backend.core.types import U8
from rome_backend.tracking.decoder_errors import DECODER_ERRORS
from training.data.recordings import Frame, Recording

PHASES = ("train", "test")
_MOST_LIST = 1 << 30
_LARGEST_SIDE = 4096
_FORMATS = ("PNG", "JPEG", "WEBP")


def is_released(folder: Path) -> bool:
    """Return whether a folder has the released layout."""
    return (folder / "chunks").is_dir() and any(_list(folder, phase).is_file() for phase in PHASES)


def released_recordings(folder: Path, phase: str = "train") -> list[Recording]:
    """Return the clips of a phase's list.

    Raises FileInvalid (`keys_invalid`, `pickle_damaged`, `pickle_forbidden`) and UsageError
    (`no_clips`, `no_lmdb` where the package is not installed).
    """
    if find_spec("lmdb") is None:
        raise UsageError(
            "no_lmdb", "The package lmdb is not installed.", "Install the extra 'train'."
        )
    found: list[Recording] = [
        StoredClip(folder / "chunks" / f"{chunk}_lmdb", keys, f"{chunk:03d}/{keys[0]}")
        for chunk, keys in _clips(_list(folder, phase))
    ]
    if not found:
        raise UsageError("no_clips", f"The list {phase!r} names no clips.", "Choose another.")
    return found


@dataclass(frozen=True)
class StoredClip:
    """Frames of one clip in a chunk's database; the fields of Recording as it says."""

    chunk: Path
    keys: tuple[str, ...]
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    continuous: bool = False

    def frames(self) -> Iterator[Frame]:
        """Yield its frames with their masks. Raises PhotoRefused (`clip_unreadable`)."""
        import lmdb

        try:
            environment = lmdb.open(str(self.chunk), readonly=True, lock=False, create=False)
        except lmdb.Error as error:
            raise self._unreadable(f"{self.chunk.name} cannot be opened") from error
        with environment, environment.begin() as transaction:
            for number, key in enumerate(self.keys):
                value = transaction.get(key.encode())
                if value is None:
                    raise self._unreadable(f"the frame {key} is missing")
                yield Frame(number, *self._decoded(key, value))

    def _decoded(self, key: str, value: bytes) -> tuple[U8, U8]:
        try:
            entry = PickleReader(io.BytesIO(value), key).load()
            rgb = np.array(_picture(entry["image"]).convert("RGB"))
            mask = np.array(_picture(entry["mask"]).convert("L"))
        except (FileInvalid, KeyError, TypeError, *DECODER_ERRORS) as error:
            raise self._unreadable(f"the frame {key} is damaged") from error
        if rgb.shape[:2] != mask.shape:
            raise self._unreadable(f"the mask of the frame {key} has another size")
        return rgb, mask

    def _unreadable(self, why: str) -> PhotoRefused:
        return PhotoRefused(
            "clip_unreadable", f"{self.name} cannot be read: {why}.", "Make the database again."
        )


def _list(folder: Path, phase: str) -> Path:
    return folder / "lists" / f"{phase}_keys.pkl"


def _clips(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    """Return the clips of a list: the chunk's number and the frames' keys."""
    try:
        if path.stat().st_size > _MOST_LIST:
            raise ValueError("too long")
        with path.open("rb") as stream:
            value = PickleReader(stream, path.name).load()
        clips = [(int(chunk), tuple(keys)) for chunk, keys in value]
    except (OSError, TypeError, ValueError) as error:
        raise _invalid(path) from error
    plain = all(
        chunk >= 0 and keys and all(isinstance(key, str) for key in keys) for chunk, keys in clips
    )
    if not plain:
        raise _invalid(path)
    return clips


def _invalid(path: Path) -> FileInvalid:
    return FileInvalid("keys_invalid", f"{path.name} is no list of clips.", "Make the list again.")


def _picture(data: Any) -> Image.Image:
    """Open an encoded picture of a plain kind and size."""
    picture = Image.open(io.BytesIO(bytes(data)), formats=_FORMATS)
    if max(picture.size) > _LARGEST_SIDE:
        raise ValueError("the picture is too large")
    return picture
