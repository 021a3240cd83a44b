# SPDX-License-Identifier: Apache-2.0
"""`rome bench`: ratios between ways of doing the same, all measured in one run.

Does not know how a page, a table or a chart is drawn.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.bench.pipe import bench_pipe
from rome_backend.bench.rounds import Ratio
from rome_backend.bench.speed_create import bench_create_overhead, seconds_per_tracked_frame
from rome_backend.bench.speed_frames import SIZES, bench_frames
from rome_backend.bench.speed_networks import bench_official
from rome_backend.bench.speed_raster import bench_raster
from rome_backend.bench.speed_timeline import bench_timelines
from rome_backend.core.camera import orbit
from rome_backend.core.types import HeadModel
from rome_backend.render.rasterizer import image_ndc

DISTANCE = 1.0
EXTENT = 0.42  # m: a head with its shoulders
SIDE = 256
PIPE_ROUNDS = 20

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SpeedOptions:
    """What is measured.

    rounds: of everything that is timed in turns; frames: of the timelines that are rendered;
    photo: what `create` and the clip are made from, None leaves both out; sizes: of frames, px;
    hog: also time light frames while another process keeps a core busy.
    """

    rounds: int = 5
    frames: int = 240
    photo: Path | None = None
    sizes: tuple[int, ...] = SIZES
    hog: bool = True


def bench_speed(head: HeadModel, options: SpeedOptions, progress: Progress) -> dict[str, Any]:
    """Return the bench's JSON payload.

    ratios: name -> how many times as fast, the median over the rounds, or dB, a share or a
    growth, or None where what is compared with is not installed or was left out; spread: name ->
    lowest and highest; runs: rounds; frames: of the timelines; seconds: name -> median seconds,
    which depend on the machine and on what else it does; light: a light frame's milliseconds
    (median, 90th percentile, with a core kept busy), what a frame takes beside the network, MiB.
    Raises AssetMissing where there is a photo and the tracker's models cannot be had.
    """
    ratios: dict[str, Ratio | float | None] = {}
    seconds: dict[str, list[float]] = {}
    if options.photo is not None:
        ensure_tracker_models(progress)  # what is missing is told now, not after minutes
    progress("raster", 0.0)
    _add(ratios, seconds, bench_raster(*head_on_screen(head), options.rounds))
    progress("networks", 0.15)
    _add(ratios, seconds, bench_official(options.rounds))
    progress("frames", 0.35)
    _add(ratios, seconds, bench_frames(head, options.rounds, options.sizes))
    progress("timelines", 0.55)
    shares, light = bench_timelines(options.frames, options.hog)
    ratios |= shares
    ratios["create_overhead"] = None
    if options.photo is not None:
        progress("create", 0.85)
        _add(ratios, seconds, bench_create_overhead(options.photo, min(options.rounds, 3)))
        seconds["track_clip_frame"] = [seconds_per_tracked_frame(options.photo)]
    pipe = bench_pipe(2 * SIDE, PIPE_ROUNDS)
    seconds["pipe_frame_512"] = [pipe["frame_ms"] / 1e3]
    progress("done", 1.0)
    return {
        "ratios": {name: _rounded(value) for name, value in ratios.items()},
        "spread": {
            name: [round(value.low, 3), round(value.high, 3)]
            for name, value in ratios.items()
            if isinstance(value, Ratio)
        },
        "runs": options.rounds,
        "frames": options.frames,
        "seconds": {name: round(median(each), 5) for name, each in seconds.items()},
        "light": light,
        "weights": "random",
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "torch": torch.__version__,
    }


def _add(
    ratios: dict[str, Ratio | float | None],
    seconds: dict[str, list[float]],
    found: tuple[Any, dict[str, list[float]]],
) -> None:
    ratios.update(found[0])
    seconds.update(found[1])


def head_on_screen(head: HeadModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the average head as image NDC (V, 3) f32 from the front, and its faces (F, 3)."""
    middle = (head.template.min(0) + head.template.max(0)) / 2
    camera = orbit(middle.astype(float), DISTANCE, 0.0, 0.0, EXTENT, SIDE, SIDE)
    points = torch.as_tensor(head.template)
    clip = torch.as_tensor(camera.world_to_clip, dtype=torch.float32)
    return image_ndc(points, clip), torch.as_tensor(head.faces).long()


def _rounded(value: Ratio | float | None) -> float | None:
    if value is None:
        return None
    return round(value.value if isinstance(value, Ratio) else value, 3)
