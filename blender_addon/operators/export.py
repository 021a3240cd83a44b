# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that export the active head: GLB, FBX, USD, OBJ and Alembic.

Does not know how a head becomes a file. They leave the scene as it is and make no undo step. A
script waits for the file; for a person another Blender exports while this one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..core_access import RomeError
from ..exporters.bones import ROME
from ..exporters.formats import ABC, FBX, GLB, OBJ, USD, Format
from ..exporters.head_export import ARKIT_ONLY, BARE, SHOWN, Choice, export_head
from ..head.find import active_head
from ..jobs import STATE
from ..report import report_of
from .export_task import ExportTask
from .job import BUSY

_SHOWN = (SHOWN, "As It Stands", "The head with everything the format can hold")
_BARE = (BARE, "Neutral and Hairless", "The person's shape alone: no expression, hair or bones")
_ARKIT = (
    ARKIT_ONLY,
    "ARKit Only",
    "Only the ARKit expressions; hair, neck and corrective keys become part of the shape",
)
CONTENTS = (_SHOWN, _BARE)
# Newer Blenders warn about paths such as //head.glb without it, older ones do not know it.
RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
CONTENTS_WITH_KEYS = (_SHOWN, _ARKIT, _BARE)
BONE_NAMES = (
    (ROME, "ROME", "Root, neck, jaw, left_eye, right_eye"),
    ("VRM", "VRM", "Names of VRM's humanoid bones"),
    ("UNREAL", "Unreal", "Names of Unreal's mannequin and MetaHuman's face"),
    ("RIGIFY", "Rigify", "Names of Rigify's human meta-rig"),
)


@contextmanager
def _waiting(context: bpy.types.Context, text: str) -> Iterator[None]:
    """Show that Blender is busy: its exporters hold the window and cannot be stopped."""
    window, workspace = context.window, context.workspace
    if bpy.app.background or window is None:
        yield
        return
    window.cursor_modal_set("WAIT")
    if workspace is not None:
        workspace.status_text_set(text)
    try:
        yield
    finally:
        window.cursor_modal_restore()
        if workspace is not None:
            workspace.status_text_set(None)


class HeadExport(ExportTask):
    """Mixin of operators that write the active head to a file that a person chooses."""

    bl_options: ClassVar[set[str]] = {"PRESET"}
    kind: Format  # a ClassVar of a class of ours makes Blender 4.2 crash at exit
    _is_person = False

    filepath: StringProperty(  # type: ignore[valid-type]
        name="File",
        description="Where the head is written",
        subtype="FILE_PATH",
        options=RELATIVE,
    )
    check_existing: BoolProperty(  # type: ignore[valid-type]
        name="Check Existing",
        description="Ask before replacing a file",
        default=True,
        options={"HIDDEN"},
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Filter", description="Which files are listed", options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head, this Blender has the exporter, and no job runs."""
        problem = cls.kind.problem() or (BUSY if STATE.label else None)
        if active_head(context) is None:
            problem = "Select a head first"
        if problem is not None:
            cls.poll_message_set(problem)  # type: ignore[attr-defined]
        return problem is None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file, beside the .blend and named after the head at first."""
        head = active_head(context)
        assert head is not None
        self._is_person = True
        if not self.filepath:
            folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
            name = bpy.path.clean_name(head.name) + self.kind.suffixes[0]
            self.filepath = str(folder / name)
        self.filter_glob = ";".join(f"*{suffix}" for suffix in self.kind.suffixes)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """Give the file's name the format's suffix while it is being chosen."""
        before = Path(self.filepath)
        if not before.name:
            return False
        after = self.kind.with_suffix(before)
        self.filepath = str(after)
        return after != before

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the files, or say in one sentence why not."""
        head = active_head(context)
        assert head is not None
        path = Path(bpy.path.abspath(self.filepath))
        if not path.name:
            self.report({"ERROR"}, "Choose a file to write.")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        try:
            path = self.kind.with_suffix(path)
            if self._is_person and not bpy.app.background:
                return self.start(context, head, path, self.kind, self.choice())
            with _waiting(context, f"Exporting {head.name}..."):
                files = export_head(context, head, path, self.kind, self.choice())
        except RomeError as error:
            sentence = report_of(error).sentence()
            self.report({"ERROR"}, sentence)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        self.report({"INFO"}, f"{head.name} exported to {files[-1].name}")  # type: ignore[attr-defined]
        return {"FINISHED"}

    def choice(self) -> Choice:
        """Return what is exported; formats without a property take its default."""
        asked = {
            name: getattr(self, name) for name in Choice.__dataclass_fields__ if hasattr(self, name)
        }
        return Choice(**asked)


class _Content:
    content: EnumProperty(  # type: ignore[valid-type]
        name="Content", description="What of the head is exported", items=CONTENTS
    )


class _ContentWithKeys:
    content: EnumProperty(  # type: ignore[valid-type]
        name="Content", description="What of the head is exported", items=CONTENTS_WITH_KEYS
    )


class _Bones:
    bones: EnumProperty(  # type: ignore[valid-type]
        name="Bone Names", description="Whose names the bones get", items=BONE_NAMES
    )


class _Animated:
    animated: BoolProperty(  # type: ignore[valid-type]
        name="Animation",
        description="Export the scene's frame range, if anything of the head moves",
        default=True,
    )


class ROME_OT_export_glb(HeadExport, _ContentWithKeys, _Bones, _Animated, bpy.types.Operator):
    """Export the head as GLB."""

    bl_idname = "rome.export_glb"
    bl_label = "Export GLB"
    bl_description = "Export the head with keys, bones and texture in one glTF file"
    kind = GLB


class ROME_OT_export_fbx(HeadExport, _ContentWithKeys, _Bones, _Animated, bpy.types.Operator):
    """Export the head as FBX."""

    bl_idname = "rome.export_fbx"
    bl_label = "Export FBX"
    bl_description = "Export the head with keys, bones and texture in one FBX file"
    kind = FBX


class ROME_OT_export_usd(HeadExport, _ContentWithKeys, _Bones, _Animated, bpy.types.Operator):
    """Export the head as USD."""

    bl_idname = "rome.export_usd"
    bl_label = "Export USD"
    bl_description = "Export the head with keys and bones as USD, the texture beside it"
    kind = USD


class ROME_OT_export_obj(HeadExport, _Content, bpy.types.Operator):
    """Export the head as OBJ."""

    bl_idname = "rome.export_obj"
    bl_label = "Export OBJ"
    bl_description = "Export the head's shape at this frame as OBJ, the texture beside it"
    kind = OBJ


class ROME_OT_export_alembic(HeadExport, _Content, _Animated, bpy.types.Operator):
    """Export the head as Alembic."""

    bl_idname = "rome.export_alembic"
    bl_label = "Export Alembic"
    bl_description = "Export the head's moving surface as Alembic, the texture beside it"
    kind = ABC


CLASSES = (
    ROME_OT_export_glb,
    ROME_OT_export_fbx,
    ROME_OT_export_usd,
    ROME_OT_export_obj,
    ROME_OT_export_alembic,
)
