# SPDX-License-Identifier: Apache-2.0
"""Lays the open head's plain skin onto ICT-FaceKit's neutral head and writes where it comes to lie.

Does not know the mean face's share in the result, and nothing at run time calls it.

    python -m tools.measure_sculpture --model ../shared/data/ict/ict_facekit_light_reduced.npz

Source of the shape: ICT-FaceKit Light, MIT, (c) 2020 USC Institute for Creative Technologies.
Method: non-rigid registration by closest points under a falling stiffness, after Amberg,
Romdhani and Vetter 2007; the ears by their relief.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F64, I32, Mask
from rome_backend.open_head.face_surface import NOSTRIL
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.sculpture import FILE, UNIT, half_of, topology_hash
from rome_backend.open_head.surface import Skin, plain_skin
from tools.measure_ear import EarRelief, start_angle

# MediaPipe's landmarks at iBUG's 17..67, the order of the model's own landmarks.
LANDMARKS = (
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
FIRST_IBUG, SKIN_PARTS = 17, (0, 1)
SOURCE = (
    "Positions of the open head's skin laid onto the neutral head of ICT-FaceKit Light,"
    " github.com/ICT-VGL/ICT-FaceKit, MIT, (c) 2020 USC Institute for Creative Technologies"
)
# Stiffness, reach in m, pull of the landmarks, number of steps.
STAGES = (
    (500.0, 0.03, 10.0, 3),
    (100.0, 0.03, 10.0, 3),
    (100.0, 0.012, 10.0, 1),
    (20.0, 0.012, 10.0, 4),
    (8.0, 0.012, 10.0, 1),
    (8.0, 0.012, 1.0, 3),
    (3.0, 0.012, 1.0, 3),
    (3.0, 0.012, 0.0, 1),
    (1.5, 0.012, 0.0, 3),
)
SLIDE_AFTER = 3
SLIDING, KEPT = slice(0, -4), 0.15
EVENED, EVENING_STEPS = slice(1, 27), 40
NEAR_PLANE_M, EVENED_REACH_M, FACING = 0.004, 0.004, 0.5
HEM_M, CORNER_M = -0.236, 0.017


@dataclass(frozen=True)
class Target:
    """The head to lie on: vertices (N, 3) m without its ears, their normals, a search tree;
    landmarks (51, 3) m; ear: the relief of its left ear."""

    vertices: F64
    normals: F64
    tree: cKDTree
    landmarks: F64
    ear: EarRelief

    def closest(self, points: F64, normals: F64, count: int) -> tuple[I32, Mask]:
        """Return for each point (V, 3) the nearest vertex that faces the same way, and whether
        there is one among the count nearest."""
        _, near = self.tree.query(points, k=count)
        alike = np.einsum("vkc,vc->vk", self.normals[near], normals) > FACING
        return near[np.arange(len(points)), alike.argmax(axis=1)], alike.any(axis=1)


def load_target(file: Path) -> Target:
    """Return the neutral head brought onto the mean face by a similarity (Umeyama 1991)."""
    with np.load(file) as model:
        vertices = model["neutral_cm"].astype(np.float64) / 100
        faces = model["faces"][np.isin(model["face_part"], SKIN_PARTS)]
        ibug = model["landmarks68"][FIRST_IBUG:]
    target = mean_face()[list(LANDMARKS)]
    middle, aim = vertices[ibug].mean(axis=0), target.mean(axis=0)
    arms = vertices[ibug] - middle
    u, sizes, vt = np.linalg.svd((target - aim).T @ arms)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (sizes * sign).sum() / (arms**2).sum()
    vertices = scale * (vertices - middle) @ ((u * sign) @ vt).T + aim
    used, numbers = np.unique(faces, return_inverse=True)
    skin, faces = vertices[used], numbers.reshape(-1, 3).astype(np.int32)
    ear = EarRelief(skin, faces)
    normals, kept = vertex_normals(skin, faces), ~ear.covers(skin)
    return Target(skin[kept], normals[kept], cKDTree(skin[kept]), vertices[ibug], ear)


def lowest_matched(rest: F64) -> F64:
    """Return how much (V,) vertices at rest (V, 3) m may follow: the model ends below the collar,
    behind earlier than in front, and is narrower than the open head's shoulders."""
    x, y, z = rest.T
    front = np.clip((y + 0.205) / 0.03, 0, 1)
    back = np.clip((y + 0.172) / 0.03, 0, 1)
    forward = np.clip((z + 0.10) / 0.05, 0, 1)
    narrow = np.where(y > -0.12, 1.0, np.clip((0.112 - np.abs(x)) / 0.03, 0, 1))
    part = (front * forward + back * (1 - forward)) * narrow
    return part * part * (3 - 2 * part)


