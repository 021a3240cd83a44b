# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Python 3.11 with venv and pip, quick and steered by environment variables.

Does not install anything. FAKE_PIP: ok, slow, or the name of a file whose text it says and fails.
"""

import os
import sys
import time
from pathlib import Path

LINES = "Collecting tiny==1.0\nInstalling collected packages: tiny\nSuccessfully installed tiny-1.0"


def make_environment(folder: Path) -> int:
    """Make what looks like an environment, or fail as FAKE_VENV says."""
    if "FAKE_VENV" in os.environ:
        print(os.environ["FAKE_VENV"])
        return 1
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.argv[0])
    return 0


def pip(arguments: list[str]) -> int:
    """Write down the arguments and say what FAKE_PIP wants."""
    Path(os.environ["FAKE_LOG"]).write_text("\n".join(arguments))
    how = os.environ.get("FAKE_PIP", "ok")
    if how == "slow":
        print("Collecting tiny==1.0", flush=True)
        child = os.fork()
        Path(os.environ["FAKE_LOG"]).with_suffix(".pids").write_text(f"{os.getpid()} {child}")
        time.sleep(60)
    if how == "ok":
        print(LINES)
        return 0
    print(Path(how).read_text())
    return 1


def main(arguments: list[str]) -> int:
    """Answer like Python for the few commands that a set-up uses."""
    if arguments[:2] == ["-m", "venv"]:
        return make_environment(Path(arguments[2]))
    if arguments[:2] == ["-m", "pip"]:
        return pip(arguments[2:])
    if "ensurepip" in arguments[1]:
        print(os.environ.get("FAKE_PROBE", '[[3, 11, 7], "linux", "x86_64", true]'))
        return 0
    print(os.environ.get("FAKE_CHECK", "3.11.7"))
    return 1 if "FAKE_CHECK" in os.environ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
