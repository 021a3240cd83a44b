# SPDX-License-Identifier: Apache-2.0
"""Reduces ICT-FaceKit's expressions to the samples that the open head's expressions follow.

Does not know the open head's mesh: it writes points and moves only, and nothing at run time
calls it.

    python tools/transfer_expressions.py --ict ../shared/data/ict/ict_facekit_light_reduced.npz
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from rome_backend.core.camera import orbit, project
from rome_backend.core.types import F64, I32, U8, Camera
from rome_backend.open_head.expression_samples import FILE, STEP_M, side_coordinates
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.mean_face import mirror_landmarks

# ICT's 68 landmarks 17..67 and MediaPipe's of the same places.
IBUG_FROM, IBUG = 17, (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 97, 97, 2, 326, 326,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
IBUG_SIDES = (
    ((range(48, 55), range(60, 65)), ((54, 55, 56, 57, 58, 59, 48), (64, 65, 66, 67, 60))),
    ((range(36, 40), range(42, 46)), ((39, 40, 41, 36), (45, 46, 47, 42))),
)
UNSURE = (27, 28, 29, 30, 31, 32, 33, 34, 35)  # bridge and underside of the nose: other places
SKIN_PART, EYEBALL, EYE_SHELL = 1, 2, 3
VIEW_M, PIXELS = 0.30, 768
SKIN_TONE, IRIS_M = (1.0, 0.85, 0.75), 0.0055
CORRECTION_M = 0.012
SAMPLE_SPACING_M = (0.0014, 0.0055)  # at lips and lids, elsewhere
BEYOND_FACE_M = 0.08
VIEWS = ((0, 0), (50, 0), (-50, 0), (0, 40), (0, -45), (90, 0), (-90, 0))
ATTRIBUTION = (
    "Reduced from ICT-FaceKit (github.com/ICT-VGL/ICT-FaceKit), MIT licence,"
    " Copyright (c) 2020 USC Institute for Creative Technologies"
)


@dataclass(frozen=True)
class IctFace:
    """ICT-FaceKit's light model in metres: vertices (N, 3), faces (F, 3), parts (F,) 0 and 1 skin,
    2 eyeballs, 3 their shells; moves: name -> (N, 3); ibug (68,) vertex numbers."""

    vertices: F64
    faces: I32
    parts: np.ndarray
    moves: dict[str, F64]
    ibug: I32


def load_ict(path: Path) -> IctFace:
    """Read the reduced model: centimetres, expressions with _L and _R."""
    with np.load(path) as data:
        deltas = data["expression_deltas"].astype(np.float64) / 100
        names = [str(name) for name in data["expression_names"]]
        return IctFace(
            vertices=data["neutral_cm"].astype(np.float64) / 100,
            faces=data["faces"].astype(np.int32),
            parts=data["face_part"],
            moves=dict(zip(names, deltas, strict=True)),
            ibug=data["landmarks68"].astype(np.int32),
        )


def one_sided(face: IctFace) -> dict[str, F64]:
    """Return ARKit's names -> moves (N, 3) m: left and middle keys, made symmetric over pairs."""
    mirror = cKDTree(face.vertices).query(face.vertices * (-1, 1, 1))[1]
    found: dict[str, F64] = {}
    for name, move in face.moves.items():
        if name.endswith("_R") or name in ("jawRight", "mouthRight"):
            continue
        other = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}.get(name, name)
        other = other[:-2] + "_R" if other.endswith("_L") else other
        image = face.moves[other][mirror] * (-1, 1, 1)
        base = name.removesuffix("_L")
        halves = base in ("browInnerUp", "cheekPuff")
        found[base if halves or base == name else base + "Left"] = (move + image) / 2
    return found


