# SPDX-License-Identifier: Apache-2.0
"""What a model file's pickle may hold: arrays, tensors, sparse matrices, chumpy's shells.

Does not know pickle's opcodes (pickle_reader does), and runs no code that a file names.

Everything here is a passive record. ``as_array`` turns the ones that are numbers into arrays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAX_ELEMENTS = 1 << 29
_DTYPE = re.compile(r"([biufSU]\d+|O\d*|\?)")
_CHUMPY_DEPTH = 8


class BadValue(ValueError):
    """A value of a pickle is not what its name says; the text is the end of a sentence."""


@dataclass(frozen=True)
class Known:
    """A class or function of the allow-list, by name only; it is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


@dataclass
class Shell:
    """An instance of a class that is only a holder of state: chumpy's, scipy's."""

    of: Known
    state: Any = None

    def build(self, state: Any) -> None:
        """Keep the state that the file gives the instance."""
        self.state = state


@dataclass
class Dtype:
    """A numpy dtype in the making: its code, then its byte order."""

    code: str
    order: str = "<"

    def build(self, state: Any) -> None:
        """Take the byte order out of numpy's state tuple."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise BadValue("has a broken dtype")
        if len(state) > 4 and (state[2] is not None or state[3] is not None):
            raise BadValue("has a dtype of several fields")
        self.order = "<" if state[1] == "=" else state[1]

    def numpy(self) -> np.dtype[Any]:
        """Return the dtype; BadValue when it is none of plain numbers, text or objects."""
        if not _DTYPE.fullmatch(self.code):
            raise BadValue("has an array of an odd dtype")
        return np.dtype("O") if self.code.startswith("O") else np.dtype(self.order + self.code)


@dataclass
class Pending:
    """A numpy array in the making: shape, dtype and bytes come with ``build``."""

    value: Array | None = None
    objects: list[Any] | None = None

    def build(self, state: Any) -> None:
        """Take numpy's state (version, shape, dtype, Fortran order, bytes or objects)."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise BadValue("has a broken array")
        shape, dtype, fortran, data = state[-4:]
        if not isinstance(dtype, Dtype):
            raise BadValue("has an array without a dtype")
        if isinstance(data, list):
            self.objects = data
            return
        self.value = array_of(data, dtype, shape, "F" if fortran else "C")


def array_of(data: Any, dtype: Dtype, shape: Any, order: str = "C") -> Array:
    """Return an array of raw bytes (or latin-1 text); BadValue unless the size is right."""
    raw = as_bytes(data)
    kind = dtype.numpy()
    sizes = shape_of(shape)
    if kind.hasobject or math.prod(sizes) * kind.itemsize != len(raw):
        raise BadValue("has an array whose bytes do not fit its shape")
    flat = np.frombuffer(raw, kind)
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def as_bytes(data: Any) -> bytes:
    """Return bytes; Python 2 wrote them as text, one character for each."""
    if isinstance(data, str):
        try:
            return data.encode("latin-1")
        except UnicodeEncodeError as error:
            raise BadValue("has text where bytes should be") from error
    if isinstance(data, bytes | bytearray):
        return bytes(data)
    raise BadValue("has something else where bytes should be")


def shape_of(shape: Any) -> tuple[int, ...]:
    """Return a shape of plain non-negative integers, not too many elements; else BadValue."""
    sizes = shape if isinstance(shape, tuple | list) else None
    if sizes is None or len(sizes) > 8 or not all(type(n) is int and n >= 0 for n in sizes):
        raise BadValue("has an array with a broken shape")
    if math.prod(sizes) > MAX_ELEMENTS:
        raise BadValue("has an array that is larger than any model's")
    return tuple(sizes)


@dataclass
class Storage:
    """Raw numbers that torch tensors are views of; the bytes may come after the pickle."""

    dtype: str
    count: int
    location: str
    data: bytes | memoryview | None = None

    def numbers(self) -> Array:
        """Return the numbers (count,), bfloat16 widened to float32; BadValue if cut short."""
        kind = np.dtype("<u2" if self.dtype == "bfloat16" else self.dtype)
        if self.data is None or len(self.data) != self.count * kind.itemsize:
            raise BadValue("has a tensor whose numbers are missing or cut short")
        flat = np.frombuffer(self.data, kind)
        if self.dtype == "bfloat16":
            return (flat.astype(np.uint32) << 16).view(np.float32)
        return flat


