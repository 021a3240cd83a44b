# SPDX-License-Identifier: Apache-2.0
"""Debian's real Blender in a chroot, its window under Xvfb, clicked through from photo to render.

Does not know the add-on's panel: what is clicked stands in tools/real_blender_inside/story.py.
The bpy wheels of the tests never open a window, so this shows what they cannot. Needs root and
the Debian package mmdebstrap; 1.7 GB and some minutes for each suite.

    python tools/real_blender.py build sid trixie     Blender 5.2 and 4.3
    python tools/real_blender.py run sid --zip dist/rome-0.1.0.zip --photo me.jpg
    python tools/real_blender.py clean sid trixie
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITES = {"sid": "5.2", "trixie": "4.3"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    "blender", "xvfb", "xauth", "xdotool", "imagemagick", "openbox", "libgl1-mesa-dri", "libegl1",
    "libegl-mesa0", "ca-certificates", "python3-numpy", "tesseract-ocr", "tesseract-ocr-eng",
    # Debian's Blender does not depend on these, and its extension system cannot start without.
    "python3-cattr", "python3-requests",
)  # fmt: skip
STORY = "tools.real_blender_inside.story"
PICTURES = "/pictures"
HOME = "/home/artist"


class Problem(Exception):
    """Something that the person at the keyboard can put right; shown as one line."""


def chroot_folder(suite: str) -> Path:
    """Return where a suite's chroot stands: below ROME_CHROOTS, or /var/tmp/rome-chroots."""
    return Path(os.environ.get("ROME_CHROOTS", "/var/tmp/rome-chroots")) / suite


def apt_address(texts: Iterable[str]) -> str:
    """Return the address of the Debian archive out of the texts of apt's source files.

    Raises Problem where none names one.
    """
    for text in texts:
        for line in text.splitlines():
            words = line.split()
            if not words or words[0] not in ("deb", "URIs:"):
                continue
            for word in words[1:]:
                if "://" in word and word.rstrip("/").endswith("/debian"):
                    return word
    raise Problem("apt has no Debian archive; add one to /etc/apt/sources.list")


def _apt_sources() -> list[str]:
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return [path.read_text("utf-8") for path in files if path.is_file()]


def build_command(suite: str, folder: Path, address: str, settings: Iterable[Path]) -> list[str]:
    """Return the mmdebstrap command; ``settings`` are this machine's own apt settings to keep."""
    options = [
        'APT::Install-Recommends "false"',
        'Acquire::Check-Valid-Until "false"',
        'Acquire::Retries "3"',
        *(str(path) for path in settings),
    ]
    packages = ",".join(PACKAGES)
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={packages}"]
    command += [f"--aptopt={option}" for option in options]
    return [*command, suite, str(folder), f"deb [signed-by={KEYRING}] {address} {suite} main"]


