# SPDX-License-Identifier: Apache-2.0
"""Head models by name: the built-in one, an imported one, or a file, each with its offset basis.

Does not know photos or avatars.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rome_backend.assets import flame_open
from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import load_head_model
from rome_backend.core.types import HeadModel, OffsetBasis
from rome_backend.open_head.build import open_head
from rome_backend.open_head.offset_basis import offset_basis

OPEN = "open"
FLAME = "flame"
CACHE = "heads"


@lru_cache(maxsize=2)
def load_head(choice: str = OPEN) -> tuple[HeadModel, OffsetBasis]:
    """Return a head model and its basis of hair and neck offsets; kept for the next call.

    Args:
        choice: "open" for the built-in head, "flame" for an imported FLAME 2023 Open, else the
            path of a head-model file.

    Raises:
        AssetMissing: `head_model_missing` when there is no such file.
        FileInvalid: the file is damaged or of another version.
    """
    if choice == OPEN:
        head = open_head(cache_dir() / CACHE)
    else:
        head = load_head_model(_flame_file() if choice == FLAME else _existing(choice))
    return head, offset_basis(head)


def _flame_file() -> Path:
    try:
        return AssetStore().verify(flame_open.NAME)
    except AssetMissing as error:
        raise AssetMissing(
            "head_model_missing",
            "FLAME 2023 Open is not installed on this machine.",
            "Use --head open, or run: rome assets import MODEL.npz EXPRESSIONS.npz",
        ) from error


def _existing(choice: str) -> Path:
    path = Path(choice)
    if not path.is_file():
        raise AssetMissing(
            "head_model_missing",
            f"There is no head-model file {choice!r}.",
            "Use --head open, or give the path of a head-model file.",
        )
    return path
