# SPDX-License-Identifier: Apache-2.0
"""What rendering a long timeline costs beside the network, and whether its memory stays.

Does not know how a timeline is drawn.
"""

from __future__ import annotations

from typing import Any

from rome_backend.avatar.renderers import ROME
from rome_backend.bench.timeline import quantile, watched_timeline

LIGHT = "light"
INTERACTIVE_FRAMES = 100
MOST_HOGGED_MS = 120.0
MOST_LIGHT_MIB = 600.0
MOST_REST_MS = 15.0


def bench_timelines(frames: int, hog: bool) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Return ratios of `rome render`, and what light frames of 256 px take.

    render_network_share: of the wall time, with the released architecture; render_memory_growth:
    resident memory after the last frame over that after a tenth of them, less 1, the worst of
    both renderers; None where the system does not tell.
    Light: rest_ms of a frame beside its network, in batches; frame_ms, median, p90_ms and
    hogged_p90_ms (None unless hog) of single frames as a viewport wants them; peak_mib of the
    process that draws those.
    """
    official = watched_timeline(ROME, frames)
    light = watched_timeline(LIGHT, frames)
    alone = watched_timeline(LIGHT, INTERACTIVE_FRAMES, alone=True)
    busy = watched_timeline(LIGHT, INTERACTIVE_FRAMES, alone=True, busy=True) if hog else None
    growth = [_growth(each) for each in (official, light)]
    known = [each for each in growth if each is not None]
    ratios = {
        "render_network_share": official["network_seconds"] / official["seconds"],
        "render_memory_growth": max(known) if known else None,
    }
    rest = light["seconds"] - light["network_seconds"]
    return ratios, {
        "rest_ms": round(1e3 * rest / light["frames"], 2),
        "frame_ms": round(quantile(alone["frame_ms"], 0.5), 2),
        "p90_ms": round(quantile(alone["frame_ms"], 0.9), 2),
        "hogged_p90_ms": None if busy is None else round(quantile(busy["frame_ms"], 0.9), 2),
        "peak_mib": None if alone["peak_mib"] is None else round(alone["peak_mib"]),
    }


def _growth(found: dict[str, Any]) -> float | None:
    if found["early_mib"] is None or found["late_mib"] is None:
        return None
    return float(found["late_mib"] / found["early_mib"] - 1)


def missed_light_limits(light: dict[str, Any]) -> list[str]:
    """Return a sentence for every limit of light frames that is missed."""
    limits = (
        ("hogged_p90_ms", MOST_HOGGED_MS, "ms for 9 of 10 light frames beside a busy process"),
        ("peak_mib", MOST_LIGHT_MIB, "MiB for a process that draws light frames"),
        ("rest_ms", MOST_REST_MS, "ms of a light frame beside its network"),
    )
    return [
        f"{light[name]} {what}; {most:g} is the limit"
        for name, most, what in limits
        if light[name] is not None and light[name] > most
    ]
