# SPDX-License-Identifier: Apache-2.0
"""Tests of finding photos and expectations in a data folder.

Measures nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rome_backend.bench.dataset import expected_negatives, photos
from rome_backend.core.errors import FileInvalid, UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("b.jpg", "a.png", "c.jpg"):
        (tmp_path / "photos" / name).write_bytes(b"")
    entries = [
        {"topic": "photos", "file": "a.png", "tier": "A"},
        {"topic": "photos", "file": "b.jpg", "tier": "C"},
        {"topic": "negatives", "file": "c.jpg", "tier": "B"},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    return tmp_path


def names(found: list) -> list[str]:
    return [photo.path.name for photo in found]


def test_photos_come_by_name_with_their_tier(data: Path) -> None:
    found = photos(data)
    assert names(found) == ["a.png", "b.jpg", "c.jpg"]
    assert [photo.tier for photo in found] == ["A", "C", "?"]


def test_the_manifest_tells_long_hair(data: Path) -> None:
    tags = {"a.png": "female, long wavy hair", "b.jpg": "long dark fringe, short hair"}
    entries = [{"topic": "photos", "file": name, "tags": tag} for name, tag in tags.items()]
    (data / "manifest.json").write_text(json.dumps(entries))
    assert [photo.long_hair for photo in photos(data)] == [True, False, False]


def test_they_can_be_chosen_by_name_stem_or_tier(data: Path) -> None:
    assert names(photos(data, only=["b", "a.png"])) == ["a.png", "b.jpg"]
    assert names(photos(data, tiers="AB")) == ["a.png", "c.jpg"]


def test_without_a_manifest_every_photo_counts(data: Path) -> None:
    (data / "manifest.json").unlink()
    assert names(photos(data, tiers="A")) == ["a.png", "b.jpg", "c.jpg"]


def test_unknown_names_and_empty_folders_are_usage_errors(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="zz"):
        photos(data, only=["zz"])
    with pytest.raises(UsageError):
        photos(tmp_path / "nowhere")


def test_a_broken_manifest_is_said(data: Path) -> None:
    (data / "manifest.json").write_text("{")
    with pytest.raises(FileInvalid, match="manifest"):
        photos(data)


def test_expectations_are_read(tmp_path: Path) -> None:
    text = json.dumps({"_": "about", "files": {"negatives/x.png": {"outcome": ["ok", "warn"]}}})
    (tmp_path / "expected_negatives.json").write_text(text)
    assert expected_negatives(tmp_path) == {"negatives/x.png": ["ok", "warn"]}
