# SPDX-License-Identifier: Apache-2.0
"""What arrays of messages must be: dtype, shape, finite or not, as annotations of their fields.

Does not know any message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .framing import Array


@dataclass(frozen=True)
class ArraySpec:
    """What an array of a message must be: dtype, shape (a letter is any size), finite or not."""

    dtype: str
    shape: tuple[int | str, ...]
    finite: bool = False


Bytes = Annotated[Array, ArraySpec("uint8", ("N",))]
Matrix = Annotated[Array, ArraySpec("float64", (4, 4), finite=True)]
Points = Annotated[Array, ArraySpec("float32", ("V", 3), finite=True)]
Faces = Annotated[Array, ArraySpec("int32", ("F", 3))]
CornerUvs = Annotated[Array, ArraySpec("float32", ("F", 3, 2), finite=True)]
Boxes = Annotated[Array, ArraySpec("float32", ("N", 4), finite=True)]
Picture = Annotated[Array, ArraySpec("uint8", ("H", "W", 3))]
Layer1 = Annotated[Array, ArraySpec("float32", ("H", "W"))]
Layer2 = Annotated[Array, ArraySpec("float32", ("H", "W", 2))]
Layer3 = Annotated[Array, ArraySpec("float32", ("H", "W", 3))]
Layer4 = Annotated[Array, ArraySpec("float32", ("H", "W", 4))]
