# SPDX-License-Identifier: GPL-3.0-or-later
"""The file formats: which Blender exporter writes each, with which settings, and what it can hold.

Does not know heads: it writes the current scene, in which a head stands alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..core_access import RomeError


@dataclass(frozen=True)
class Format:
    """A file format.

    suffixes: allowed ones, the usual first; write(path, animated): writes the current scene;
    exporter: id of Blender's operator; embeds(path): whether textures lie in the file;
    keys: it holds shape keys; animates: it holds animation; ranged: programs, Blender among
    them, read keys outside 0..1 back as they were.
    """

    name: str
    suffixes: tuple[str, ...]
    exporter: str
    write: Callable[[Path, bool], None]
    embeds: Callable[[Path], bool]
    keys: bool = True
    animates: bool = True
    ranged: bool = True

    def problem(self) -> str | None:
        """Return why this Blender cannot write the format, or None."""
        module, name = self.exporter.split(".")
        try:
            getattr(getattr(bpy.ops, module), name).get_rna_type()
        except KeyError:
            if module == "wm":
                return f"This Blender was built without {self.name}"
            return f"Enable Blender's own {self.name} exporter in the preferences first"
        return None

    def with_suffix(self, path: Path) -> Path:
        """Return the path with a suffix of this format."""
        if path.suffix.lower() in self.suffixes:
            return path
        return path.with_name(path.name + self.suffixes[0])


def _call(name: str, operator: Callable[..., set[str]], path: Path, **settings: Any) -> None:
    """Run one of Blender's exporters; RomeError 'export_failed' where it does not write."""
    try:
        result = operator(filepath=str(path), check_existing=False, **settings)
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise _failed(name, lines[-1] if lines else "it gave no reason") from error
    if "FINISHED" not in result or not path.is_file():
        raise _failed(name, "it wrote no file")


def _failed(name: str, reason: str) -> RomeError:
    reason = reason.strip().removeprefix("Error: ").rstrip(".")
    return RomeError(
        "export_failed",
        f"Blender's {name} exporter failed: {reason}.",
        "Try another format, or a folder with more room.",
    )


def _write_glb(path: Path, animated: bool) -> None:
    _call(
        "glTF",
        bpy.ops.export_scene.gltf,
        path,
        export_format="GLB",
        use_active_scene=True,
        # The head as it stands: morph weights and bones of this frame.
        export_current_frame=True,
        export_rest_position_armature=False,
        export_all_influences=True,
        # Of three seconds for 150 keys it takes all but a half, and the file would be twice as big.
        export_morph_normal=False,
        export_animations=animated,
        # Samples what is shown, so that drivers, constraints and NLA strips are in the file.
        export_animation_mode="SCENE",
        export_anim_scene_split_object=False,
        export_frame_range=True,
    )


def _write_fbx(path: Path, animated: bool) -> None:
    _call(
        "FBX",
        bpy.ops.export_scene.fbx,
        path,
        # Applied modifiers would cost the shape keys.
        use_mesh_modifiers=False,
        mesh_smooth_type="FACE",
        add_leaf_bones=False,
        bake_anim=animated,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        path_mode="COPY",
        embed_textures=True,
    )


def _write_usd(path: Path, animated: bool) -> None:
    scene = bpy.context.scene
    if not animated:
        # USD holds values of blend shapes and bones as animation only.
        scene.frame_start = scene.frame_end = scene.frame_current
    # The textures already lie beside the file.
    keep: dict[str, Any] = {"export_textures": False}
    if bpy.app.version >= (4, 5, 0):
        keep = {"export_textures_mode": "KEEP"}
    _call(
        "USD",
        bpy.ops.wm.usd_export,
        path,
        export_animation=True,
        export_custom_properties=False,
        evaluation_mode="VIEWPORT",
        relative_paths=True,
        convert_world_material=False,
        **keep,
    )


def _write_obj(path: Path, animated: bool) -> None:
    # Plain MTL has no map of roughness; the extension has map_Pr.
    _call("OBJ", bpy.ops.wm.obj_export, path, path_mode="STRIP", export_pbr_extensions=True)


def _write_abc(path: Path, animated: bool) -> None:
    scene = bpy.context.scene
    now = scene.frame_current
    first, last = (scene.frame_start, scene.frame_end) if animated else (now, now)
    _call(
        "Alembic",
        bpy.ops.wm.alembic_export,
        path,
        start=first,
        end=last,
        export_custom_properties=False,
        evaluation_mode="VIEWPORT",
        as_background_job=False,
    )


def _always(path: Path) -> bool:
    return True


def _never(path: Path) -> bool:
    return False


def _as_archive(path: Path) -> bool:
    return path.suffix.lower() == ".usdz"


GLB = Format("glTF", (".glb",), "export_scene.gltf", _write_glb, _always)
FBX = Format("FBX", (".fbx",), "export_scene.fbx", _write_fbx, _always)
USD = Format(
    "USD",
    (".usdc", ".usda", ".usd", ".usdz"),
    "wm.usd_export",
    _write_usd,
    _as_archive,
    ranged=False,
)
OBJ = Format("OBJ", (".obj",), "wm.obj_export", _write_obj, _never, keys=False, animates=False)
ABC = Format("Alembic", (".abc",), "wm.alembic_export", _write_abc, _never, keys=False)
FORMATS = (GLB, FBX, USD, OBJ, ABC)
