# SPDX-License-Identifier: Apache-2.0
"""Expression directions of the open head under ARKit's names.

Does not know photos, tracking or identities: it works on the mean head alone.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from rome_backend.core.types import F32, F64
from rome_backend.open_head.contact_lines import Closer, opening
from rome_backend.open_head.expression_masks import key_mask
from rome_backend.open_head.expression_samples import (
    APART_M,
    SIDES,
    sampled_moves,
    side_coordinates,
)
from rome_backend.open_head.eye_contact import keep_off_eyes, onto_left_eye
from rome_backend.open_head.geometry import FACE_LANDMARKS, HeadGeometry
from rome_backend.open_head.jaw_motion import JawMotion, jaw_motion
from rome_backend.open_head.landmark_sets import MOUTH_CORNERS
from rome_backend.open_head.laplacian import BilaplacianSpread
from rome_backend.open_head.lid_motion import EYE_LOOK_DEGREES
from rome_backend.open_head.surface_distance import surface_distance
from rome_backend.open_head.tongue_motion import tongue_out

ARKIT_NAMES = (
    ("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft")
    + ("eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight")
    + ("eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward")
    + ("jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft")
    + ("mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight")
    + ("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight")
    + ("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper")
    + ("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    + ("mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp")
    + ("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight")
    + ("noseSneerLeft", "noseSneerRight", "tongueOut")
)
HALVES = ("browInnerUp", "cheekPuff")
MIRROR = np.array([-1.0, 1.0, 1.0])
JAW, LEFT_EYE = 2, 3
FADE_M, THROAT_FADE_M = 0.03, 0.09
LIP_REACH_M, LID_REACH_M = 0.014, 0.012
LINING_M = 0.013
# The face beside the throat gives way when the jaw opens.
LOOSE_RIM_M, LOOSE_SMOOTHNESS = 0.015, 1.0
# Expressions that leave the lips together; in rolls only their height is put right.
LIPS_SHUT = (
    "cheekPuff", "mouthDimpleLeft", "mouthFrownLeft", "mouthLeft", "mouthPressLeft", "mouthPucker",
    "mouthShrugLower", "mouthSmileLeft", "mouthStretchLeft", "jawForward", "jawLeft",
)  # fmt: skip
ROLLS = ("mouthRollLower", "mouthRollUpper")
# How much of ICT-FaceKit's move is taken where it is stronger or weaker than ours should be.
STRENGTH = {"jawForward": 0.8, "mouthFunnel": 0.8, "eyeLookDown": 0.8, "eyeLookUp": 0.8}
# It hangs on the skull: it follows the jaw less than ICT-FaceKit's, which hides the teeth.
UPPER_LIP_STAYS = 0.5
# Parts of the way that the upper lid goes; the lower one then follows it round the cornea.
UPPER_LID_WAY, UPPER_LID_WAY_AT_LAST = 0.97, 0.2
SMOOTHNESS = 50.0
BLINK_ROUNDS = 5
# The lid's edge with its lashes moves as one up to here, and less up to there.
LID_PLATE_M = (0.002, 0.0055)


def expression_dirs(face: ExpressiveFace) -> tuple[F32, tuple[str, ...]]:
    """Return the expression directions (V, 3, 52) f32, m at value 1, and their ARKit names.

    All of Apple's 52 blend shapes in Apple's order; tongueOut is an approximation. Left is the
    subject's left (+X); pairs are exact mirror images. Ears, cranium and the lower neck stay at
    zero. At value 1 no lid enters the eyeball. eyeLook* turn the eyeball by 25 degrees, jawOpen
    the jaw by 22. Source: our own, after the expressions of ICT-FaceKit (`expression_samples`).
    """
    geometry = face.geometry
    deltas = {name: face.skin_delta(name) for name in face.moves if name != "jawOpen"}
    deltas |= face.jaw_deltas(deltas)
    deltas["mouthClose"] = face.mouth_close(deltas["jawOpen"])
    for name, ball in eye_turns(geometry).items():
        deltas[name] = deltas[name] + ball
    deltas = {name: keep_off_eyes(geometry, delta) for name, delta in deltas.items()}
    for _ in range(BLINK_ROUNDS):
        deltas["eyeBlinkLeft"] = keep_off_eyes(geometry, face.shut_lids(deltas["eyeBlinkLeft"]))
    deltas["tongueOut"] = tongue_out(geometry, deltas["jawOpen"])
    full = with_mirror_images(geometry, deltas)
    return np.stack([full[name] for name in ARKIT_NAMES], axis=2).astype(np.float32), ARKIT_NAMES


class ExpressiveFace:
    """What expressions are made from: sampled moves on the skin, and the lines of lips and lids."""

    def __init__(self, geometry: HeadGeometry) -> None:
        self.geometry = geometry
        skin, faces = geometry.skin_vertices, geometry.skin_faces
        self.landmarks = geometry.landmark_positions[:FACE_LANDMARKS]
        self.support, self.wide = face_support(geometry), face_support(geometry, THROAT_FADE_M)
        self.mouth = geometry.skin_region("mouth_inside")
        self.left_socket, right_socket = (
            geometry.skin_region(f"{side}_eye_region") & ~geometry.skin_region("face")
            for side in ("left", "right")
        )
        sides = [(np.array(above), np.array(below)) for above, below in SIDES]
        self.lips_apart, self.lids_apart = side_coordinates(skin, faces, sides).T
        lips = opening(geometry, self.mouth, self.lips_apart)
        lids = opening(geometry, self.left_socket, self.lids_apart)
        self.lips = Closer(geometry, lips, LIP_REACH_M)
        self.lids = Closer(geometry, lids, LID_REACH_M)
        inside = self.mouth | self.left_socket | right_socket
        self.outer = np.flatnonzero((self.wide > 0) & ~inside)
        chosen = np.zeros(len(skin), dtype=bool)
        chosen[self.outer] = True
        self.moves = sampled_moves(self.landmarks, skin, faces, chosen)
        self._smooth = BilaplacianSpread(
            geometry.skin_energy(), self.outer, smoothness=SMOOTHNESS, fixed=self.wide == 0
        )
        rim = np.zeros(len(skin), dtype=bool)
        rim[self.lips.line.edges] = True
        self.depth = self.mouth & (surface_distance(skin, faces, rim) > LINING_M)
        self._line = BilaplacianSpread(
            geometry.skin_energy(), np.union1d(self.outer, np.flatnonzero(self.depth))
        )

    def full(self, skin_delta: F64) -> F64:
        """Return displacements of the skin (Vs, 3) as such of all vertices (V, 3)."""
        rest = len(self.geometry.vertices) - len(skin_delta)
        return np.concatenate([skin_delta, np.zeros((rest, 3))])

    def outer_delta(self, name: str) -> F64:
        """Return an expression's sampled move on the outer skin, masked: (Vs, 3) m."""
        delta = np.zeros((self.geometry.skin_count, 3))
        points = self.geometry.skin_vertices[self.outer]
        support = self.wide if name == "jawOpen" else self.support
        mask = key_mask(name, points, self.landmarks) * support[self.outer]
        strength = STRENGTH.get(name.removesuffix("Left"), 1.0)
        delta[self.outer] = strength * self._smooth(self.moves[name])[self.outer] * mask[:, None]
        if name == "jawOpen":
            delta *= 1 - UPPER_LIP_STAYS * self.upper_lip()[:, None]
        return delta

    def upper_lip(self) -> F64:
        """Return how much each skin vertex (Vs,) is upper lip: 1 in its middle, 0 at its ends."""
        corner = abs(self.landmarks[MOUTH_CORNERS[0], 0])
        across = np.minimum(np.abs(self.geometry.skin_vertices[:, 0]) / corner, 1.0)
        return np.clip(self.lips_apart / APART_M, 0.0, 1.0) * (1 - across**2)

    def skin_delta(self, name: str) -> F64:
        """Return an expression (V, 3) m: lips shut where they shall be, linings along."""
        delta = self.outer_delta(name)
        if name in LIPS_SHUT:
            delta = self.lips.keep_shut(delta)
        elif name in ROLLS:
            delta = self.lips.keep_shut(delta, axes=(1.0, 1.0, 0.0))
        if name.startswith("eye"):
            delta = self.lids.carry_along(delta, LID_PLATE_M)
        if name == "eyeBlinkLeft":
            delta = self.lids.meet(delta, UPPER_LID_WAY)
        return self.full(self.with_linings(delta))

    def with_linings(self, delta: F64, deep: F64 | None = None) -> F64:
        """Return delta (Vs, 3) m with the mouth's inside between the lips and its depth.

        deep (Vs, 3) m: how the mouth's depth moves; it stays by default.
        """
        known = delta.copy()
        known[self.depth] = 0.0 if deep is None else deep[self.depth]
        lined = delta.copy()
        lined[self.mouth] = self._line(known[self._line.handles])[self.mouth]
        return lined

    def shut_lids(self, delta: F64) -> F64:
        """Return a blink (V, 3) m whose lids lie on the eye and meet, after other corrections."""
        count, edge = self.geometry.skin_count, self.lids.handles
        wanted = np.zeros((count, 3))
        wanted[edge] = onto_left_eye(self.geometry, delta, edge)
        laid = self.lids.follow(delta[:count], wanted)
        return self.full(self.lids.meet(laid, UPPER_LID_WAY_AT_LAST))

    def jaw_deltas(self, deltas: dict[str, F64]) -> dict[str, F64]:
        """Return jawOpen, jawForward and jawLeft (V, 3) m: teeth and tongue go with the bone."""
        geometry, count = self.geometry, self.geometry.skin_count
        weight = geometry.weights[:, JAW : JAW + 1]
        arm = geometry.vertices - geometry.joints[JAW]
        sideways = Rotation.from_euler("y", 4.0, degrees=True).apply(arm) - arm + (0.003, 0, 0)
        found = {"jawOpen": self.jaw().opened()}
        for name, move in (("jawForward", (0.0, -0.001, 0.0085)), ("jawLeft", sideways)):
            bone = weight * move
            skin = self.with_linings(deltas[name][:count], bone[:count])
            found[name] = np.concatenate([skin, bone[count:]])
        return found

    def jaw(self) -> JawMotion:
        """Return how the head follows a turning jaw."""
        motion = jaw_motion(self.geometry, self.outer_delta("jawOpen"), self.wide)
        count = len(self.wide)
        inner = np.concatenate([motion.slide, motion.follow[:, None]], axis=1)[:count]
        weight = self.geometry.weights[:count, JAW]
        inner = self.over_throat(inner)
        lined = self.with_linings(inner, np.column_stack([0 * motion.slide[:count], weight]))
        follow, slide = motion.follow.copy(), motion.slide.copy()
        follow[:count], slide[:count] = lined[:, 3], lined[:, :3]
        return JawMotion(motion.arm, follow, slide)

    def over_throat(self, values: F64) -> F64:
        """Return values (Vs, C) that end evenly over the throat, which crushes its skin least."""
        geometry = self.geometry
        face, neck = geometry.skin_region("face"), geometry.skin_region("neck")
        still = (self.wide == 0) & ~self.mouth
        rim = surface_distance(geometry.skin_vertices, geometry.skin_faces, neck)[face]
        firm = np.clip(rim / LOOSE_RIM_M, 0.02, 1.0)
        energy, handles = geometry.skin_energy(), np.flatnonzero(face)
        spread = BilaplacianSpread(energy, handles, firm, LOOSE_SMOOTHNESS, fixed=still)
        evened, found = values.copy(), spread(values[face])
        throat = neck & ~still
        throat[handles[firm < 1]] = True
        evened[throat] = found[throat]
        return evened

    def mouth_close(self, opened: F64) -> F64:
        """Return mouthClose (V, 3) m: what shuts the lips again when jawOpen (V, 3) is on."""
        count = self.geometry.skin_count
        scale = np.linalg.norm(opened[152]) / np.linalg.norm(self.outer_delta("jawOpen")[152])
        close = scale * self.outer_delta("mouthClose")
        shut = self.lips.keep_shut(opened[:count] + close) - opened[:count]
        return self.full(self.with_linings(shut))