@dataclass
class Tensor:
    """A torch tensor: a strided view of a storage."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> Array:
        """Return its numbers as a new array; BadValue when it leaves its storage."""
        flat = self.storage.numbers()
        count = math.prod(self.size)
        if count == 0:
            return np.zeros(self.size, flat.dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.size, self.stride, strict=True))
        if last >= len(flat) or count > len(flat):
            raise BadValue("has a tensor that leaves its storage")
        steps = [step * flat.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, steps)
        return np.array(view, order="C")


def rebuilt_tensor(arguments: tuple[Any, ...]) -> Tensor:
    """Return the tensor of ``torch._utils._rebuild_tensor_v2``'s arguments."""
    storage, offset, size, stride = arguments[:4]
    sizes, steps = shape_of(size), shape_of(stride)
    whole = type(offset) is int and 0 <= offset <= MAX_ELEMENTS
    if not isinstance(storage, Storage) or not whole or len(sizes) != len(steps):
        raise BadValue("has a broken tensor")
    return Tensor(storage, offset, sizes, steps)


def as_array(value: Any) -> Array:
    """Return the numbers of an array, tensor, sparse matrix, chumpy shell or list of numbers.

    Raises BadValue for anything else.
    """
    for _ in range(_CHUMPY_DEPTH):
        if not (isinstance(value, Shell) and value.of.module.startswith("chumpy")):
            break
        value = _chumpy_value(value)
    if isinstance(value, Pending) and value.value is not None:
        return value.value
    if isinstance(value, Tensor):
        return value.array()
    if isinstance(value, Shell) and "sparse" in value.of.module:
        return _dense(value)
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        items = [int(n) if isinstance(n, np.integer) else n for n in value]
        if items and all(type(n) is int or type(n) is float for n in items):
            return np.asarray(items)
    raise BadValue("is not an array of numbers")


def _chumpy_value(shell: Shell) -> Any:
    """Return what a chumpy object is made of: ``x`` of a Ch; a Select's part of ``a``."""
    state = shell.state if isinstance(shell.state, Mapping) else {}
    if "x" in state:
        return state["x"]
    if shell.of.name == "Select" and "a" in state and "idxs" in state:
        numbers = as_array(state["a"]).ravel()
        chosen = as_array(state["idxs"]).ravel().astype(np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= numbers.size):
            raise BadValue("has a selection of numbers that do not exist")
        shape = state.get("preferred_shape")
        return numbers[chosen].reshape(shape_of(shape)) if shape else numbers[chosen]
    raise BadValue("has a chumpy object without a value")


def _dense(shell: Shell) -> Array:
    """Return a compressed sparse matrix (csc or csr) as a full one."""
    state = shell.state if isinstance(shell.state, Mapping) else {}
    try:
        data, indices = as_array(state["data"]), as_array(state["indices"]).astype(np.int64)
        starts = as_array(state["indptr"]).astype(np.int64)
        rows, columns = shape_of(state.get("_shape", state.get("shape")))
    except (KeyError, ValueError) as error:
        raise BadValue("has a broken sparse matrix") from error
    by_column = shell.of.name.startswith("csc")
    major, minor = (columns, rows) if by_column else (rows, columns)
    lengths = np.diff(starts)
    sound = len(starts) == major + 1 and starts[0] == 0 and (lengths >= 0).all()
    if not sound or starts[-1] != len(data) or len(indices) != len(data):
        raise BadValue("has a broken sparse matrix")
    if len(indices) and (indices.min() < 0 or indices.max() >= minor):
        raise BadValue("has a broken sparse matrix")
    full = np.zeros((major, minor), data.dtype)
    np.add.at(full, (np.repeat(np.arange(major), lengths), indices), data)
    return full.T.copy() if by_column else full


@dataclass
class Registry:
    """How the allowed names are built: dotted name -> function of the arguments."""

    makers: dict[str, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)
    shells: tuple[str, ...] = ()

    def knows(self, name: Known) -> bool:
        """Whether the name may occur in a file."""
        return str(name) in self.makers or self.is_shell(name)

    def is_shell(self, name: Known) -> bool:
        """Whether instances of the class are kept as empty shells with state."""
        return any(str(name).startswith(start) for start in self.shells)
