# SPDX-License-Identifier: Apache-2.0
"""The tables of ROME's data folder: faces, texture coordinates, hair and neck, offset basis.

Does not know networks or head models.

Source: rome-spec section 3. Most of them can be computed from FLAME's own files; the offset basis
and its mean cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rome_backend.assets import licences
from rome_backend.assets.content import PICKLE, TORCH, Content
from rome_backend.assets.flame_kinds import UVS, VERTICES
from rome_backend.assets.kind import Converted, Kind, invalid, shaped, within
from rome_backend.assets.pickle_values import Tensor

OFFSET_BASIS, MEAN_OFFSETS = "rome-offset-basis", "rome-mean-offsets"
BASIS_SIZE = 60
CLOSED_FACES = 10006
_LARGEST = 1.0  # metres; no hair is longer in these tables


@dataclass(frozen=True)
class _Table:
    """A tensor or list: asset name, file name, shape, kind of number, count that indices name."""

    name: str
    file: str
    shape: tuple[int, ...]
    kind: str
    count: int = 0


_TENSORS = (
    _Table("rome-faces", "faces_v2.pth", (1, CLOSED_FACES, 3), "i", VERTICES),
    _Table("rome-uv-faces", "uvfaces_v2.pth", (1, CLOSED_FACES, 3), "i", UVS),
    _Table("rome-vertex-uv", "vertex_uvcoords.pth", (1, VERTICES, 2), "f"),
    _Table("rome-hair-faces", "hair_faces.pth", (1, 749, 3), "i", 405),
    _Table("rome-neck-faces", "neck_faces.pth", (1, 770, 3), "i", 422),
    _Table(MEAN_OFFSETS, "mean_deform.pt", (VERTICES, 3), "f"),
    _Table(OFFSET_BASIS, "u_full.pt", (3 * VERTICES, BASIS_SIZE), "f"),
)
_LISTS = (
    _Table("rome-hair", "hair_list.pkl", (346,), "i", VERTICES),
    _Table("rome-neck", "neck_list.pkl", (378,), "i", VERTICES),
    _Table("rome-hair-edge", "hair_edge_list.pkl", (405,), "i", VERTICES),
    _Table("rome-neck-edge", "neck_edge_list.pkl", (422,), "i", VERTICES),
)


def _alike(content: Content, table: _Table) -> bool:
    """Whether a lone tensor is of this table's kind and rough shape."""
    value = content.value
    if content.form != TORCH or not isinstance(value, Tensor):
        return False
    whole = not (value.storage.dtype == "bfloat16" or "f" in value.storage.dtype)
    if whole != (table.kind == "i") or len(value.size) != len(table.shape):
        return False
    if value.size[-1] != table.shape[-1]:
        return False
    if table.kind == "f":
        return True
    if value.size[1] != table.shape[1]:
        return False
    if value.size[1] != CLOSED_FACES:
        return True
    large = bool(value.array().max(initial=0) >= VERTICES)
    return large == (table.count == UVS)


def _is_list(content: Content, table: _Table) -> bool:
    value = content.value
    return content.form == PICKLE and isinstance(value, list) and len(value) == table.shape[0]


def _convert(table: _Table) -> Callable[[Content], Converted]:
    def convert(content: Content) -> Converted:
        found = shaped(content, table.file, content.value, table.shape, table.kind)
        if table.kind == "i":
            within(content, table.file, found, table.count)
            if table in _LISTS and len(np.unique(found)) != len(found):
                raise invalid(content, f"{table.file} names a vertex twice")
        elif np.abs(found).max() > _LARGEST:
            raise invalid(content, f"{table.file} has numbers larger than {_LARGEST:g}")
        return Converted({"table": found.reshape(table.shape[1:]) if _leads(table) else found})

    return convert


def _leads(table: _Table) -> bool:
    """Whether the released table has a leading axis of 1, which is dropped."""
    return len(table.shape) == 3


def _kind(table: _Table, recognise: Callable[[Content, _Table], bool]) -> Kind:
    source = f"{table.file} of ROME (Khakhulin et al., ECCV 2022), Samsung AI Center"
    return Kind(
        table.name,
        f"ROME's {table.file}",
        licences.ROME,
        source,
        lambda content: recognise(content, table),
        _convert(table),
    )


TABLE_KINDS = tuple(_kind(table, _alike) for table in _TENSORS) + tuple(
    _kind(table, _is_list) for table in _LISTS
)
