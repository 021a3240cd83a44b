# SPDX-License-Identifier: Apache-2.0
"""`bench create`: seconds and peak memory of making the same avatar again and again.

Does not know how an avatar is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rome_backend.avatar.create import CreateOptions, create_avatar, load_tools
from rome_backend.bench.processes import own_peak_mib

Progress = Callable[[str, float], None]


def bench_create(
    photo: Path, options: CreateOptions, rounds: int, progress: Progress
) -> dict[str, Any]:
    """Return the bench's JSON payload: first and warm seconds, per stage, and peak MiB."""
    progress("first", 0.0)
    first = create_avatar([photo], options).seconds
    tools = load_tools(options.head)
    warm = []
    for index in range(rounds):
        progress("warm", (index + 1) / (rounds + 1))
        warm.append(create_avatar([photo], options, tools=tools).seconds)
    totals = [sum(seconds.values()) for seconds in warm]
    peak = own_peak_mib()
    return {
        "photo": photo.name,
        "rounds": rounds,
        "texture_size": options.size,
        "seconds_first": round(sum(first.values()), 3),
        "seconds_warm_median": round(median(totals), 3),
        "seconds_warm": {
            stage: round(median(seconds[stage] for seconds in warm), 3) for stage in warm[0]
        },
        "peak_mib": None if peak is None else round(peak),
    }
