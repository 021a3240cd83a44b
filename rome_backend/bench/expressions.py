# SPDX-License-Identifier: Apache-2.0
"""`bench expressions`: what each of the 52 keys of the open head moves, and how lids and jaw do.

Does not know how expressions are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from rome_backend.bench.expression_areas import allowed, face_areas, face_millimetres
from rome_backend.bench.lid_contact import (
    gaze_measures,
    left_lids,
    lid_gap_mm,
    off_eyeball_mm,
)
from rome_backend.bench.pose_collapse import (
    face_changes,
    jaw_opening_mm,
    pose_measures,
    visible_faces,
)
from rome_backend.core.types import F64, HeadModel
from rome_backend.open_head.landmark_sets import INNER_LIP_PAIRS

MOST_OUTSIDE_PERCENT = 2.0
MOST_ASYMMETRY_MM = 0.01
MOST_LID_GAP_MM = 0.5
MOST_LIP_GAP_MM = 0.5
DEEPEST_LID_MM = -0.1
MOST_LID_LIFT_MM = 0.3
LEAST_LID_FOLLOWS = 0.7
MOST_CORNER_STRETCH = 4.0
LEAST_THICKNESS = 0.7
COUNT = 52
CLOSED = ("mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRollLower", "mouthRollUpper")
BLINK_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def bench_expressions(head: HeadModel) -> dict[str, Any]:
    """Return the bench's JSON payload: keys, blink, gaze, poses, jaw's opening."""
    areas, x_mm = face_areas(head), face_millimetres(head)[:, 0]
    mirror = mirror_numbers(head)
    share = vertex_shares(head)
    faces = visible_faces(head)
    keys = []
    for index, name in enumerate(head.expression_names):
        delta = head.expression_dirs[:, :, index].astype(np.float64)
        inside = allowed(name, areas, x_mm)
        partner = head.expression_names.index(mirror_name(name))
        other = head.expression_dirs[:, :, partner].astype(np.float64)
        keys.append(
            {
                "name": name,
                "largest_mm": round(1000 * float(np.linalg.norm(delta, axis=1).max()), 2),
                "outside_percent": round(outside_percent(delta, inside, share), 3),
                "asymmetry_mm": round(asymmetry_mm(delta, other, mirror), 4),
                "lip_gap_mm": round(lip_gap_mm(head, delta), 2),
                "folded_faces": folded_faces(head, delta, faces),
            }
        )
    return {
        "keys": keys,
        "blink": blink_measures(head),
        "gaze": gaze_measures(head),
        "jaw_opening_mm": round(jaw_opening_mm(head), 1),
        "poses": pose_measures(head),
    }


def mirror_name(name: str) -> str:
    """Return the ARKit name of the mirror image: its own in the middle."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


def mirror_numbers(head: HeadModel) -> np.ndarray:
    """Return for each vertex (V,) the number of its mirror image, the nearest one."""
    points = head.template.astype(np.float64)
    return np.asarray(cKDTree(points).query(points * (-1, 1, 1))[1])


def vertex_shares(head: HeadModel) -> F64:
    """Return a third of the area (V,) m^2 of the faces round each vertex."""
    a, b, c = (head.template[head.faces[:, k]].astype(np.float64) for k in range(3))
    size = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    share: F64 = np.bincount(
        head.faces.ravel(), np.repeat(size, 3), minlength=len(head.template)
    ).astype(np.float64)
    return share


def outside_percent(delta: F64, inside: np.ndarray, share: F64) -> float:
    """Return the percentage of a displacement (V, 3), by area, that lies outside its region."""
    size = np.linalg.norm(delta, axis=1) * share
    return 100 * float(size[~inside].sum() / max(size.sum(), 1e-15))


def asymmetry_mm(delta: F64, other: F64, mirror: np.ndarray) -> float:
    """Return the largest difference in mm between a displacement and its partner's image."""
    image = other[mirror] * (-1, 1, 1)
    return 1000 * float(np.linalg.norm(delta - image, axis=1).max())


