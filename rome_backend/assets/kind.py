# SPDX-License-Identifier: Apache-2.0
"""What every importable kind of file has: how it is recognised, checked, named and licensed.

Does not know any kind itself, nor where things are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rome_backend.assets.content import Content
from rome_backend.assets.network_shapes import Shapes
from rome_backend.assets.pickle_values import Array, BadValue, as_array
from rome_backend.core.errors import FileInvalid

_HINT = "Get the file again from its makers; this version takes it exactly as released."
Tensors = dict[str, Array]


@dataclass(frozen=True)
class Converted:
    """What becomes of a file: tensors to store; the names of those that are not needed;
    a licence and a source that its content tells better than its kind, or empty."""

    tensors: Tensors
    ignored: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    name: of the asset; what: a few words for people; licence, source: of the asset;
    recognise: whether a content is of this kind, by names and rough shapes only;
    convert: its checked tensors, raising FileInvalid (asset_invalid) that names what is wrong.
    """

    name: str
    what: str
    licence: str
    source: str
    recognise: Callable[[Content], bool]
    convert: Callable[[Content], Converted]


def invalid(content: Content, problem: str) -> FileInvalid:
    """Return the error for a content that is of a kind but not sound."""
    return FileInvalid("asset_invalid", f"{content.name}: {problem}.", _HINT)


def numbers(content: Content, name: str, value: Any) -> Array:
    """Return a value as an array of finite numbers or integers; FileInvalid names it otherwise."""
    try:
        array = as_array(value)
    except BadValue as error:
        raise invalid(content, f"{name} {error}") from error
    if array.dtype.kind not in "fiub":
        raise invalid(content, f"{name} is not numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise invalid(content, f"{name} has numbers that are not finite")
    return array


def shaped(
    content: Content, name: str, value: Any, shape: tuple[int | None, ...], kind: str = "f"
) -> Array:
    """Return numbers of a given shape (None: any size) as float32 ('f') or int64 ('i')."""
    array = numbers(content, name, value)
    fits = array.ndim == len(shape) and all(
        want in (None, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = tuple("any" if size is None else size for size in shape)
        raise invalid(content, f"{name} has the shape {array.shape} instead of {wanted}")
    if kind == "i" and array.dtype.kind not in "iu" and not (array == np.round(array)).all():
        raise invalid(content, f"{name} is not whole numbers")
    return np.ascontiguousarray(array, np.float32 if kind == "f" else np.int64)


def within(content: Content, name: str, array: Array, count: int) -> Array:
    """Return indices 0..count-1; FileInvalid otherwise."""
    if array.size and (array.min() < 0 or array.max() >= count):
        raise invalid(content, f"{name} has a number outside 0..{count - 1}")
    return array


def state(
    content: Content, given: Mapping[Any, Any], shapes: Shapes, prefix: str = ""
) -> tuple[Tensors, tuple[str, ...]]:
    """Return the tensors that ``shapes`` names, strictly, and the names that it does not.

    Every missing, misshapen or not finite tensor is named; what is left over is ignored and told.
    """
    tensors: Tensors = {}
    problems = []
    for name, shape in shapes.items():
        if prefix + name not in given:
            problems.append(f"{prefix + name} is missing")
            continue
        try:
            tensors[name] = shaped(content, prefix + name, given[prefix + name], shape)
        except FileInvalid as error:
            problems.append(error.message.removeprefix(f"{content.name}: ").rstrip("."))
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise invalid(content, "; ".join(problems[:3]) + more)
    used = {prefix + name for name in shapes}
    left = tuple(str(name) for name in given if name not in used and not _counter(name))
    return tensors, left


def _counter(name: Any) -> bool:
    return isinstance(name, str) and name.endswith("num_batches_tracked")


def state_dict(content: Content) -> Mapping[Any, Any]:
    """Return a PyTorch file's named tensors, without wrappers that trainers put round them."""
    table = content.table()
    inner = table.get("state_dict")
    if isinstance(inner, Mapping):
        table = inner
    if table and all(isinstance(name, str) and name.startswith("module.") for name in table):
        table = {name.removeprefix("module."): value for name, value in table.items()}
    return table


def starts(content: Content, *beginnings: str) -> bool:
    """Whether one of the names of a PyTorch file's tensors begins like this."""
    names: Iterable[Any] = state_dict(content)
    return any(isinstance(name, str) and name.startswith(beginnings) for name in names)
