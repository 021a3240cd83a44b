# SPDX-License-Identifier: Apache-2.0
"""A folder of videos becomes shards, one per video; a bad one is logged and skipped.

Does not know how samples are taken from a clip, or what trains on them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rome_backend.avatar.create import Tools
from rome_backend.core.errors import PhotoRefused, UsageError
from training.data.clips import VERSION, ClipRules, clip_samples
from training.data.shards import Group, StoredSample, write_groups

_LOG = logging.getLogger(__name__)
CLIPS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
_NUMBERS_PER_VIDEO = 10_000


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


def prepare(
    videos: Path,
    output: Path,
    tools: Tools,
    rules: ClipRules,
    side: int = 256,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    paths: Sequence[Path] | None = None,
) -> Path:
    """Write a shard per video of a folder and return the manifest's path; what is there is kept.

    paths: some of the folder's videos, all by default. The manifest names each shard's video and,
    where it was skipped, the error's code. Raises UsageError (`no_clips`, `shards_differ`).
    """
    chosen = list(paths if paths is not None else video_files(videos))
    names = [path.relative_to(videos).as_posix() for path in chosen]

    def make(index: int) -> Group:
        progress(names[index], index / len(names))
        facts = {"video": names[index]}
        try:
            samples = clip_samples(
                chosen[index], tools, rules, side, seed, index * _NUMBERS_PER_VIDEO
            )
        except PhotoRefused as error:
            _LOG.warning("%s is skipped: %s", names[index], error.message)
            return Group([], {**facts, "skipped": error.code})
        return Group([StoredSample(sample, {}) for sample in samples], facts)

    settings = {
        "kind": "clips",
        "version": VERSION,
        "seed": seed,
        "side": side,
        "rules": asdict(rules),
        "videos": names,
        "head_model": tools.head.name,
        "topology_id": tools.head.topology_id,
    }
    return write_groups(output, make, len(names), settings)