def face_support(geometry: HeadGeometry, fade: float = FADE_M) -> F64:
    """Return how much each skin vertex (Vs,) may move with expressions: 1 face, 0 ears, cranium.

    Beyond the face it fades out over so many m along the surface.
    """
    face = geometry.skin_region("face") | geometry.skin_region("mouth_inside")
    face[:FACE_LANDMARKS] = True
    distance = surface_distance(geometry.skin_vertices, geometry.skin_faces, face)
    near = np.clip(1 - distance / fade, 0.0, 1.0)
    support = near**2 * (3 - 2 * near)
    still = geometry.skin_region("ears") | geometry.skin_region("hair")
    support[still & ~(np.arange(len(face)) < FACE_LANDMARKS)] = 0.0
    return support


def mirrored(geometry: HeadGeometry, delta: F64) -> F64:
    """Return the mirror image of displacements (V, 3)."""
    return delta[geometry.mirror] * MIRROR


def with_mirror_images(geometry: HeadGeometry, deltas: dict[str, F64]) -> dict[str, F64]:
    """Complete left-sided displacements with right ones and make the middle ones symmetric."""
    full = {}
    for name, delta in deltas.items():
        image = mirrored(geometry, delta)
        if name.endswith("Left"):
            full[name] = delta
            full[name.removesuffix("Left") + "Right"] = image
        else:
            full[name] = (delta + image) * (1.0 if name in HALVES else 0.5)
    return full


def eye_turns(geometry: HeadGeometry) -> dict[str, F64]:
    """Return what eyeLook...Left do to the left eyeball: name -> (V, 3) m."""
    angle = EYE_LOOK_DEGREES
    turns = {"Up": ("x", -angle), "Down": ("x", angle), "In": ("y", -angle), "Out": ("y", angle)}
    arm = geometry.vertices - geometry.joints[LEFT_EYE]
    ball = geometry.regions["left_eyeball"][:, None]
    found = {}
    for way, (axis, degrees) in turns.items():
        turned = Rotation.from_euler(axis, degrees, degrees=True).apply(arm)
        found[f"eyeLook{way}Left"] = ball * (turned - arm)
    return found
