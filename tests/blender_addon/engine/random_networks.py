# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by the backend's Python: networks of the official architecture at random, and an avatar.

Does not know Blender. Installs the networks below ROME_HOME, writes an avatar with a neural
texture for them, and prints the id of their weights.

    python random_networks.py TESTS AVATAR.rome
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from rome_backend.assets.importer import import_paths
from rome_backend.assets.installed_weights import installed_weights
from rome_backend.assets.store import AssetStore
from rome_backend.avatar.avatar import save_avatar


def module(path: Path) -> ModuleType:
    """Return a module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found
    spec.loader.exec_module(found)
    return found


def main(tests: Path, avatar_file: Path) -> None:
    """Install the networks and write the avatar."""
    state = module(tests / "rome_backend" / "official_files.py").rome_checkpoint()
    state["unet.to_outputs.bias"][3] = 10.0  # a mask that holds whatever the random rest says
    store = AssetStore()
    with tempfile.TemporaryDirectory() as folder:
        torch.save(state, Path(folder) / "rome.pth")
        report = import_paths([Path(folder) / "rome.pth"], store)
    assert not report.refused, report.refused
    weights_id = installed_weights(store)
    synthetic = module(tests / "rome_backend" / "export" / "synthetic_head.py").synthetic_head()
    texture = np.random.default_rng(0).normal(size=(8, 256, 256)).astype(np.float32)
    save_avatar(
        replace(synthetic.avatar, neural_texture=texture, weights_id=weights_id), avatar_file
    )
    sys.stdout.write(weights_id)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