def build(suite: str) -> None:
    """Make the suite's chroot, unless it is there.

    Raises Problem where mmdebstrap is missing or fails; a half-made chroot is removed.
    """
    folder = chroot_folder(suite)
    if (folder / "usr" / "bin" / "blender").exists():
        print(f"{folder} is there already")
        return
    if shutil.which("mmdebstrap") is None:
        raise Problem("mmdebstrap is missing; install it with: apt install mmdebstrap")
    if folder.exists():
        clean(suite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(Path("/etc/apt/apt.conf.d").glob("*"))
    settings = [path for path in files if "Acquire::" in path.read_text("utf-8", "replace")]
    command = build_command(suite, folder, apt_address(_apt_sources()), settings)
    if subprocess.call(command):
        clean(suite)
        raise Problem(f"mmdebstrap could not make {suite}; the lines above say why")


def clean(suite: str) -> None:
    """Remove the suite's chroot; nothing is mounted in it outside a run's own namespace."""
    folder = chroot_folder(suite).resolve()
    mounts = Path("/proc/mounts").read_text("utf-8")
    if any(line.split()[1].startswith(f"{folder}/") for line in mounts.splitlines()):
        raise Problem(f"something is mounted below {folder}; unmount it first")
    if folder.exists():
        shutil.rmtree(folder)


def base_of(python: Path) -> Path:
    """Return the installation that a virtual environment's interpreter belongs to.

    Raises Problem for an interpreter of no virtual environment, or of the system's Python, whose
    files would hide the chroot's own.
    """
    settings = python.parent.parent / "pyvenv.cfg"
    if not settings.is_file():
        raise Problem(f"{python} is no interpreter of a virtual environment")
    for line in settings.read_text("utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            base = Path(value.strip()).resolve().parent
            if base != Path("/usr"):
                return base
    raise Problem("the backend's environment must be made from a Python outside /usr (pyenv, uv)")


def script(folder: Path, mounts: Iterable[tuple[str, str]], inside: list[str]) -> str:
    """Return a shell script that mounts (host path, path inside) pairs and runs ``inside``.

    To be run in a mount namespace of its own, so that the mounts end with it.
    """
    root = shlex.quote(str(folder))
    lines = ["set -e", "mount --make-rprivate /", f"mount -t proc proc {root}/proc"]
    lines += [f"mount --rbind /{name} {root}/{name}" for name in ("dev", "sys")]
    for outside, place in mounts:
        target = shlex.quote(str(folder) + place)
        lines += [f"mkdir -p {target}", f"mount --bind {shlex.quote(outside)} {target}"]
    variables = [f"HOME={HOME}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
    variables.append("PYTHONDONTWRITEBYTECODE=1")
    command = shlex.join(["/usr/bin/env", "-i", *variables, *inside])
    lines.append(f"exec chroot {root} /bin/sh -c {shlex.quote(f'cd {ROOT} && exec {command}')}")
    return "\n".join(lines) + "\n"


def run(
    suite: str, archive: Path, photo: Path, python: Path, pictures: Path, steps: Iterable[str] = ()
) -> int:
    """Click through the story, or some steps of it, in the suite's Blender; return its exit code.

    Raises Problem where something it needs is not there.
    """
    folder = chroot_folder(suite)
    if not (folder / "usr" / "bin" / "blender").exists():
        raise Problem(f"there is no chroot of {suite}; make it with: real_blender.py build {suite}")
    for path in (archive, photo, python):
        if not path.exists():
            raise Problem(f"{path} does not exist")
    # A new artist each time: no settings of the last run, and the photo where people keep theirs.
    shutil.rmtree(f"{folder}{HOME}", ignore_errors=True)
    home = Path(f"{folder}{HOME}")
    home.mkdir(parents=True)
    shutil.copy(photo, home / f"portrait{photo.suffix}")
    shutil.copy(archive, home / archive.name)
    pictures.mkdir(parents=True, exist_ok=True)
    assets = subprocess.run(
        [str(python), "-c", "from rome_backend.assets.store import cache_dir; print(cache_dir())"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip
    shared = [str(ROOT), str(python.parent.parent), str(base_of(python)), assets]
    mounts = [*((path, path) for path in shared), (str(pictures.resolve()), PICTURES)]
    variables = [
        f"ROME_BACKEND_PYTHON={python}",
        f"ROME_HOME={assets}",
        "PYTHONDONTWRITEBYTECODE=1",
    ]
    inside = ["env", *variables, "python3", "-m", STORY, f"{HOME}/{archive.name}", PICTURES, *steps]
    text = script(folder, mounts, inside)
    return subprocess.call(["unshare", "--mount", "--pid", "--fork", "sh", "-c", text])


def main(arguments: list[str]) -> int:
    """Run one sub-command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "clean"):
        commands.add_parser(name).add_argument("suites", nargs="+", choices=SUITES)
    running = commands.add_parser("run")
    running.add_argument("suite", choices=SUITES)
    running.add_argument("--zip", type=Path, required=True, help="the extension")
    running.add_argument("--photo", type=Path, required=True, help="the photo to make a head of")
    running.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    running.add_argument("--out", type=Path, default=ROOT / "out" / "real_blender")
    steps = "of story.py's STEPS, to be walked alone once the head is made"
    running.add_argument("--steps", nargs="+", default=(), metavar="STEP", help=steps)
    options = parser.parse_args(arguments)
    try:
        if options.command == "run":
            pictures = options.out / options.suite
            how = options.zip, options.photo, options.python, pictures, options.steps
            return run(options.suite, *how)
        for suite in options.suites:
            build(suite) if options.command == "build" else clean(suite)
    except Problem as problem:
        sys.stderr.write(f"real_blender: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
