# SPDX-License-Identifier: Apache-2.0
"""Our reader of PyTorch's files against torch.save, and against files that are cut or bent."""

from __future__ import annotations

import io
import zipfile
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend.assets.pickle_values import BadValue, Tensor, as_array
from rome_backend.assets.torch_reader import read_torch_bytes
from rome_backend.core.errors import FileInvalid

DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
          torch.int16, torch.int8, torch.uint8, torch.bool)  # fmt: skip


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_come_back(dtype: torch.dtype, old: bool, model_files: ModuleType) -> None:
    values = (torch.arange(24).reshape(2, 3, 4) % 2).to(dtype)
    found = read_torch_bytes(model_files.torch_file({"a": values}, old), "x.pt")
    wide = values.float() if dtype == torch.bfloat16 else values
    assert np.array_equal(as_array(found["a"]), wide.numpy())


@pytest.mark.parametrize("old", [False, True])
def test_views_parameters_and_shared_numbers_come_back(old: bool, model_files: ModuleType) -> None:
    base = torch.arange(60.0).reshape(3, 4, 5)
    value = {
        "turned": base.permute(2, 0, 1), "part": base[1:, ::2], "one": base[2, 3, 4],
        "parameter": torch.nn.Parameter(base[0]), "none": torch.zeros(0, 3),
    }  # fmt: skip
    found = read_torch_bytes(model_files.torch_file(value, old), "x.pt")
    for name, tensor in value.items():
        assert np.array_equal(as_array(found[name]), tensor.detach().numpy()), name


def test_a_tensor_knows_where_it_was_but_reads_anywhere(model_files: ModuleType) -> None:
    data = model_files.as_if_on_cuda(model_files.torch_file({"a": torch.ones(3)}))
    tensor = read_torch_bytes(data, "x.pt")["a"]
    assert isinstance(tensor, Tensor) and tensor.storage.location == "cuda:0"
    assert as_array(tensor).tolist() == [1, 1, 1]


def rewritten(data: bytes, ending: str, change: Any) -> bytes:
    """Return a torch zip with the member of that ending changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for info in old.infolist():
            member = old.read(info)
            if info.filename.endswith(ending):
                member = change(member)
            if member is not None:
                new.writestr(info.filename, member)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("data/0", lambda data: data[:-4]),
        ("data/0", lambda data: None),
        ("byteorder", lambda data: b"big"),
        ("data.pkl", lambda data: data.replace(b"FloatStorage", b"OtherStorage")),
        ("data.pkl", lambda data: data.replace(b"storage", b"stirage")),
        ("data.pkl", lambda data: data[:40]),
        ("data.pkl", lambda data: data.replace(b"K\x03\x85", b"K\x09\x85")),
    ],
)
def test_bent_files_are_refused(ending: str, change: Any, model_files: ModuleType) -> None:
    data = model_files.torch_file({"a": torch.ones(3)})
    with pytest.raises((FileInvalid, BadValue)) as caught:
        as_array(read_torch_bytes(rewritten(data, ending, change), "x.pt")["a"])
    if isinstance(caught.value, FileInvalid):
        assert caught.value.code in ("torch_damaged", "pickle_damaged", "pickle_forbidden")


@pytest.mark.parametrize("old", [False, True])
def test_no_cut_is_read_as_whole(old: bool, model_files: ModuleType) -> None:
    data = model_files.torch_file({"a": torch.ones(50)}, old)
    for cut in range(1, len(data), max(1, len(data) // 60)):
        with pytest.raises(FileInvalid):
            read_torch_bytes(data[:cut], "x.pt")


def test_files_within_files_end_somewhere(model_files: ModuleType) -> None:
    inner = model_files.torch_file(torch.ones(2), old=True)
    for _ in range(4):
        nested = b"\x80\x02ctorch.storage\n_load_from_bytes\nB"
        nested += len(inner).to_bytes(4, "little") + inner + b"\x85R."
        head = model_files.torch_file(torch.ones(1), old=True)
        start = head.index(b"\x80\x02", head.index(b"little_endian"))
        inner = head[:start] + nested + b"\x80\x02]."
    with pytest.raises(FileInvalid):
        read_torch_bytes(inner, "x.pt")
