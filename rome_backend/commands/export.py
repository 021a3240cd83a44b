# SPDX-License-Identifier: Apache-2.0
"""`rome export`: an avatar file to .blend, .glb or .obj.

Does not know those formats.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser("export", parents=[shared], help="avatar to .blend .glb .obj")
    parser.add_argument("avatar", type=Path, metavar="AVATAR", help="a .rome file")
    parser.add_argument("-o", "--out", type=Path, required=True, help=".blend, .glb or .obj")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Export and name what was written."""
    from rome_backend.avatar.avatar import load_avatar
    from rome_backend.commands.outputs import EXPORTS, write_avatar

    if args.out.suffix.lower() not in EXPORTS:
        raise UsageError(
            "unknown_ending", f"{args.out.name!r} cannot be exported.", f"Use {', '.join(EXPORTS)}."
        )
    avatar = load_avatar(args.avatar)
    outputs = [str(path) for path in write_avatar(avatar, [args.out], console.progress)]
    licences = [{"part": part, "licence": text} for part, text in avatar.licences.items()]
    payload = {"avatar": str(args.avatar), "outputs": outputs, "licences": licences}
    console.result(payload, [f"wrote {path}" for path in outputs])
    return 0
