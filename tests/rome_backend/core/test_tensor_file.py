# SPDX-License-Identifier: Apache-2.0
"""Tests of core/tensor_file.py: round trips, the safetensors package, and hostile files.

Does not know what any array means.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rome_backend.core import tensor_file
from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors


def _tensors() -> dict[str, np.ndarray]:
    """Every dtype and odd shape the container has."""
    rng = np.random.default_rng(0)
    kinds = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
    tensors = {kind: (rng.normal(size=(3, 5)) * 50).astype(kind) for kind in kinds}
    tensors |= {"scalar": np.array(2.5), "empty": np.zeros((0, 3), "f4"), "é": np.ones(3, "f4")}
    return tensors


def _file(path: Path, header: Any, data: bytes = b"") -> Path:
    """Write a file with any header: an object, or raw bytes."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)
    return path


def _entry(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


def _same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        assert np.array_equal(found[name], array)


def test_round_trip_of_every_dtype(tmp_path: Path) -> None:
    metadata = {"kind": "test", "list": [1, 2.5, None, True], "text": "é\n\u2028"}
    write_tensors(tmp_path / "a", _tensors(), metadata)
    found, again = read_tensors(tmp_path / "a")
    _same(found, _tensors())
    assert again == metadata
    found["f8"][0, 0] = 7  # arrays are writable and own their memory


def test_same_input_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    tensors = _tensors()
    write_tensors(tmp_path / "a", tensors, {"x": 1, "y": 2})
    backwards = dict(reversed(tensors.items()))
    write_tensors(tmp_path / "b", backwards, {"y": 2, "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_memory_order_and_byte_order_do_not_matter(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    odd = {"t": array.T, "big": array.astype(">f8"), "step": array[:, ::2]}
    write_tensors(tmp_path / "a", odd, {})
    found, _ = read_tensors(tmp_path / "a")
    assert all(np.array_equal(found[name], odd[name]) for name in odd)


def test_safetensors_reads_ours(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", _tensors(), {"kind": "test"})
    _same(safetensors.numpy.load_file(tmp_path / "a"), _tensors())
    with safetensors.safe_open(tmp_path / "a", framework="np") as file:
        assert json.loads(file.metadata()["json"]) == {"kind": "test"}


def test_we_read_safetensors(tmp_path: Path) -> None:
    safetensors.numpy.save_file(_tensors(), tmp_path / "a", {"format": "pt"})
    found, metadata = read_tensors(tmp_path / "a")
    _same(found, _tensors())
    assert metadata == {"format": "pt"}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_nonfinite_values_only_when_asked(tmp_path: Path, kind: str, value: float) -> None:
    tensors = {"a": np.array([1, value], kind)}
    with pytest.raises(ValueError, match="nan or infinite"):
        write_tensors(tmp_path / "a", tensors, {})
    assert not (tmp_path / "a").exists()
    write_tensors(tmp_path / "a", tensors, {}, allow_nonfinite=True)
    with pytest.raises(FileInvalid, match="nan or infinite"):
        read_tensors(tmp_path / "a")
    found, _ = read_tensors(tmp_path / "a", allow_nonfinite=True)
    assert np.array_equal(found["a"], tensors["a"], equal_nan=True)


@pytest.mark.parametrize(
    "tensors", [{"a": np.zeros(2, complex)}, {"a": np.array(["x"])}, {"": np.zeros(1)}]
)
def test_what_the_container_lacks_is_not_written(tmp_path: Path, tensors: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        write_tensors(tmp_path / "a", tensors, {})
    assert os.listdir(tmp_path) == []


def test_metadata_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_tensors(tmp_path / "a", {}, {"x": float("nan")})
    with pytest.raises(TypeError):
        write_tensors(tmp_path / "a", {}, {"x": object()})


HOSTILE: dict[str, Callable[[Path], object]] = {
    "empty file": lambda p: p.write_bytes(b""),
    "seven bytes": lambda p: p.write_bytes(b"\0" * 7),
    "huge header length": lambda p: p.write_bytes(b"\xff" * 8 + b"{}"),
    "negative header length": lambda p: p.write_bytes((-1).to_bytes(8, "little", signed=True)),
    "header longer than the file": lambda p: p.write_bytes((3).to_bytes(8, "little") + b"{}"),
    "header is no json": lambda p: _file(p, b"hello"),
    "header is no utf-8": lambda p: _file(p, b'{"\xff": 1}'),
    "header is a list": lambda p: _file(p, []),
    "header is deep": lambda p: _file(p, b"[" * 200_000),
    "header is a deep object": lambda p: _file(p, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "header has nan": lambda p: _file(p, b'{"a": NaN}'),
    "header has a number of 5000 digits": lambda p: _file(p, b'{"a": ' + b"9" * 5000 + b"}"),
    "duplicate arrays": lambda p: _file(
        p, f'{{"a": {json.dumps(_entry()["a"])}, "a": {json.dumps(_entry()["a"])}}}'.encode(),
        b"\0" * 8,
    ),
    "metadata is no object": lambda p: _file(p, {"__metadata__": 3}),
    "metadata of numbers": lambda p: _file(p, {"__metadata__": {"json": 3}}),
    "metadata is bad json": lambda p: _file(p, {"__metadata__": {"json": "{"}}),
    "metadata is a list": lambda p: _file(p, {"__metadata__": {"json": "[]"}}),
    "metadata is deep": lambda p: _file(p, {"__metadata__": {"json": "[" * 200_000}}),
    "metadata has half a character": lambda p: _file(p, {"__metadata__": {"json": '"\ud800"'}}),
    "entry is no object": lambda p: _file(p, {"a": 1}),
    "entry lacks a field": lambda p: _file(p, {"a": {"dtype": "F32", "shape": [0]}}),
    "entry has another field": lambda p: _file(p, _entry(more=1), b"\0" * 8),
    "unnamed array": lambda p: _file(p, {"": _entry()["a"]}, b"\0" * 8),
    "name with a line break": lambda p: _file(p, {"a\n": _entry()["a"]}, b"\0" * 8),
    "name with half a character": lambda p: _file(p, {"\ud800": _entry()["a"]}, b"\0" * 8),
    "unknown dtype": lambda p: _file(p, _entry(dtype="F80"), b"\0" * 8),
    "object dtype": lambda p: _file(p, _entry(dtype="|O"), b"\0" * 8),
    "dtype is a list": lambda p: _file(p, _entry(dtype=["F32"]), b"\0" * 8),
    "negative shape": lambda p: _file(p, _entry(shape=[-2, -1]), b"\0" * 8),
    "float shape": lambda p: _file(p, _entry(shape=[2.0]), b"\0" * 8),
    "truth value in a shape": lambda p: _file(p, _entry(shape=[2, True]), b"\0" * 8),
    "shape is a number": lambda p: _file(p, _entry(shape=2), b"\0" * 8),
    "shape of rank 33": lambda p: _file(p, _entry(shape=[2] + [1] * 32), b"\0" * 8),
    "overflowing shape": lambda p: _file(p, _entry(shape=[2**47, 2**47, 0]), b"\0" * 8),
    "overflowing empty shape": lambda p: _file(
        p, _entry(shape=[2**47, 2**47, 0], data_offsets=[0, 0])
    ),
    "huge empty shape": lambda p: _file(p, _entry(shape=[2**40, 0]), b"\0" * 8),
    "shape and size disagree": lambda p: _file(p, _entry(shape=[3]), b"\0" * 8),
    "one offset": lambda p: _file(p, _entry(data_offsets=[8]), b"\0" * 8),
    "negative offsets": lambda p: _file(p, _entry(data_offsets=[-8, 0]), b"\0" * 8),
    "backward offsets": lambda p: _file(p, _entry(data_offsets=[8, 0]), b"\0" * 8),
    "offsets beyond the file": lambda p: _file(p, _entry(data_offsets=[0, 8]), b"\0" * 7),
    "a gap before": lambda p: _file(p, _entry(data_offsets=[4, 12]), b"\0" * 12),
    "bytes of no array": lambda p: _file(p, _entry(), b"\0" * 9),
    "overlapping arrays": lambda p: _file(
        p, _entry() | {"b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, b"\0" * 12
    ),
    "twins": lambda p: _file(p, _entry() | {"b": _entry()["a"]}, b"\0" * 8),
    "a truth value of 2": lambda p: _file(
        p, _entry(dtype="BOOL", data_offsets=[0, 2]), b"\1\2"
    ),
    "a folder": lambda p: p.mkdir(),
    "nothing": lambda p: None,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    HOSTILE[name](tmp_path / "a")
    with pytest.raises(FileInvalid) as caught:
        read_tensors(tmp_path / "a")
    assert caught.value.code in {"file_damaged", "file_missing", "file_unreadable"}
    assert caught.value.hint
    str(caught.value).encode()  # can be shown


def test_codes_tell_missing_from_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid) as missing:
        read_tensors(tmp_path / "a")
    assert missing.value.code == "file_missing"
    with pytest.raises(FileInvalid) as damaged:
        read_tensors(_file(tmp_path / "a", b"hello"))
    assert damaged.value.code == "file_damaged"


def test_a_null_byte_in_the_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid) as caught:
        read_tensors(tmp_path / "a\0b")
    assert caught.value.code == "file_unreadable"


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in the file system")
def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(FileInvalid, match="not a file"):
        read_tensors(tmp_path / "a")


def test_a_header_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tensors(tmp_path / "a", {}, {"text": "x" * 300})
    monkeypatch.setattr(tensor_file, "MAX_HEADER_BYTES", 200)
    with pytest.raises(FileInvalid):
        read_tensors(tmp_path / "a")
    with pytest.raises(ValueError, match="too large"):
        write_tensors(tmp_path / "b", {}, {"text": "x" * 300})


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {"x": np.arange(3.0), "y": np.ones(2, "u1")}, {"k": 1})
    whole = (tmp_path / "a").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "b").write_bytes(whole[:length])
        with pytest.raises(FileInvalid):
            read_tensors(tmp_path / "b")


def test_random_damage_raises_nothing_but_file_invalid(tmp_path: Path) -> None:
    tensors = {"x": np.arange(3.0), "y": np.array([True, False]), "z": np.zeros((2, 2), "f4")}
    write_tensors(tmp_path / "a", tensors, {"kind": "test", "list": [1, 2]})
    whole = np.frombuffer((tmp_path / "a").read_bytes(), np.uint8)
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(3000):
        damaged = whole.copy()
        places = rng.integers(0, len(whole), rng.integers(1, 5))
        damaged[places] ^= rng.integers(1, 256, len(places)).astype(np.uint8)
        (tmp_path / "b").write_bytes(damaged.tobytes())
        try:
            read_tensors(tmp_path / "b")
        except FileInvalid:
            refused += 1
    assert 2000 < refused < 3000, "most damage is in the header; some only changes a value"
