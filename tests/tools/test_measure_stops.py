# SPDX-License-Identifier: Apache-2.0
"""An avatar's head is measured in a Python with bpy, and the numbers come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from rome_backend.avatar import heads
from rome_backend.avatar.avatar import save_avatar
from rome_backend.core.camera import weak_perspective
from rome_backend.core.types import Avatar, FlameParams
from tools.measure_stops import measured

NAMES = {
    "build", "pack", "first_reading", "next_reading", "surface_message", "painted_reading",
    "painted_render", "painted_render_again", "hand_over", "export_here",
}  # fmt: skip


def plain_avatar() -> Avatar:
    """The open head as it is, with a small grey texture."""
    head, basis = heads.load_head("open")
    count = len(head.template)
    shape = np.zeros(head.shape_dirs.shape[2])
    return Avatar(
        name="plain", head_model=head.name, topology_id=head.topology_id,
        params=FlameParams(shape, np.zeros(len(head.expression_names))),
        offset_coefficients=np.zeros(basis.dirs.shape[2], np.float32),
        free_offsets=np.zeros((count, 3), np.float32), offsets=basis.mean.astype(np.float32),
        albedo=np.full((64, 64, 3), 99, np.uint8), confidence=np.zeros((64, 64), np.uint8),
        source_crop=np.zeros((64, 64, 3), np.uint8), source_matte=np.zeros((64, 64), np.uint8),
        source_landmarks=np.zeros((478, 3), np.float32),
        camera=weak_perspective(200.0, np.eye(3), (32.0, 32.0), 64, 64),
        warnings=(), licences={}, provenance={"head": "open"},
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_it_measures_an_avatars_head_as_a_program(tmp_path: Path) -> None:
    save_avatar(plain_avatar(), tmp_path / "a.rome")
    found = json.loads(measured(tmp_path / "a.rome"))
    assert set(found["seconds"]) == NAMES and min(found["seconds"].values()) > 0
    assert found["texture_px"] == [64, 64]
