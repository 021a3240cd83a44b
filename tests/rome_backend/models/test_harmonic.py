# SPDX-License-Identifier: Apache-2.0
"""The harmonic encoding: official numbers and the order of its channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.harmonic import encode_picture, harmonic_encoding


@pytest.mark.parametrize("name", ["xyz", "uv", "normals"])
def test_encoding_parity(parity_dir: Path, name: str) -> None:
    data = np.load(parity_dir / "harmonic.npz")
    found = harmonic_encoding(torch.from_numpy(data[name]))
    expected = torch.from_numpy(data[f"{name}_enc"])
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 1e-6


def test_each_entry_spans_all_coordinates() -> None:
    point = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    found = harmonic_encoding(point, frequencies=2).numpy()
    x = point.numpy()
    expected = [x, np.sin(x), np.cos(x), np.sin(2 * x), np.cos(2 * x)]
    assert np.allclose(found, np.concatenate(expected), atol=1e-15)


def test_zero_has_ones_in_its_cosines() -> None:
    found = harmonic_encoding(torch.zeros(2)).view(13, 2)
    assert found[2::2].eq(1).all() and found[1::2].eq(0).all() and found[0].eq(0).all()


def test_a_picture_is_encoded_along_its_channels() -> None:
    torch.manual_seed(0)
    picture = torch.randn(2, 3, 4, 5)
    found = encode_picture(picture)
    assert found.shape == (2, 39, 4, 5)
    assert torch.equal(found[1, :, 3, 2], harmonic_encoding(picture[1, :, 3, 2]))
