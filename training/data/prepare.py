# SPDX-License-Identifier: Apache-2.0
"""Recordings become shards, one each; a bad one is logged and skipped.

Does not know how samples are taken from a recording, where that is done, or what trains on them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rome_backend.core.errors import PhotoRefused, UsageError
from training.data.clips import VERSION, ClipRules, clip_samples
from training.data.engines import Engine, InProcess
from training.data.instruments import Instruments, process_instruments
from training.data.recordings import Recording, video_files, video_recordings
from training.data.released import is_released, released_recordings
from training.data.shards import Packed, StoredSample, packed, write_packed

__all__ = ["PrepareJob", "prepare", "recordings_in", "video_files"]
_LOG = logging.getLogger(__name__)
_NUMBERS_PER_RECORDING = 10_000


def recordings_in(folder: Path, phase: str = "train") -> list[Recording]:
    """Return what samples can be taken from: a folder's videos, or the released databases' clips.

    phase: whose list is read of the latter. Raises UsageError (`no_clips`, `no_lmdb`) and
    FileInvalid (`keys_invalid`).
    """
    if is_released(folder):
        return released_recordings(folder, phase)
    return video_recordings(folder)


@dataclass(frozen=True)
class PrepareJob:
    """Makes the shard of one recording; it is pickled to whoever does it.

    place: of the recording among all; names: of the instruments that it must be done with;
    instruments: None: those that the process has for itself.
    """

    place: int
    recording: Recording
    rules: ClipRules
    side: int
    seed: int
    names: Mapping[str, str]
    instruments: Instruments | None = None

    def __call__(self) -> Packed:
        """Return the shard of a recording; one without samples where it is refused.

        Raises UsageError (`instruments_differ`) on a machine with other networks or another head.
        """
        instruments = self.instruments or process_instruments()
        if instruments.names() != self.names:
            raise UsageError(
                "instruments_differ", "A worker has other networks or another head than the rest.",
                "Import the same files on every machine.",
            )  # fmt: skip
        recording, first = self.recording, self.place * _NUMBERS_PER_RECORDING
        facts = {"video": recording.name, **recording.facts}
        try:
            found = clip_samples(recording, instruments, self.rules, self.side, self.seed, first)
        except PhotoRefused as error:
            _LOG.warning("%s is skipped: %s", recording.name, error.message)
            return packed([], {**facts, "skipped": error.code})
        return packed([StoredSample(each, {}) for each in found.samples], {**facts, **found.facts})


def prepare(
    recordings: Sequence[Recording],
    output: Path,
    instruments: Instruments,
    rules: ClipRules,
    side: int = 256,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    engine: Engine | None = None,
) -> Path:
    """Write a shard per recording and return the manifest's path; what is there is kept.

    instruments: what the work is done with here; in other processes and on other machines their
    own, which must be the same. The manifest names each shard's recording and, where it was
    skipped, the error's code. Raises UsageError (`shards_differ`) and what the engine raises.
    """
    names = [recording.name for recording in recordings]
    own = instruments if engine is None else None

    def job(place: int) -> PrepareJob:
        return PrepareJob(place, recordings[place], rules, side, seed, instruments.names(), own)

    settings = {
        "kind": "clips",
        "version": VERSION,
        "seed": seed,
        "side": side,
        "rules": asdict(rules),
        "videos": names,
        **instruments.names(),
    }

    def make(places: Sequence[int]) -> Iterator[Packed]:
        results = (engine or InProcess()).run([job(place) for place in places])
        for place, shard in zip(places, results, strict=True):
            progress(names[place], (place + 1) / len(names))
            yield shard

    return write_packed(output, make, len(names), settings)
