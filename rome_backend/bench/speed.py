# SPDX-License-Identifier: Apache-2.0
"""`bench speed`: ratios between ways of doing the same, all measured in one run.

Does not know how a page or a table is drawn.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from rome_backend.bench.rounds import Ratio
from rome_backend.bench.speed_networks import bench_official
from rome_backend.bench.speed_raster import bench_raster
from rome_backend.core.camera import orbit
from rome_backend.core.types import HeadModel
from rome_backend.render.rasterizer import image_ndc

DISTANCE = 1.0
EXTENT = 0.42  # m: a head with its shoulders
SIDE = 256

Progress = Callable[[str, float], None]


def bench_speed(head: HeadModel, rounds: int, progress: Progress) -> dict[str, Any]:
    """Return the bench's JSON payload.

    ratios: name -> how many times as fast, the median over the rounds, or dB, or None where what
    is compared with is not installed; spread: name -> lowest and highest; runs: rounds;
    seconds: name -> median seconds, which depend on the machine and on what else it does.
    """
    progress("raster", 0.0)
    found, seconds = bench_raster(*head_on_screen(head), rounds)
    ratios: dict[str, Ratio | float | None] = dict(found)
    progress("networks", 0.3)
    more, times = bench_official(rounds)
    ratios, seconds = ratios | more, seconds | times
    progress("done", 1.0)
    return {
        "ratios": {name: _rounded(value) for name, value in ratios.items()},
        "spread": {
            name: [round(value.low, 2), round(value.high, 2)]
            for name, value in ratios.items()
            if isinstance(value, Ratio)
        },
        "runs": rounds,
        "seconds": {name: round(median(each), 5) for name, each in seconds.items()},
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "torch": torch.__version__,
    }


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
    return round(value.value if isinstance(value, Ratio) else value, 2)
