# SPDX-License-Identifier: Apache-2.0
"""`rome render`: pictures of an avatar as PNG files.

Does not know how a picture is drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError

if TYPE_CHECKING:
    from rome_backend.avatar.neural_render import NeuralAvatar, View
    from rome_backend.avatar.photo_avatar import PhotoAvatar
    from rome_backend.core.types import U8, Avatar, HeadModel

    Network = NeuralAvatar | PhotoAvatar
    TitledView = tuple[str, View]
    Picture = tuple[str, U8]

MAX_SIZE = 4096
MAX_TURNTABLE = 10_000
BATCH_PIXELS = 1 << 18  # four pictures of 256 px at a time, one of 512 or more
PICTURES_WAITING = 4
EXAMPLE_YAWS = (0.0, 40.0, -40.0, 160.0)
PNG_LEVEL = 1  # of 9: files a sixth larger at most than at 6, in a third of the time


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `render` to the command line."""
    parser = subparsers.add_parser("render", parents=[shared], help="pictures of an avatar")
    parser.add_argument("avatar", type=Path, metavar="AVATAR", help="a .rome file")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help=".png, or a folder for several pictures"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--turntable", type=int, metavar="N", help="N pictures round the head")
    what.add_argument("--expressions", action="store_true", help="one picture per expression")
    what.add_argument(
        "--neural-maps", action="store_true",
        help="the neural texture: its colours in the texture layout, its channels in false ones",
    )  # fmt: skip
    parser.add_argument("--yaw", type=float, default=0.0, help="degrees; + shows the left side")
    parser.add_argument("--pitch", type=float, default=0.0, help="degrees; + looks from above")
    parser.add_argument("--size", type=int, default=512, help="side of a picture in px")
    look = parser.add_mutually_exclusive_group()
    look.add_argument("--clay", action="store_true", help="without the texture")
    look.add_argument(
        "--renderer", default="auto", metavar="NAME",
        help="auto, textured (the unprojected texture), photo (the photo itself, carried by the "
        "mesh), rome (the released networks), light or light-blocks (small networks)",
    )  # fmt: skip
    look.add_argument(
        "--texture", dest="renderer", action="store_const", const="textured",
        help="the same as --renderer textured",
    )  # fmt: skip
    parser.add_argument(
        "--preview", action="store_true",
        help="8-bit integers where OpenVINO is installed: faster and coarser, how much is told",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Draw the pictures and name the files."""
    from rome_backend.inference.threads import sleep_while_waiting

    sleep_while_waiting()  # geometry is prepared while the network runs
    from rome_backend.avatar.avatar import load_avatar
    from rome_backend.avatar.heads import load_head

    if not 16 <= args.size <= MAX_SIZE:
        raise UsageError("picture_size", f"{args.size} px is no size for a picture.",
                         f"Choose 16 to {MAX_SIZE}.")  # fmt: skip
    if args.turntable is not None and not 1 <= args.turntable <= MAX_TURNTABLE:
        raise UsageError("turntable", f"A turntable needs 1 to {MAX_TURNTABLE} pictures.",
                         "Try 12.")  # fmt: skip
    avatar = load_avatar(args.avatar)
    head, _ = load_head(str(avatar.provenance.get("head", "open")))
    payload: dict[str, Any] = {}
    several = bool(args.neural_maps or args.turntable or args.expressions)
    if args.neural_maps:
        pictures = _neural_maps(avatar)
    else:
        network = _network(avatar, head, args)
        if args.preview:
            payload["preview_psnr_db"] = _told_preview(network, console)
        pictures = _drawn(avatar, head, network, args)
    outputs = [str(path) for path in write_pictures(pictures, args.out, avatar.name, several)]
    console.result({"outputs": outputs, **payload}, [f"wrote {path}" for path in outputs])
    return 0


def _network(
    avatar: Avatar, head: HeadModel, args: argparse.Namespace
) -> Network | None:
    """Return the avatar with the network that was chosen, None for the textured mesh."""
    from rome_backend.assets.store import AssetStore
    from rome_backend.avatar.photo_avatar import PhotoAvatar
    from rome_backend.avatar.photo_weights import load_photo_mender
    from rome_backend.avatar.renderers import PHOTO, TEXTURED, chosen_renderer, neural_avatar
    from rome_backend.render.device import torch_device

    device = torch_device("cpu" if args.preview and args.device == "auto" else args.device)
    renderer = TEXTURED if args.clay else chosen_renderer(args.renderer, avatar)
    if renderer == PHOTO and not args.preview:
        return PhotoAvatar(avatar, head, load_photo_mender().to(device))
    if renderer not in (TEXTURED, PHOTO):
        examples = _examples(avatar, head, args.size) if args.preview else ()
        return neural_avatar(renderer, avatar, head, AssetStore(), device, examples=examples)
    if args.preview:
        raise UsageError("preview", "This renderer draws in full, without a network in 8 bits.",
                         "Leave --preview out.")  # fmt: skip
    return None


def _examples(avatar: Avatar, head: HeadModel, size: int) -> list[View]:
    """Return views that an 8-bit network learns its ranges of values from."""
    from rome_backend.avatar.animate import avatar_vertices
    from rome_backend.avatar.render import camera_round

    vertices = avatar_vertices(avatar, head)
    return [(camera_round(vertices, yaw, 0.0, size), None) for yaw in EXAMPLE_YAWS]


def _told_preview(network: Network | None, console: Console) -> float | None:
    """Say how far the preview is off; return it in dB, None where it is no preview in 8 bits."""
    quick = network.eight_bits() if network is not None else None
    if quick is None:
        console.warn("no preview in 8 bits: drawn in full")
        return None
    console.say(f"preview in 8 bits: {quick.psnr_db:.1f} dB against full precision")
    return round(quick.psnr_db, 2)


def _drawn(
    avatar: Avatar,
    head: HeadModel,
    network: Network | None,
    args: argparse.Namespace,
) -> Iterator[Picture]:
    """Return titles and pictures of the views that the options ask for."""
    from rome_backend.avatar.render import avatar_picture

    views = _views(avatar, head, args)
    if network is not None:
        return drawn_by_network(network, views, args.size)
    return (
        (title, avatar_picture(avatar, head, camera, params, args.clay))
        for title, (camera, params) in views
    )


def drawn_by_network(
    avatar: Network, views: Iterable[TitledView], size: int
) -> Iterator[Picture]:
    """Yield titles and pictures of views of size px, drawn in batches.

    While the network draws one batch, another thread prepares the next one's geometry.
    """
    from rome_backend.avatar.stream import in_batches, made_ahead

    def prepared(batch: list[TitledView]) -> tuple[list[str], Any]:
        return [title for title, _ in batch], avatar.prepare([view for _, view in batch])

    most = 1 if avatar.eight_bits() is not None else max(1, BATCH_PIXELS // size**2)
    batches = in_batches(views, most)
    for titles, features in made_ahead(batches, prepared):
        yield from zip(titles, avatar.finish(features), strict=True)


def _neural_maps(avatar: Avatar) -> Iterator[Picture]:
    """Yield the stored preview and the channels of an avatar's neural texture."""
    from rome_backend.avatar.neural_preview import false_colours

    if avatar.neural_texture is None or avatar.neural_preview is None:
        raise UsageError(
            "no_neural_texture", f"The avatar {avatar.name!r} has no neural texture.",
            "Create it with --networks official.",
        )  # fmt: skip
    yield "neural_preview", avatar.neural_preview
    yield "neural_channels", false_colours(avatar.neural_texture)


def _views(avatar: Avatar, head: HeadModel, args: argparse.Namespace) -> Iterator[TitledView]:
    """Yield the titles and views that the options ask for."""
    from rome_backend.avatar.animate import avatar_vertices, expression_params
    from rome_backend.avatar.render import camera_round, expressions_of, face_camera

    if args.expressions:
        camera = face_camera(avatar, head, args.yaw, args.size)
        for face in expressions_of(head):
            params = expression_params(avatar, head, face.values, face.jaw_deg)
            yield face.title.replace(" ", "_"), (camera, params)
        return
    vertices = avatar_vertices(avatar, head)
    count = args.turntable or 1
    for number in range(count):
        yaw = 360 * number / count if args.turntable else args.yaw
        title = f"{yaw:06.2f}" if args.turntable else ""
        yield title, (camera_round(vertices, yaw, args.pitch, args.size), None)


def write_pictures(pictures: Iterable[Picture], out: Path, name: str, several: bool) -> list[Path]:
    """Write pictures as PNG, all or none: one to OUT.png, several into the folder OUT.

    Each is written as it comes, on another thread. Raises UsageError when OUT has another ending
    or several pictures would share one file.
    """
    from rome_backend.avatar.stream import made_ahead
    from rome_backend.commands.outputs import staged

    single = out.suffix.lower() == ".png"
    if (out.suffix and not single and not out.is_dir()) or (single and several):
        raise UsageError(
            "picture_out",
            f"{out.name!r} cannot hold {'these pictures' if single else 'a picture'}.",
            "Use a .png for one picture, a name without ending for a folder of several.",
        )
    folder = out.parent if single else out
    with staged(folder) as stage:

        def written(picture: Picture) -> Path:
            from PIL import Image

            title, image = picture
            file = out.name if single else f"{name}_{title or 'view'}.png"
            Image.fromarray(image).save(stage / file, compress_level=PNG_LEVEL)
            return folder / file

        return list(made_ahead(pictures, written, PICTURES_WAITING))
