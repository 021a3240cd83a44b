# SPDX-License-Identifier: Apache-2.0
"""Writes a synthetic file of every importable kind, and the same with something wrong in it.

The only file of ours that may pickle: it writes what users have, and never reads a pickle.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch

from rome_backend.assets import network_kinds
from rome_backend.assets import network_shapes as shapes
from rome_backend.assets import network_shapes_inception as inception
from rome_backend.assets import network_shapes_more as more
from rome_backend.assets.kind import Tensors

VERTICES, FACES = 5023, 9976


class Planted:
    """Pickles as a call of os.system that would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.path}",)


@contextmanager
def chumpy() -> Iterator[type]:
    """A stand-in for chumpy.ch.Ch that exists while a file is written."""

    class Ch:
        def __init__(self, x: Any) -> None:
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    modules = {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": types.ModuleType("chumpy.ch")}
    modules["chumpy.ch"].Ch = Ch  # type: ignore[attr-defined]
    sys.modules.update(modules)
    try:
        yield Ch
    finally:
        for name in modules:
            del sys.modules[name]


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes text and bytes as Python 2's ``str``."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_str(self, value: Any) -> None:
        data = value.encode("latin-1") if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(data)) + data)

    dispatch[str] = dispatch[bytes] = save_str


def python2(value: Any) -> bytes:
    """Pickle as Python 2 with protocol 2 did."""
    stream = io.BytesIO()
    _Python2Pickler(stream, 2).dump(value)
    return stream.getvalue().replace(b"numpy._core.", b"numpy.core.")


def flame_arrays(seed: int = 0) -> dict[str, Any]:
    """A head-like FLAME: random numbers of the right shapes, no data of FLAME's."""
    random = np.random.default_rng(seed)
    shapedirs = np.zeros((VERTICES, 3, 400), np.float32)
    shapedirs[:, :, [0, 299, 300, 399]] = random.normal(size=(VERTICES, 3, 4)) * 1e-3
    regressor = np.zeros((5, VERTICES))
    regressor[np.arange(5), np.arange(5) * 1000] = 1
    weights = np.zeros((VERTICES, 5))
    weights[:, 0] = 1
    faces = np.stack([np.arange(FACES) % VERTICES + n for n in range(3)], -1) % VERTICES
    return {
        "v_template": random.normal(size=(VERTICES, 3)) * 0.1,
        "f": faces.astype(np.uint32),
        "shapedirs": shapedirs,
        "posedirs": np.zeros((VERTICES, 3, 36), np.float32),
        "weights": weights,
        "J_regressor": scipy.sparse.csc_matrix(regressor),
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
        "bs_style": "lbs",
    }


def flame_pickle(arrays: dict[str, Any] | None = None, old: bool = True) -> bytes:
    """The model's pickle: old with chumpy objects as from Python 2, else plain arrays."""
    arrays = dict(arrays or flame_arrays())
    if not old:
        return pickle.dumps(arrays)
    with chumpy() as ch:
        for name in ("v_template", "shapedirs", "weights"):
            if isinstance(arrays[name], np.ndarray):
                arrays[name] = ch(arrays[name])
        return python2(arrays)


def masks() -> dict[str, Any]:
    names = ("face", "neck", "scalp", "lips", "left_eyeball", "right_eyeball", "nose")
    return {name: np.arange(20) + 20 * n for n, name in enumerate(names)}


def landmarks_68() -> dict[str, Any]:
    third = 1 / 3
    return {
        "static_lmk_faces_idx": np.arange(51),
        "static_lmk_bary_coords": np.full((51, 3), third),
        "dynamic_lmk_faces_idx": torch.arange(79 * 17).reshape(79, 17),
        "dynamic_lmk_bary_coords": torch.full((79, 17, 3), third),
        "full_lmk_faces_idx": np.arange(68)[None],
    }


def landmarks_68_npy(value: dict[str, Any] | None = None) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array(value or landmarks_68(), dtype=object), allow_pickle=True)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def mediapipe_embedding() -> dict[str, Any]:
    return {
        "lmk_face_idx": np.arange(105), "lmk_b_coords": np.full((105, 3), 1 / 3),
        "landmark_indices": np.arange(105) * 4,
    }  # fmt: skip


def layout(uvs: int = 5118) -> bytes:
    """An OBJ of the size of head_template.obj, every texture vertex in use."""
    random = np.random.default_rng(0)
    lines = ["mtllib template.mtl"]
    lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in random.random((VERTICES, 3))]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in random.random((uvs, 2))]
    for face in range(FACES):
        corners = [f"{(face + n) % VERTICES + 1}/{(face + n) % uvs + 1}" for n in range(3)]
        lines.append("f " + " ".join(corners))
    return ("\n".join(lines) + "\n").encode()


