# SPDX-License-Identifier: Apache-2.0
"""Named arrays in one file: the safetensors container, read and written with numpy alone.

Does not know what the arrays mean; no pickle, and nothing in a file is ever executed.

Layout (safetensors format): u64 little-endian header length, JSON header, raw little-endian
arrays without gaps. Our metadata is JSON, kept as one string under ``__metadata__.json``.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from .atomic_file import replacing
from .errors import FileInvalid

MAX_HEADER_BYTES = 16 << 20
MAX_RANK = 8
_MAX_SIZE = 1 << 48
_NAMES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_DTYPES = {name: np.dtype(code) for name, code in _NAMES.items()}
_HINT = "Make the file again or fetch it from where it came from."

Tensors = dict[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True)
class _Entry:
    """One array of a header: its name, dtype, shape and byte range after the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def write_tensors(
    path: Path | str,
    tensors: Mapping[str, Any],
    metadata: Mapping[str, Any],
    allow_nonfinite: bool = False,
) -> None:
    """Write arrays and JSON-able metadata to ``path``, atomically; same input, same bytes.

    Raises ValueError for a dtype the container lacks, nan or infinity (unless allowed) or
    metadata that is not plain JSON, and what ``replacing`` raises.
    """
    names = {dtype: name for name, dtype in _DTYPES.items()}
    ordered: list[tuple[str, np.ndarray[Any, Any]]] = []
    for name, value in tensors.items():
        array = np.asarray(value, order="C")
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if little.dtype not in names or not _name_ok(name) or little.ndim > MAX_RANK:
            raise ValueError(f"array {name!r} ({array.dtype}, rank {array.ndim}) cannot be stored")
        if not allow_nonfinite and not _finite(little):
            raise ValueError(f"array {name!r} has nan or infinite values")
        ordered.append((name, little))
    ordered.sort(key=lambda item: (-item[1].dtype.itemsize, item[0]))
    text = json.dumps(dict(metadata), sort_keys=True, allow_nan=False)
    header: dict[str, Any] = {"__metadata__": {"json": text}}
    offset = 0
    for name, array in ordered:
        end = offset + array.nbytes
        shape = list(array.shape)
        header[name] = {"dtype": names[array.dtype], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    if len(encoded) > MAX_HEADER_BYTES:
        raise ValueError("the header would be too large")
    with replacing(path) as file:
        file.write(len(encoded).to_bytes(8, "little"))
        file.write(encoded)
        for _, array in ordered:
            file.write(array.tobytes())


def read_tensors(path: Path | str, allow_nonfinite: bool = False) -> tuple[Tensors, dict[str, Any]]:
    """Return (name -> array, metadata) of a file; arrays are new and writable.

    Memory is bounded by the file's size. Raises FileInvalid when the file is missing, not a
    tensor file, damaged, or (unless allowed) holds nan or infinity.
    """
    source = Path(path)
    try:
        regular = stat.S_ISREG(source.stat().st_mode)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _unreadable(source, error) from error
    if not regular:
        _refuse(source, "is not a file")
    try:
        with open(source, "rb") as file:
            return _read(source, file, allow_nonfinite)
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError | ValueError) -> FileInvalid:
    code = "file_missing" if isinstance(error, FileNotFoundError) else "file_unreadable"
    reason = getattr(error, "strerror", None) or error
    return FileInvalid(code, f"{str(source)!r} cannot be read ({reason}).", "Check the path.")


def _read(source: Path, file: BinaryIO, allow_nonfinite: bool) -> tuple[Tensors, dict[str, Any]]:
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(MAX_HEADER_BYTES, size - 8):
        _refuse(source, "is not a tensor file, or is cut short")
    header = _parse(source, file.read(length))
    metadata = _metadata(source, header.pop("__metadata__", {}))
    entries = [_entry(source, name, value) for name, value in header.items()]
    _check_ranges(source, entries, size - 8 - length)
    tensors: Tensors = {}
    for entry in entries:
        file.seek(8 + length + entry.begin)
        array = np.empty(entry.shape, entry.dtype)
        _fill(source, file, array, entry)
        if not allow_nonfinite and not _finite(array):
            _refuse(source, f"has nan or infinite values in {entry.name!r}")
        tensors[entry.name] = array
    return tensors, metadata


def _fill(source: Path, file: BinaryIO, array: np.ndarray[Any, Any], entry: _Entry) -> None:
    """Read an array's bytes into place."""
    raw = array.reshape(-1).view(np.uint8)
    data = file.read(entry.end - entry.begin)
    if len(data) != raw.size:
        _refuse(source, "is cut short")
    raw[:] = np.frombuffer(data, np.uint8)
    if array.dtype == np.bool_ and raw.size and raw.max() > 1:
        _refuse(source, f"has truth values other than 0 and 1 in {entry.name!r}")


def _parse(source: Path, data: bytes) -> dict[str, Any]:
    """Return a JSON object, refusing duplicates, NaN, depth and anything that is no object."""
    try:
        parsed = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise FileInvalid(
            "file_damaged", f"{source.name} has a header that is not valid JSON.", _HINT
        ) from error
    if not isinstance(parsed, dict):
        _refuse(source, "has a header that is not a JSON object")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _metadata(source: Path, value: Any) -> dict[str, Any]:
    """Return our decoded metadata, or foreign metadata as the strings it is."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        _refuse(source, "has metadata that are not strings")
    if set(value) != {"json"}:
        return value
    return _parse(source, value["json"].encode("utf-8", "replace"))


def _entry(source: Path, name: str, value: Any) -> _Entry:
    """Return one checked header entry."""
    if not _name_ok(name) or not isinstance(value, dict):
        _refuse(source, "has an array entry that makes no sense")
    if set(value) != {"dtype", "shape", "data_offsets"}:
        _refuse(source, f"has an array entry with other fields than it should: {name!r}")
    kind, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(kind, str) or kind not in _DTYPES:
        _refuse(source, f"has an array of an unknown dtype: {name!r}")
    if not _sizes(shape) or len(shape) > MAX_RANK or math.prod(n or 1 for n in shape) > _MAX_SIZE:
        _refuse(source, f"has an array of an impossible shape: {name!r}")
    if not _sizes(offsets) or len(offsets) != 2:
        _refuse(source, f"has an array at an impossible place: {name!r}")
    dtype = _DTYPES[kind]
    if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        _refuse(source, f"has an array whose shape and size disagree: {name!r}")
    return _Entry(name, dtype, tuple(shape), offsets[0], offsets[1])


def _sizes(value: Any) -> bool:
    """Whether value is a list of sizes that numpy can index."""
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number <= _MAX_SIZE for number in value
    )


def _check_ranges(source: Path, entries: list[_Entry], size: int) -> None:
    """Refuse arrays that overlap, leave gaps or leave the file."""
    reached = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != reached:
            _refuse(source, "has arrays that overlap or leave gaps")
        reached = entry.end
    if reached != size:
        _refuse(source, "is cut short or has bytes that belong to no array")


def _name_ok(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _finite(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _refuse(source: Path, problem: str) -> NoReturn:
    raise FileInvalid("file_damaged", f"{source.name} {problem}.", _HINT)
