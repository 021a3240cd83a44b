# SPDX-License-Identifier: Apache-2.0
"""Cross-reenactment: avatars driven by frames of other people, judged without a true picture.

Does not know how renderers draw.

The protocol (paper section 4.2 and table 2; pairs are our own): the person of each clip's source
frame is driven by the frames of the next clip, the last one's by the first's. There is no picture
to compare with, so what is measured is who is seen (csim against the source frame), how much all
pictures look like the real frames of all people (fid, and iqa of each alone), and by tracking the
drawn picture whether it shows a face in the pose and with the expression that drive it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rome_backend.avatar.create import Tools
from rome_backend.core.types import F64, U8
from training.data.quality import ClassicalJudge, face_picture
from training.evaluation.frames import RealFrame, real_frames, turn_degrees
from training.evaluation.judges import Judges
from training.evaluation.likeness import alike
from training.evaluation.other_pictures import OtherPictures, recorded, write_inputs
from training.evaluation.realism import Realism
from training.evaluation.renderers import Drawn, Renderer
from training.evaluation.scores import energy, mean_of_rows, on_ground
from training.evaluation.self_reenactment import add_distances, comparable
from training.evaluation.subject import Subject, renderers_of, subject_of
from training.trainee import Trainee

_SHOWN = 4


@dataclass(frozen=True)
class CrossScores:
    """What one picture shows: sharpness_ratio: mean squared gradient over the source frame's;
    face_found: 1 where the tracker finds a face in it, else 0; pose_error: degrees between the
    head's turn in it and the driver's; expression_error: mean absolute difference of expression
    values; quality: classical, without a reference, of the face's sharpness, blocks and exposure;
    csim: cosine of a recogniser's features of it and the source; iqa: a network's opinion of the
    picture alone. None: no face was found, or no network is there."""

    sharpness_ratio: float
    face_found: float
    pose_error: float | None = None
    expression_error: float | None = None
    quality: float | None = None
    csim: float | None = None
    iqa: float | None = None


@dataclass(frozen=True)
class PairScores:
    """One source driven by one clip: scores of its frames by renderer, a picture of some."""

    source: str
    driver: str
    frames: Mapping[str, tuple[CrossScores, ...]]
    lost: int
    sheet: U8


class _Source:
    """The source frame as pictures are compared with it."""

    def __init__(self, frame: RealFrame, judges: Judges) -> None:
        mask = frame.matte * frame.above
        self.picture = on_ground(frame.rgb, mask)
        self.energy = max(energy(self.picture, np.asarray(mask, np.float64)), 1e-9)
        self.features: torch.Tensor | None = None
        if judges.likeness is not None:
            self.features = judges.likeness.features(self.picture, frame.landmarks)


def evaluate_pair(
    subject: Subject,
    driver: Subject,
    tools: Tools,
    renderers: Mapping[str, Renderer],
    judges: Judges,
    realism: Realism | None = None,
) -> PairScores:
    """Return the scores of renderers of one person on the frames of another one's clip."""
    source = _Source(subject.source, judges)
    found: dict[str, list[CrossScores]] = {name: [] for name in renderers}
    rows: list[F64] = []
    size = len(subject.source.rgb)
    frames = [frame for frame in real_frames(driver.clip, tools, size) if comparable(frame)]
    step = max(1, len(frames) // _SHOWN)
    for place, frame in enumerate(frames):
        if realism is not None:
            realism.real(on_ground(frame.rgb, frame.matte * frame.above))
        drawn = {name: each.draw(driving(frame, subject)) for name, each in renderers.items()}
        for name, picture in drawn.items():
            found[name].append(cross_scores(frame, picture, source, tools, judges))
            if realism is not None:
                realism.drawn(name, on_ground(picture[0], picture[1] * frame.above))
        if place % step == 0 and len(rows) < _SHOWN:
            pictures = [on_ground(frame.rgb, frame.matte), *(on_ground(*p) for p in drawn.values())]
            rows.append(np.concatenate([source.picture, *pictures], axis=1))
    sheet = np.concatenate(rows or [np.zeros((1, size * (2 + len(renderers)), 3))])
    scores = {name: tuple(each) for name, each in found.items()}
    return PairScores(
        subject.name, driver.name, scores, driver.clip.lost, (sheet + 0.5).astype(np.uint8)
    )


def driving(frame: RealFrame, subject: Subject) -> RealFrame:
    """Return a driver's frame with the identity of the person that is driven."""
    shape = subject.avatar.params.shape
    params = replace(frame.fit.params, shape=shape)
    return replace(frame, fit=replace(frame.fit, params=params))


def cross_scores(
    frame: RealFrame, drawn: Drawn, source: _Source, tools: Tools, judges: Judges
) -> CrossScores:
    """Judge a picture of the source's person that a frame of another one drives."""
    rgb, alpha = drawn
    mask = np.asarray(alpha * frame.above, np.float64)
    picture = on_ground(rgb, mask)
    sharp = energy(picture, mask) / source.energy if mask.sum() > 0 else 0.0
    whole = (on_ground(rgb, alpha) + 0.5).astype(np.uint8)
    faces = tools.tracker.track(whole)
    iqa = judges.iqa(picture)
    if not faces:
        return CrossScores(sharp, 0.0, iqa=iqa)
    landmarks = faces[0].landmarks
    fit = tools.fitter.fit(landmarks)
    apart = np.abs(fit.params.expression - frame.fit.params.expression).mean()
    csim = None
    if judges.likeness is not None and source.features is not None:
        csim = alike(judges.likeness.features(picture, landmarks), source.features)
    quality = ClassicalJudge().score(face_picture(whole, landmarks))
    turn = turn_degrees(fit, frame.fit)
    return CrossScores(sharp, 1.0, turn, float(apart), quality, csim, iqa)


def evaluate_cross(
    paths: Sequence[Path],
    tools: Tools,
    size: int,
    every: int,
    trainees: Mapping[str, Trainee] | None = None,
    judges: Judges | None = None,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    seen: Callable[[PairScores], None] = lambda pair: None,
    others: Sequence[OtherPictures] = (),
    inputs: Path | None = None,
) -> dict[str, Any]:
    """Return the JSON result of the protocol; seen: told every pair that is done.

    others: results of other programs; inputs: folder for the frames that those are to be given.
    Raises ValueError for fewer than two clips.
    """
    if len(paths) < 2:
        raise ValueError("a person is driven by another one: there must be two clips")
    judges = judges or Judges()
    realism = None if judges.inception is None else Realism(judges.inception)
    pairs, missing = [], {other.name: list[str]() for other in others}
    first = subject = subject_of(paths[0], tools, size, every)
    for place, path in enumerate([*paths[1:], None]):
        progress(subject.name, place / len(paths))
        driver = first if path is None else subject_of(path, tools, size, every)
        if inputs is not None:
            write_inputs(
                inputs, driver.name, driver.clip, list(real_frames(driver.clip, tools, size))
            )
        drawn = recorded(others, driver.clip, tools.matte, driver.name, subject.name)
        for name in missing.keys() - drawn.keys():
            missing[name].append(f"{driver.name}-{subject.name}")
        renderers = renderers_of(subject, tools, trainees or {}) | drawn
        pairs.append(evaluate_pair(subject, driver, tools, renderers, judges, realism))
        seen(pairs[-1])
        subject = driver
    result = cross_payload(pairs, size, every)
    add_distances(result["mean"], realism)
    return {**result, **judges.omissions(), "others_missing": missing}


def cross_payload(pairs: Sequence[PairScores], size: int, every: int) -> dict[str, Any]:
    """Return pairs' scores as plain JSON values; ``mean`` is that of the pairs' means."""
    rows: list[dict[str, Any]] = []
    means: dict[str, list[dict[str, float]]] = {}
    for pair in pairs:
        own = {name: _means(frames) for name, frames in pair.frames.items()}
        count = max((len(frames) for frames in pair.frames.values()), default=0)
        facts = {"source": pair.source, "driver": pair.driver, "lost": pair.lost, "frames": count}
        rows.append({**facts, **own})
        for name, each in own.items():
            means.setdefault(name, []).append(each)
    mean = {name: mean_of_rows(each) for name, each in means.items()}
    return {"protocol": "cross", "size": size, "every": every, "pairs": rows, "mean": mean}


def _means(frames: Sequence[CrossScores]) -> dict[str, float]:
    return mean_of_rows([asdict(each) for each in frames])
