# SPDX-License-Identifier: Apache-2.0
"""Learns what tells people apart in fitted faces, from photos of synthetic people.

Does not know how faces are fitted or photographed. Nothing at run time calls it.

    python tools/photograph_people.py --data ../shared/data --out shots.npz
    python tools/compute_identity_metric.py --shots shots.npz
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import numpy as np
from scipy.linalg import eigh

from rome_backend.avatar.heads import load_head
from rome_backend.core.types import F64, I32
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.identity_metric import FILE, IdentityMetric, landmark_displacements
from tools.photograph_people import Shots, read_shots

# Main ways in which fits differ that are looked at, and measures kept of them.
WAYS, MEASURES = 40, 20
# Part of the mean variance within a person that is added to each way: 180 people are few.
RIDGE = 0.01


def fitted(shots: Shots) -> F64:
    """Return the fitted landmarks' displacements (N, 315) mm, each photo by itself."""
    head, _ = load_head()
    fitter = FaceFitter(head)
    return landmark_displacements(head, [fitter.fit(px).params.shape for px in shots.landmarks])


def learned(displacements: F64, owner: I32) -> IdentityMetric:
    """Return the metric for displacements (N, 315) mm of several photos of each owner (N,).

    Measures are the generalised eigenvectors of the covariance between and within people.
    """
    mean = displacements.mean(axis=0)
    _, _, rows = np.linalg.svd(displacements - mean, full_matrices=False)
    ways = rows[:WAYS].T
    seen = (displacements - mean) @ ways
    _, person, count = np.unique(owner, return_inverse=True, return_counts=True)
    centres = np.array([seen[person == k].mean(axis=0) for k in range(len(count))])
    apart = seen - centres[person]
    within = apart.T @ apart / (len(seen) - len(count))
    between = np.cov(centres.T) - within * (1 / count).mean()
    within += RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = eigh(between, within)
    kept = np.argsort(-values)[:MEASURES]
    return IdentityMetric(mean, ways @ vectors[:, kept], np.maximum(values[kept], 0.0))


def main() -> None:
    """Learn the metric and write it next to the code that reads it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Learn what tells people apart.")
    parser.add_argument("--shots", type=Path, required=True, help="of photograph_people.py")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    shots = read_shots(args.shots)
    metric = learned(fitted(shots), shots.owner)
    partial = args.out.with_suffix(".partial.npz")
    np.savez(partial, **{name: part.astype(np.float32) for name, part in vars(metric).items()})
    os.replace(partial, args.out)
    logging.info("%s: of %d photos", args.out, len(shots.owner))


if __name__ == "__main__":
    main()
