# SPDX-License-Identifier: Apache-2.0
"""Our reader of pickles against Python's own writer, and against hostile opcodes."""

from __future__ import annotations

import collections
import io
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from rome_backend.assets.pickle_reader import PickleReader
from rome_backend.assets.pickle_values import BadValue, as_array
from rome_backend.core.errors import FileInvalid


def read(data: bytes) -> Any:
    return PickleReader(io.BytesIO(data), "some.pkl").load()


PLAIN: list[Any] = [
    None, True, False, 0, -1, 255, 70_000, -(1 << 40), 1 << 200, 1.5, float("inf"), "", "é",
    "x" * 300, b"", b"\x00\xff" * 200, [], [1, [2, [3]]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4),
    {}, {"a": 1, 2: {"b": None}}, {1, 2}, frozenset({"x"}), bytearray(b"ab"),
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back(protocol: int, model_files: ModuleType) -> None:
    for value in PLAIN:
        if protocol < 5 and isinstance(value, bytearray):
            continue  # older protocols call bytearray, which models do not hold
        if protocol < 4 and isinstance(value, frozenset):
            continue
        if protocol < 3 and value == b"":
            continue  # they call bytes()
        found = read(model_files.plain_pickle(value, protocol))
        assert found == value, value
    shared = [1, 2]
    first, second = read(model_files.plain_pickle([shared, shared], protocol))
    assert first is second


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.array([1, 2], ">f4"),
        np.array([], np.float32),
        np.array(3.5),
        np.array([True, False]),
        np.zeros((0, 5), np.uint8),
    ],
)
def test_arrays_come_back(protocol: int, array: Any, model_files: ModuleType) -> None:
    found = as_array(read(model_files.plain_pickle(array, protocol)))
    assert found.shape == array.shape and np.array_equal(found, array)
    assert np.issubdtype(found.dtype, array.dtype.type)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_scalars_dictionaries_and_sparse_matrices_come_back(
    protocol: int, model_files: ModuleType
) -> None:
    assert as_array(read(model_files.plain_pickle(np.int64(7), protocol))) == 7
    ordered = collections.OrderedDict(b=1, a=2)
    assert list(read(model_files.plain_pickle(ordered, protocol))) == ["b", "a"]
    full = np.random.default_rng(0).integers(-1, 2, (4, 7)).astype(float)
    for make in (scipy.sparse.csc_matrix, scipy.sparse.csr_matrix):
        found = as_array(read(model_files.plain_pickle(make(full), protocol)))
        assert np.array_equal(found, full)


def test_texts_of_python_2_are_bytes_one_character_each(model_files: ModuleType) -> None:
    array = np.random.default_rng(0).normal(size=(5, 6))
    data = model_files.python2({"a": array, "b": "name"})
    found = read(data)
    assert np.array_equal(as_array(found["a"]), array) and found["b"] == "name"


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.",
        b"(ios\nsystem\n.",
        b"(cos\nsystem\no.",
        b"\x80\x02\x82\x01.",
        b"\x80\x05\x97.",
    ],
)
def test_names_outside_the_list_are_forbidden(data: bytes) -> None:
    with pytest.raises(FileInvalid) as caught:
        read(data)
    assert caught.value.code == "pickle_forbidden"


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"N", b"a.", b"t.", b"u.", b"NNa.", b"(NN", b"g7\n.", b"0.", b"R.", b"NNR.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R(NNNNNtb.",
        b"cnumpy\ndtype\n(]tR.", b"N]b.", b"\x85.", b"\x87.", b"}](Na.", b"Q.", b"]]e.", b"Pkey\n.",
        b"}(NNNu.", b"](]N}u.", b"\x8a\xff", b"I12345678901234567890x\n.",
        b"}((NNtNs.", b"}](aNs.",
    ],
)  # fmt: skip
def test_nonsense_is_damage_and_never_another_error(data: bytes) -> None:
    with pytest.raises(FileInvalid) as caught:
        read(data)
        raise AssertionError("read")
    assert caught.value.code == "pickle_damaged"


def test_random_damage_never_raises_anything_else(model_files: ModuleType) -> None:
    whole = bytearray(model_files.python2({"a": np.arange(6.0), "b": [1, "two", (3.0, None)]}))
    random = np.random.default_rng(0)
    for _ in range(400):
        spoiled = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            spoiled[place] = random.integers(256)
        try:
            value = read(bytes(spoiled))
        except FileInvalid:
            continue
        for item in value.values() if isinstance(value, dict) else ():
            try:
                as_array(item)
            except BadValue:
                continue


def test_a_nest_of_references_does_not_blow_up() -> None:
    data = b"]q\x00" + b"".join(b"(h\x00h\x00l0(h\x00h\x00lq\x00" for _ in range(60)) + b"."
    with pytest.raises(FileInvalid):
        read(data)
    pairs = b"".join(b"h\x00h\x00\x86q\x00" for _ in range(60))
    keys = b"}()q\x00" + pairs + b"Nu."
    with pytest.raises(FileInvalid):
        read(keys)


def test_arrays_larger_than_their_bytes_are_not_made() -> None:
    reduce = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R"
    dtype = b"cnumpy\ndtype\nX\x02\0\0\0f8\x85R"
    huge, negative, text = b"J\xff\xff\xff\x7f\x85", b"J\xff\xff\xff\xff\x85", b"X\x01\0\0\0a\x85"
    for shape in (huge, negative, text, b"K\x02\x85"):
        with pytest.raises(FileInvalid):
            read(reduce + b"(K\x01" + shape + dtype + b"\x89U\x08" + bytes(8) + b"tb.")
    found = read(reduce + b"(K\x01K\x01\x85" + dtype + b"\x89U\x08" + bytes(8) + b"tb.")
    assert as_array(found).tolist() == [0.0]