def lip_gap_mm(head: HeadModel, delta: F64) -> float:
    """Return how much higher the lips' gap gets at its widest, in mm; below zero they cross."""
    upper, lower = np.array(INNER_LIP_PAIRS).T
    widened = delta[upper, 1] - delta[lower, 1]
    return 1000 * float(widened[np.abs(widened).argmax()])


def folded_faces(head: HeadModel, delta: F64, faces: np.ndarray) -> int:
    """Return how many visible faces a displacement turns by more than 90 degrees."""
    rest = head.template.astype(np.float64)
    return int((face_changes(rest, rest + delta, faces)[1] < 0).sum())


def blink_measures(head: HeadModel) -> dict[str, Any]:
    """Return the lid gap at a full blink, and how the left lids lie on the eye on the way."""
    lids, rest = left_lids(head), head.template.astype(np.float64)
    delta = head.expression_dirs[:, :, head.expression_names.index("eyeBlinkLeft")]
    centre = (head.joint_regressor.astype(np.float64) @ rest)[3]
    steps = []
    for value in BLINK_STEPS:
        nearest, farthest = off_eyeball_mm(lids, rest + value * delta, centre)
        steps.append(
            {"value": value, "nearest_mm": round(nearest, 2), "edge_off_mm": round(farthest, 2)}
        )
    return {"lid_gap_mm": round(lid_gap_mm(lids, rest + delta), 3), "steps": steps}


def missed_limits(payload: dict[str, Any]) -> list[str]:
    """Return a sentence for every limit that is missed."""
    keys, missed = payload["keys"], []
    if len(keys) != COUNT:
        missed.append(f"{len(keys)} keys; {COUNT} are wanted")
    for key in keys:
        if key["outside_percent"] >= MOST_OUTSIDE_PERCENT:
            missed.append(f"{key['name']} moves {key['outside_percent']} % outside its region")
        if key["asymmetry_mm"] > MOST_ASYMMETRY_MM:
            missed.append(f"{key['name']} is {key['asymmetry_mm']} mm off its mirror image")
        if key["name"] in CLOSED and abs(key["lip_gap_mm"]) > MOST_LIP_GAP_MM:
            missed.append(f"{key['name']} parts the lips by {key['lip_gap_mm']} mm")
    missed += _missed_lids(payload["blink"]) + _missed_gaze(payload["gaze"])
    return missed + _missed_poses(payload["poses"])


def _missed_lids(blink: dict[str, Any]) -> list[str]:
    missed, at_rest = [], blink["steps"][0]["edge_off_mm"]
    if blink["lid_gap_mm"] >= MOST_LID_GAP_MM:
        missed.append(f"the lids of a full blink are {blink['lid_gap_mm']} mm apart")
    for step in blink["steps"]:
        if step["nearest_mm"] < DEEPEST_LID_MM:
            missed.append(f"at a blink of {step['value']} the eyeball pokes through a lid")
        if step["edge_off_mm"] > at_rest + MOST_LID_LIFT_MM:
            missed.append(f"at a blink of {step['value']} a lid's edge leaves the eyeball")
    return missed


def _missed_gaze(gazes: list[dict[str, Any]]) -> list[str]:
    missed = []
    for gaze in gazes:
        where = f"{gaze['pitch']:g} degrees down and {gaze['yaw']:g} aside"
        if gaze["nearest_mm"] < DEEPEST_LID_MM:
            missed.append(f"an eye turned {where} pokes through a lid")
        if gaze["pitch"] > 0 and gaze["upper_lid"] < LEAST_LID_FOLLOWS * gaze["pitch"]:
            missed.append(f"the upper lid stays behind an eye turned {where}")
    return missed


def _missed_poses(poses: list[dict[str, Any]]) -> list[str]:
    missed = []
    for pose in poses:
        if pose["flipped_faces"] or pose["crushed_faces"]:
            missed.append(
                f"{pose['pose']}: {pose['flipped_faces']} faces flipped,"
                f" {pose['crushed_faces']} crushed"
            )
        if pose["corner_stretch"] > MOST_CORNER_STRETCH:
            missed.append(f"{pose['pose']} stretches a corner by {pose['corner_stretch']}")
        if pose["thickness"] < LEAST_THICKNESS:
            missed.append(f"{pose['pose']} thins the neck to {pose['thickness']}")
    return missed
