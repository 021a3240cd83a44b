# SPDX-License-Identifier: Apache-2.0
"""Measures how the face tracker errs, on rendered people of known shape, for the face fit.

Does not know the fit: it compares landmarks. Nothing at run time calls it.

    python tools/compute_tracker_errors.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from rome_backend.avatar.create import CreateOptions, create_avatar, load_tools
from rome_backend.bench.dataset import photos
from rome_backend.bench.people import draw_person, draw_shot, photograph
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F64
from rome_backend.open_head.mean_face import mirror_landmarks
from rome_backend.tracking.pose_estimate import procrustes, view_from_pixels
from rome_backend.tracking.tracker_errors import FILE, turn_features

YAWS = (0.0, 12.0, -12.0, 24.0, -24.0, 36.0, -36.0, 48.0, -48.0, 58.0, -58.0)
PITCHES = (-18.0, 18.0)
WEARERS = (
    "p01_astronaut_collins", "p02_obama_official", "p03_ruppersberger",
    "p08_chu_bob", "p09_serrano_moustache", "p11_aderholt_bald",
)  # fmt: skip
PEOPLE_EACH = 5
MODES = 24
# Errors of rendered people are believed in part: their photos are more alike than real ones.
BELIEVED = 0.7
_FACE = 468


def measured(data: Path) -> tuple[F64, F64]:
    """Return the errors (N, 468, 3) m, head space, and the turns (N, 2): yaw, pitch in degrees."""
    tools = load_tools()
    random = np.random.default_rng(11)
    errors, turns = [], []
    plain = CreateOptions(size=512)
    for photo in photos(data, WEARERS):
        albedo = create_avatar([photo.path], plain, tools=tools).avatar.albedo
        logging.info("people who wear the face of %s", photo.path.name)
        for _ in range(PEOPLE_EACH):
            person = draw_person(tools.head, tools.basis, random)
            vertices = shape_vertices(tools.head, person.shape)
            truth = landmark_points(vertices, tools.head.faces, tools.head.landmarks)[:_FACE]
            settings = [(yaw, None) for yaw in YAWS] + [(0.0, pitch) for pitch in PITCHES]
            for yaw, pitch in settings:
                shot = draw_shot(tools.head, yaw, False, random)
                shot = shot if pitch is None else replace(shot, pitch=pitch)
                found = tools.tracker.track(photograph(tools.head, person, albedo, shot, random))
                if found:
                    seen = view_from_pixels(found[0].landmarks)[:_FACE]
                    pose = procrustes(truth, seen, np.ones(_FACE))
                    errors.append(pose.to_head(seen) - truth)
                    turns.append((shot.yaw, shot.pitch))
    return np.array(errors), np.array(turns)


def analysed(errors: F64, turns: F64) -> tuple[F64, F64]:
    """Return bias (4, 468, 3) and modes (468, 3, MODES), both m, mirror-symmetric.

    errors, turns: as of `measured`. Each error counts with its mirror image. What frontal heads
    have in common is no bias: the mean face is what the tracker reports of real ones.
    """
    mirror = mirror_landmarks()[:_FACE]
    both = np.concatenate([errors, errors[:, mirror] * (-1, 1, 1)]).reshape(2 * len(errors), -1)
    mirrored = np.concatenate([turns, turns * (-1, 1)])
    features = np.array([[1.0, *turn_features(yaw, pitch)] for yaw, pitch in mirrored])
    weights = np.linalg.lstsq(features, both, rcond=None)[0]
    _, values, rows = np.linalg.svd(both - features @ weights, full_matrices=False)
    sizes = BELIEVED * values[:MODES] / np.sqrt(len(both))
    modes = (rows[:MODES] * sizes[:, None]).T.reshape(_FACE, 3, -1)
    return weights[1:].reshape(4, _FACE, 3), modes


def main() -> None:
    """Measure the errors and write them next to the code that reads them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Measure the face tracker's errors.")
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    errors, turns = measured(args.data)
    bias, modes = analysed(errors, turns)
    partial = args.out.with_suffix(".partial.npz")
    np.savez(
        partial,
        bias_mm=(1000 * bias).astype(np.float16),
        modes_mm=(1000 * modes).astype(np.float16),
    )
    os.replace(partial, args.out)
    logging.info("%s: of %d pictures", args.out, len(errors))


if __name__ == "__main__":
    main()
