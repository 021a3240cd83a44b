# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests above the library: a small avatar, and the parity fixtures' weight rule.

Does not know photos or what networks compute.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.camera import weak_perspective
from rome_backend.core.types import Avatar, FlameParams, HeadModel, OffsetBasis
from rome_backend.open_head.offset_basis import offset_basis


@pytest.fixture(scope="session")
def small_basis(small_head: HeadModel) -> OffsetBasis:
    """The offset basis of the small head, from few samples."""
    return offset_basis(small_head, count=8)


@pytest.fixture(scope="session")
def small_avatar(small_head: HeadModel, small_basis: OffsetBasis) -> Avatar:
    """An avatar on the small head: expression, jaw, offsets and a texture of noise."""
    random = np.random.default_rng(5)
    vertices = len(small_head.template)
    coefficients = random.normal(size=60).astype(np.float32)
    free = (1e-3 * random.normal(size=(vertices, 3))).astype(np.float32)
    expression = random.uniform(0, 0.5, len(small_head.expression_names))
    return Avatar(
        name="small",
        head_model=small_head.name,
        topology_id=small_head.topology_id,
        params=FlameParams(random.normal(size=6), expression, jaw=np.array([0.1, 0.0, 0.0])),
        offset_coefficients=coefficients,
        free_offsets=free,
        offsets=small_basis.mean + small_basis.dirs @ coefficients + free,
        albedo=random.integers(60, 200, (32, 32, 3), dtype=np.uint8),
        confidence=np.full((32, 32), 255, np.uint8),
        source_crop=random.integers(0, 256, (64, 64, 3), dtype=np.uint8),
        source_matte=np.full((64, 64), 255, np.uint8),
        source_landmarks=random.uniform(0, 64, (478, 3)).astype(np.float32),
        camera=weak_perspective(200.0, np.eye(3), (32.0, 32.0), 64, 64),
        warnings=(),
        licences={"head model": "Apache-2.0"},
        provenance={"head": "open", "fit": {"yaw": 0.0}},
    )


@pytest.fixture(scope="session")
def shapes(parity_dir: Path) -> dict[str, dict]:
    """network -> {seed, checkpoint_prefix, shapes}."""
    return json.loads((parity_dir / "network_shapes.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def official_state(
    parity_dir: Path, shapes: dict[str, dict]
) -> Callable[[str], dict[str, torch.Tensor]]:
    """Make a network's synthetic state under its official names."""
    path = parity_dir / "parity_weights.py"
    spec = importlib.util.spec_from_file_location("parity_weights", path)
    assert spec is not None and spec.loader is not None
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)

    def make(name: str) -> dict[str, torch.Tensor]:
        filled = rule.fill_state_dict(shapes[name]["shapes"], shapes[name]["seed"])
        return {key: torch.from_numpy(array) for key, array in filled.items()}

    return make
