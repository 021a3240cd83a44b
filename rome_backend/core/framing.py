# SPDX-License-Identifier: Apache-2.0
"""Frames on a pipe: one JSON header and raw arrays, read and written with every size checked.

Does not know what the messages mean; no pickle, and nothing that arrives is ever executed.

Layout, little-endian: magic ``ROME``, u32 header length, u64 payload length, UTF-8 JSON header,
payload = the arrays one after the other. Header: ``{"type": str, "fields": {...}, "arrays":
[{"name", "dtype", "shape"}, ...]}``.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import ProtocolError

MAGIC = b"ROME"
MAX_HEADER_BYTES = 8 << 20
MAX_PAYLOAD_BYTES = 8 << 30
MAX_ARRAYS = 4096
MAX_RANK = 8
STEP = 256 << 20  # never allocate more than this beyond what has really arrived
_PREFIX = struct.Struct("<4sIQ")
_DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        "float64", "float32", "float16", "int64", "int32", "int16", "int8",
        "uint64", "uint32", "uint16", "uint8", "bool",
    )
}  # fmt: skip
_HINT = "Restart the backend; if it happens again, report it with the backend's log."

Array = NDArray[Any]


class Readable(Protocol):
    """The part of a binary stream that reading needs."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill part of the buffer; 0 at the end of the stream."""


class Writable(Protocol):
    """The part of a binary stream that writing needs."""

    def write(self, data: memoryview, /) -> int | None:
        """Write part of the data and return how many bytes it took."""

    def flush(self) -> None:
        """Hand everything on."""


@dataclass(frozen=True)
class Frame:
    """One message on its way: its type, JSON-able fields and named arrays."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def write_frame(stream: Writable, frame: Frame) -> None:
    """Write one frame and flush.

    Raises ValueError for what cannot be sent (dtype, size, fields that are not plain JSON) before
    a byte is written, and OSError when the other side is gone.
    """
    arrays = {name: _little(name, array) for name, array in frame.arrays.items()}
    entries = [
        {"name": name, "dtype": array.dtype.name, "shape": list(array.shape)}
        for name, array in arrays.items()
    ]
    content = {"type": frame.type, "fields": dict(frame.fields), "arrays": entries}
    header = json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
    size = sum(array.nbytes for array in arrays.values())
    if len(header) > MAX_HEADER_BYTES or size > MAX_PAYLOAD_BYTES or len(entries) > MAX_ARRAYS:
        raise ValueError(f"a message of type {frame.type!r} is too large to send")
    _write(stream, memoryview(_PREFIX.pack(MAGIC, len(header), size) + header))
    for array in arrays.values():
        _write(stream, _bytes(array))
    stream.flush()


def read_frame(stream: Readable) -> Frame | None:
    """Return the next frame, or None where the stream ends between two frames.

    Memory is bounded by what has arrived, plus STEP. Arrays are new and writable.
    Raises ProtocolError (`frame_invalid`, `frame_cut`) for anything that is not a frame.
    """
    prefix = bytearray(_PREFIX.size)
    got = _fill(stream, memoryview(prefix))
    if got == 0:
        return None
    if got < len(prefix):
        _cut()
    magic, header_size, payload_size = _PREFIX.unpack(prefix)
    if magic != MAGIC:
        _refuse("it does not begin with the right mark")
    if header_size > MAX_HEADER_BYTES or payload_size > MAX_PAYLOAD_BYTES:
        _refuse("it says that it is larger than anything we send")
    header = bytearray(header_size)
    _fill_all(stream, memoryview(header))
    kind, fields, entries = _parse(header)
    if sum(dtype.itemsize * math.prod(shape) for _, dtype, shape in entries) != payload_size:
        _refuse("its length and its arrays disagree")
    arrays = {name: _read_array(stream, dtype, shape) for name, dtype, shape in entries}
    return Frame(kind, fields, arrays)


def _little(name: str, value: Any) -> Array:
    array = np.asarray(value, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if array.dtype.name not in _DTYPES or array.ndim > MAX_RANK or not name:
        raise ValueError(f"array {name!r} ({array.dtype}, rank {array.ndim}) cannot be sent")
    return array


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _write(stream: Writable, data: memoryview) -> None:
    while data:
        data = data[stream.write(data) or 0 :]


def _fill(stream: Readable, buffer: memoryview) -> int:
    """Fill the buffer as far as the stream goes; return how many bytes there were."""
    got = 0
    while got < len(buffer):
        count = stream.readinto(buffer[got:])
        if not count:
            break
        got += count
    return got


def _fill_all(stream: Readable, buffer: memoryview) -> None:
    if _fill(stream, buffer) < len(buffer):
        _cut()


def _read_array(stream: Readable, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    size = dtype.itemsize * math.prod(shape)
    if size <= STEP:
        array = np.empty(shape, dtype)
        _fill_all(stream, _bytes(array))
    else:
        grown = bytearray()
        while len(grown) < size:
            start = len(grown)
            grown.extend(bytes(min(STEP, size - start)))
            view = memoryview(grown)[start:]
            _fill_all(stream, view)
            view.release()  # an exported buffer cannot grow
        array = np.frombuffer(grown, dtype).reshape(shape)
    if dtype == np.bool_ and array.size and _largest(array) > 1:
        _refuse("it has truth values other than 0 and 1")
    return array


def _largest(array: Array) -> int:
    return int(array.view(np.uint8).max())


def _parse(data: bytearray) -> tuple[str, dict[str, Any], list[Any]]:
    """Return type, fields and the checked array entries of a header."""
    try:
        header = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise _invalid("its header is not valid JSON") from error
    if not isinstance(header, dict) or set(header) != {"type", "fields", "arrays"}:
        _refuse("its header has other parts than it should")
    kind, fields, arrays = header["type"], header["fields"], header["arrays"]
    if not isinstance(kind, str) or not isinstance(fields, dict) or not isinstance(arrays, list):
        _refuse("its header has parts of the wrong kind")
    if len(arrays) > MAX_ARRAYS:
        _refuse("it has too many arrays")
    entries = [_entry(value) for value in arrays]
    if len({name for name, _, _ in entries}) != len(entries):
        _refuse("two of its arrays share a name")
    return kind, fields, entries


def _entry(value: Any) -> tuple[str, np.dtype[Any], tuple[int, ...]]:
    if not isinstance(value, dict) or set(value) != {"name", "dtype", "shape"}:
        _refuse("an array's entry makes no sense")
    name, kind, shape = value["name"], value["dtype"], value["shape"]
    if not isinstance(name, str) or not name or not isinstance(kind, str) or kind not in _DTYPES:
        _refuse("an array has no name or an unknown dtype")
    sizes = isinstance(shape, list) and len(shape) <= MAX_RANK
    if not sizes or not all(type(n) is int and 0 <= n <= MAX_PAYLOAD_BYTES for n in shape):
        _refuse("an array has an impossible shape")
    if math.prod(n or 1 for n in shape) > MAX_PAYLOAD_BYTES:
        _refuse("an array has an impossible shape")
    return name, _DTYPES[kind], tuple(shape)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _invalid(problem: str) -> ProtocolError:
    message = f"Something that is no message came through the pipe: {problem}."
    return ProtocolError("frame_invalid", message, _HINT)


def _refuse(problem: str) -> NoReturn:
    raise _invalid(problem)


def _cut() -> NoReturn:
    raise ProtocolError("frame_cut", "The other side ended in the middle of a message.", _HINT)
