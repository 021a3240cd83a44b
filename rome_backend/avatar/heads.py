# SPDX-License-Identifier: Apache-2.0
"""Head models by name: the built-in one, an imported one, or a file, each with its offset basis.

Does not know photos or avatars.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rome_backend.assets import flame_kinds, flame_open
from rome_backend.assets.flame_head import FlameParts, flame_head, parts_key
from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import load_head_model, save_head_model
from rome_backend.core.tensor_file import read_tensors
from rome_backend.core.types import HeadModel, OffsetBasis
from rome_backend.open_head.build import open_head
from rome_backend.open_head.offset_basis import offset_basis

OPEN = "open"
FLAME = "flame"
CACHE = "heads"
_FLAME_FILES = (
    flame_kinds.MODEL,
    flame_kinds.MASKS,
    flame_kinds.LANDMARKS_68,
    flame_kinds.LANDMARKS_MEDIAPIPE,
    flame_kinds.LAYOUT,
)


@lru_cache(maxsize=2)
def load_head(choice: str = OPEN) -> tuple[HeadModel, OffsetBasis]:
    """Return a head model and its basis of hair and neck offsets; kept for the next call.

    Args:
        choice: "open" for the built-in head, "flame" for an imported FLAME (the model's own
            pickle before the reduced FLAME 2023 Open), else the path of a head-model file.

    Raises:
        AssetMissing: `head_model_missing` when there is no such file, `flame_landmarks_missing`.
        FileInvalid: the file is damaged or of another version.
    """
    if choice == OPEN:
        head = open_head(cache_dir() / CACHE)
    elif choice == FLAME:
        head = _flame(AssetStore())
    else:
        head = load_head_model(_existing(choice))
    return head, offset_basis(head)


def _flame(store: AssetStore) -> HeadModel:
    """Return FLAME of the installed files, built once for each set of them."""
    installed = {record.name: record for record in store.list()}
    if flame_kinds.MODEL not in installed:
        return load_head_model(_reduced_flame(store))
    used = {name: record for name, record in installed.items() if name in _FLAME_FILES}
    built_in = open_head(cache_dir() / CACHE)
    key = parts_key({name: record.sha256 for name, record in used.items()}, built_in)
    path = cache_dir() / CACHE / f"flame-{key}.safetensors"
    if not path.is_file():
        for name in used:
            store.verify(name)
        tensors = {name: read_tensors(store.folder / used[name].file)[0] for name in used}
        parts = FlameParts(
            model=tensors[flame_kinds.MODEL],
            licences={name: record.licence for name, record in used.items()},
            source=used[flame_kinds.MODEL].source,
            masks=tensors.get(flame_kinds.MASKS),
            landmarks=tensors.get(flame_kinds.LANDMARKS_MEDIAPIPE),
            landmarks_68=tensors.get(flame_kinds.LANDMARKS_68),
            layout=tensors.get(flame_kinds.LAYOUT),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        save_head_model(flame_head(parts, built_in), path)
    return load_head_model(path)


def _reduced_flame(store: AssetStore) -> Path:
    try:
        return store.verify(flame_open.NAME)
    except AssetMissing as error:
        raise AssetMissing(
            "head_model_missing",
            "FLAME is not installed on this machine.",
            "Use --head open, or run: rome assets import with FLAME's files.",
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
