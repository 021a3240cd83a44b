# SPDX-License-Identifier: Apache-2.0
"""Opens a file by what is in it, whatever its name: pickle, PyTorch, npz, npy, OBJ, zip, wheel.

Does not know what the values mean; nothing that a file names is run.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.assets.pickle_reader import PickleReader
from rome_backend.assets.pickle_values import Pending
from rome_backend.assets.torch_reader import (
    MAGIC,
    is_torch_zip,
    read_torch_bytes,
    read_torch_plain,
    read_torch_zip,
)
from rome_backend.core.errors import FileInvalid, RomeError, UsageError

PICKLE, TORCH, ARRAYS, OBJ, TASK, WHEEL = "pickle", "torch", "arrays", "obj", "task", "wheel"
_MAX_BYTES = 4 << 30
_MAX_OBJ = 64 << 20
_HINT = "Get the file again from its makers, and from nowhere else."
_DAMAGE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, SyntaxError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Content:
    """What a file holds.

    name: of the file, for messages; form: PICKLE, TORCH, ARRAYS (npz), OBJ (its text), TASK
    (members of a MediaPipe bundle: name -> bytes) or WHEEL; value: as the readers return it;
    sha256: of the whole file, hex; data: its bytes, kept for a TASK only.
    """

    name: str
    form: str
    value: Any
    sha256: str
    data: bytes = b""

    def table(self) -> Mapping[Any, Any]:
        """Return the value if it is a mapping, else an empty one."""
        return self.value if isinstance(self.value, Mapping) else {}


def is_plain_zip(path: Path) -> bool:
    """Whether a file is a zip of files, none of the zips that are one model; FileInvalid else."""
    if path.suffix == ".whl":
        return False
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _DAMAGE as error:
        raise _damaged(path.name) from error
    return not (is_torch_zip(names) or _is_npz(names) or _is_task(names))


def read_content(path: Path) -> Content:
    """Return what a file holds.

    Raises UsageError (asset_unknown) for another kind of file, and FileInvalid (pickle_damaged,
    pickle_forbidden, torch_damaged, asset_file_damaged).
    """
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise unknown(path.name)
    if path.suffix == ".whl":
        return Content(path.name, WHEEL, None, _sha256(path))
    with path.open("rb") as file:
        start = file.read(4096)
    try:
        return _by_magic(path, start)
    except RomeError:
        raise
    except _DAMAGE as error:
        raise _damaged(path.name) from error


def _by_magic(path: Path, start: bytes) -> Content:
    digest = _sha256(path)
    if start.startswith(b"PK"):
        return _zip(path, digest)
    if start.startswith(b"\x93NUMPY"):
        return Content(path.name, PICKLE, _npy(path), digest)
    if _is_obj(start):
        if path.stat().st_size > _MAX_OBJ:
            raise unknown(path.name)
        return Content(path.name, OBJ, path.read_text("utf-8", "replace"), digest)
    if _may_be_pickle(start):
        with path.open("rb") as file:
            value = PickleReader(file, path.name, nested=_nested(path.name)).load()
            if value == MAGIC and type(value) is int:
                file.seek(0)
                return Content(path.name, TORCH, read_torch_plain(file, path.name), digest)
        return Content(path.name, PICKLE, value, digest)
    raise unknown(path.name)


def _zip(path: Path, digest: str) -> Content:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if is_torch_zip(names):
            return Content(path.name, TORCH, read_torch_zip(archive, path.name), digest)
        if sum(info.file_size for info in archive.infolist()) > _MAX_BYTES:
            raise unknown(path.name)
        if _is_task(names):
            members = {name: archive.read(name) for name in names if name.endswith(".tflite")}
            return Content(path.name, TASK, members, digest, path.read_bytes())
        if not _is_npz(names):
            raise unknown(path.name)
    with np.load(path, allow_pickle=False) as arrays:
        return Content(path.name, ARRAYS, {name: arrays[name] for name in arrays.files}, digest)


def _npy(path: Path) -> Any:
    """Return the value of an .npy: an array, or the object in a pickled one without axes."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if reader is None:
            raise unknown(path.name)
        shape, _, dtype = reader(file)
        if not dtype.hasobject:
            return np.load(path, allow_pickle=False)
        value = PickleReader(file, path.name, nested=_nested(path.name)).load()
    if shape == () and isinstance(value, Pending) and value.objects and len(value.objects) == 1:
        return value.objects[0]
    raise _damaged(path.name)


def _nested(name: str) -> Any:
    return lambda data: read_torch_bytes(data, name)


def _is_npz(names: list[str]) -> bool:
    return bool(names) and all(name.endswith(".npy") for name in names)


def _is_task(names: list[str]) -> bool:
    return any(name.endswith(".tflite") for name in names) and all("/" not in n for n in names)


def _is_obj(start: bytes) -> bool:
    lines = start.replace(b"\r", b"").split(b"\n")[:40]
    return b"\0" not in start and any(line.startswith((b"v ", b"mtllib ")) for line in lines)


def _may_be_pickle(start: bytes) -> bool:
    """Whether bytes start like a pickle: a protocol from 2, or the first opcodes of 0 and 1."""
    return start[:1] == b"\x80" or start[:2] in (b"(d", b"(l", b"(i", b"cc", b"ch", b"}q", b"]q")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unknown(name: str) -> UsageError:
    """Return the error for a file that is none that can be imported."""
    return UsageError(
        "asset_unknown",
        f"{name!r} is no model file this version can import.",
        "docs/assets.md lists the files that can be imported.",
    )


def _damaged(name: str) -> FileInvalid:
    return FileInvalid("asset_file_damaged", f"{name} is damaged or cut short.", _HINT)