def picture_of(face: IctFace, camera: Camera) -> U8:
    """Return a plain render with skin colour and dark irises, which a face tracker accepts."""
    from rome_backend.render.shading import picture

    kept = face.faces[face.parts != EYE_SHELL]
    clay = np.asarray(picture(face.vertices, kept, None, None, camera, background=(200,) * 3))
    rgb = clay[..., :3] * np.array(SKIN_TONE)
    rows, columns = np.mgrid[: camera.height, : camera.width]
    balls = np.unique(face.faces[face.parts == EYEBALL])
    for side in (1, -1):
        ball = face.vertices[balls[face.vertices[balls, 0] * side > 0]]
        x, y, _ = project(camera, ball[[ball[:, 2].argmax()]])[0]
        radius = IRIS_M / VIEW_M * camera.height
        rgb[(columns - x) ** 2 + (rows - y) ** 2 < radius**2] *= (0.35, 0.25, 0.2)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def shown(face: IctFace, camera: Camera) -> tuple[I32, F64]:
    """Return the face (H, W) that each pixel shows, -1 for none, and where (H, W, 3) m."""
    import torch

    from rome_backend.render.rasterizer import TorchRasterizer, image_ndc

    clip = torch.as_tensor(camera.world_to_clip)
    screen = image_ndc(torch.from_numpy(face.vertices), clip)[None].float()
    faces = torch.from_numpy(face.faces)
    found = TorchRasterizer().rasterize(screen, faces, camera.height, camera.width)
    index = found.face_index[0].numpy()
    corners = face.vertices[face.faces[np.maximum(index, 0)]]
    weights = found.barycentric[0].numpy().astype(np.float64)
    return index, np.einsum("hwc,hwcx->hwx", weights, corners)


def face_landmarks(face: IctFace) -> F64:
    """Return MediaPipe's landmarks (468, 3) m on ICT's face.

    The tracker reads them off a render; ICT's own 68 landmarks correct lids, lips and brows.
    """
    from rome_backend.tracking.face_mesh import FaceTracker

    camera = orbit(np.array([0.0, 0.0, 0.05]), 1.0, 0, 0, VIEW_M, PIXELS, PIXELS)
    tracked = FaceTracker().track(picture_of(face, camera))[0].landmarks[:468, :2]
    flat = (tracked.astype(np.float64) - PIXELS / 2) * VIEW_M / PIXELS * (1, -1)
    numbers = [k for k in range(IBUG_FROM, 68) if k not in UNSURE]
    handles, first = np.unique([IBUG[k - IBUG_FROM] for k in numbers], return_index=True)
    wanted = face.vertices[face.ibug[np.array(numbers)[first]], :2]
    correct = RBFInterpolator(
        flat[handles], wanted - flat[handles], kernel="gaussian", epsilon=1 / CORRECTION_M,
        degree=-1, smoothing=1e-2,
    )  # fmt: skip
    flat = flat + correct(flat)
    flat = (flat + flat[mirror_landmarks()[:468]] * (-1, 1)) / 2
    return np.column_stack([flat, depths(face, flat, camera)])


def depths(face: IctFace, flat: F64, camera: Camera) -> F64:
    """Return the height z (N,) m of the face over points (N, 2), next to it where there is none."""
    index, places = shown(face, camera)
    seen = places[(index >= 0) & (face.parts[index] <= SKIN_PART)]
    return np.asarray(seen[cKDTree(seen[:, :2]).query(flat)[1], 2])


def visible(face: IctFace) -> NDArray[np.int64]:
    """Return the numbers of the skin's vertices that some view of `VIEWS` shows."""
    found = np.zeros(len(face.vertices), dtype=bool)
    for yaw, pitch in VIEWS:
        camera = orbit(np.array([0.0, 0.0, 0.05]), 1.0, yaw, pitch, VIEW_M, *2 * (2 * PIXELS,))
        index, _ = shown(face, camera)
        numbers = np.unique(index[index >= 0])
        found[face.faces[numbers[face.parts[numbers] <= SKIN_PART]]] = True
    mirror = cKDTree(face.vertices).query(face.vertices * (-1, 1, 1))[1]
    return np.flatnonzero(found & found[mirror])


