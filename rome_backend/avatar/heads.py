# SPDX-License-Identifier: Apache-2.0
"""Head models by name: the built-in one, or one from a file, each with its offset basis.

Does not know photos or avatars.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rome_backend.assets.store import cache_dir
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import load_head_model
from rome_backend.core.types import HeadModel, OffsetBasis
from rome_backend.open_head.build import open_head
from rome_backend.open_head.offset_basis import offset_basis

OPEN = "open"
CACHE = "heads"


@lru_cache(maxsize=2)
def load_head(choice: str = OPEN) -> tuple[HeadModel, OffsetBasis]:
    """Return a head model and its basis of hair and neck offsets; kept for the next call.

    Args:
        choice: "open" for the built-in head, else the path of a head-model file, for example one
            that `rome assets import` made.

    Raises:
        AssetMissing: `head_model_missing` when there is no such file.
        FileInvalid: the file is damaged or of another version.
    """
    if choice == OPEN:
        head = open_head(cache_dir() / CACHE)
    else:
        path = Path(choice)
        if not path.is_file():
            raise AssetMissing(
                "head_model_missing",
                f"There is no head-model file {choice!r}.",
                "Use --head open, or give the path of a head-model file.",
            )
        head = load_head_model(path)
    return head, offset_basis(head)
