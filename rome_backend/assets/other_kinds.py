# SPDX-License-Identifier: Apache-2.0
"""Other files that can be imported: Google's GNM head model and MediaPipe's face landmarker.

Does not know how they are used; the wheel of MediaPipe is assets.mediapipe's.

Source of the array names: GNM's published head model, version 3.
"""

from __future__ import annotations

import numpy as np

from rome_backend.assets.content import ARRAYS, TASK, Content
from rome_backend.assets.kind import Converted, Kind, Tensors, invalid, numbers

GNM, LANDMARKER = "gnm-head", "face-landmarker"
# V vertices, F faces, I identity, E expression, J joints; the order of axes is the file's.
_GNM_ARRAYS: dict[str, tuple[str | int, ...]] = {
    "template_vertex_positions": ("V", 3),
    "triangles": ("F", 3),
    "triangle_uvs": ("F", 3, 2),
    "vertex_identity_basis": ("I", "V", 3),
    "expression_basis": ("E", "V", 3),
    "template_joint_positions": ("J", 3),
    "joint_identity_basis": ("I", "J", 3),
    "skinning_weights": ("V", "J"),
    "joint_parent_indices": ("J",),
}
_GNM_SIGNS = ("template_vertex_positions", "vertex_identity_basis")
_TASK_MEMBERS = ("face_detector.tflite", "face_landmarks_detector.tflite")
_TFLITE = b"TFL3"


def _is_gnm(content: Content) -> bool:
    return content.form == ARRAYS and any(name in content.table() for name in _GNM_SIGNS)


def _gnm(content: Content) -> Converted:
    table, sizes = content.table(), dict[str, int]()
    tensors: Tensors = {}
    for name, shape in _GNM_ARRAYS.items():
        if name not in table:
            raise invalid(content, f"{name} is missing")
        array = numbers(content, name, table[name])
        wanted = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
        fits = array.ndim == len(shape) and all(
            isinstance(want, str) or want == got
            for want, got in zip(wanted, array.shape, strict=True)
        )
        if not fits:
            raise invalid(content, f"{name} has the shape {array.shape} instead of {wanted}")
        sizes |= {
            size: got for size, got in zip(shape, array.shape, strict=True) if isinstance(size, str)
        }
        tensors[name] = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
    triangles = tensors["triangles"]
    if triangles.min() < 0 or triangles.max() >= sizes["V"]:
        raise invalid(content, "triangles name vertices that do not exist")
    return Converted(tensors, tuple(str(name) for name in table if name not in _GNM_ARRAYS))


def _is_landmarker(content: Content) -> bool:
    return content.form == TASK


def _landmarker(content: Content) -> Converted:
    for name in _TASK_MEMBERS:
        if name not in content.table():
            raise invalid(content, f"{name} is missing")
    tensors: Tensors = {}
    for name, data in content.table().items():
        if data[4:8] != _TFLITE:
            raise invalid(content, f"{name} is no TensorFlow Lite network")
        tensors[name] = np.frombuffer(data, np.uint8)
    return Converted(tensors)


OTHER_KINDS = (
    Kind(GNM, "Google's GNM head model", "Apache-2.0",
         "gnm_head.npz of GNM Head, Google", _is_gnm, _gnm),
    Kind(LANDMARKER, "MediaPipe's face landmarker", "Apache-2.0",
         "face_landmarker.task of MediaPipe, Google", _is_landmarker, _landmarker),
)  # fmt: skip
