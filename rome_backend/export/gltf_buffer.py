# SPDX-License-Identifier: Apache-2.0
"""Packs arrays into a glTF document's one binary buffer: views, accessors, sparse targets.

Does not know heads or files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pygltflib import (
    ARRAY_BUFFER,
    ELEMENT_ARRAY_BUFFER,
    FLOAT,
    UNSIGNED_BYTE,
    UNSIGNED_INT,
    UNSIGNED_SHORT,
    Accessor,
    AccessorSparseIndices,
    AccessorSparseValues,
    BufferView,
    Sparse,
)

from rome_backend.core.types import F32

_COMPONENTS = {
    np.dtype(np.float32): FLOAT,
    np.dtype(np.uint8): UNSIGNED_BYTE,
    np.dtype(np.uint16): UNSIGNED_SHORT,
    np.dtype(np.uint32): UNSIGNED_INT,
}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_ALIGNMENT = 4


class GltfBuffer:
    """A growing buffer; each ``add`` returns the index glTF refers to the data by."""

    def __init__(self) -> None:
        self.views: list[BufferView] = []
        self.accessors: list[Accessor] = []
        self._bytes = bytearray()

    def blob(self) -> bytes:
        """Return the buffer's bytes so far."""
        return bytes(self._bytes)

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """Append raw bytes, aligned to four, and return the buffer view's index."""
        self._bytes.extend(b"\0" * (-len(self._bytes) % _ALIGNMENT))
        start = len(self._bytes)
        self._bytes.extend(data)
        self.views.append(
            BufferView(buffer=0, byteOffset=start, byteLength=len(data), target=target)
        )
        return len(self.views) - 1

    def add_attribute(self, values: NDArray[Any], bounds: bool = False) -> int:
        """Append per-vertex data (N, 2..4) and return the accessor's index.

        Rows of u8 must be four wide: glTF wants attributes aligned to four bytes. ``bounds``
        adds the smallest and largest values, which glTF demands of positions.
        """
        return self._add_accessor(values, self.add_bytes(values.tobytes(), ARRAY_BUFFER), bounds)

    def add_indices(self, corners: NDArray[np.integer[Any]]) -> int:
        """Append a primitive's vertex indices (N,) and return the accessor's index."""
        small = corners.max(initial=0) < np.iinfo(np.uint16).max
        values = corners.astype(np.uint16 if small else np.uint32)
        return self._add_accessor(values, self.add_bytes(values.tobytes(), ELEMENT_ARRAY_BUFFER))

    def add_matrices(self, matrices: NDArray[np.float32]) -> int:
        """Append matrices (N, 4, 4), acting on columns, and return the accessor's index."""
        values = np.ascontiguousarray(matrices.transpose(0, 2, 1)).reshape(-1, 16)
        return self._add_accessor(values, self.add_bytes(values.tobytes()))

    def add_displacements(self, values: F32, smallest: float) -> int:
        """Append a morph target's displacements (N, 3) and return the accessor's index.

        Rows whose components are all below ``smallest`` count as zero; the others are stored
        sparsely where that is shorter.
        """
        moved = np.flatnonzero(np.abs(values).max(axis=1) >= smallest)
        kept = np.zeros_like(values)
        kept[moved] = values[moved]
        if len(moved) * 16 >= values.nbytes:
            return self.add_attribute(kept, bounds=True)
        index = self._add_accessor(kept, None, bounds=True)
        if len(moved):
            self.accessors[index].sparse = self._sparse(moved, kept[moved])
        return index

    def _sparse(self, rows: NDArray[np.intp], values: F32) -> Sparse:
        places = self.add_bytes(rows.astype(np.uint32).tobytes())
        data = self.add_bytes(values.tobytes())
        return Sparse(
            count=len(rows),
            indices=AccessorSparseIndices(
                bufferView=places, byteOffset=0, componentType=UNSIGNED_INT
            ),
            values=AccessorSparseValues(bufferView=data, byteOffset=0),
        )

    def _add_accessor(self, values: NDArray[Any], view: int | None, bounds: bool = False) -> int:
        width = 1 if values.ndim == 1 else values.shape[1]
        self.accessors.append(
            Accessor(
                bufferView=view,
                byteOffset=None if view is None else 0,
                componentType=_COMPONENTS[values.dtype],
                count=len(values),
                type=_TYPES[width],
                min=values.min(axis=0).tolist() if bounds else None,
                max=values.max(axis=0).tolist() if bounds else None,
            )
        )
        return len(self.accessors) - 1
