# SPDX-License-Identifier: GPL-3.0-or-later
"""What the private environment is made of: the pinned lists, their sizes, and who can have them.

Does not know pip, bpy or where the environment lies.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).resolve().parent / "requirements_backend.txt"
# For Linux with CUDA: PyTorch's build of the general index, with CUDA's libraries.
GENERAL_LIST = LIST.with_name("requirements_backend_general.txt")
# What tells where PyTorch's CPU builds for Linux are, which have an index of their own.
FINDER_LIST = LIST.with_name("requirements_finder.txt")
# Time pip spends per package, in units of a small one: it is all in the few large files.
WEIGHTS = {
    "torch": 60, "opencv-python-headless": 15, "scipy": 12, "numpy": 6, "sympy": 3,
    "nvidia-cublas": 70, "nvidia-cudnn-cu13": 60, "nvidia-cufft": 35, "nvidia-nccl-cu13": 35,
    "nvidia-cusolver": 33, "triton": 33, "nvidia-cusparselt-cu13": 28, "nvidia-cusparse": 24,
    "nvidia-cuda-nvrtc": 15, "nvidia-nvshmem-cu13": 10, "nvidia-curand": 10,
    "nvidia-nvjitlink": 8,
}  # fmt: skip
_MB = 1_000_000


@dataclass(frozen=True)
class Size:
    """Bytes that pip fetches, and bytes that the installed environment takes."""

    download: int
    disk: int

    def sentence(self) -> str:
        """Return both sizes for people."""
        megabytes = self.download / _MB
        fetched = f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
        return f"{fetched} to download, {self.disk / 1000 / _MB:.1f} GB on disk"


# Downloads added up in November 2026, but for PyTorch's file for Linux on ARM, which is an
# estimate; disk measured on Linux x86-64 and for the others reckoned from the unpacked files.
SIZES = {
    "linux-x86_64": Size(341 * _MB, 1300 * _MB),  # 17 of them for uv, which goes again
    "linux-aarch64": Size(277 * _MB, 1050 * _MB),
    "win32-amd64": Size(234 * _MB, 950 * _MB),
    "darwin-arm64": Size(202 * _MB, 900 * _MB),
}


# The same for GENERAL_LIST: x86-64 measured by a real set-up, ARM's disk reckoned from it.
GENERAL_SIZES = {
    "linux-x86_64": Size(2860 * _MB, 5310 * _MB),
    "linux-aarch64": Size(2980 * _MB, 5500 * _MB),
}


def list_for(system: str, with_cuda: bool) -> Path:
    """Return the list for sys.platform ``system``; with_cuda counts on Linux alone."""
    return GENERAL_LIST if system == "linux" and with_cuda else LIST


def size_for(key: str, with_cuda: bool) -> Size | None:
    """Return the size of the list for a platform_key; None where PyTorch has no files."""
    return GENERAL_SIZES.get(key, SIZES.get(key)) if with_cuda else SIZES.get(key)


@dataclass(frozen=True)
class Package:
    """One line of the list: name, pinned version, only-on-Linux (True), never (False), any (None),
    and the SHA-256 sums (hex) of its files, one per platform."""

    name: str
    version: str
    linux: bool | None
    hashes: tuple[str, ...]


def platform_key(system: str, machine: str) -> str:
    """Return the key of SIZES for sys.platform and platform.machine() of some Python."""
    alike = {"x86_64": "x86_64", "amd64": "amd64", "arm64": "arm64", "aarch64": "aarch64"}
    name = alike.get(machine.lower(), machine.lower())
    if system == "linux":
        name = {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)
    return f"{system}-{name}"


def read_list(text: str) -> tuple[Package, ...]:
    """Return the packages of a requirements list as tools/lock_backend.py writes it.

    Raises ValueError for a line that pins nothing or has no hash: neither may be installed.
    """
    found = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.match(r"([\w.-]+)==([\w.+]+)(?:\s*;\s*sys_platform (==|!=) \"linux\")?\s", line)
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})(?:\s|$)", line))
        if match is None or not hashes:
            raise ValueError(f"not a pinned requirement with hashes: {line.strip()!r}")
        linux = {"==": True, "!=": False, None: None}[match[3]]
        found.append(Package(match[1], match[2], linux, hashes))
    return tuple(found)


def with_own_index(packages: tuple[Package, ...], system: str) -> Package | None:
    """Return the package that the general index lacks on sys.platform ``system``, if any is."""
    own = [each for each in packages if each.linux and each.version.endswith("+cpu")]
    return own[0] if own and system == "linux" else None


def weights(packages: tuple[Package, ...], system: str) -> dict[str, int]:
    """Return name -> share of the work, of the packages that sys.platform ``system`` needs."""
    needed = [each for each in packages if each.linux in (None, system == "linux")]
    return {each.name: WEIGHTS.get(each.name, 1) for each in needed}


def fingerprint(text: str) -> str:
    """Return what changes whenever a list changes: the start of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
