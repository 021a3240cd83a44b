# SPDX-License-Identifier: Apache-2.0
"""Times making an avatar with networks of the released sizes, and tracking a clip.

Does not know real weights: they are random. The clip is the photo, moved a little every frame.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from rome_backend.avatar import choices
from rome_backend.avatar.choices import Choice
from rome_backend.avatar.create import Tools, create_avatar, load_tools
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.avatar.installed_networks import InstalledNetworks
from rome_backend.bench.random_networks import Timed, random_feed_forward
from rome_backend.bench.rounds import Ratio, ratio
from rome_backend.core.errors import RomeError
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.video import track_clip

# Landmarks; crop and matte; sampling and offsets, without the networks' part.
OVERHEAD_STAGES = ("track", "crop", "silhouette")
FIT = "fit"  # in place of the released system's face regressor, which is a network
CLIP_FRAMES = 30
CLIP_SIDE = 512
CLIP_FPS = 25.0

Seconds = dict[str, list[float]]


def bench_create_overhead(photo: Path, rounds: int) -> tuple[dict[str, Ratio], Seconds]:
    """Return ratios and seconds of making an avatar with the released architecture.

    create_overhead: seconds of landmarks, crop, matte, sampling and offsets over those of E_tex,
    E_geom and G_geom, of the same run; create_overhead_with_fit: the fit of the built-in tracker
    added. Left out of both: the unprojected texture, which the released system has not, and the
    preview of the neural texture. Seconds: create_STAGE,
    the networks' part of the silhouette stage under create_networks.
    """
    tools, networks = _tools()
    seconds: Seconds = {}
    for number in range(rounds + 1):
        before = [network.seconds for network in networks]
        stages = create_avatar([photo], CreateOptions(), tools=tools).seconds
        if not number:
            continue  # the first one warms up
        own = sum(network.seconds for network in networks) - sum(before)
        stages = {**stages, "silhouette": stages["silhouette"] - own, "networks": own}
        for name, taken in stages.items():
            seconds.setdefault(f"create_{name}", []).append(taken)
    ratios = {
        name: ratio(_together(seconds, stages), seconds["create_networks"])
        for name, stages in (
            ("create_overhead", OVERHEAD_STAGES),
            ("create_overhead_with_fit", (*OVERHEAD_STAGES, FIT)),
        )
    }
    return ratios, seconds


def _together(seconds: Seconds, stages: tuple[str, ...]) -> list[float]:
    """Return the seconds of several stages, round by round."""
    apart = [seconds[f"create_{name}"] for name in stages]
    return [sum(each) for each in zip(*apart, strict=True)]


def _tools() -> tuple[Tools, tuple[Timed, ...]]:
    """Return what create_avatar needs, and the networks whose work is counted."""
    tools = load_tools()
    system, timed = random_feed_forward(tools.head)
    installed = InstalledNetworks(system, weights_id="random")
    choice = Choice(networks=choices.OFFICIAL)
    return replace(tools, installed=installed, choice=choice), timed[:3]


def seconds_per_tracked_frame(photo: Path, frames: int = CLIP_FRAMES) -> float:
    """Return the seconds that tracking takes per frame of a clip, decoding included."""
    tools = load_tools()
    with tempfile.TemporaryDirectory(prefix="rome-bench-") as folder:
        clip = Path(folder, "clip.avi")
        write_clip(load_photo(photo).rgb, clip, frames)
        start = time.perf_counter()
        track_clip(clip, tools.tracker, tools.fitter)
        return (time.perf_counter() - start) / frames


def write_clip(rgb: np.ndarray, path: Path, frames: int) -> None:
    """Write a photo (H, W, 3) u8 as a clip whose picture sways by some pixels.

    Raises RomeError (`clip_not_written`) where the system has no encoder.
    """
    scale = CLIP_SIDE / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = (side // 2 * 2 for side in small.shape[:2])
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, CLIP_FPS, (width, height))
    if not writer.isOpened():
        raise RomeError("clip_not_written", "No clip can be written here.", "Leave clips out.")
    for number in range(frames):
        shift = 4 * np.sin(number / 4)
        moved = cv2.warpAffine(
            small, np.array([[1.0, 0, shift], [0, 1, shift / 2]]), (width, height),
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        writer.write(moved[..., ::-1])
    writer.release()
