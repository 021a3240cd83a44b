# SPDX-License-Identifier: Apache-2.0
"""One photo of a person together with the posed mesh that explains it.

Does not know how either was found, nor what a texture is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.camera import fit_camera, project
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, F64, U8, Camera, FaceFit, HeadCrop, HeadModel, Mask
from rome_backend.texture.registration import registration_warp


@dataclass(frozen=True)
class TextureView:
    """What texture is taken from.

    rgb (C, C, 3) u8 sRGB; matte (C, C) f32, 1 = person; valid (C, C) bool: inside the photo;
    camera: head space to that crop; vertices (V, 3) f64 m, head space: the mesh posed as in the
    photo, offsets included; landmark_shift (V, 2) f64 px: added to projected positions so that
    the texture registers although the identity is shrunk.
    """

    rgb: U8
    matte: F32
    valid: Mask
    camera: Camera
    vertices: F64
    landmark_shift: F64

    @classmethod
    def of(cls, head: HeadModel, fit: FaceFit, crop: HeadCrop, offsets: F32) -> TextureView:
        """Pose the head as fitted and register it with the crop's landmarks.

        offsets (V, 3) m: hair, neck and free offsets; the fit is in the crop's px.
        """
        height, width = crop.rgb.shape[:2]
        camera = fit_camera(fit, width, height)
        vertices = posed_vertices(head, fit.params, offsets)
        points = landmark_points(vertices, head.faces, head.landmarks)
        projected = project(camera, points)[:, :2]
        observed = np.asarray(crop.landmarks, np.float64)[head.landmarks.indices, :2]
        shift = registration_warp(head, projected, observed)
        return cls(crop.rgb, crop.matte, crop.valid, camera, vertices, shift)
