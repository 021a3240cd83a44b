# SPDX-License-Identifier: Apache-2.0
"""`rome create`: one or several photos of a person, or a folder of persons, to avatars.

Does not know how an avatar is made or written.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import PhotoRefused, UsageError
from rome_backend.core.plain_words import plain_words

if TYPE_CHECKING:
    from rome_backend.avatar.create import CreateOptions, CreateResult, Tools

PHOTO_ENDINGS = (
    ".avif", ".bmp", ".dib", ".gif", ".heic", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm",
    ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `create` to the command line."""
    parser = subparsers.add_parser(
        "create",
        parents=[shared],
        help="photos to a rigged head",
        description="Several photos are one person; a folder is one avatar per photo.",
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photo or folder")
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help=".rome, .blend, .glb or .obj by ending; without ending a folder that gets them",
    )  # fmt: skip
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what create and demo have in common."""
    parser.add_argument(
        "--texture-size", type=int, default=1024, metavar="PX", help="1024 (default), 2048 or 4096"
    )
    parser.add_argument(
        "--delight", action="store_true", help="take the photo's smooth shading out of the skin"
    )
    parser.add_argument(
        "--maps", action=argparse.BooleanOptionalAction, default=True,
        help="estimate a normal map and a roughness map (default)",
    )  # fmt: skip
    parser.add_argument(
        "--face", type=int, default=0, metavar="N", help="which face by size, 0 the largest"
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument(
        "--head", default="auto", metavar="HEAD",
        help="open, flame (if imported), a file, or auto: by what is installed (default)",
    )  # fmt: skip
    parser.add_argument("--tracker", default="auto", choices=("auto", "open", "deca"))
    networks = ("auto", "open", "official", "linear")
    parser.add_argument("--networks", default="auto", choices=networks)
    parser.add_argument(
        "--neural-size", type=int, default=256, metavar="PX",
        help="neural texture of the official networks: 256 (default, as released) or 512",
    )  # fmt: skip
    parser.add_argument(
        "--face-tightness", type=float, default=0.0, metavar="M",
        help="how far the official networks may move face and eyes; 0 (default): not at all",
    )  # fmt: skip
    parser.add_argument(
        "--focal-length", type=float, metavar="MM",
        help="of the photo's lens, as on 35 mm film; without it what the file says, if anything",
    )  # fmt: skip


def chosen_options(args: argparse.Namespace) -> CreateOptions:
    """Return the checked options of a command line; what is auto is chosen here."""
    from rome_backend.assets.store import AssetStore
    from rome_backend.avatar.choices import choose
    from rome_backend.avatar.create_options import CreateOptions

    installed = {record.name for record in AssetStore().list()}
    choice = choose(args.tracker, args.head, args.networks, installed)
    return CreateOptions(
        args.texture_size, args.face, args.seed, args.device, choice.head, choice.tracker,
        choice.networks, args.neural_size, args.face_tightness, args.delight, args.maps,
        args.focal_length,
    )  # fmt: skip


def run(args: argparse.Namespace, console: Console) -> int:
    """Make the avatars and report; 0 when at least one was made."""
    folders = [path for path in args.photos if path.is_dir()]
    if folders and len(args.photos) > 1:
        raise UsageError(
            "folder_and_photos", "A folder stands alone: each of its photos is one person.",
            "Give one folder, or only photos of one person.",
        )  # fmt: skip
    options = chosen_options(args)
    if folders:
        return _run_folder(folders[0], args.out, options, console)
    payload = create_one(args.photos, args.out, args.photos[0].stem, options, console)
    console.result(payload, [f"wrote {path}" for path in payload["outputs"]])
    return 0


def create_one(
    photos: Sequence[Path],
    out: Path,
    name: str,
    options: CreateOptions,
    console: Console,
    tools: Tools | None = None,
) -> dict[str, Any]:
    """Make one avatar, write its files and return the command's JSON payload."""
    from time import perf_counter

    from rome_backend.avatar.create import create_avatar
    from rome_backend.commands.outputs import files_for, require_writable, write_avatar

    files = files_for(out, name)
    require_writable(files[0].parent)
    result = create_avatar(photos, options, console.progress, tools=tools)
    for code in result.warnings:
        console.warn(plain_words(code))
    start = perf_counter()
    files = write_avatar(result.avatar, files, console.progress)
    return payload_of(result, files, perf_counter() - start)


def payload_of(result: CreateResult, files: Sequence[Path], writing: float) -> dict[str, Any]:
    """Return the machine-readable result of one avatar; the .rome file is always the first."""
    seconds = {**result.seconds, "write": writing}
    return {
        "avatar": str(files[0]),
        "outputs": [str(path) for path in files],
        "faces": result.faces,
        "warnings": list(result.warnings),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "head_model": result.avatar.topology_id,
        "chosen": {
            part: result.avatar.provenance.get(part) for part in ("head", "tracker", "networks")
        },
        "licences": [
            {"part": part, "licence": licence} for part, licence in result.avatar.licences.items()
        ],
    }


def _run_folder(folder: Path, out: Path, options: CreateOptions, console: Console) -> int:
    from rome_backend.avatar.create import load_tools
    from rome_backend.commands.outputs import is_file_name

    photos = photos_in(folder)
    if is_file_name(out):
        raise UsageError(
            "out_is_a_file", "A folder of photos becomes several avatars, but OUT is one file.",
            "Give OUT without an ending; a folder is made.",
        )  # fmt: skip
    tools = load_tools(options.head, console.progress, options.choice(), options.device)
    made, refused = [], []
    for photo, name in zip(photos, unique_names(photos), strict=True):
        console.say(photo.name)
        try:
            made.append(create_one([photo], out, name, options, console, tools))
        except PhotoRefused as error:
            console.say(f"refused: {error.message} {error.hint}")
            refused.append({"photo": str(photo), "error": error.as_dict()})
    if not made:
        refusal = PhotoRefused(
            "all_refused", f"None of the {len(photos)} photos in {folder.name!r} became a head.",
            "See the reasons above; use sharp photos that show one face from the front.",
        )  # fmt: skip
        console.error(refusal, {"avatars": [], "refused": refused})
        return refusal.exit_code
    lines = [f"wrote {path}" for payload in made for path in payload["outputs"]]
    console.result({"avatars": made, "refused": refused}, lines)
    return 0


def photos_in(folder: Path) -> list[Path]:
    """Return the photos of a folder by name; UsageError (`no_photos`) when there is none."""
    photos = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in PHOTO_ENDINGS and not path.name.startswith(".")
    )
    if not photos:
        raise UsageError(
            "no_photos", f"The folder {folder.name!r} holds no photos.", "Give another folder."
        )
    return photos


def unique_names(photos: Sequence[Path]) -> list[str]:
    """Return a name per photo: its stem, with the ending added where stems repeat."""
    stems = [photo.stem.lower() for photo in photos]
    return [
        photo.stem
        if stems.count(photo.stem.lower()) == 1
        else f"{photo.stem}_{photo.suffix[1:].lower()}"
        for photo in photos
    ]
