# SPDX-License-Identifier: Apache-2.0
"""An avatar's file as text for a .blend: compressed, base64, known by a hash of the file.

Does not know what an avatar's file holds, nor where the text lies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from .errors import FileInvalid

CHUNK = 1 << 20
LEVEL = 1
LIMIT = 1 << 30
Bytes = Any  # bytes, memoryview or an array of u8: whatever lends its bytes


@dataclass(frozen=True)
class Packed:
    """An avatar's file as text, and its id."""

    text: str
    key: str


def avatar_key(content: Bytes) -> str:
    """Return the id of an avatar's file: the start of its SHA-256."""
    return _key(hashlib.sha256(content))


def pack_steps(content: Bytes) -> Generator[None, None, Packed]:
    """Compress an avatar's file in steps; nothing is stored."""
    packer, print_ = zlib.compressobj(LEVEL), hashlib.sha256()
    texts: list[str] = []
    rest = b""
    view = memoryview(content).cast("B")
    for start in range(0, len(view), CHUNK):
        chunk = view[start : start + CHUNK]
        print_.update(chunk)
        rest += packer.compress(chunk)
        whole = len(rest) - len(rest) % 3  # base64 turns three bytes into four letters
        texts.append(_letters(rest[:whole]))
        rest = rest[whole:]
        yield
    texts.append(_letters(rest + packer.flush()))
    yield
    return Packed("".join(texts), _key(print_))


def _letters(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _key(print_: Any) -> str:
    return str(print_.hexdigest())[:32]


def unpacked(text: Bytes, key: str, name: str) -> bytes:
    """Return the file of a text of at most LIMIT bytes.

    text: a str, or its bytes; name: whose it is, for the error. Raises FileInvalid
    `avatar_damaged` for what is no such text, or of another file than the one that key names.
    """
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(text, validate=True), LIMIT)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise _damaged(name) from error
    if not unpacker.eof or avatar_key(content) != key:
        raise _damaged(name)
    return content


def _damaged(name: str) -> FileInvalid:
    return FileInvalid(
        "avatar_damaged",
        f"The avatar inside {name} is damaged.",
        "Create the head again from the photo, or load its .rome file.",
    )
