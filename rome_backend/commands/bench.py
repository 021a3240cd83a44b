# SPDX-License-Identifier: Apache-2.0
"""`rome bench`: measured quality and speed.

Does not know how anything is measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.bench_expressions import add_expressions
from rome_backend.commands.bench_rig import add_rig
from rome_backend.commands.bench_shape import add_shape
from rome_backend.commands.bench_speed import add_speed, add_speed_options
from rome_backend.commands.console import Console
from rome_backend.commands.create import add_options, chosen_options
from rome_backend.commands.shared_options import shared_options
from rome_backend.core.errors import UsageError


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `bench` to the command line."""
    parser = subparsers.add_parser(
        "bench", parents=[shared], help="measured quality and speed",
        description="Without a KIND the speed bench runs, as `bench speed` does.",
    )  # fmt: skip
    add_speed_options(parser)
    shared = shared_options(argparse.SUPPRESS)
    kinds = parser.add_subparsers(dest="kind", metavar="KIND")
    photos = kinds.add_parser("photos", parents=[shared], help="likeness over a set of photos")
    _add_data(photos)
    photos.add_argument("--tier", default="", metavar="ABC", help="only photos of these tiers")
    photos.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    add_options(photos)
    photos.set_defaults(run=_photos)
    sheet = kinds.add_parser("sheet", parents=[shared], help="every photo and its head on one page")
    _add_data(sheet)
    sheet.add_argument("--tier", default="", metavar="ABC", help="only photos of these tiers")
    sheet.add_argument("-o", "--out", type=Path, required=True, metavar="PNG")
    sheet.add_argument("--cell", type=int, default=220, metavar="PX", help="side of a picture")
    add_options(sheet)
    sheet.set_defaults(run=_sheet)
    negatives = kinds.add_parser("negatives", parents=[shared], help="odd and broken files")
    _add_data(negatives)
    negatives.set_defaults(run=_negatives)
    add_shape(kinds, shared)
    add_expressions(kinds, shared)
    create = kinds.add_parser("create", parents=[shared], help="seconds and memory, warm")
    create.add_argument("photo", nargs="?", type=Path, metavar="PHOTO", help="default: demo's")
    create.add_argument("--rounds", type=int, default=5, metavar="N")
    add_options(create)
    create.set_defaults(run=_create)
    pipe = kinds.add_parser("pipe", parents=[shared], help="frames between Blender and backend")
    pipe.add_argument("--size", type=int, default=512, metavar="PX")
    pipe.add_argument("--rounds", type=int, default=100, metavar="N")
    pipe.add_argument("--check", action="store_true", help="exit 1 when the limit is missed")
    pipe.set_defaults(run=_pipe)
    add_rig(kinds, shared)
    add_speed(kinds, shared)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="test data")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAMES", help="names, with commas between"
    )


def _names(values: list[str]) -> list[str]:
    return [name for value in values for name in value.split(",") if name]


def _photos(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.bench.dataset import photos
    from rome_backend.bench.photos import bench_photos, missed_limits

    chosen = photos(args.data, _names(args.only), args.tier.upper())
    payload = bench_photos(chosen, chosen_options(args), console.progress)
    lines = [
        f"{p['name']:32} {p['reprojection_percent_iod']:5.2f} %  IoU {p['silhouette_iou']:.3f}"
        f"  seam {p['seam_step']:.2f}  empty {p['empty_texels']}"
        f"  {sum(p['seconds'].values()):5.1f} s"
        for p in payload["photos"]
    ]
    lines += [f"{p['name']:32} refused: {p['error']['message']}" for p in payload["refused"]]
    console.result(payload, [*lines, f"median {payload['median']}"])
    missed = missed_limits(payload) if args.check else []
    for sentence in missed:
        console.say(f"missed: {sentence}")
    return 1 if missed else 0


def _sheet(args: argparse.Namespace, console: Console) -> int:
    from PIL import Image

    from rome_backend.bench.dataset import loose_photos
    from rome_backend.bench.sheet import blind_sheet
    from rome_backend.commands.outputs import require_writable, staged

    out = args.out
    if out.suffix.lower() not in (".png", ".jpg") or not 32 <= args.cell <= 1024:
        raise UsageError(
            "sheet_options", "The sheet is a .png or .jpg with cells of 32 to 1024 px.",
            "Try -o sheet.png --cell 220.",
        )  # fmt: skip
    require_writable(out.parent)
    chosen = loose_photos(args.data, _names(args.only), args.tier.upper())
    sheet = blind_sheet(chosen, chosen_options(args), console.progress, args.cell)
    with staged(out.parent) as stage:
        Image.fromarray(sheet.page).save(stage / out.name)
    refused = [{"name": name, "code": code} for name, code in sheet.refused]
    payload = {"sheet": str(out), "photos": list(sheet.shown), "refused": refused}
    lines = [f"{name} refused: {code}" for name, code in sheet.refused]
    console.result(payload, [*lines, str(out)])
    return 0


def _negatives(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.bench.negatives import bench_negatives

    payload = bench_negatives(args.data, _names(args.only), console.progress)
    lines = [
        f"{'FAIL' if f['problems'] else 'ok  '} {f['name']:36} {f['outcome']:7}"
        f" {f['seconds']:5.1f} s {f['peak_mib'] or 0:5} MiB  {'; '.join(f['problems'])}"
        for f in payload["files"]
    ]
    console.result(payload, [*lines, f"{payload['passed']} as expected, {payload['failed']} not"])
    return 1 if payload["failed"] else 0


def _create(args: argparse.Namespace, console: Console) -> int:
    from tempfile import TemporaryDirectory

    from rome_backend.bench.create import bench_create
    from rome_backend.commands.demo import default_photo

    if args.rounds < 1:
        raise UsageError("rounds", "At least one round is needed.", "Try --rounds 5.")
    with TemporaryDirectory(prefix="rome-bench-") as folder:
        photo = args.photo or default_photo(Path(folder))
        payload = bench_create(photo, chosen_options(args), args.rounds, console.progress)
    console.result(payload, [f"{name}: {value}" for name, value in payload.items()])
    return 0


def _pipe(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.bench.pipe import bench_pipe

    if args.rounds < 1 or not 1 <= args.size <= 8192:
        raise UsageError("rounds", "At least one round, and 1 to 8192 px.", "Try --size 512.")
    payload = bench_pipe(args.size, args.rounds)
    console.result(payload, [f"{name}: {value}" for name, value in payload.items()])
    missed = args.check and payload["frame_ms"] >= payload["limit_ms"]
    if missed:
        console.say(f"missed: {payload['frame_ms']} ms; {payload['limit_ms']} ms is the limit")
    return 1 if missed else 0
