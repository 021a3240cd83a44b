# SPDX-License-Identifier: Apache-2.0
"""`rome render`: pictures of an avatar as PNG files.

Does not know how a picture is drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError

if TYPE_CHECKING:
    from rome_backend.core.types import U8, Avatar, Camera, FlameParams, HeadModel

MAX_SIZE = 4096


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
        "--texture", action="store_true",
        help="the unprojected texture, also where a neural one and its networks are there",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Draw the pictures and name the files."""
    from rome_backend.avatar.avatar import load_avatar
    from rome_backend.avatar.heads import load_head

    if not 16 <= args.size <= MAX_SIZE:
        raise UsageError("picture_size", f"{args.size} px is no size for a picture.",
                         f"Choose 16 to {MAX_SIZE}.")  # fmt: skip
    if args.turntable is not None and not 1 <= args.turntable <= 1000:
        raise UsageError("turntable", "A turntable needs 1 to 1000 pictures.", "Try 12.")
    avatar = load_avatar(args.avatar)
    head, _ = load_head(str(avatar.provenance.get("head", "open")))
    pictures = _neural_maps(avatar) if args.neural_maps else _pictures(avatar, head, args)
    paths = write_pictures(pictures, args.out, avatar.name)
    outputs = [str(path) for path in paths]
    console.result({"outputs": outputs}, [f"wrote {path}" for path in outputs])
    return 0


def _pictures(
    avatar: Avatar, head: HeadModel, args: argparse.Namespace
) -> list[tuple[str, U8]]:
    draw = _drawer(avatar, head, args)
    if args.turntable:
        return _turntable(avatar, head, args, draw)
    if args.expressions:
        return _expressions(avatar, head, args, draw)
    return [("", draw(_camera(avatar, head, args.yaw, args), None))]


def _drawer(
    avatar: Avatar, head: HeadModel, args: argparse.Namespace
) -> Callable[[Camera, FlameParams | None], U8]:
    """Return what draws the avatar: the rendering network where it has a neural texture."""
    from rome_backend.avatar.render import avatar_picture
    from rome_backend.render.device import torch_device

    device = torch_device(args.device)
    if avatar.neural_texture is None or args.clay or args.texture:
        return lambda camera, params: avatar_picture(avatar, head, camera, params, args.clay)
    from rome_backend.assets.store import AssetStore
    from rome_backend.avatar.installed_networks import rendering_networks
    from rome_backend.avatar.neural_render import neural_picture

    system = rendering_networks(avatar.weights_id, head, AssetStore(), device)
    return lambda camera, params: neural_picture(
        system, avatar, head, camera, params, device=device
    )


def _neural_maps(avatar: Avatar) -> list[tuple[str, U8]]:
    """Return the stored preview and the channels of an avatar's neural texture."""
    from rome_backend.avatar.neural_preview import false_colours

    if avatar.neural_texture is None or avatar.neural_preview is None:
        raise UsageError(
            "no_neural_texture", f"The avatar {avatar.name!r} has no neural texture.",
            "Create it with --networks official.",
        )  # fmt: skip
    channels = false_colours(avatar.neural_texture)
    return [("neural_preview", avatar.neural_preview), ("neural_channels", channels)]


def _camera(avatar: Avatar, head: HeadModel, yaw: float, args: argparse.Namespace) -> Camera:
    from rome_backend.avatar.animate import avatar_vertices
    from rome_backend.avatar.render import camera_round

    return camera_round(avatar_vertices(avatar, head), yaw, args.pitch, args.size)


def _turntable(
    avatar: Avatar,
    head: HeadModel,
    args: argparse.Namespace,
    draw: Callable[[Camera, FlameParams | None], U8],
) -> list[tuple[str, U8]]:
    yaws = [360 * number / args.turntable for number in range(args.turntable)]
    return [(f"{yaw:06.2f}", draw(_camera(avatar, head, yaw, args), None)) for yaw in yaws]


def _expressions(
    avatar: Avatar,
    head: HeadModel,
    args: argparse.Namespace,
    draw: Callable[[Camera, FlameParams | None], U8],
) -> list[tuple[str, U8]]:
    from rome_backend.avatar.animate import expression_params
    from rome_backend.avatar.render import expressions_of, face_camera

    camera = face_camera(avatar, head, args.yaw, args.size)
    return [
        (
            face.title.replace(" ", "_"),
            draw(camera, expression_params(avatar, head, face.values, face.jaw_deg)),
        )
        for face in expressions_of(head)
    ]


def write_pictures(pictures: list[tuple[str, U8]], out: Path, name: str) -> list[Path]:
    """Write pictures as PNG, all or none: one to OUT.png, several into the folder OUT.

    Raises UsageError when OUT has another ending or several pictures would share one file.
    """
    from PIL import Image

    from rome_backend.commands.outputs import staged

    single = out.suffix.lower() == ".png"
    if (out.suffix and not single and not out.is_dir()) or (single and len(pictures) > 1):
        raise UsageError(
            "picture_out",
            f"{out.name!r} cannot hold {'these pictures' if single else 'a picture'}.",
            "Use a .png for one picture, a name without ending for a folder of several.",
        )
    folder = out.parent if single else out
    paths = []
    with staged(folder) as stage:
        for title, image in pictures:
            file = out.name if single else f"{name}_{title or 'view'}.png"
            Image.fromarray(image).save(stage / file)
            paths.append(folder / file)
    return paths