def spaced(points: F64, fine: F64) -> I32:
    """Return numbers of points (N, 3) m so far apart as `SAMPLE_SPACING_M`, mirrored in pairs.

    fine (N,): 1 at lips and lids, 0 away from them.
    """
    near, far = SAMPLE_SPACING_M
    spacing = far + (near - far) * fine
    mirror = cKDTree(points).query(points * (-1, 1, 1))[1]
    left = np.flatnonzero(points[:, 0] > -1e-6)
    free, chosen = np.zeros(len(points), dtype=bool), []
    free[left] = True
    tree = cKDTree(points)
    for number in left[np.argsort(-fine[left], kind="stable")]:
        if free[number]:
            chosen.append(number)
            free[tree.query_ball_point(points[number], spacing[number])] = False
    return np.unique(np.concatenate([chosen, mirror[chosen]])).astype(np.int32)


def samples(face: IctFace) -> dict[str, np.ndarray]:
    """Return the arrays of the file: landmarks, points, sides and one move for every key."""
    landmarks = face_landmarks(face)
    seen = visible(face)
    sides = side_coordinates(face.vertices, face.faces[face.parts <= SKIN_PART], ict_sides(face))
    fine = np.clip(np.abs(sides[seen]).max(axis=1) / np.abs(sides[seen]).max(), 0, 1)
    near_face = cKDTree(landmarks).query(face.vertices[seen])[0] < BEYOND_FACE_M
    numbers = seen[near_face][spaced(face.vertices[seen[near_face]], fine[near_face])]
    arrays = {
        "landmarks": landmarks.astype(np.float32),
        "points": face.vertices[numbers].astype(np.float32),
        "sides": sides[numbers].astype(np.float32),
    }
    for name, move in one_sided(face).items():
        arrays[name] = np.round(move[numbers] / STEP_M).astype(np.int16)
    return arrays


def ict_sides(face: IctFace) -> tuple[tuple[I32, I32], ...]:
    """Return ICT's vertices above and below the mouth and the eyes, in the order of `SIDES`.

    They lie on the shortest ways over the surface from one of ICT's landmarks to the next; the
    mouth's corners belong to both sides, the eyes' to none.
    """
    faces = face.faces[face.parts <= SKIN_PART]
    edges = adjacency(faces, len(face.vertices)).tocoo()
    edges.data = np.linalg.norm(face.vertices[edges.row] - face.vertices[edges.col], axis=1)
    graph = edges.tocsr()

    def along(runs: Sequence[Sequence[int]]) -> I32:
        pairs = [pair for run in runs for pair in itertools.pairwise(face.ibug[list(run)])]
        return np.unique(np.concatenate([_way(graph, *pair) for pair in pairs])).astype(np.int32)

    mouth, (above, below) = ((along(up), along(down)) for up, down in IBUG_SIDES)
    return mouth, (np.setdiff1d(above, below), np.setdiff1d(below, above))


def _way(graph: csr_matrix, start: int, end: int) -> list[int]:
    """Return the vertices of the shortest way between two vertices, both included."""
    before = dijkstra(graph, indices=start, return_predecessors=True, limit=0.05)[1]
    way = [int(end)]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    return way


def main() -> None:
    """Reduce the model and write the samples next to the code that reads them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Reduce ICT-FaceKit's expressions to samples.")
    parser.add_argument("--ict", type=Path, required=True, help="the reduced model, .npz")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    arrays = samples(load_ict(args.ict))
    partial = args.out.with_suffix(".partial.npz")
    arrays["attribution"] = np.array(ATTRIBUTION)
    np.savez_compressed(partial, allow_pickle=False, **arrays)
    os.replace(partial, args.out)
    logging.info("%s: %d points, %d keys", args.out, len(arrays["points"]), len(arrays) - 4)


if __name__ == "__main__":
    main()
