# SPDX-License-Identifier: Apache-2.0
"""Samples in tar shards of WebDataset's layout, with a manifest; written so that a kill costs one.

Does not know how samples are made, losses or networks.

A shard is an uncompressed tar of PNG pictures and masks, one JSON and perhaps offsets (.npy, 16
bits) per sample, named ``<number>.<part>``. It is written under another name and then renamed;
after it the manifest. A run that was interrupted continues with the first shard that the manifest
lacks, and the same settings give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.types import U8
from training.batch import Sample

_LOG = logging.getLogger(__name__)
FORMAT, VERSION = "rome training shards", 1
MANIFEST = "manifest.json"
_PICTURES = ("source", "source_matte", "target", "target_matte", "hair", "whole")
_NUMBERS = ("shape", "expression", "jaw", "rotation", "camera", "landmarks")
_MOST_BYTES = 64 << 20  # of one part of a sample


@dataclass(frozen=True)
class StoredSample:
    """A sample with what else is known of it: extra pictures (T, T) u8 by name."""

    sample: Sample
    extra: Mapping[str, U8]


@dataclass(frozen=True)
class Packed:
    """One shard: its tar, how many samples it holds, perhaps none, and what the manifest says of
    it besides."""

    tar: bytes
    samples: int
    facts: Mapping[str, Any] = field(default_factory=dict)


def packed(samples: Sequence[StoredSample], facts: Mapping[str, Any] | None = None) -> Packed:
    """Return samples as a shard."""
    return Packed(_tar(samples), len(samples), facts or {})


def write_shards(
    folder: Path,
    make: Callable[[int], StoredSample],
    count: int,
    settings: Mapping[str, Any],
    per_shard: int = 16,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> Path:
    """Write samples 0..count-1 and return the manifest's path; what is there is kept.

    settings: what the samples depend on, JSON-able; progress: told samples done and their count.
    Raises UsageError (`shards_differ`) when the folder holds shards of other settings.
    """

    def made(number: int) -> StoredSample:
        stored = make(number)
        progress(number + 1, count)
        return stored

    def numbers(index: int) -> range:
        return range(index * per_shard, min((index + 1) * per_shard, count))

    return write_packed(
        folder,
        lambda places: (packed([made(number) for number in numbers(index)]) for index in places),
        -(-count // per_shard),
        {**settings, "per_shard": per_shard},
        lambda index, entry: entry["samples"] == len(numbers(index)),
    )


def write_packed(
    folder: Path,
    make: Callable[[Sequence[int]], Iterable[Packed]],
    count: int,
    settings: Mapping[str, Any],
    complete: Callable[[int, Mapping[str, Any]], bool] = lambda index, entry: True,
) -> Path:
    """Write shards 0..count-1 and return the manifest's path; what is there is kept.

    make: gives the shards of some places in their order, by whatever means; complete: whether the
    manifest's entry of a shard is all of it. Raises UsageError (`shards_differ`) when the folder
    holds shards of other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    head = {"format": FORMAT, "version": VERSION, "settings": dict(settings)}
    done = _kept(folder, head)
    kept = 0
    while kept < min(len(done), count) and complete(kept, done[kept]):
        kept += 1
    places = range(kept, count)
    for index, shard in zip(places, make(places) if places else (), strict=True):
        file = f"shard-{index:06d}.tar"
        if shard.samples:
            with replacing(folder / file) as stream:
                stream.write(shard.tar)
        entry = {"file": file, "samples": shard.samples, "sha256": _digest(shard.tar)}
        done[index:] = [{**shard.facts, **entry}]
        _write_manifest(folder, {**head, "shards": done})
    return folder / MANIFEST


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, sort_keys=True)
    with replacing(folder / MANIFEST) as stream:
        stream.write(text.encode())


def _sweep(folder: Path) -> None:
    """Remove what a killed run was writing."""
    for name in (".shard-*.tmp", f".{MANIFEST}.*.tmp"):
        for path in folder.glob(name):
            path.unlink(missing_ok=True)


