# SPDX-License-Identifier: Apache-2.0
"""Which ratios the project promises, and a picture of them.

Does not know how anything is measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rome_backend.bench.speed_timeline import missed_light_limits
from rome_backend.core.types import U8

# name -> (bound, whether it is a least value)
LIMITS = {
    "raster_vs_bruteforce": (100.0, True),
    "soft_vs_bruteforce": (100.0, True),
    "raster_vs_pytorch3d": (200.0, True),
    "soft_vs_pytorch3d": (100.0, True),
    "frame_official_vs_eager": (2.8, True),
    "frame_official_psnr_db": (43.0, True),
    "frame_fastest_vs_eager": (5.0, True),
    "frame_fastest_psnr_db": (32.0, True),
    "texture_encoder_vs_eager": (1.5, True),
    "texture_encoder_psnr_db": (70.0, True),
    "frame_light_256_vs_official": (17.0, True),
    "frame_light_512_vs_official": (10.0, True),
    "render_network_share": (0.75, True),
    "render_memory_growth": (0.05, False),
    "create_overhead": (0.5, False),
}
TIMES = (
    ("raster_vs_bruteforce", "rasterizer, against every pixel with every face"),
    ("raster_vs_pytorch3d", "rasterizer, against PyTorch3D"),
    ("soft_vs_bruteforce", "soft silhouette and gradient, against the same"),
    ("soft_vs_pytorch3d", "soft silhouette and gradient, against PyTorch3D"),
    ("frame_light_256_vs_official", "light frame, 256 px, against the released network"),
    ("frame_light_512_vs_official", "light frame, 512 px, against the same at 256"),
    ("frame_fastest_vs_eager", "released frame in 8 bits, against as written"),
    ("frame_official_vs_eager", "released frame, against as written"),
    ("texture_encoder_vs_eager", "texture encoder, against as written"),
)
_ROW, _LABEL, _BAR, _MARGIN = 34, 380, 460, 24
_PAPER, _INK, _PALE, _FILL = (252, 252, 250), (50, 50, 54), (150, 150, 150), (66, 122, 176)
_LEAST = 0.5  # where the bars begin


def missed_limits(payload: dict[str, Any]) -> list[str]:
    """Return a sentence for every limit that a payload of bench_speed misses."""
    missed = []
    for name, value in payload["ratios"].items():
        if value is None or name not in LIMITS:
            continue
        bound, least = LIMITS[name]
        if value < bound if least else value > bound:
            missed.append(f"{name} is {value}; {bound:g} is the {'least' if least else 'most'}")
    return missed + missed_light_limits(payload["light"])


def chart(payload: dict[str, Any]) -> U8:
    """Return how many times as fast things are as a bar chart (H, W, 3) u8 sRGB.

    The bars are logarithmic; what was not measured is left out.
    """
    shown = [(label, payload["ratios"].get(name)) for name, label in TIMES]
    bars = [(label, value) for label, value in shown if value is not None]
    width = 2 * _MARGIN + _LABEL + _BAR + 110
    page = Image.new("RGB", (width, 2 * _MARGIN + _ROW * (len(bars) + 2)), _PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=15)
    draw.text((_MARGIN, _MARGIN), "How many times as fast (logarithmic)", fill=_INK, font=font)
    full = np.log(max([value for _, value in bars], default=1.0) / _LEAST)
    for row, (label, value) in enumerate(bars, 1):
        top = _MARGIN + row * _ROW
        left = _MARGIN + _LABEL
        long = max(1, round(_BAR * float(np.log(max(value, 2 * _LEAST) / _LEAST) / full)))
        draw.text((_MARGIN, top + 6), label, fill=_INK, font=font)
        draw.rectangle((left, top + 4, left + long, top + _ROW - 6), fill=_FILL)
        draw.text((left + long + 8, top + 6), _number(value), fill=_INK, font=font)
    note = (
        f"{payload['cores']} cores ({payload['machine']}), torch {payload['torch']}, "
        f"{payload['runs']} rounds in turns, random weights"
    )
    foot = _MARGIN + _ROW * (len(bars) + 1) + 6
    draw.text((_MARGIN, foot), note, fill=_PALE, font=ImageFont.load_default(size=12))
    return np.asarray(page)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
