# SPDX-License-Identifier: Apache-2.0
"""The command of docs/farm.md, as it stands there, in Debian's real Blender with a real backend.

Does not know heads or the engine: it runs the command and counts frames. Needs the chroots that
tools/real_blender.py builds, and root.

    python tools/real_farm.py sid trixie --zip dist/rome-0.1.0.zip --scene scene.blend
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from real_blender import ROOT, SUITES, Problem, base_of, chroot_folder, script

PAGE = ROOT / "docs" / "farm.md"
FARM = "/farm"  # where the worker's folder is inside the chroot
FRAMES = (1, 3)
BACKEND_FAILED, ADDON_MISSING = 1, 9


@dataclass(frozen=True)
class Case:
    """A worker: whether it has the add-on and a backend, and the exit code that it must give."""

    name: str
    code: int
    addon: bool = True
    backend: bool = True


CASES = (
    Case("complete", 0),
    Case("without a backend", BACKEND_FAILED, backend=False),
    Case("without the add-on", ADDON_MISSING, addon=False),
)


def page_command(page: str, scene: str, frames: str) -> list[str]:
    """Return the page's command for a scene and a pattern of frames, word by word.

    Raises Problem where the page has no such command.
    """
    found = re.findall(r"```sh\n(blender -b .*?)```", page, re.DOTALL)
    if len(found) != 1:
        raise Problem(f"{PAGE.name} has {len(found)} commands instead of one")
    words = shlex.split(found[0].replace("\\\n", " "))
    first, last = map(str, FRAMES)
    own = {"SCENE.blend": scene, "//frames/####": frames, "FIRST": first, "LAST": last}
    if not own.keys() <= set(words):
        raise Problem(f"the command of {PAGE.name} lacks {sorted(own.keys() - set(words))}")
    return [own.get(word, word) for word in words]


def shell_lines(case: Case, archive: str, python: str, assets: str) -> str:
    """Return what a new worker runs: it gets the add-on, then the command."""
    home = f"{FARM}/home"
    lines = [f"export HOME={home} ROME_HOME={shlex.quote(assets)}"]
    if case.backend:
        lines.append(f"export ROME_BACKEND_PYTHON={shlex.quote(python)}")
    if case.addon:
        install = "blender --command extension install-file --repo user_default --enable"
        lines.append(f"{install} {shlex.quote(archive)} || exit 99")
    command = page_command(PAGE.read_text("utf-8"), f"{FARM}/scene.blend", f"{FARM}/out/####")
    return "\n".join([*lines, "exec " + shlex.join(command)])


def run_case(suite: str, case: Case, archive: Path, scene: Path, python: Path) -> tuple[int, int]:
    """Run the command as a new worker; return its exit code and the number of frames it wrote.

    Raises Problem where the suite's chroot is not there.
    """
    folder = chroot_folder(suite)
    if not (folder / "usr" / "bin" / "blender").exists():
        raise Problem(f"there is no chroot of {suite}; make it with: real_blender.py build {suite}")
    code = "from rome_backend.assets.store import cache_dir; print(cache_dir())"
    asked = subprocess.run([python, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    assets = asked.stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="rome-farm-") as name:
        farm = Path(name)
        for part in ("home", "out"):
            (farm / part).mkdir()
        (farm / "scene.blend").write_bytes(scene.read_bytes())
        (farm / archive.name).write_bytes(archive.read_bytes())
        shared = [str(ROOT), str(python.parent.parent), str(base_of(python)), assets]
        mounts = [*((path, path) for path in shared), (name, FARM)]
        lines = shell_lines(case, f"{FARM}/{archive.name}", str(python), assets)
        text = script(folder, mounts, ["sh", "-c", lines])
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", text])
        return done.returncode, len(list((farm / "out").glob("*.png")))


def failures(suite: str, archive: Path, scene: Path, python: Path) -> Iterable[str]:
    """Run every case in a suite's Blender and yield a sentence for each that is not as promised."""
    for case in CASES:
        code, frames = run_case(suite, case, archive, scene, python)
        wanted = FRAMES[1] - FRAMES[0] + 1 if case.code == 0 else 0
        sys.stderr.write(f"{suite}, {case.name}: exit code {code}, {frames} frames\n")
        if (code, frames) != (case.code, wanted):
            yield f"{suite}, {case.name}: {code} and {frames}, not {case.code} and {wanted} frames"


def main(arguments: list[str]) -> int:
    """Run all cases; return 1 if one is not as docs/farm.md promises."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suites", nargs="+", choices=SUITES)
    parser.add_argument("--zip", type=Path, required=True, help="the extension")
    parser.add_argument("--scene", type=Path, required=True, help="a .blend with the engine ROME")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    options = parser.parse_args(arguments)
    try:
        found = [
            sentence
            for suite in options.suites
            for sentence in failures(suite, options.zip, options.scene, options.python)
        ]
    except Problem as problem:
        found = [str(problem)]
    sys.stderr.write("".join(f"real_farm: {sentence}\n" for sentence in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
