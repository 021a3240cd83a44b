# SPDX-License-Identifier: Apache-2.0
"""Reads PyTorch's files, today's zip and the older plain one, into numpy arrays.

Does not know torch, which is not imported, nor what the tensors are for.

Where a tensor was saved from (a GPU, for example) does not matter: only its numbers are read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any, BinaryIO

from rome_backend.assets.pickle_reader import PickleReader, storage_dtype
from rome_backend.assets.pickle_values import BadValue, Storage
from rome_backend.core.errors import FileInvalid

MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_BYTES = 4 << 30
_HINT = "Get the file again from its makers, and from nowhere else."
_DEPTH = 2
_DAMAGE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def is_torch_zip(names: list[str]) -> bool:
    """Whether the members of a zip are those of a PyTorch file."""
    return any(name.count("/") == 1 and name.endswith("/data.pkl") for name in names)


def read_torch_zip(archive: zipfile.ZipFile, name: str) -> Any:
    """Return the value of a PyTorch zip file; its tensors are pickle_values.Tensor.

    Raises FileInvalid (torch_damaged, pickle_damaged, pickle_forbidden).
    """
    try:
        pickled = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
        root = pickled.removesuffix("data.pkl")
        members = {info.filename: info for info in archive.infolist()}
        if sum(info.file_size for info in members.values()) > _MAX_BYTES:
            raise _damaged(name, "is larger than any model of ours")
        order = archive.read(root + "byteorder") if root + "byteorder" in members else b"little"
        if order != b"little":
            raise _damaged(name, "was written by a big-endian machine")
        storages: dict[str, Storage] = {}

        def storage(key: Any) -> Storage:
            made = _storage(key, storages)
            if made.data is None:
                made.data = archive.read(f"{root}data/{key[2]}")
            return made

        data = io.BytesIO(archive.read(pickled))
        return PickleReader(data, name, storage, _nested(name, _DEPTH)).load()
    except _DAMAGE as error:
        raise _damaged(name, "is damaged or cut short") from error


def read_torch_plain(file: BinaryIO, name: str, depth: int = _DEPTH) -> Any:
    """Return the value of an older PyTorch file, from the start of ``file``.

    Raises FileInvalid (torch_damaged, pickle_damaged, pickle_forbidden).
    """
    reader = PickleReader(file, name)
    if reader.load() != MAGIC or reader.load() != _PROTOCOL:
        raise _damaged(name, "is no PyTorch file")
    system = reader.load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise _damaged(name, "was written by a big-endian machine")
    storages: dict[str, Storage] = {}
    nested = _nested(name, depth)
    value = PickleReader(file, name, lambda key: _storage(key, storages), nested).load()
    order = reader.load()
    if not isinstance(order, list) or set(map(str, order)) != set(storages):
        raise _damaged(name, "lacks the numbers of a tensor")
    for key in order:
        stored = storages[str(key)]
        count = int.from_bytes(_exactly(file, 8, name), "little")
        if count != stored.count:
            raise _damaged(name, "has a tensor of another size than it says")
        width = 2 if stored.dtype == "bfloat16" else int(stored.dtype[2:])
        stored.data = _exactly(file, count * width, name)
    return value


def _exactly(file: BinaryIO, size: int, name: str) -> bytes:
    data = file.read(size) if size <= _MAX_BYTES else b""
    if len(data) != size:
        raise _damaged(name, "is cut short")
    return data


def _storage(key: Any, known: dict[str, Storage]) -> Storage:
    """Return the storage that a persistent id names: the same for the same key."""
    if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] != "storage":
        raise BadValue("refers to something that is no tensor")
    _, kind, label, location, count = key[:5]
    if len(key) == 6 and key[5] is not None:
        raise BadValue("has a view of a storage, which no model file needs")
    plain = isinstance(label, str) and isinstance(location, str) and type(count) is int
    if not plain or not 0 <= count <= _MAX_BYTES:
        raise BadValue("has a broken tensor")
    fresh = Storage(storage_dtype(kind), count, location)
    return known.setdefault(label, fresh)


def _nested(name: str, depth: int) -> Any:
    """Return what reads a PyTorch file kept as bytes inside a pickle, ``depth`` levels deep."""

    def read(data: bytes) -> Any:
        if depth <= 0:
            raise BadValue("has too many files within files")
        return read_torch_bytes(data, name, depth - 1)

    return read


def read_torch_bytes(data: bytes, name: str, depth: int = _DEPTH) -> Any:
    """Return the value of a PyTorch file given as bytes, of either kind."""
    if not data.startswith(b"PK"):
        return read_torch_plain(io.BytesIO(data), name, depth)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if is_torch_zip(archive.namelist()):
                return read_torch_zip(archive, name)
    except zipfile.BadZipFile as error:
        raise _damaged(name, "is damaged or cut short") from error
    raise _damaged(name, "holds a zip that is no PyTorch file")


def _damaged(name: str, what: str) -> FileInvalid:
    return FileInvalid("torch_damaged", f"{name} {what}.", _HINT)
