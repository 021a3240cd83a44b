# SPDX-License-Identifier: Apache-2.0
"""Reads the pickles that model files are, without running anything that they name.

Does not know which model it reads. Python's own unpickler is not used: opcodes come from
``pickletools`` and build passive records; a name outside the allow-list ends the reading.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Hashable
from typing import Any, BinaryIO

import numpy as np

from rome_backend.assets.pickle_values import (
    BadValue,
    Dtype,
    Known,
    Pending,
    Registry,
    Shell,
    array_of,
    as_bytes,
    rebuilt_tensor,
    shape_of,
)
from rome_backend.core.errors import FileInvalid

Persistent = Callable[[Any], Any]

_MARK = object()
_HINT = "Get the file again from its makers, and from nowhere else."
_PUSHED = frozenset((
    "INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
))  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set,
    "MARK": lambda: _MARK,
}  # fmt: skip
_IGNORED = frozenset(("PROTO", "FRAME", "STOP"))
_STORAGES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1", "BoolStorage": "|b1",
}  # fmt: skip


def _dtype(arguments: tuple[Any, ...]) -> Dtype:
    if not arguments or not isinstance(arguments[0], str):
        raise BadValue("has a broken dtype")
    return Dtype(arguments[0])


def _scalar(arguments: tuple[Any, ...]) -> Any:
    dtype, data = arguments
    return array_of(data, dtype, (1,))[0]


def _from_buffer(arguments: tuple[Any, ...]) -> Pending:
    data, dtype, shape, order = arguments
    return Pending(array_of(data, dtype, shape, order))


def _pairs(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    pairs = arguments[0] if arguments else []
    return {_key(key): value for key, value in pairs}


def _empty_bytes(arguments: tuple[Any, ...]) -> bytes:
    if arguments:
        raise BadValue("calls bytes with arguments")
    return b""


def _set(arguments: tuple[Any, ...]) -> set[Hashable]:
    return {_key(item) for item in (arguments[0] if arguments else ())}


def _instance(arguments: tuple[Any, ...]) -> Any:
    if not arguments or not isinstance(arguments[0], Known):
        raise BadValue("makes an object of no class")
    return Shell(arguments[0])


_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
REGISTRY = Registry(
    {
        **{f"{module}._reconstruct": lambda arguments: Pending() for module in _MULTIARRAY},
        **{f"{module}.scalar": _scalar for module in _MULTIARRAY},
        **{f"{module}._frombuffer": _from_buffer for module in _NUMERIC},
        "numpy.dtype": _dtype,
        "numpy.ndarray": lambda arguments: Pending(),
        "_codecs.encode": lambda arguments: as_bytes(arguments[0]),
        "collections.OrderedDict": _pairs,
        "__builtin__.bytes": _empty_bytes,
        "copy_reg._reconstructor": _instance,
        "copyreg._reconstructor": _instance,
        "__builtin__.object": lambda arguments: Shell(Known("builtins", "object")),
        "builtins.object": lambda arguments: Shell(Known("builtins", "object")),
        "__builtin__.set": _set,
        "builtins.set": _set,
        "torch._utils._rebuild_tensor_v2": rebuilt_tensor,
        "torch._utils._rebuild_tensor": rebuilt_tensor,
        "torch._utils._rebuild_parameter": lambda arguments: arguments[0],
        "torch.Size": lambda arguments: shape_of(arguments[0]),
        **{f"torch.{name}": lambda arguments: None for name in _STORAGES},
    },
    ("chumpy.", "scipy.sparse.csc.csc_", "scipy.sparse.csr.csr_", "scipy.sparse._csc.csc_",
     "scipy.sparse._csr.csr_"),
)  # fmt: skip
NESTED_TORCH = "torch.storage._load_from_bytes"


def storage_dtype(name: Any) -> str:
    """Return the dtype of a torch storage class; BadValue for an unknown one."""
    if not isinstance(name, Known) or name.module != "torch" or name.name not in _STORAGES:
        raise BadValue("has a tensor of an unknown kind of number")
    return _STORAGES[name.name]


class PickleReader:
    """Reads one pickle after another from a stream.

    Args:
        file: the stream, at the start of a pickle.
        name: of the file, for messages.
        persistent: what stands for an object outside the pickle; None refuses those.
        nested: reads a torch file that is kept as bytes in the pickle; None refuses those.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        persistent: Persistent | None = None,
        nested: Callable[[bytes], Any] | None = None,
    ) -> None:
        self._file, self._name = file, name
        self._persistent, self._nested = persistent, nested
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Return the next pickle's value: plain Python and the records of pickle_values.

        Raises FileInvalid: ``pickle_forbidden`` when it names something outside the allow-list,
        ``pickle_damaged`` when it is cut short or makes no sense.
        """
        self._stack, self._memo = [], {}
        try:
            for opcode, argument, _ in pickletools.genops(self._file):
                self._step(opcode.name, argument)
            if len(self._stack) != 1:
                raise BadValue("ends in the middle")
        except BadValue as error:
            raise self._damaged(str(error)) from error
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError) as error:
            raise self._damaged("is damaged or cut short") from error
        return self._stack.pop()

    def _damaged(self, what: str) -> FileInvalid:
        return FileInvalid("pickle_damaged", f"{self._name} {what}.", _HINT)

    def _step(self, opcode: str, argument: Any) -> None:
        if opcode in _PUSHED:
            self._stack.append(argument)
        elif opcode in _CONSTANTS:
            self._stack.append(_CONSTANTS[opcode]())
        elif opcode in _HANDLERS:
            _HANDLERS[opcode](self, argument)
        elif opcode not in _IGNORED:
            message = f"{self._name} uses {opcode}, which no model file needs."
            raise FileInvalid("pickle_forbidden", message, _HINT)

    def _marked(self) -> list[Any]:
        """Take everything after the last mark, and the mark, off the stack."""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                items = self._stack[place + 1 :]
                del self._stack[place:]
                return items
        raise BadValue("is damaged")

    def _collect(self, make: Callable[[list[Any]], Any]) -> None:
        self._stack.append(make(self._marked()))

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise BadValue("is damaged")
        items = self._stack[-count:]
        del self._stack[-count:]
        self._stack.append(tuple(items))

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise BadValue("appends to what is no list")
        self._stack[-1].extend(items)

    def _update(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], dict) or len(items) % 2:
            raise BadValue("sets items of what is no dictionary")
        self._stack[-1].update(_dictionary(items))

    def _add(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], set):
            raise BadValue("adds to what is no set")
        self._stack[-1].update(_key(item) for item in items)

    def _global(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise BadValue("names nothing")
        found = Known(module, name)
        if str(found) != NESTED_TORCH and not REGISTRY.knows(found):
            message = f"{self._name} names {ascii(str(found))}, which no model file needs."
            raise FileInvalid("pickle_forbidden", message, _HINT)
        self._stack.append(found)

    def _reduce(self) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Known) or not isinstance(arguments, tuple):
            raise BadValue("calls what is no class of a model")
        if str(called) == NESTED_TORCH:
            if self._nested is None:
                raise BadValue("has a file within a file")
            self._stack.append(self._nested(as_bytes(arguments[0])))
        elif REGISTRY.is_shell(called):
            self._stack.append(Shell(called))
        else:
            self._stack.append(REGISTRY.makers[str(called)](arguments))

    def _new(self, keywords: bool) -> None:
        if keywords and self._stack.pop():
            raise BadValue("makes an object with named arguments")
        self._reduce()

    def _build(self) -> None:
        state, value = self._stack.pop(), self._stack[-1]
        if isinstance(value, Shell | Dtype | Pending):
            value.build(state)
        elif not isinstance(value, dict):  # an OrderedDict may carry attributes; they are nothing
            raise BadValue("gives state to what has none")

    def _persist(self, key: Any) -> None:
        if self._persistent is None:
            raise BadValue("refers to something outside itself")
        self._stack.append(self._persistent(key))


def _key(value: Any) -> Hashable:
    """Return a dictionary's key; only plain ones are allowed."""
    if isinstance(value, np.generic):
        return str(value) if value.dtype.kind in "SU" else float(value)
    if not isinstance(value, str | int | float | bytes) and value is not None:
        raise BadValue("has an odd key")
    return value


