# SPDX-License-Identifier: Apache-2.0
"""Installs model files that a user has: each is recognised, checked and converted once.

Does not know what the files are used for; nothing that a file names is run.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rome_backend.assets import flame_open
from rome_backend.assets.content import ARRAYS, WHEEL, Content, is_plain_zip, read_content, unknown
from rome_backend.assets.flame_head import with_computed_layout
from rome_backend.assets.flame_kinds import FACES, FLAME_KINDS, VERTICES
from rome_backend.assets.kind import Converted, Kind
from rome_backend.assets.mediapipe import import_wheel
from rome_backend.assets.network_kinds import NETWORK_KINDS
from rome_backend.assets.other_kinds import OTHER_KINDS
from rome_backend.assets.rome_table_kinds import TABLE_KINDS
from rome_backend.assets.store import AssetRecord, AssetStore, cache_dir
from rome_backend.core.errors import FileInvalid, RomeError, UsageError
from rome_backend.core.head_model import save_head_model
from rome_backend.core.tensor_file import write_tensors
from rome_backend.open_head.build import open_head

KINDS: tuple[Kind, ...] = (*FLAME_KINDS, *NETWORK_KINDS, *TABLE_KINDS, *OTHER_KINDS)
FORMAT, VERSION = "rome asset", 1
_MAX_FILES = 10_000
_MAX_UNPACKED = 8 << 30
_OPEN_MODEL, _OPEN_EXPRESSIONS = "cleanroom_uv", "exprdirs"


@dataclass(frozen=True)
class Imported:
    """A file that was installed: its name, the asset, what it is; names it has besides."""

    file: str
    asset: str
    what: str
    licence: str
    ignored: tuple[str, ...] = ()


@dataclass
class ImportReport:
    """What became of the given files; ``refused`` pairs a name with its error."""

    imported: list[Imported] = field(default_factory=list)
    refused: list[tuple[str, RomeError]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def import_paths(paths: Sequence[Path], store: AssetStore | None = None) -> ImportReport:
    """Install files, folders of files and zips of them.

    In a folder or zip, files that are no models are skipped; a path given itself must be one.
    Raises UsageError (asset_file_missing); other problems of a file are in the report, and
    nothing of that file is stored.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(
                "asset_file_missing", f"There is no file {str(path)!r}.", "Check the path."
            )
    store = store or AssetStore()
    report = ImportReport()
    pair: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="rome-") as scratch:
        for path in paths:
            _import_path(path, store, report, pair, Path(scratch))
        if pair:
            try:
                report.imported.append(_open_flame(pair, store))
            except RomeError as error:
                report.refused.append((pair[0].name, error))
    return report


def _import_path(
    path: Path, store: AssetStore, report: ImportReport, pair: list[Path], scratch: Path
) -> None:
    try:
        files = list(_files(path, scratch))
    except RomeError as error:
        report.refused.append((path.name, error))
        return
    alone = files == [path]
    for file in files:
        try:
            content = read_content(file)
            if _is_open_flame(content):
                pair.append(file)
            else:
                report.imported.append(_import(content, file, store))
        except RomeError as error:
            if error.code == "asset_unknown" and not alone:
                report.skipped.append(file.name)
            else:
                report.refused.append((file.name, error))


def kind_of(content: Content) -> Kind:
    """Return the kind of a content; UsageError (asset_unknown) when there is none."""
    for kind in KINDS:
        if kind.recognise(content):
            return kind
    raise unknown(content.name)


def _import(content: Content, path: Path, store: AssetStore) -> Imported:
    if content.form == WHEEL:
        import_wheel(path, store)
        return Imported(path.name, "mediapipe", "MediaPipe's networks", "Apache-2.0")
    kind = kind_of(content)
    converted = kind.convert(content)
    record = _store(kind, converted, content, store)
    return Imported(content.name, kind.name, kind.what, record.licence, converted.ignored)


def _store(kind: Kind, converted: Converted, content: Content, store: AssetStore) -> AssetRecord:
    licence = converted.licence or kind.licence
    source = converted.source or kind.source
    metadata = {
        "format": FORMAT, "version": VERSION, "asset": kind.name, "licence": licence,
        "source": source, "source_file": content.name, "source_sha256": content.sha256,
    }  # fmt: skip

    def write(path: Path) -> None:
        write_tensors(path, converted.tensors, metadata)

    file = f"{kind.name}.safetensors"
    return store.place(kind.name, file, write, licence, source, content.sha256)


def _is_open_flame(content: Content) -> bool:
    table = content.table()
    return content.form == ARRAYS and (_OPEN_MODEL in table or _OPEN_EXPRESSIONS in table)


def _open_flame(files: list[Path], store: AssetStore) -> Imported:
    """Install the reduced FLAME 2023 Open, which comes in two files, as a head model."""
    expressions = [path for path in files if _OPEN_EXPRESSIONS in read_content(path).table()]
    models = [path for path in files if path not in expressions]
    if len(expressions) != 1 or len(models) != 1:
        raise UsageError(
            "flame_files",
            "The reduced FLAME 2023 Open comes in two .npz files: the model and expressions.",
            "Give both in one command.",
        )
    built_in = open_head(cache_dir() / "heads")
    head = flame_open.load_flame_open(models[0], expressions[0], built_in)
    if (len(head.template), len(head.faces)) == (VERTICES, FACES):
        head = with_computed_layout(head)  # hardly folded; the one in the file is folded in places
    store.place(
        flame_open.NAME,
        f"{flame_open.NAME}.safetensors",
        lambda path: save_head_model(head, path),
        head.licence,
        head.source,
        read_content(models[0]).sha256,
    )
    return Imported(models[0].name, flame_open.NAME, "FLAME 2023 Open, reduced", head.licence)


def _files(path: Path, scratch: Path, depth: int = 2) -> Iterator[Path]:
    """Yield the files behind a path: itself, those of a folder, those of a zip, sorted."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
        if len(found) > _MAX_FILES:
            raise UsageError("asset_folder", f"{path.name} has too many files.", "Give the files.")
        for file in found:
            if not file.name.startswith("."):
                yield from _inner(file, scratch, depth)
    else:
        yield from _inner(path, scratch, depth)


def _inner(file: Path, scratch: Path, depth: int) -> Iterator[Path]:
    if depth > 0 and is_plain_zip(file):
        yield from _files(_unpacked(file, scratch), scratch, depth - 1)
    else:
        yield file


def _unpacked(path: Path, scratch: Path) -> Path:
    """Unpack a zip into a folder of its own; each member keeps no more than its last name."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > _MAX_FILES or sum(m.file_size for m in members) > _MAX_UNPACKED:
                raise FileInvalid(
                    "asset_file_damaged", f"{path.name} is larger than any set of models.",
                    "Unpack it yourself and give the files that are models.",
                )  # fmt: skip
            for number, member in enumerate(members):
                name = Path(member.filename.replace("\\", "/")).name or "file"
                target = folder / f"{number:05d}" / name
                target.parent.mkdir()
                target.write_bytes(archive.read(member))
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise FileInvalid(
            "asset_file_damaged", f"{path.name} is damaged or cut short.", "Get it again."
        ) from error
    return folder
