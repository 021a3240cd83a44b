# SPDX-License-Identifier: Apache-2.0
"""Shape directions of the open head: the main ways in which heads differ.

Does not know any person's photo or scan: the directions come from a smooth prior.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from rome_backend.core.types import F32, F64
from rome_backend.open_head.geometry import FACE_LANDMARKS, HeadGeometry
from rome_backend.open_head.identity_prior import PriorPoints, identity_covariance
from rome_backend.open_head.landmark_sets import (
    LEFT_EYE_CORNERS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
)
from rome_backend.open_head.laplacian import BilaplacianSpread, vertex_areas
from rome_backend.open_head.surface_distance import surface_distance

SAMPLE_SPACING_M = 0.018
CRANIUM_WEIGHT = 0.15
NECK_FADE_M = 0.07
FACE_FADE_M = 0.03
EAR_FADE_M = 0.012
ARM_M = 0.02
TIE = 1e-3  # of each other that two entries are as large


def shape_dirs(geometry: HeadGeometry, components: int = 60) -> F32:
    """Return the shape directions (V, 3, components) f32, m per standard deviation.

    Karhunen-Loeve expansion of the prior of `identity_prior` on landmarks and points of cranium,
    ears and neck, spread over the skin; ordered by variance on the surface. Ears and eyeballs
    move rigidly, teeth and tongue affinely with the mouth, lips stay closed, the neck's lower
    border stays. Source: our own.
    """
    samples = sample_vertices(geometry)
    handles = np.r_[np.arange(FACE_LANDMARKS), samples]
    modes = expansion(geometry, handles, components)
    spread = BilaplacianSpread(geometry.skin_energy(), handles, smoothness=3e-4)
    skin = spread(modes)
    skin = rigid_ears(geometry, skin) * neck_fade(geometry)[:, None, None]
    directions = np.zeros((len(geometry.vertices), 3, components))
    directions[: geometry.skin_count] = skin
    carry_eyeballs(geometry, directions)
    carry_mouth(geometry, directions)
    area = vertex_areas(geometry.skin_vertices, geometry.skin_faces)
    variance = np.einsum("v,vck,vck->k", area, skin, skin)
    directions = directions[:, :, np.argsort(-variance, kind="stable")]
    return with_steady_signs(directions, geometry.vertices[:, 0]).astype(np.float32)


def sample_vertices(geometry: HeadGeometry) -> NDArray[np.integer]:
    """Return skin vertices (M,) outside the face, about 18 mm apart, mirror pairs together."""
    skip = geometry.skin_region("face") | geometry.skin_region("mouth_inside")
    skip = skip | geometry.skin_region("ears")
    vertices = geometry.skin_vertices
    nearest = np.min(
        [np.linalg.norm(vertices - p, axis=1) for p in vertices[:FACE_LANDMARKS]], axis=0
    )
    nearest[skip] = 0.0
    chosen: list[int] = []
    while nearest.max() > SAMPLE_SPACING_M:
        vertex = int(np.argmax(nearest))
        for picked in dict.fromkeys((vertex, int(geometry.mirror[vertex]))):
            chosen.append(picked)
            gap = np.linalg.norm(vertices - vertices[picked], axis=1)
            nearest = np.minimum(nearest, gap)
    return np.array(chosen, dtype=np.int64)


def prior_points(geometry: HeadGeometry, handles: NDArray[np.integer]) -> PriorPoints:
    """Return the points (N) of handle vertices with their part in the face's variation."""
    place = {int(vertex): k for k, vertex in enumerate(handles)}
    mirror = np.array([place[int(geometry.mirror[vertex])] for vertex in handles])
    face = np.arange(geometry.skin_count) < FACE_LANDMARKS
    distance = surface_distance(geometry.skin_vertices, geometry.skin_faces, face)[handles]
    in_face = np.exp(-((np.minimum(distance, 1.0) / FACE_FADE_M) ** 2))
    amplitude = neck_fade(geometry)[handles]
    eyes = geometry.joints[3:5]
    return PriorPoints(geometry.skin_vertices[handles], mirror, in_face, amplitude, eyes)


