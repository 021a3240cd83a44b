# SPDX-License-Identifier: Apache-2.0
"""Tests of frames on a pipe: round trips, hostile bytes, partial reads and writes."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc

import numpy as np
import pytest

from rome_backend.core import framing
from rome_backend.core.errors import ProtocolError
from rome_backend.core.framing import Frame, read_frame, write_frame


class Trickle(io.BytesIO):
    """A stream that reads and writes at most a few bytes at a time, as a pipe may."""

    def readinto(self, buffer: memoryview, /) -> int:
        return super().readinto(buffer[:7])

    def write(self, data: memoryview, /) -> int:
        return super().write(data[:5])


def sent(frame: Frame) -> bytes:
    stream = io.BytesIO()
    write_frame(stream, frame)
    return stream.getvalue()


def raw(header: object, payload: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(payload) if size is None else size
    return struct.pack("<4sIQ", b"ROME", len(text), length) + text + payload


def header(**changes: object) -> dict[str, object]:
    return {"type": "a", "fields": {}, "arrays": [], **changes}


def one_array(**changes: object) -> dict[str, object]:
    return header(arrays=[{"name": "x", "dtype": "uint8", "shape": [2], **changes}])


def code_of(data: bytes) -> str:
    with pytest.raises(ProtocolError) as caught:
        read_frame(io.BytesIO(data))
    assert caught.value.message and caught.value.hint
    return caught.value.code


FRAME = Frame(
    "thing",
    {"text": "Zoë \n", "number": 1.5, "list": [1, None, True]},
    {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "none": np.zeros((0, 3), np.int32)},
)


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_frames_come_back_as_they_were_and_then_the_end(stream: type[io.BytesIO]) -> None:
    pipe = stream()
    write_frame(pipe, FRAME)
    write_frame(pipe, Frame("second"))
    pipe.seek(0)
    first, second = read_frame(pipe), read_frame(pipe)
    assert first is not None and second == Frame("second")
    assert (first.type, first.fields) == (FRAME.type, FRAME.fields)
    assert list(first.arrays) == ["a", "none"]
    np.testing.assert_array_equal(first.arrays["a"], FRAME.arrays["a"])
    assert first.arrays["none"].shape == (0, 3)
    assert read_frame(pipe) is None


@pytest.mark.parametrize("name", sorted(framing._DTYPES))
def test_every_dtype_comes_back_writable(name: str) -> None:
    values = np.array([[0, 1], [1, 1]]).astype(name)
    back = read_frame(io.BytesIO(sent(Frame("a", {}, {"x": values}))))
    assert back is not None
    array = back.arrays["x"]
    assert array.dtype == values.dtype
    np.testing.assert_array_equal(array, values)
    array[0, 0] = 1


def test_views_scalars_and_the_other_byte_order_travel() -> None:
    whole = np.arange(24, dtype=np.float64).reshape(4, 6)
    arrays = {"view": whole[::2, 1::2].T, "big": whole.astype(">f8"), "scalar": np.float32(2.5)}
    back = read_frame(io.BytesIO(sent(Frame("a", {}, arrays))))
    assert back is not None
    for name, array in arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)
    assert back.arrays["scalar"].shape == ()


def test_arrays_larger_than_a_step_grow_as_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "STEP", 1000)
    values = np.arange(2600, dtype=np.int16).reshape(100, 26)
    back = read_frame(Trickle(sent(Frame("a", {}, {"x": values}))))
    assert back is not None
    np.testing.assert_array_equal(back.arrays["x"], values)
    back.arrays["x"][0] = 5


def test_a_lie_about_the_size_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "STEP", 1 << 16)
    lie = raw(one_array(shape=[4 << 30]), b"abc", 4 << 30)
    tracemalloc.start()
    try:
        assert code_of(lie) == "frame_cut"
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        struct.pack("<4sIQ", b"ROME", 0xFFFFFFFF, 0),
        struct.pack("<4sIQ", b"ROME", 2, 1 << 63) + b"{}",
        raw(b"\xff\xfe"),
        raw(b"[" * 100_000),
        raw(b'{"type": "a", "type": "b", "fields": {}, "arrays": []}'),
        raw(b'{"type": "a", "fields": {"x": NaN}, "arrays": []}'),
        raw(b"1" * 10_000),
        raw([]),
        raw({"type": "a"}),
        raw(header(more=1)),
        raw(header(type=1)),
        raw(header(fields=[])),
        raw(header(arrays={})),
        raw(header(arrays=[1])),
        raw(header(arrays=[{}] * 5000)),
        raw(header(), b"more"),
        raw(one_array(), b"a"),
        raw(one_array(name=""), b"ab"),
        raw(one_array(name=3), b"ab"),
        raw(one_array(dtype="object"), b"ab"),
        raw(one_array(dtype=["uint8"]), b"ab"),
        raw(one_array(dtype="<u1"), b"ab"),
        raw(one_array(shape=[-2]), b"ab"),
        raw(one_array(shape=[True, 2]), b"ab"),
        raw(one_array(shape=[2.0]), b"ab"),
        raw(one_array(shape="2"), b"ab"),
        raw(one_array(shape=[1] * 9 + [2]), b"ab"),
        raw(one_array(shape=[1 << 33, 1 << 33, 0])),
        raw(one_array(dtype="bool"), b"\x01\x02"),
        raw(header(arrays=[one_array()["arrays"][0]] * 2), b"abab"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    assert code_of(data) == "frame_invalid"


def test_every_cut_is_told_from_a_clean_end() -> None:
    data = sent(FRAME)
    for length in range(1, len(data)):
        assert code_of(data[:length]) == "frame_cut"


def test_random_damage_never_does_more_than_raise() -> None:
    random = np.random.default_rng(3)
    data = sent(FRAME)
    outcomes = set()
    for _ in range(3000):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        try:
            read_frame(io.BytesIO(bytes(damaged)))
            outcomes.add("read")
        except ProtocolError as error:
            outcomes.add(error.code)
    assert outcomes == {"read", "frame_invalid", "frame_cut"}


@pytest.mark.parametrize(
    "frame",
    [
        Frame("a", {}, {"x": np.array(["text"])}),
        Frame("a", {}, {"x": np.array([None])}),
        Frame("a", {}, {"": np.zeros(1)}),
        Frame("a", {}, {"x": np.zeros((1,) * 9)}),
        Frame("a", {"x": float("nan")}),
        Frame("a", {"x": "y" * framing.MAX_HEADER_BYTES}),
    ],
)
def test_what_cannot_be_sent_leaves_the_pipe_clean(frame: Frame) -> None:
    stream = io.BytesIO()
    with pytest.raises(ValueError):
        write_frame(stream, frame)
    assert stream.getvalue() == b""