def _kept(folder: Path, head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the manifest's entries up to the first whose file is gone or damaged."""
    if not (folder / MANIFEST).exists():
        return []
    manifest = _read_manifest(folder)
    if {name: manifest.get(name) for name in head} != json.loads(json.dumps(head)):
        raise UsageError(
            "shards_differ",
            f"The folder {str(folder)!r} holds shards that were made with other settings.",
            "Choose an empty folder, or the settings that its manifest names.",
        )
    kept: list[dict[str, Any]] = []
    for entry in manifest["shards"]:
        path = folder / entry["file"]
        whole = path.is_file() and _digest(path.read_bytes()) == entry["sha256"]
        if entry["samples"] and not whole:
            _LOG.warning("%s is gone or damaged and is made again", entry["file"])
            break
        kept.append(entry)
    return kept


def _tar(samples: Sequence[StoredSample]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for stored in samples:
            for part, data in _parts(stored).items():
                member = tarfile.TarInfo(f"{stored.sample.number:08d}.{part}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _parts(stored: StoredSample) -> dict[str, bytes]:
    """Return the files of a sample by the ends of their names."""
    sample = stored.sample
    layers = {} if sample.layers is None else {"layers": sample.layers}
    pictures = {**sample.pictures(), **layers, **stored.extra}
    numbers = {name: getattr(sample, name).astype(float).tolist() for name in _NUMBERS}
    text = json.dumps({"number": sample.number, **numbers}, sort_keys=True)
    parts = {f"{name}.png": _png(values) for name, values in pictures.items()}
    if sample.offsets is not None:
        stream = io.BytesIO()
        np.save(stream, sample.offsets.astype("<f2"), allow_pickle=False)
        parts["offsets.npy"] = stream.getvalue()
    return parts | {"json": text.encode()}


def _png(values: U8) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        entries = [(e["file"], e["samples"], e["sha256"]) for e in manifest["shards"]]
        plain = all(Path(file).name == file and count >= 0 for file, count, _ in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _invalid(path, "cannot be read") from error
    if (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION) or not plain:
        raise _invalid(path, "is not a manifest of training shards of this version")
    return dict(manifest)


def _invalid(path: Path, what: str) -> FileInvalid:
    return FileInvalid("shards_invalid", f"{str(path)!r} {what}.", "Make the shards again.")


class ShardSet:
    """The samples of a folder of shards, by their place.

    Raises FileInvalid (`shards_invalid`) when manifest or shards are not what they should be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.manifest = _read_manifest(folder)
        self._places = [
            (entry["file"], row)
            for entry in self.manifest["shards"]
            for row in range(entry["samples"])
        ]
        self._members: dict[str, list[dict[str, tarfile.TarInfo]]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def stored(self, place: int) -> StoredSample:
        """Return sample number ``place`` of the set with its extra pictures."""
        file, row = self._places[place]
        path = self._folder / file
        try:
            with tarfile.open(path, "r:") as tar:
                parts = self._rows(tar, file)[row]
                data = {name: _content(tar, member) for name, member in parts.items()}
            return _stored(data)
        except (OSError, tarfile.TarError, ValueError, KeyError, IndexError, TypeError) as error:
            raise _invalid(path, f"is damaged ({error})") from error

    def sample(self, place: int) -> Sample:
        """Return sample number ``place`` of the set."""
        return self.stored(place).sample

    def _rows(self, tar: tarfile.TarFile, file: str) -> list[dict[str, tarfile.TarInfo]]:
        if file not in self._members:
            rows: dict[str, dict[str, tarfile.TarInfo]] = {}
            for member in tar.getmembers():
                key, _, part = member.name.partition(".")
                rows.setdefault(key, {})[part] = member
            self._members[file] = list(rows.values())
        return self._members[file]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > _MOST_BYTES:
        raise ValueError(f"{member.name} is too large")
    stream = tar.extractfile(member)
    if stream is None:
        raise ValueError(f"{member.name} is no file")
    return stream.read()


def _stored(data: Mapping[str, bytes]) -> StoredSample:
    pictures = {
        name.removesuffix(".png"): np.asarray(Image.open(io.BytesIO(content), formats=["PNG"]))
        for name, content in data.items()
        if name.endswith(".png")
    }
    numbers = json.loads(data["json"])
    arrays: dict[str, Any] = {name: np.array(numbers[name], np.float32) for name in _NUMBERS}
    seen: dict[str, Any] = {name: pictures.pop(name) for name in _PICTURES}
    offsets = None
    if "offsets.npy" in data:
        stored = np.load(io.BytesIO(data["offsets.npy"]), allow_pickle=False)
        offsets = stored.astype(np.float32)
    more: dict[str, Any] = {"layers": pictures.pop("layers", None), "offsets": offsets}
    number = int(numbers["number"])
    return StoredSample(Sample(number=number, **seen, **arrays, **more), pictures)
