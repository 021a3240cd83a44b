# SPDX-License-Identifier: Apache-2.0
"""Writes the lists of pinned, hashed packages that the add-on's private environment is made from.

Does not download packages and does not choose versions: the pins are those of pyproject.toml and
requirements.lock, the hashes those that pip reports for the published files of each platform.

    python tools/lock_backend.py

PyTorch publishes its CPU builds for Linux on an index of its own, which pip asks only when told
to (--torch-index). Without that option their hashes are the ones written down below. A list of
its own pins uv, which tells the add-on where that index is. The third list is for Linux with an
NVIDIA card: PyTorch's build of the general index, which needs CUDA's libraries. pip has to fetch
all of them to know what they need, 6 GB in all (--skip-general).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "blender_addon" / "backend" / "requirements_backend.txt"
GENERAL_LIST = LIST.with_name("requirements_backend_general.txt")
FINDER_LIST = LIST.with_name("requirements_finder.txt")
FINDER = {"uv": "0.13.8"}
PYTHON = "3.11"
# bpy writes .blend files for the command line, which Blender does itself; scikit-image brings the
# demo photo and a measure of the benches.
NOT_NEEDED = frozenset({"bpy", "scikit-image"})
PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "Linux x86-64": tuple(f"manylinux{tag}_x86_64" for tag in ("_2_28", "_2_27", "_2_17", "2014")),
    "Linux ARM": tuple(f"manylinux{tag}_aarch64" for tag in ("_2_28", "_2_27", "_2_17", "2014")),
    "Windows x86-64": ("win_amd64",),
    "macOS ARM": tuple(f"macosx_{major}_0_arm64" for major in (14, 13, 12, 11)),
}
# torch 2.13.0+cpu for CPython 3.11, manylinux 2.28: x86-64, then ARM.
TORCH_CPU = {
    "Linux x86-64": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
    "Linux ARM": "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
}
TORCH_CPU_VERSION = "2.13.0+cpu"
# CUDA's libraries bear these tags; pip matches them one by one.
GENERAL_TAGS = (*(f"_2_{minor}" for minor in range(28, 4, -1)), "2014", "2010", "1")
HEADER = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by tools/lock_backend.py from pyproject.toml and requirements.lock; not by hand.
# SHA-256 of the published files for {platforms}, Python {python}.
"""

Report = list[tuple[str, str, str, str]]  # name, version, url, sha256
Ask = Callable[[list[str]], Report]


class Problem(Exception):
    """The list cannot be written; the text says why."""


