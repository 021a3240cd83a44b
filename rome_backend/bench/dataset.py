# SPDX-License-Identifier: Apache-2.0
"""A folder of test data laid out as photos/, negatives/, manifest.json.

Does not know what is measured on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rome_backend.core.errors import FileInvalid, UsageError

UNKNOWN_TIER = "?"
_LONG_HAIR = re.compile(r"\blong\b[^,]*\bhair\b")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic")


@dataclass(frozen=True)
class DataPhoto:
    """A photo of the set, its licence tier (A, B, C, or ? without a manifest) and whether the
    manifest's tags say long hair."""

    path: Path
    tier: str
    long_hair: bool = False


def photos(data: Path, only: Sequence[str] = (), tiers: Collection[str] = ()) -> list[DataPhoto]:
    """Return the photos of a data folder by name.

    Args:
        only: names or stems to keep, all when empty; tiers: tiers to keep, all when empty.

    Raises UsageError when the folder has no photos or a name of ``only`` is unknown.
    """
    folder = data / "photos"
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    return _chosen(files, data, only, tiers)


def _chosen(
    files: Sequence[Path], data: Path, only: Sequence[str], tiers: Collection[str]
) -> list[DataPhoto]:
    if not files:
        raise UsageError(
            "no_data", f"There are no photos in {str(data)!r}.",
            "Give --data a folder that holds photos/.",
        )  # fmt: skip
    known = {path.name for path in files} | {path.stem for path in files}
    unknown = sorted(set(only) - known)
    if unknown:
        raise UsageError(
            "unknown_photo", f"There is no photo {unknown[0]!r} in the data.",
            f"For example: {files[0].stem}.",
        )  # fmt: skip
    about = _manifest(data)
    found = [_photo(path, about.get(path.name, {})) for path in files]
    return [
        photo
        for photo in found
        if (not only or {photo.path.name, photo.path.stem} & set(only))
        and (not tiers or photo.tier in tiers or photo.tier == UNKNOWN_TIER)
    ]


def loose_photos(
    data: Path, only: Sequence[str] = (), tiers: Collection[str] = ()
) -> list[DataPhoto]:
    """Return the photos of a data folder or, without photos/ in it, the pictures in it itself.

    Arguments and errors as of ``photos``.
    """
    if (data / "photos").is_dir() or not data.is_dir():
        return photos(data, only, tiers)
    files = [path for path in sorted(data.glob("*")) if path.suffix.lower() in _PICTURES]
    return _chosen(files, data, only, tiers)


def expected_negatives(data: Path) -> dict[str, list[str]]:
    """Return file (relative to data) -> acceptable outcomes: ok, warn, refuse."""
    files = _json(data / "expected_negatives.json")["files"]
    return {name: list(entry["outcome"]) for name, entry in files.items()}


def _photo(path: Path, entry: Mapping[str, Any]) -> DataPhoto:
    tier = str(entry.get("tier", UNKNOWN_TIER))
    return DataPhoto(path, tier, bool(_LONG_HAIR.search(str(entry.get("tags", "")))))


def _manifest(data: Path) -> dict[str, dict[str, Any]]:
    """Return file name -> the manifest's entry of every photo; empty without a manifest."""
    path = data / "manifest.json"
    if not path.is_file():
        return {}
    return {entry["file"]: entry for entry in _json(path) if entry.get("topic") == "photos"}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileInvalid(
            "data_invalid", f"{path.name} of the data cannot be read ({error}).",
            "Give --data another folder.",
        ) from error  # fmt: skip
