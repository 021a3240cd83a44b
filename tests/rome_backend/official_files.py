# SPDX-License-Identifier: Apache-2.0
"""Writes files in the official formats for tests: FLAME from its open data, networks at random.

FLAME's expression components and the texture layout are stand-ins of ours, not the official ones.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse
import torch

from rome_backend.assets.disc_atlas import head_layout
from rome_backend.assets.flame_head import closed_faces, eyeball_masks
from rome_backend.models.key_map import INFERENCE, NETWORKS, to_official

UVS = 5118


def flame_arrays(flame: Path) -> dict[str, Any]:
    """FLAME 2023 Open's reduced arrays under the official names, with stand-in expressions."""
    reduced = np.load(flame / "flame2023_open_reduced.npz")
    shapedirs = np.zeros((5023, 3, 400), np.float32)
    shapedirs[:, :, :60] = reduced["shapedirs"]
    deltas = np.load(flame / "flame_topology_expressions_from_ict.npz")["exprdirs"]
    shapedirs[:, :, 300:350] = deltas[:, :, :50].astype(np.float32) / 2
    return {
        "v_template": reduced["v_template"].astype(np.float64),
        "f": reduced["faces"].astype(np.uint32),
        "shapedirs": shapedirs,
        "posedirs": reduced["posedirs"],
        "weights": reduced["weights"].astype(np.float64),
        "J_regressor": scipy.sparse.csc_matrix(reduced["J_regressor"].astype(np.float64)),
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
    }


def mediapipe_embedding(flame: Path) -> dict[str, Any]:
    """The published embedding of 105 landmarks."""
    reduced = np.load(flame / "flame2023_open_reduced.npz")
    return {
        "lmk_face_idx": reduced["mp_lmk_face_idx"],
        "lmk_b_coords": reduced["mp_lmk_b_coords"],
        "landmark_indices": reduced["mp_landmark_indices"],
    }


def landmarks_68(flame: Path) -> dict[str, Any]:
    """An embedding as DECA ships it; the contour is the same in every row."""
    reduced = np.load(flame / "flame2023_open_reduced.npz")
    faces, weights = reduced["lmk68_face_idx"], reduced["lmk68_b_coords"]
    return {
        "static_lmk_faces_idx": faces[17:],
        "static_lmk_bary_coords": weights[17:],
        "dynamic_lmk_faces_idx": np.tile(faces[:17], (79, 1)),
        "dynamic_lmk_bary_coords": np.tile(weights[:17], (79, 1, 1)),
    }


def layout(flame: Path) -> bytes:
    """An OBJ with as many texture vertices as head_template.obj, laid out by disc_atlas."""
    reduced = np.load(flame / "flame2023_open_reduced.npz")
    template, faces = reduced["v_template"], closed_faces(reduced["faces"])
    uvs, corners = head_layout(
        template, faces, eyeball_masks(template, faces), np.ones(len(template))
    )
    used = np.unique(corners[: len(reduced["faces"])])
    place = np.zeros(len(uvs), int)
    place[used] = np.arange(len(used))
    table = np.zeros((UVS, 2))
    table[: len(used)] = uvs[used]
    lines = [f"v {x} {y} {z}" for x, y, z in template]
    lines += [f"vt {u} {v}" for u, v in table]
    for face, row in zip(reduced["faces"], corners, strict=False):
        pairs = zip(face, row, strict=True)
        lines.append("f " + " ".join(f"{a + 1}/{place[b] + 1}" for a, b in pairs))
    return "\n".join(lines).encode()


def rome_checkpoint(seed: int = 0) -> dict[str, torch.Tensor]:
    """rome.pth of the official architecture with random weights."""
    torch.manual_seed(seed)
    found = {}
    for name in INFERENCE:
        state = to_official(name, NETWORKS[name].make().state_dict())
        found |= {NETWORKS[name].prefix + key: tensor for key, tensor in state.items()}
    return found


def deca_checkpoint(code: dict[int, float]) -> dict[str, Any]:
    """deca_model.tar whose E_flame says the same code of every picture: place -> number."""
    state = NETWORKS["E_flame"].make().state_dict()
    state["layers.2.weight"].zero_()
    state["layers.2.bias"].zero_()
    for place, number in code.items():
        state["layers.2.bias"][place] = number
    return {"E_flame": to_official("E_flame", state), "E_detail": {}, "D_detail": {}}


def linear_checkpoint() -> dict[str, torch.Tensor]:
    """linear_hair.pth with random weights."""
    torch.manual_seed(1)
    return to_official("linear_resnet50", NETWORKS["linear_resnet50"].make().state_dict())


def mean_offsets(flame: Path) -> torch.Tensor:
    """mean_deform.pt: 5 mm outwards on the crown, nothing elsewhere."""
    template = np.load(flame / "flame2023_open_reduced.npz")["v_template"]
    table = torch.zeros(5023, 3)
    table[torch.from_numpy(template[:, 1] > 0.06), 1] = 0.005
    return table


def offset_basis(flame: Path) -> torch.Tensor:
    """u_full.pt: 60 orthonormal columns on the crown."""
    crown = (mean_offsets(flame)[:, 1] > 0).repeat_interleave(3)
    noise = torch.randn(3 * 5023, 60, generator=torch.Generator().manual_seed(2))
    return torch.linalg.qr(noise * crown[:, None])[0].contiguous()


def write_all(folder: Path, flame: Path, pickles: ModuleType) -> None:
    """Write every file that the official networks, the linear model and DECA need."""
    (folder / "model.pkl").write_bytes(pickles.flame_pickle(flame_arrays(flame)))
    (folder / "embedding.npz").write_bytes(pickles.npz(**mediapipe_embedding(flame)))
    (folder / "template.obj").write_bytes(layout(flame))
    camera = {206: 9.0, 208: 0.02}
    torch.save(rome_checkpoint(), folder / "rome.pth")
    torch.save(deca_checkpoint(camera), folder / "deca_model.tar")
    torch.save(linear_checkpoint(), folder / "linear_hair.pth")
    torch.save(mean_offsets(flame), folder / "mean_deform.pt")
    torch.save(offset_basis(flame), folder / "u_full.pt")