def gnm() -> dict[str, Any]:
    count, joints = 30, 4
    return {
        "template_vertex_positions": np.zeros((count, 3), np.float32),
        "triangles": np.zeros((9, 3), np.int32), "triangle_uvs": np.zeros((9, 3, 2), np.float32),
        "vertex_identity_basis": np.zeros((5, count, 3), np.float32),
        "expression_basis": np.zeros((6, count, 3), np.float32),
        "template_joint_positions": np.zeros((joints, 3), np.float32),
        "joint_identity_basis": np.zeros((5, joints, 3), np.float32),
        "skinning_weights": np.zeros((count, joints), np.float32),
        "joint_parent_indices": np.zeros(joints, np.int32),
        "vertex_group_names": np.array(["eyes", "nose"]),
    }  # fmt: skip


def task(second: str = "face_landmarks_detector.tflite") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("face_detector.tflite", second):
            archive.writestr(name, b"\x1c\0\0\0TFL3" + bytes(20))
    return stream.getvalue()


def torch_file(value: Any, old: bool = False) -> bytes:
    """What torch.save writes, today's zip or the older plain file."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not old)
    return stream.getvalue()


def as_if_on_cuda(data: bytes) -> bytes:
    """A zip of torch.save as if its tensors had been on the first GPU."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for info in old.infolist():
            member = old.read(info)
            if info.filename.endswith("/data.pkl"):
                cpu, cuda = b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"
                assert cpu in member
                member = member.replace(cpu, cuda)
            new.writestr(info.filename, member)
    return stream.getvalue()


def network(table: shapes.Shapes, prefix: str = "") -> dict[str, torch.Tensor]:
    """A state of zeros, its batch norms with their counters."""
    state = {prefix + name: torch.zeros(shape) for name, shape in table.items()}
    for name in list(state):
        if name.endswith("running_var"):
            state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(0)
    return state


def _deca() -> dict[str, Any]:
    return {"E_flame": network(shapes.face_regressor()), "E_detail": {}, "D_detail": {}}


def _index_table(count: int, largest: int) -> torch.Tensor:
    return (torch.arange(3 * count) % (largest + 1)).reshape(1, count, 3).contiguous()


# asset name -> the value that torch.save is given
TORCH_VALUES: dict[str, Callable[[], Any]] = {
    "rome": lambda: network(network_kinds.rome_shapes()) | {"deca.uv_grid": torch.zeros(2)},
    "deca": _deca,
    "rome-linear-offsets": lambda: network(shapes.resnet50(60)),
    "rome-camera": lambda: network(shapes.mobilenet_v2(59)),
    "vgg19": lambda: network(shapes.vgg19()) | {"classifier.0.weight": torch.zeros(3)},
    "alexnet": lambda: network(shapes.alexnet()),
    "vggface2-resnet50": lambda: network(more.vggface2_resnet50()),
    "gaze-vgg16": lambda: network(shapes.gaze_vgg16()) | {"fc.0.weight": torch.zeros(3)},
    "lpips-alexnet": lambda: network(shapes.lpips((64, 192, 384, 256, 256))),
    "lpips-vgg16": lambda: network(shapes.lpips((64, 128, 256, 512, 512))),
    "inception-fid": lambda: network(inception.inception()),
    "modnet": lambda: network(more.modnet(), "module."),
    "bisenet": lambda: network(more.bisenet()),
    "hyperiqa": lambda: network(more.hyperiqa()),
    "rome-faces": lambda: _index_table(10006, 5022),
    "rome-uv-faces": lambda: _index_table(10006, 5117),
    "rome-vertex-uv": lambda: torch.zeros(1, VERTICES, 2),
    "rome-hair-faces": lambda: _index_table(749, 404),
    "rome-neck-faces": lambda: _index_table(770, 421),
    "rome-mean-offsets": lambda: torch.zeros(VERTICES, 3),
    "rome-offset-basis": lambda: torch.zeros(3 * VERTICES, 60),
}  # fmt: skip

# asset name -> the bytes of a file that is no torch file
OTHER_FILES: dict[str, Callable[[], bytes]] = {
    "flame-model": flame_pickle,
    "flame-masks": lambda: python2(masks()),
    "flame-landmarks-68": landmarks_68_npy,
    "flame-landmarks-mediapipe": lambda: npz(**mediapipe_embedding()),
    "flame-uv": layout,
    "rome-hair": lambda: pickle.dumps(list(range(346))),
    "rome-neck": lambda: pickle.dumps(list(np.arange(378))),
    "rome-hair-edge": lambda: pickle.dumps(list(range(405))),
    "rome-neck-edge": lambda: pickle.dumps(list(range(422))),
    "gnm-head": lambda: npz(**gnm()),
    "face-landmarker": task,
}


def plain_pickle(value: Any, protocol: int = 4) -> bytes:
    """Pickle with Python's own pickler."""
    return pickle.dumps(value, protocol)


def first_float(tensors: Tensors | dict[str, Any]) -> str:
    """Return the name of a state's first tensor of several numbers."""
    return next(name for name, value in tensors.items() if getattr(value, "ndim", 0) > 1)