def neck_fade(geometry: HeadGeometry) -> F64:
    """Return (Vs,): 0 at the neck's lower border rising to 1 within 70 mm of height."""
    height = geometry.skin_vertices[:, 1]
    part = np.clip((height - height.min() - 0.005) / NECK_FADE_M, 0.0, 1.0)
    fade = part**2 * (3 - 2 * part)
    return np.where(geometry.skin_region("neck"), fade, np.maximum(fade, 0.0))


def expansion(geometry: HeadGeometry, handles: NDArray[np.integer], components: int) -> F64:
    """Return the leading modes (N, 3, components) m per standard deviation at the handles.

    Landmarks count equally, points elsewhere less: the face is what a photo shows.
    """
    covariance = identity_covariance(prior_points(geometry, handles))
    weight = np.where(np.arange(len(handles)) < FACE_LANDMARKS, 1.0, CRANIUM_WEIGHT)
    root = np.repeat(np.sqrt(weight), 3)
    size = len(covariance)
    values, vectors = eigh(
        covariance * np.outer(root, root), subset_by_index=(size - components, size - 1)
    )
    modes = vectors * np.sqrt(np.maximum(values, 0.0)) / root[:, None]
    return modes[:, ::-1].reshape(len(handles), 3, components)


def rigid_ears(geometry: HeadGeometry, skin: F64) -> F64:
    """Return directions (Vs, 3, S) whose ears move as the head's side does where they grow."""
    ears = geometry.skin_region("ears")
    distance = surface_distance(geometry.skin_vertices, geometry.skin_faces, ~ears)
    part = np.clip(distance / EAR_FADE_M, 0.0, 1.0)[:, None, None]
    result = skin.copy()
    for side in (geometry.skin_vertices[:, 0] > 0, geometry.skin_vertices[:, 0] < 0):
        ear = ears & side
        root = ear & (distance < EAR_FADE_M / 2)
        carried = skin[root].mean(axis=0)
        result[ear] = (skin + part * (carried - skin))[ear]
    return result


def carry_eyeballs(geometry: HeadGeometry, directions: F64) -> None:
    """Move each eyeball of directions (V, 3, S) rigidly with the mean of its lids, in place."""
    left = np.array(LEFT_UPPER_LID + LEFT_LOWER_LID + LEFT_EYE_CORNERS)
    lids = {"left_eyeball": left, "right_eyeball": geometry.mirror[left]}
    for region, members in lids.items():
        directions[geometry.regions[region]] = directions[members].mean(axis=0)


def with_steady_signs(directions: F64, across: F64) -> F64:
    """Return directions (V, 3, S) with each mode's largest entry positive.

    across (V,): to the subject's left. In a mode that mirrors itself two entries are largest, but
    for rounding, which differs from machine to machine: the left one counts.
    """
    flat = directions.reshape(-1, directions.shape[2])
    left = np.repeat(across > 0, 3)[:, None]
    places = np.argmax(np.abs(flat) * np.where(left, 1 + TIE, 1.0), axis=0)
    largest = flat[places, np.arange(flat.shape[1])]
    return directions * np.where(largest < 0, -1.0, 1.0)


def carry_mouth(geometry: HeadGeometry, directions: F64) -> None:
    """Move teeth, gums and tongue of directions (V, 3, S) by the affine map, in place, that
    follows the lips and the mouth's inside best."""
    regions = geometry.regions
    around = np.flatnonzero(regions["mouth_inside"] | regions["lips"])
    inner = np.flatnonzero(regions["teeth"] | regions["gums"] | regions["tongue"])
    middle = geometry.vertices[around].mean(axis=0)
    arms = [
        np.column_stack([geometry.vertices[part] - middle, np.full(len(part), ARM_M)])
        for part in (around, inner)
    ]
    mapping = np.linalg.lstsq(arms[0], directions[around].reshape(len(around), -1))[0]
    directions[inner] = (arms[1] @ mapping).reshape(len(inner), *directions.shape[1:])
