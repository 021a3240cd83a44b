# SPDX-License-Identifier: Apache-2.0
"""A short clip of a real face, and the instruments that samples are taken with.

Does not know which part of the data is tested.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from rome_backend.avatar.create import load_tools
from rome_backend.tracking.clip import open_clip
from training.data.instruments import Instruments

FRAMES = (0, 45, 90, 135, 180)


@pytest.fixture(scope="session")
def instruments(tracker_models: Path) -> Instruments:
    """The built-in instruments, without networks that are imported."""
    return Instruments(load_tools())


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Five frames of a man who turns his head by six degrees, 25 per second."""
    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    frames = open_clip(data_dir / "videos" / "v06_man_mouth.mp4").frames()
    chosen = [rgb for number, rgb in enumerate(frames) if number in FRAMES]
    height, width = chosen[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (width, height))
    for rgb in chosen:
        writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    return path