def normal(name: str) -> str:
    """Return a package's name the way package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements(pyproject: str) -> list[str]:
    """Return what the backend itself asks for, without what the private environment leaves out."""
    wanted = tomllib.loads(pyproject)["project"]["dependencies"]
    return [line for line in wanted if normal(re.split(r"[=<>;\s]", line)[0]) not in NOT_NEEDED]


def pins(lock: str, pyproject: str) -> dict[str, str]:
    """Return every pinned version by normal name: the lock's, and setuptools as we build with it.

    The lock leaves setuptools out, which torch needs at run time.
    """
    lines = lock.split() + tomllib.loads(pyproject)["build-system"]["requires"]
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def ask_pip(arguments: list[str]) -> Report:
    """Return what pip would install for the arguments, asking no index but the one it knows.

    This machine's own settings and folders of files do not count; only its certificate does.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    clean["PIP_CONFIG_FILE"] = os.devnull
    if "PIP_CERT" in os.environ:
        clean["PIP_CERT"] = os.environ["PIP_CERT"]
    with tempfile.TemporaryDirectory(prefix="rome-lock-") as folder:
        report = Path(folder, "report.json")
        command = [
            sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
            "--disable-pip-version-check", "--only-binary=:all:",
            "--python-version", PYTHON, "--target", folder, "--report", str(report), *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(done.stderr.strip())
        entries = json.loads(report.read_text("utf-8"))["install"]
    return [_read(entry) for entry in entries]


def _read(entry: dict) -> tuple[str, str, str, str]:
    source, about = entry["download_info"], entry["metadata"]
    digest = source["archive_info"]["hashes"]["sha256"]
    return normal(about["name"]), about["version"], source["url"], digest


def closure(requirements: Iterable[str], versions: Mapping[str, str]) -> dict[str, str]:
    """Return the pins that the requirements bring, from the installed packages' own metadata.

    Raises Problem for a package that is needed and not pinned.
    """
    from importlib.metadata import requires

    found: dict[str, str] = {}
    todo = [normal(re.split(r"[=<>;\s\[]", line)[0]) for line in requirements]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        if name not in versions:
            raise Problem(f"{name} is needed, but requirements.lock does not pin it")
        found[name] = versions[name]
        for line in requires(name) or []:
            if ";" not in line:  # markers: extras, old Pythons, and CUDA's packages on Linux
                todo.append(normal(re.split(r"[=<>!~;\s\[(]", line)[0]))
    return dict(sorted(found.items()))


def published_hashes(
    packages: Mapping[str, str], ask: Ask, torch_index: str | None = None
) -> dict[str, set[str]]:
    """Return the SHA-256 of every package's published file on every platform.

    Keys are ``name==version``; torch has two, the CPU build for Linux and the usual file.
    """
    found: dict[str, set[str]] = {}
    for platform, tags in PLATFORMS.items():
        linux = platform in TORCH_CPU
        wanted = [f"{n}=={v}" for n, v in packages.items() if not (linux and n == "torch")]
        options = [option for tag in tags for option in ("--platform", tag)]
        report = ask(["--no-deps", *options, *wanted])
        if linux and torch_index:
            index = ["--no-deps", "--index-url", torch_index]
            report += ask([*options, *index, f"torch=={TORCH_CPU_VERSION}"])
        elif linux:
            report.append(("torch", TORCH_CPU_VERSION, "https:", TORCH_CPU[platform]))
        for name, version, url, digest in report:
            _require_published(name, url)
            found.setdefault(f"{name}=={version}", set()).add(digest)
        if len(report) != len(packages):
            raise Problem(f"{platform}: {len(report)} files for {len(packages)} packages")
    return dict(sorted(found.items()))


def finder_hashes(ask: Ask) -> dict[str, set[str]]:
    """Return the SHA-256 of uv's published files for every Linux."""
    found: dict[str, set[str]] = {}
    for platform in TORCH_CPU:
        options = [option for tag in PLATFORMS[platform] for option in ("--platform", tag)]
        wanted = [f"{name}=={version}" for name, version in FINDER.items()]
        for name, version, url, digest in ask(["--no-deps", *options, *wanted]):
            _require_published(name, url)
            found.setdefault(f"{name}=={version}", set()).add(digest)
    return found


def general_hashes(packages: Mapping[str, str], ask: Ask) -> dict[str, set[str]]:
    """Return the SHA-256 of the published files for Linux, PyTorch of the general index included.

    What PyTorch needs besides the packages is what pip finds; every Linux must need the same.
    """
    found: dict[str, dict[str, str]] = {}
    for platform in TORCH_CPU:
        machine = PLATFORMS[platform][0].rpartition("28_")[2]
        options = [o for tag in GENERAL_TAGS for o in ("--platform", f"manylinux{tag}_{machine}")]
        report = ask([*options, *(f"{name}=={version}" for name, version in packages.items())])
        for name, _, url, _ in report:
            _require_published(name, url)
        found[platform] = {f"{name}=={version}": digest for name, version, _, digest in report}
    names = set.union(*(set(each) for each in found.values()))
    missing = [name for name in names for each in found.values() if name not in each]
    missing += [f"{n}=={v}" for n, v in packages.items() if f"{n}=={v}" not in names]
    if missing:
        raise Problem(f"{missing[0]} is not there for every Linux")
    return {name: {each[name] for each in found.values()} for name in sorted(names)}


def _require_published(name: str, url: str) -> None:
    if not url.startswith("https:"):
        raise Problem(f"{name}: pip chose a file of this machine, not a published one")


def text_of(hashes: Mapping[str, set[str]], platforms: Iterable[str] = PLATFORMS) -> str:
    """Return the list in pip's format: sorted, so that the same answers give the same bytes.

    torch comes first: where its index is missing, nothing has been fetched in vain. Where it has
    two builds, each is marked with the system that it is for.
    """
    parts = [HEADER.format(platforms=", ".join(platforms), python=PYTHON)]
    builds = sum(name.startswith("torch==") for name in hashes)
    for requirement in sorted(hashes, key=lambda name: (not name.startswith("torch=="), name)):
        digests = hashes[requirement]
        marker = ""
        if requirement.startswith("torch==") and builds > 1:
            marker = f' ; sys_platform {"==" if "+cpu" in requirement else "!="} "linux"'
        lines = [requirement + marker, *(f"    --hash=sha256:{each}" for each in sorted(digests))]
        parts.append(" \\\n".join(lines) + "\n")
    return "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Write the list, or say why not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--torch-index", help="the index of PyTorch's CPU builds, to ask it as well"
    )
    parser.add_argument(
        "--skip-general", action="store_true", help="leave the list for Linux with CUDA as it is"
    )
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    versions = pins((ROOT / "requirements.lock").read_text("utf-8"), pyproject)
    packages = closure(direct_requirements(pyproject), versions)
    _write(FINDER_LIST, text_of(finder_hashes(ask_pip), TORCH_CPU))
    _write(LIST, text_of(published_hashes(packages, ask_pip, args.torch_index)))
    if not args.skip_general:
        _write(GENERAL_LIST, text_of(general_hashes(packages, ask_pip), TORCH_CPU))
    return 0


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
    logging.info("%d hashes -> %s", text.count("sha256:"), path)


if __name__ == "__main__":
    sys.exit(main())
