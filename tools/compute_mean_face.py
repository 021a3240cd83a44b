# SPDX-License-Identifier: Apache-2.0
"""Computes the mean face the open head is generated from, out of photos with clear rights.

Does not know the head: it writes landmarks only, and nothing at run time calls it.

    python tools/compute_mean_face.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from pathlib import Path

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.landmark_sets import LOWER_LIP_ROWS, UPPER_LIP_ROWS
from rome_backend.open_head.mean_face import FILE, mirror_landmarks

TIERS = ("A", "B")
MAX_YAW_DEGREES = 35.0
MAX_MOUTH_GAP = 0.08
PUPIL_DISTANCE = 0.063
LIPS_APART = 0.0004
ROUNDS = 8
RIGID = (
    10, 151, 9, 8, 168, 6, 197, 33, 263, 133, 362, 127, 356, 234, 454, 93, 323,
    67, 297, 103, 332, 21, 251, 54, 284, 116, 345,
)  # fmt: skip


def similarity(source: F64, target: F64) -> tuple[float, F64, F64]:
    """Return scale, rotation (3, 3) and translation with target ~ s R source + t (Umeyama 1991)."""
    mean_s, mean_t = source.mean(axis=0), target.mean(axis=0)
    u, d, vt = np.linalg.svd((target - mean_t).T @ (source - mean_s))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / ((source - mean_s) ** 2).sum())
    return scale, rotation, mean_t - scale * rotation @ mean_s


def symmetric(face: F64, mirror: np.ndarray) -> F64:
    """Return face (478, 3) in its own frame made mirror symmetric across x = 0."""
    flipped = face[mirror] * (-1, 1, 1)
    scale, rotation, translation = similarity(flipped, face)
    middle = (face + scale * flipped @ rotation.T + translation) / 2
    axis = (middle - middle[mirror]).T @ np.sign(face[:, 0] - face[10, 0])
    axis /= np.linalg.norm(axis)
    up = middle[10] - middle[152]
    up -= axis * (up @ axis)
    up /= np.linalg.norm(up)
    frame = np.stack([axis, up, np.cross(axis, up)])
    turned = (middle - middle[10]) @ frame.T
    return (turned + turned[mirror] * (-1, 1, 1)) / 2


def mean_face(faces: list[F64]) -> tuple[F64, int]:
    """Return the median of the neutral, frontal faces (478, 3) m and how many there were.

    faces: landmarks in px, y down, z smaller is nearer. Upright means: the landmarks 10
    (hairline) and 152 (chin) stand in one vertical line. The lips are closed. Scale: pupils
    63 mm apart, the rounded mean of adults (Dodgson 2004). Origin: midway between the pupils.
    """
    mirror, rigid = mirror_landmarks(), list(RIGID)
    points = np.array([(f - f.mean(axis=0)) * (1, -1, -1) for f in faces])
    mean = symmetric(points[0], mirror)
    for _ in range(ROUNDS):
        fits = [similarity(p[rigid], mean[rigid]) for p in points]
        frontal = np.array([s * p @ r.T + t for p, (s, r, t) in zip(points, fits, strict=True)])
        width = np.linalg.norm(frontal[:, 33] - frontal[:, 263], axis=1)
        gap = np.linalg.norm(frontal[:, 13] - frontal[:, 14], axis=1) / width
        yaw = [abs(np.degrees(np.arcsin(np.clip(r[0, 2], -1, 1)))) for _, r, _ in fits]
        keep = (gap < MAX_MOUTH_GAP) & (np.array(yaw) < MAX_YAW_DEGREES)
        mean = symmetric(np.median(frontal[keep], axis=0), mirror)
    mean = mean * (PUPIL_DISTANCE / np.linalg.norm(mean[468] - mean[473]))
    return with_closed_lips(mean - (mean[468] + mean[473]) / 2), int(keep.sum())


def with_closed_lips(face: F64) -> F64:
    """Return face (478, 3) m with the lips' inner edges meeting, the outer edges unmoved."""
    closed = face.copy()
    inner = zip(UPPER_LIP_ROWS[-1][1:-1], LOWER_LIP_ROWS[-1], strict=True)
    for column, (upper, lower) in enumerate(inner):
        gap = face[upper] - face[lower]
        gap -= LIPS_APART * gap / max(np.linalg.norm(gap), LIPS_APART)
        for row in range(1, 4):
            closed[UPPER_LIP_ROWS[row][column + 1]] -= gap / 2 * row / 3
            closed[LOWER_LIP_ROWS[row][column]] += gap / 2 * row / 3
    return closed


def photo_names(data: Path) -> list[str]:
    """Return the file names of the tier A and B photos listed in data/manifest.json."""
    entries = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    wanted = (e for e in entries if e["topic"] == "photos" and e["tier"] in TIERS)
    return sorted(e["file"] for e in wanted)


def tracked(data: Path, names: list[str]) -> list[F64]:
    """Return the landmarks (478, 3) px of the largest face of each photo that shows one."""
    from rome_backend.tracking.face_mesh import FaceTracker
    from rome_backend.tracking.photo import load_photo

    tracker = FaceTracker()
    found = [tracker.track(load_photo(data / "photos" / name).rgb) for name in names]
    return [faces[0].landmarks.astype(np.float64) for faces in found if faces]


def stored(file: Path, names: list[str]) -> list[F64]:
    """Return landmarks (478, 3) px kept in an .npz under the photos' names."""
    with np.load(file) as landmarks:
        return [landmarks[name].astype(np.float64) for name in names if name in landmarks]


def main() -> None:
    """Compute the mean face and write it next to the code that reads it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Compute the mean face.")
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.json")
    parser.add_argument("--landmarks", type=Path, help=".npz of landmarks instead of tracking")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    names = photo_names(args.data)
    faces = stored(args.landmarks, names) if args.landmarks else tracked(args.data, names)
    mean, count = mean_face(faces)
    partial = args.out.with_suffix(".partial.npy")
    np.save(partial, mean.astype(np.float32))
    os.replace(partial, args.out)
    logging.info("%s: mean of %d neutral faces out of %d", args.out, count, len(faces))


if __name__ == "__main__":
    main()
