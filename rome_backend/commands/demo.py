# SPDX-License-Identifier: Apache-2.0
"""`rome demo`: one photo, every kind of file and a contact sheet to look at.

Does not know how pictures are laid out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.commands.create import add_options, chosen_options, payload_of
from rome_backend.core.plain_words import plain_words

DEFAULT_OUT = Path("out")
DEFAULT_NAME = "astronaut"


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `demo` to the command line."""
    parser = subparsers.add_parser(
        "demo", parents=[shared], help="the whole path on one photo, with a contact sheet"
    )
    parser.add_argument("photo", nargs="?", type=Path, metavar="PHOTO", help="default: astronaut")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FOLDER", help="default: out/<name of the photo>"
    )
    add_options(parser)
    parser.set_defaults(run=run)


def default_photo(folder: Path) -> Path:
    """Write scikit-image's public-domain photo of Eileen Collins to a folder; return the file."""
    from PIL import Image
    from skimage.data import astronaut

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{DEFAULT_NAME}.png"
    Image.fromarray(astronaut()).save(path)
    return path


def run(args: argparse.Namespace, console: Console) -> int:
    """Make the avatar, its files and the contact sheet, and name every file."""
    from tempfile import TemporaryDirectory
    from time import perf_counter

    from PIL import Image

    from rome_backend.avatar.create import create_avatar
    from rome_backend.avatar.heads import load_head
    from rome_backend.avatar.sheet import contact_sheet
    from rome_backend.commands.outputs import (
        EXPORTS,
        FOLDER_GETS,
        require_writable,
        staged,
        write_avatar,
    )

    options = chosen_options(args)
    name = args.photo.stem if args.photo else DEFAULT_NAME
    out = args.out or DEFAULT_OUT / name
    require_writable(out)
    with TemporaryDirectory(prefix="rome-demo-") as folder:
        photo = args.photo or default_photo(Path(folder))
        result = create_avatar([photo], options, console.progress)
    for code in result.warnings:
        console.warn(plain_words(code))
    head, _ = load_head(options.head)
    start = perf_counter()
    endings = dict.fromkeys((*FOLDER_GETS, *EXPORTS))
    files = [out / f"{name}{ending}" for ending in endings]
    with staged(out) as stage:
        console.progress("contact sheet", 0.9)
        Image.fromarray(contact_sheet(result.avatar, head)).save(stage / f"{name}_sheet.png")
        made = write_avatar(result.avatar, [stage / path.name for path in files], console.progress)
    written = [out / path.name for path in made] + [out / f"{name}_sheet.png"]
    payload = payload_of(result, written, perf_counter() - start)
    console.result(payload, [f"wrote {path}" for path in payload["outputs"]])
    return 0
