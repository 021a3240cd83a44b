# SPDX-License-Identifier: Apache-2.0
"""Messages to frames and back, by the annotations of the messages alone.

Does not know any message by name except the handshake, whose unknown fields are passed over so
that two versions can tell each other apart.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, NoReturn, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from .errors import ProtocolError
from .framing import Array, Frame, Readable, Writable, read_frame, write_frame
from .message_arrays import ArraySpec
from .messages import TYPES, Hello, Json, Message, Tensors, Welcome

_HANDSHAKE = (Hello, Welcome)
_LARGEST = 1 << 63
# The annotation of every field of every message, array specs kept.
_KINDS: Mapping[str, Mapping[str, Any]] = {
    name: get_type_hints(each, include_extras=True) for name, each in TYPES.items()
}
_HINT = "Update the add-on and the backend to the same version."


def send(stream: Writable, message: Message) -> None:
    """Write one message; ValueError for what cannot be sent, OSError when nobody reads."""
    write_frame(stream, encode(message))


def receive(stream: Readable) -> Message | None:
    """Return the next message or None at the end; ProtocolError for anything else."""
    frame = read_frame(stream)
    return None if frame is None else decode(frame)


def encode(message: Message) -> Frame:
    """Return the frame of a message.

    Arrays travel under their field's name, those of a tuple or mapping as ``field.key``; the
    field itself then holds the number of arrays or their names.
    """
    values: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    for name, kind in _KINDS[type(message).__name__].items():
        value = getattr(message, name)
        if value is None:
            values[name] = None
        elif _spec(kind) is not None:
            arrays[name] = value
        elif kind == Tensors:
            values[name] = list(value)
            arrays |= {f"{name}.{key}": array for key, array in value.items()}
        elif _item_spec(kind) is not None:
            values[name] = len(value)
            arrays |= {f"{name}.{index}": array for index, array in enumerate(value)}
        else:
            values[name] = list(value) if isinstance(value, tuple) else value
    return Frame(type(message).__name__, values, arrays)


def decode(frame: Frame) -> Message:
    """Return the checked message of a frame.

    Raises ProtocolError: `message_unknown` for a type there is not, `message_invalid` for fields
    or arrays that are missing, unknown or of the wrong kind.
    """
    message_type = TYPES.get(frame.type)
    if message_type is None:
        text = f"There is no message of the type {ascii(frame.type)}."
        raise ProtocolError("message_unknown", text, _HINT)
    values: dict[str, Any] = {}
    arrays = dict(frame.arrays)
    rest = dict(frame.fields)
    required = {field.name for field in fields(message_type) if _is_required(field)}
    for name, kind in _KINDS[frame.type].items():
        if name in rest or name in arrays:
            values[name] = _decoded(f"{frame.type}.{name}", name, kind, rest, arrays)
        elif name in required:
            _refuse(f"{frame.type}.{name} is missing")
    if (rest or arrays) and message_type not in _HANDSHAKE:
        _refuse(f"{frame.type} has parts that are unknown here")
    return cast(Message, message_type(**values))


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _spec(kind: Any) -> ArraySpec | None:
    """Return the spec of an array's annotation, also an optional one's."""
    for each in (kind, *(get_args(kind) if _is_union(kind) else ())):
        if get_origin(each) is Annotated:
            return cast(ArraySpec, each.__metadata__[0])
    return None


def _item_spec(kind: Any) -> ArraySpec | None:
    return _spec(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _decoded(
    where: str, name: str, kind: Any, rest: dict[str, Any], arrays: dict[str, Array]
) -> Any:
    """Take one field's value out of the frame's parts and check it."""
    if name in arrays:
        return _checked(where, arrays.pop(name), _spec(kind))
    value = rest.pop(name)
    if value is None and _is_union(kind):
        return None
    if kind == Tensors:
        if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
            _refuse(f"{where} does not name its arrays")
        return {key: _taken(where, f"{name}.{key}", arrays) for key in value}
    spec = _item_spec(kind)
    if spec is not None:
        if type(value) is not int or not 0 <= value <= len(arrays):
            _refuse(f"{where} has no number of arrays")
        return tuple(
            _checked(where, _taken(where, f"{name}.{index}", arrays), spec)
            for index in range(value)
        )
    return _plain(where, value, kind)


def _taken(where: str, key: str, arrays: dict[str, Array]) -> Array:
    if key not in arrays:
        _refuse(f"{where} lacks an array")
    return arrays.pop(key)


def _checked(where: str, array: Array, spec: ArraySpec | None) -> Array:
    if spec is None or array.dtype.name != spec.dtype or array.ndim != len(spec.shape):
        _refuse(f"{where} is no array of the right kind")
    for size, wanted in zip(array.shape, spec.shape, strict=True):
        if isinstance(wanted, int) and size != wanted:
            _refuse(f"{where} has the wrong shape")
    if spec.finite and not np.isfinite(array).all():
        _refuse(f"{where} has values that are not finite")
    return array


def _plain(where: str, value: Any, kind: Any) -> Any:
    """Return a JSON value as its annotation says: numbers, texts, tuples of them, JSON objects."""
    for each in get_args(kind) if _is_union(kind) else (kind,):
        if each is float and type(value) in (int, float) and abs(value) < _LARGEST:
            return float(value)
        if each is int and type(value) is int and abs(value) < _LARGEST:
            return value
        if each in (str, bool) and type(value) is each:
            return value
        if get_origin(each) is tuple and isinstance(value, list):
            return tuple(_plain(where, item, get_args(each)[0]) for item in value)
        if each == Json and isinstance(value, dict):
            return value
    _refuse(f"{where} is of the wrong kind")


def _refuse(problem: str) -> NoReturn:
    message = f"A message came that makes no sense here: {problem}."
    raise ProtocolError("message_invalid", message, _HINT)
