# SPDX-License-Identifier: Apache-2.0
"""What a person may choose when an avatar is made, checked at once.

Does not know how an avatar is made, nor what is installed.
"""

from __future__ import annotations

from dataclasses import dataclass

from rome_backend.avatar.choices import OPEN, Choice
from rome_backend.core.errors import UsageError
from rome_backend.render.device import DEVICES

SIZES = (256, 512, 1024, 2048, 4096)
NEURAL_SIDES = (256, 512)


@dataclass(frozen=True)
class CreateOptions:
    """What a person may choose.

    size: side of the texture in px; face: which face by size, 0 the largest;
    seed: of everything random; device: "auto", "cpu" or "cuda";
    head: "open", "flame" or the path of a head-model file; tracker: "open" or "deca";
    networks: "open", "official" or "linear" (choices.choose turns "auto" into these);
    neural_side: of a neural texture in px, 256 as released, or 512;
    face_tightness: the released switch deform_face_tightness (head_surface.tightened);
    delight: take smooth shading out of the skin; maps: estimate normals and roughness;
    focal_length: of the photo's lens in mm of 35 mm film, None: what the file says, if anything.
    Raises UsageError when a value is not allowed.
    """

    size: int = 1024
    face: int = 0
    seed: int = 0
    device: str = "auto"
    head: str = OPEN
    tracker: str = OPEN
    networks: str = OPEN
    neural_side: int = NEURAL_SIDES[0]
    face_tightness: float = 0.0
    delight: bool = False
    maps: bool = True
    focal_length: float | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        if self.size not in SIZES:
            raise UsageError(
                "texture_size", f"A texture of {self.size} px is not offered.",
                f"Choose one of: {', '.join(map(str, SIZES))}.",
            )  # fmt: skip
        if self.face < 0:
            raise UsageError(
                "face_index", f"There is no face number {self.face}.", "Count from 0, the largest."
            )
        if self.device not in DEVICES:
            raise UsageError(
                "device", f"{self.device!r} is no device.", "Choose auto, cpu or cuda."
            )
        if not 0 <= self.face_tightness <= 1:
            raise UsageError(
                "face_tightness", f"A face tightness of {self.face_tightness} is not offered.",
                "Choose 0 to 1; the release's notebook uses 0.0001.",
            )  # fmt: skip
        if self.focal_length is not None and not 8 <= self.focal_length <= 1000:
            raise UsageError(
                "focal_length", f"A focal length of {self.focal_length} mm is not offered.",
                "Give that of 35 mm film, 8 to 1000; a portrait lens has 85.",
            )  # fmt: skip
        if self.neural_side not in NEURAL_SIDES:
            raise UsageError(
                "neural_side", f"A neural texture of {self.neural_side} px is not offered.",
                f"Choose one of: {', '.join(map(str, NEURAL_SIDES))}.",
            )  # fmt: skip

    def choice(self) -> Choice:
        """Return which tracker, head model and networks are meant."""
        return Choice(self.tracker, self.head, self.networks, self.face_tightness)
