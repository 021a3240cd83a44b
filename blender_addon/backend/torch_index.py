# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out where PyTorch's CPU builds for Linux are: uv knows, which is fetched to be asked.

Does not install PyTorch, and names no server itself. uv goes when it has answered.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..core_access import RomeError
from . import packages
from .pip_problems import explain

Run = Callable[[list[str]], tuple[int, list[str]]]
_FROM = re.compile(r"\s*# from (https?://\S+|file://\S+)$")


def find_torch_index(python: Path, torch: packages.Package, folder: Path, run: Run) -> str:
    """Return the address of the index that has the build ``torch``.

    python: of the environment that will get it; folder: for files that are gone afterwards;
    run: runs a command, returns its exit code and last lines. Raises RomeError
    'torch_index_unknown', and those of pip_problems where uv cannot be fetched.
    """
    folder.mkdir()
    try:
        code, lines = run(_fetch(python, folder))
        if code:
            raise explain(lines)
        wanted = folder / "torch.in"
        wanted.write_text(f"{torch.name}=={torch.version}\n", encoding="utf-8")
        code, lines = run(_ask(python, folder, wanted))
        found = [match[1] for match in map(_FROM.match, lines) if match]
        if code or not found:
            raise _unknown(lines)
        return found[0]
    finally:
        shutil.rmtree(folder)


def _fetch(python: Path, folder: Path) -> list[str]:
    return [
        *(str(python), "-m", "pip", "install", "--target", str(folder)),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:"),
        *("-r", str(packages.FINDER_LIST)),
    ]


def _ask(python: Path, folder: Path, wanted: Path) -> list[str]:
    return [
        *(str(folder / "bin" / "uv"), "pip", "compile", "--torch-backend", "cpu", "--no-deps"),
        *("--emit-index-annotation", "--no-header", "--no-cache", "--system-certs"),
        *("--python", str(python), str(wanted)),
    ]


def _unknown(lines: Sequence[str]) -> RomeError:
    said = [line.strip() for line in lines if line.strip()]
    causes = [line.partition(": ")[2] for line in said if line.startswith(("error: ", "cause: "))]
    words = ": ".join(causes[:2] or said[-1:] or ["uv said nothing"]).rstrip(".")[:300]
    return RomeError(
        "torch_index_unknown",
        f"PyTorch's CPU build was not found: {words}.",
        "Check the connection and press Set Up again; or paste the address that PyTorch's Get "
        "Started page shows for Linux, Pip and CPU into PyTorch Index; or tick PyTorch with CUDA.",
    )
