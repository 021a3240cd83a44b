# SPDX-License-Identifier: Apache-2.0
"""Self-reenactment: an avatar of one frame of a clip, driven by the others, against the others.

Does not know how renderers draw or what the measures are.

The protocol: the source is the clip's first near-frontal, neutral frame; frames without a face are
counted and left out; every renderer is judged inside the real frame's matte above the chin, over a
flat ground; frames are binned by how far the head has turned from the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.avatar.create import Tools
from rome_backend.core.types import U8
from training.evaluation.frames import RealFrame, real_frames, turn_degrees
from training.evaluation.judges import Judges
from training.evaluation.likeness import alike
from training.evaluation.other_pictures import OtherPictures, recorded, write_inputs
from training.evaluation.realism import Realism
from training.evaluation.renderers import Drawn, Renderer
from training.evaluation.scores import Scores, mean_of_rows, mean_scores, on_ground, score, summary
from training.evaluation.subject import renderers_of, subject_of
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
    trainees: Mapping[str, Trainee] | None = None,
    judges: Judges | None = None,
    realism: Realism | None = None,
    others: Sequence[OtherPictures] = (),
    inputs: Path | None = None,
) -> ClipScores:
    """Return the scores of a clip.

    trainees: networks on the tools' head, to be judged too; others: results of other programs;
    inputs: folder for the frames that those are to be given.
    Raises PhotoRefused where no head can be made of it, FileInvalid for results that do not fit.
    """
    subject = subject_of(path, tools, size, every)
    clip, renderers = subject.clip, renderers_of(subject, tools, trainees or {})
    frames = list(real_frames(clip, tools, size))
    if inputs is not None:
        write_inputs(inputs, subject.name, clip, frames)
    renderers |= recorded(others, clip, tools.matte, subject.name)
    return scored(path.stem, frames, clip.source, clip.lost, renderers, judges, realism)


def scored(
    name: str,
    frames: Sequence[RealFrame],
    source: int,
    lost: int,
    renderers: Mapping[str, Renderer],
    judges: Judges | None = None,
    realism: Realism | None = None,
) -> ClipScores:
    """Score renderers on all frames but the source; realism takes in what is seen."""
    driven = [frame for place, frame in enumerate(frames) if place != source and comparable(frame)]
    shown = {frame.number for frame in driven[:: max(1, len(driven) // _SHOWN)][:_SHOWN]}
    found, rows = [], []
    for frame in driven:
        drawn = {each: renderer.draw(frame) for each, renderer in renderers.items()}
        scores = frame_scores(frame, drawn, judges or Judges(), realism)
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


def comparable(frame: RealFrame) -> bool:
    """Return whether a frame shows enough of a person above the chin."""
    return bool((frame.matte * frame.above).mean() > _NOTHING_TO_COMPARE)


def frame_scores(
    frame: RealFrame, drawn: Mapping[str, Drawn], judges: Judges, realism: Realism | None = None
) -> dict[str, Scores]:
    """Compare what each renderer drew with a real frame; realism takes in all of it."""
    real = on_ground(frame.rgb, frame.matte * frame.above)
    wanted = None if judges.likeness is None else judges.likeness.features(real, frame.landmarks)
    if realism is not None:
        realism.real(real)
    found = {}
    for name, (rgb, alpha) in drawn.items():
        made = on_ground(rgb, alpha * frame.above)
        scores = score(frame.rgb, frame.matte, frame.above, rgb, alpha, judges.lpips)
        scores = replace(scores, iqa=judges.iqa(made))
        if judges.likeness is not None and wanted is not None:
            features = judges.likeness.features(made, frame.landmarks)
            scores = replace(scores, csim=alike(features, wanted))
        if realism is not None:
            realism.drawn(name, made)
        found[name] = scores
    return found


def evaluate_self(
    paths: Sequence[Path],
    tools: Tools,
    size: int,
    every: int,
    trainees: Mapping[str, Trainee] | None = None,
    judges: Judges | None = None,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    seen: Callable[[ClipScores], None] = lambda clip: None,
    others: Sequence[OtherPictures] = (),
    inputs: Path | None = None,
) -> dict[str, Any]:
    """Return the JSON result of the protocol; seen: told every clip that is done.

    A method's mean is over the clips that it has; ``others_missing`` names the others.
    """
    judges = judges or Judges()
    realism = None if judges.inception is None else Realism(judges.inception)
    clips = []
    for place, path in enumerate(paths):
        progress(path.stem, place / len(paths))
        clips.append(
            evaluate_clip(path, tools, size, every, trainees, judges, realism, others, inputs)
        )
        seen(clips[-1])
    result = payload(clips, size, every)
    add_distances(result["mean"], realism)
    missing = {
        other.name: [path.stem for path in paths if other.find(path.stem) is None]
        for other in others
    }
    return {**result, **judges.omissions(), "others_missing": missing}


def add_distances(means: Mapping[str, dict[str, float]], realism: Realism | None) -> None:
    """Add the FID of every renderer to its means."""
    for name, distance in ({} if realism is None else realism.distances()).items():
        means[name]["fid"] = distance


def payload(clips: Sequence[ClipScores], size: int, every: int) -> dict[str, Any]:
    """Return clips' scores as plain JSON values; ``mean`` is that of the clips' means."""
    names = list(dict.fromkeys(n for clip in clips for frame in clip.frames for n in frame.scores))
    rows = []
    for clip in clips:
        by_name = {name: _of(clip.frames, name) for name in names}
        by_name = {name: scores for name, scores in by_name.items() if scores}
        rows.append(
            {"name": clip.name, "source": clip.source, "lost": clip.lost, **summary(by_name)}
        )
    every_frame = [frame for clip in clips for frame in clip.frames]
    by_yaw = {
        title: summary({n: _of([f for f in every_frame if low <= f.turn < high], n) for n in names})
        for low, high, title in BINS
    }
    return {
        "protocol": "self", "size": size, "every": every, "clips": rows, "by_yaw": by_yaw,
        "mean": {name: _mean_of_clips(clips, name) for name in names},
    }  # fmt: skip


def _of(frames: Sequence[FrameScores], name: str) -> list[Scores]:
    return [frame.scores[name] for frame in frames if name in frame.scores]


def _mean_of_clips(clips: Sequence[ClipScores], name: str) -> dict[str, float]:
    return mean_of_rows([mean_scores(_of(clip.frames, name)) for clip in clips])
