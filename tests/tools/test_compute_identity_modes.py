# SPDX-License-Identifier: Apache-2.0
"""Tests that the stored identity modes are what the tool computes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rome_backend.open_head.identity_statistics import FILE
from tools.compute_identity_modes import SPACING_M, main, scattered


def test_scattered_points_keep_their_distance_from_each_other_and_the_face() -> None:
    skin = np.random.default_rng(0).uniform(-0.05, 0.05, size=(4000, 3)) * [1, 1, 0]
    face = skin[np.linalg.norm(skin, axis=1) < 0.01]
    chosen = skin[scattered(skin, face)]
    apart = np.linalg.norm(chosen[:, None] - chosen[None], axis=2) + np.eye(len(chosen))
    assert apart.min() > SPACING_M and len(chosen) > 50
    assert np.linalg.norm(chosen[:, None] - face[None], axis=2).min() > 0.006


def test_the_stored_file_is_what_the_tool_makes(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = data_dir / "ict" / "ict_facekit_light_reduced.npz"
    out = tmp_path / "modes.npz"
    monkeypatch.setattr(sys, "argv", ["tool", "--model", str(model), "--out", str(out)])
    main()
    with np.load(out) as made, np.load(FILE) as stored:
        assert made["points"].shape == stored["points"].shape
        np.testing.assert_allclose(made["points"], stored["points"], atol=1e-5)
        np.testing.assert_allclose(made["modes_mm"], stored["modes_mm"], atol=0.02)
    assert [path.name for path in tmp_path.iterdir()] == ["modes.npz"]
