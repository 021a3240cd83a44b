# SPDX-License-Identifier: Apache-2.0
"""The store of installed asset files: each with a record of checksum, licence and source.

Does not know where assets come from, nor torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import AssetMissing, FileInvalid, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_RECORD_SUFFIX = ".record.json"


def cache_dir() -> Path:
    """Return the folder of everything the project stores: ROME_HOME, else the user's data folder.

    The folder is not created here.
    """
    home = os.environ.get("ROME_HOME")
    if home:
        return Path(home).expanduser()
    return Path(platformdirs.user_data_dir("rome", appauthor=False))


@dataclass(frozen=True)
class AssetRecord:
    """One installed file: its name, file name, SHA-256 (hex), licence, source and size in bytes.

    source_sha256: of the file it was converted from; empty where it is that file.
    """

    name: str
    file: str
    sha256: str
    licence: str
    source: str
    size: int
    source_sha256: str = ""


class AssetStore:
    """The installed assets of one folder; each file lies beside its JSON record.

    One record per file, written atomically after the file, so that several processes may install
    at the same time and an interrupted installation leaves nothing that looks installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder`, by default ``assets`` in cache_dir()."""
        self.folder = folder if folder is not None else cache_dir() / "assets"

    def add(self, name: str, file: str, data: bytes, licence: str, source: str) -> AssetRecord:
        """Store `data` as `file` (a plain file name) under `name`, replacing an older one.

        Raises:
            UsageError: 'asset_name_invalid'.
        """

        def write(path: Path) -> None:
            with replacing(path) as stream:
                stream.write(data)

        return self.place(name, file, write, licence, source)

    def place(
        self,
        name: str,
        file: str,
        write: Callable[[Path], None],
        licence: str,
        source: str,
        source_sha256: str = "",
    ) -> AssetRecord:
        """Let ``write`` make `file`, then record it as `name`; an older one is replaced.

        Nothing is left where ``write`` fails. Raises UsageError 'asset_name_invalid'.
        """
        _check_names(name, file)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as stage:
            made = Path(stage) / file
            write(made)
            digest, size = _sha256(made), made.stat().st_size
            os.replace(made, self.folder / file)
        record = AssetRecord(name, file, digest, licence, source, size, source_sha256)
        text = json.dumps(asdict(record), indent=1, sort_keys=True)
        with replacing(self._record_path(name)) as stream:
            stream.write(text.encode())
        return record

    def list(self) -> list[AssetRecord]:
        """Return the records of all installed assets, by name; FileInvalid if one is damaged."""
        paths = sorted(self.folder.glob("*" + _RECORD_SUFFIX))
        return [self._read(path) for path in paths]

    def record(self, name: str) -> AssetRecord:
        """Return the record of `name`; AssetMissing 'asset_missing' when it is not installed."""
        path = self._record_path(name)
        if not path.is_file():
            raise AssetMissing(
                "asset_missing",
                f"The asset {name} is not installed.",
                "Run `rome assets fetch`, or `rome assets list` to see what is installed.",
            )
        return self._read(path)

    def verify(self, name: str) -> Path:
        """Return the path of `name` after comparing the file with its record.

        Raises:
            AssetMissing: 'asset_missing' when it is not installed or its file is gone,
                'asset_damaged' when the content has changed.
        """
        record = self.record(name)
        path = self.folder / record.file
        if not path.is_file():
            raise AssetMissing(
                "asset_missing",
                f"The file of the asset {name} is gone.",
                f"Run `rome assets remove {name}` and install it again.",
            )
        if _sha256(path) != record.sha256:
            raise AssetMissing(
                "asset_damaged",
                f"The file of the asset {name} has changed since it was installed.",
                f"Run `rome assets remove {name}` and install it again.",
            )
        return path

    def remove(self, name: str) -> None:
        """Delete the record of `name` and its file; AssetMissing when it is not installed."""
        record = self.record(name)
        self._record_path(name).unlink(missing_ok=True)
        (self.folder / record.file).unlink(missing_ok=True)

    def _record_path(self, name: str) -> Path:
        return self.folder / (name + _RECORD_SUFFIX)

    def _read(self, path: Path) -> AssetRecord:
        try:
            record = AssetRecord(**json.loads(path.read_text(encoding="utf-8")))
            names_are_plain = all(_NAME.fullmatch(part) for part in (record.name, record.file))
        except (ValueError, TypeError) as error:
            raise self._damaged(path) from error
        if not names_are_plain:
            raise self._damaged(path)
        return record

    def _damaged(self, path: Path) -> FileInvalid:
        return FileInvalid(
            "asset_record_invalid",
            f"The asset record {path.name} is damaged.",
            f"Delete {path} and install the asset again.",
        )


def _check_names(*names: str) -> None:
    for part in names:
        if not _NAME.fullmatch(part) or part.endswith(_RECORD_SUFFIX):
            raise UsageError(
                "asset_name_invalid",
                f"{part!r} cannot be the name of an asset.",
                "Use lower-case letters, digits, dots, dashes and underscores.",
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