class Registration:
    """The plain skin on its way onto the target. V vertices."""

    def __init__(self, skin: Skin, target: Target) -> None:
        self.skin, self.target, self.rest = skin, target, skin.vertices
        count = len(self.rest)
        self.edges = adjacency(skin.faces, count)
        self.inverse_degree = diags(1 / np.asarray(self.edges.sum(axis=1)).ravel())
        self.laplacian: csr_matrix = diags(np.ones(count)) - self.inverse_degree @ self.edges
        self.pins, self.pinned = self._pins()
        self.follows = lowest_matched(self.rest) * ~self._unmatched()
        ear = self.members(*skin.ear)
        self.sliding = self.members(skin.cranium[SLIDING].ravel()) & ~ear
        self.evened = self.members(skin.cranium[EVENED].ravel()) & ~ear

    def members(self, *rings: I32) -> Mask:
        """Return the mask (V,) of vertices of the left half and their mirror images."""
        mask = np.zeros(len(self.rest), dtype=bool)
        mask[self.skin.both(np.concatenate(rings))] = True
        return mask

    def _pins(self) -> tuple[F64, F64]:
        """Return places (V, 3) m and weights (V,): ears by their relief, the hem where it is."""
        places, weight = self.rest.copy(), np.where(self.rest[:, 1] < HEM_M, 10.0, 0.0)
        root = self.skin.ear[0]
        rings = self.target.ear.rings(len(root), start_angle(self.rest[root[0]]))
        for ring, points in zip(self.skin.ear, rings, strict=True):
            places[self.skin.mirror[ring]] = points * (-1, 1, 1)
            places[ring] = points
            weight[self.skin.both(ring)] += 1e3
        return places, weight

    def _unmatched(self) -> Mask:
        """Return what has no counterpart: cavities, ears, hem, nostrils, corners of the mouth."""
        skin = self.skin
        inner = self.members(*skin.mouth, *skin.socket[1:], *skin.hem, *skin.ear)
        nostril = self.members(skin.nostril, np.array(NOSTRIL))
        corner = self.members(skin.mouth[0]) & (np.abs(self.rest[:, 0]) > CORNER_M)
        beside = (self.edges @ (nostril | corner).astype(float)) > 0
        return inner | nostril | beside | (self.rest[:, 1] < HEM_M)

    def symmetric(self, points: F64) -> F64:
        """Return the mean (V, 3) of points and their mirror image."""
        return (points + points[self.skin.mirror] * (-1, 1, 1)) / 2

    def step(self, points: F64, stage: tuple[float, float, float], slide: bool) -> F64:
        """Return points (V, 3) m drawn to their closest ones; stage: stiffness, reach, landmarks.

        With slide, the scalp keeps its bending but not its spacing.
        """
        stiffness, reach, pull = stage
        normals = vertex_normals(points, self.skin.faces)
        nearest, found = self.target.closest(points, normals, 8)
        place, normal = self.target.vertices[nearest], self.target.normals[nearest]
        across = points - np.sum((points - place) * normal, axis=1, keepdims=True) * normal
        flat = np.linalg.norm(across - place, axis=1, keepdims=True) < NEAR_PLANE_M
        place = np.where(flat, across, place)
        near = found & (np.linalg.norm(place - points, axis=1) < reach)
        weight = self.follows * near
        bend = self.laplacian @ points
        if slide:
            along = np.sum(bend * normals, axis=1, keepdims=True) * normals
            mixed = KEPT * bend + (1 - KEPT) * along
            bend = np.where(self.sliding[:, None], mixed, bend)
        landmark = np.zeros(len(points))
        landmark[list(LANDMARKS)] = pull
        wanted = np.zeros_like(points)
        wanted[list(LANDMARKS)] = self.target.landmarks * pull
        diagonal = weight + self.pinned + landmark + 1e-6
        right = weight[:, None] * place + self.pinned[:, None] * self.pins + wanted
        right = right + 1e-6 * points + stiffness * (self.laplacian.T @ bend)
        system = stiffness * (self.laplacian.T @ self.laplacian) + diags(diagonal)
        return self.symmetric(splu(system.tocsc()).solve(right))

    def even_out(self, points: F64) -> F64:
        """Return points (V, 3) m with the scalp's vertices spread evenly on the target."""
        normals = vertex_normals(points, self.skin.faces)
        away = self.inverse_degree @ (self.edges @ points) - points
        away -= np.sum(away * normals, axis=1, keepdims=True) * normals
        points = points + 0.5 * away * self.evened[:, None]
        nearest, found = self.target.closest(points, normals, 6)
        arms, normal = points - self.target.vertices[nearest], self.target.normals[nearest]
        on = self.evened & found & (np.linalg.norm(arms, axis=1) < EVENED_REACH_M)
        off = np.sum(arms * normal, axis=1, keepdims=True) * normal
        points = points - off * (on * lowest_matched(self.rest))[:, None]
        away = self.inverse_degree @ (self.edges @ points) - points
        return self.symmetric(points + 0.3 * away * (self.evened & ~on)[:, None])

    def run(self) -> F64:
        """Return the final places (V, 3) m."""
        points, done = self.rest, 0
        for stiffness, reach, pull, steps in STAGES:
            for _ in range(steps):
                points = self.step(points, (stiffness, reach, pull), done >= SLIDE_AFTER)
                done += 1
        for _ in range(EVENING_STEPS):
            points = self.even_out(points)
        return points


def main() -> None:
    """Measure and write the file next to the code that reads it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Measure the open head's shape.")
    parser.add_argument("--model", type=Path, required=True, help="ict_facekit_light_reduced.npz")
    parser.add_argument("--output", type=Path, default=FILE)
    options = parser.parse_args()
    skin = plain_skin()
    places = Registration(skin, load_target(options.model)).run()
    half = np.round(places[half_of(skin.mirror)] / UNIT).astype(np.int16)
    temporary = options.output.with_name(options.output.name + ".part.npz")
    topology = np.array(topology_hash(skin.faces))
    np.savez_compressed(temporary, positions=half, topology=topology, source=np.array(SOURCE))
    os.replace(temporary, options.output)
    logging.info("%d positions in %s", len(half), options.output)


if __name__ == "__main__":
    main()
