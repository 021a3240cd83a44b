# SPDX-License-Identifier: Apache-2.0
"""Self-reenactment: an avatar of one frame of a clip, driven by the others, against the others.

Does not know how renderers draw or what the measures are.

The protocol: the source is the clip's first near-frontal, neutral frame; frames without a face are
counted and left out; every renderer is judged inside the real frame's matte above the chin, over a
flat ground; frames are binned by how far the head has turned from the source.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rome_backend.avatar.create import Tools, create_avatar
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.core.types import U8
from training.evaluation.frames import RealFrame, real_frames, track_frames, turn_degrees
from training.evaluation.lpips import Lpips
from training.evaluation.renderers import Renderer, TexturedMesh, WarpedSource, networks_on
from training.evaluation.scores import Scores, left_out, mean_scores, on_ground, score, summary
from training.trainee import Trainee

BINS = ((0.0, 5.0, "0-5"), (5.0, 10.0, "5-10"), (10.0, np.inf, "10-"))
_SHOWN = 4
_NOTHING_TO_COMPARE = 0.01  # of the picture: less person above the chin than this is left out


@dataclass(frozen=True)
class FrameScores:
    """One frame: its number, the head's turn from the source in degrees, scores by renderer."""

    number: int
    turn: float
    scores: Mapping[str, Scores]


@dataclass(frozen=True)
class ClipScores:
    """One clip: source frame, scores of the others, frames lost, a picture of some of them."""

    name: str
    source: int
    frames: tuple[FrameScores, ...]
    lost: int
    sheet: U8


def evaluate_clip(
    path: Path,
    tools: Tools,
    size: int,
    every: int,
    trainee: Trainee | None = None,
    lpips: Lpips | None = None,
) -> ClipScores:
    """Return the scores of a clip; trainee: networks on the tools' head, to be judged too.

    Raises PhotoRefused where no head can be made of it.
    """
    clip = track_frames(path, tools, every)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / f"{path.stem}.png"
        Image.fromarray(clip.frames[clip.source].rgb).save(photo)
        avatar = create_avatar([photo], CreateOptions(size=1024, maps=False), tools=tools).avatar
    frames = list(real_frames(clip, tools, size))
    source = frames[clip.source]
    renderers: dict[str, Renderer] = {
        "textured_mesh": TexturedMesh(avatar, tools.head),
        "warped_source": WarpedSource(source),
    }
    if trainee is not None:
        renderers["neural"] = networks_on(trainee, avatar, source)
    return scored(path.stem, frames, clip.source, clip.lost, renderers, lpips)


def scored(
    name: str,
    frames: Sequence[RealFrame],
    source: int,
    lost: int,
    renderers: Mapping[str, Renderer],
    lpips: Lpips | None = None,
) -> ClipScores:
    """Score renderers on all frames but the source."""
    driven = [
        frame
        for place, frame in enumerate(frames)
        if place != source and (frame.matte * frame.above).mean() > _NOTHING_TO_COMPARE
    ]
    shown = {frame.number for frame in driven[:: max(1, len(driven) // _SHOWN)][:_SHOWN]}
    found, rows = [], []
    for frame in driven:
        drawn = {each: renderer.draw(frame) for each, renderer in renderers.items()}
        scores = {
            each: score(frame.rgb, frame.matte, frame.above, *picture, lpips)
            for each, picture in drawn.items()
        }
        turn = turn_degrees(frames[source].fit, frame.fit)
        found.append(FrameScores(frame.number, turn, scores))
        if frame.number in shown:
            pictures = [(frame.rgb, frame.matte), *drawn.values()]
            rows.append(np.concatenate([on_ground(*each) for each in pictures], axis=1))
    empty = np.zeros((1, frames[source].rgb.shape[1] * (1 + len(renderers)), 3))
    sheet = np.concatenate(rows or [empty])
    return ClipScores(
        name, frames[source].number, tuple(found), lost, (sheet + 0.5).astype(np.uint8)
    )


def evaluate_self(
    paths: Sequence[Path],
    tools: Tools,
    size: int,
    every: int,
    trainee: Trainee | None = None,
    lpips: Lpips | None = None,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    seen: Callable[[ClipScores], None] = lambda clip: None,
) -> dict[str, Any]:
    """Return the JSON result of the protocol; seen: told every clip that is done."""
    clips = []
    for place, path in enumerate(paths):
        progress(path.stem, place / len(paths))
        clips.append(evaluate_clip(path, tools, size, every, trainee, lpips))
        seen(clips[-1])
    return {**payload(clips, size, every), "metrics_left_out": left_out(lpips)}


def payload(clips: Sequence[ClipScores], size: int, every: int) -> dict[str, Any]:
    """Return clips' scores as plain JSON values; ``mean`` is that of the clips' means."""
    names = list(dict.fromkeys(n for clip in clips for frame in clip.frames for n in frame.scores))
    rows = []
    for clip in clips:
        by_name = {name: [frame.scores[name] for frame in clip.frames] for name in names}
        rows.append(
            {"name": clip.name, "source": clip.source, "lost": clip.lost, **summary(by_name)}
        )
    every_frame = [frame for clip in clips for frame in clip.frames]
    by_yaw = {
        title: summary(
            {n: [f.scores[n] for f in every_frame if low <= f.turn < high] for n in names}
        )
        for low, high, title in BINS
    }
    return {
        "protocol": "self", "size": size, "every": every, "clips": rows, "by_yaw": by_yaw,
        "mean": {name: _mean_of_clips(clips, name) for name in names},
    }  # fmt: skip


def _mean_of_clips(clips: Sequence[ClipScores], name: str) -> dict[str, float]:
    means = [mean_scores([frame.scores[name] for frame in clip.frames]) for clip in clips]
    kept = [mean for mean in means if mean]
    return {key: round(float(np.mean([mean[key] for mean in kept])), 4) for key in kept[0]}