def _dictionary(items: list[Any]) -> dict[Any, Any]:
    return {_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


_HANDLERS: dict[str, Callable[[PickleReader, Any], Any]] = {
    "POP": lambda r, _: r._stack.pop(),
    "POP_MARK": lambda r, _: r._marked(),
    "DUP": lambda r, _: r._stack.append(r._stack[-1]),
    "LIST": lambda r, _: r._collect(list),
    "TUPLE": lambda r, _: r._collect(tuple),
    "DICT": lambda r, _: r._collect(_dictionary),
    "FROZENSET": lambda r, _: r._collect(lambda items: frozenset(map(_key, items))),
    "TUPLE1": lambda r, _: r._tuple(1),
    "TUPLE2": lambda r, _: r._tuple(2),
    "TUPLE3": lambda r, _: r._tuple(3),
    "APPEND": lambda r, _: r._extend([r._stack.pop()]),
    "APPENDS": lambda r, _: r._extend(r._marked()),
    "SETITEM": lambda r, _: r._update([r._stack.pop(-2), r._stack.pop()]),
    "SETITEMS": lambda r, _: r._update(r._marked()),
    "ADDITEMS": lambda r, _: r._add(r._marked()),
    "GET": lambda r, place: r._stack.append(r._memo[int(place)]),
    "BINGET": lambda r, place: r._stack.append(r._memo[place]),
    "LONG_BINGET": lambda r, place: r._stack.append(r._memo[place]),
    "PUT": lambda r, place: r._memo.__setitem__(int(place), r._stack[-1]),
    "BINPUT": lambda r, place: r._memo.__setitem__(place, r._stack[-1]),
    "LONG_BINPUT": lambda r, place: r._memo.__setitem__(place, r._stack[-1]),
    "MEMOIZE": lambda r, _: r._memo.__setitem__(len(r._memo), r._stack[-1]),
    "GLOBAL": lambda r, names: r._global(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda r, _: r._global(*(r._stack.pop(-2), r._stack.pop())),
    "REDUCE": lambda r, _: r._reduce(),
    "NEWOBJ": lambda r, _: r._new(False),
    "NEWOBJ_EX": lambda r, _: r._new(True),
    "BUILD": lambda r, _: r._build(),
    "BINPERSID": lambda r, _: r._persist(r._stack.pop()),
    "PERSID": lambda r, key: r._persist(key),
}  # fmt: skip
