# SPDX-License-Identifier: Apache-2.0
"""Where results go: the meaning of OUT, its files, and writing them all or not at all.

Does not know how an avatar is made.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rome_backend.avatar.avatar import save_avatar
from rome_backend.avatar.heads import load_head
from rome_backend.core.errors import UsageError
from rome_backend.core.types import Avatar, RigArrays
from rome_backend.export.rig_arrays import rig_arrays

AVATAR = ".rome"
EXPORTS = (".blend", ".glb", ".obj")
FOLDER_GETS = (AVATAR, ".blend", ".glb")
Progress = Callable[[str, float], None]


def is_file_name(out: Path) -> bool:
    """Return whether OUT names a file (by its ending) rather than a folder.

    Raises UsageError (`unknown_ending`) for an ending that is neither.
    """
    if out.is_dir() or not out.suffix:
        return False
    if out.suffix.lower() not in (AVATAR, *EXPORTS):
        raise UsageError(
            "unknown_ending",
            f"{out.name!r} has an ending that cannot be written.",
            f"Use {AVATAR}, {', '.join(EXPORTS)}, or a name without a dot for a folder.",
        )
    return True


def files_for(out: Path, name: str) -> list[Path]:
    """Return the files an avatar becomes: OUT with its .rome beside it, or all in folder OUT."""
    if is_file_name(out):
        files = [out.with_suffix(AVATAR), out]
        return files[1:] if out.suffix.lower() == AVATAR else files
    return [out / f"{name}{ending}" for ending in FOLDER_GETS]


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files move to ``folder`` when the block ends without error.

    After an error or Ctrl-C nothing of it remains, and a folder that did not exist still does not.
    """
    made = _make(folder)
    stage: Path | None = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=".rome-", dir=folder))
        yield stage
        for path in sorted(stage.iterdir()):
            os.replace(path, folder / path.name)
        made = []
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        for path in made:
            shutil.rmtree(path, ignore_errors=True)


def _make(folder: Path) -> list[Path]:
    """Create a folder; return the outermost one that was new, or nothing."""
    require_writable(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[-1:]


def require_writable(folder: Path) -> None:
    """Raise UsageError unless a folder can be written to or made; nothing is made here.

    Called before the work, so that a wrong OUT costs no time.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UsageError(
            "not_a_folder", f"{str(existing)!r} is in the way: it is a file.", "Choose another OUT."
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(
            "cannot_write",
            f"You may not write to the folder {str(existing)!r}.",
            "Choose another OUT.",
        )


def write_avatar(
    avatar: Avatar, files: Sequence[Path], progress: Progress | None = None
) -> list[Path]:
    """Write an avatar to files of one folder, by their endings; all of them or none.

    Returns every file written: an .obj brings its material and texture along.
    Raises UsageError for an ending that cannot be written, and what the exporters raise.
    """
    exports = [path for path in files if path.suffix.lower() != AVATAR]
    head = str(avatar.provenance.get("head", "open"))
    rig = rig_arrays(*load_head(head), avatar) if exports else None
    folder = files[0].parent
    with staged(folder) as stage:
        for path in files:
            if progress:
                progress(f"write {path.suffix[1:]}", 1.0)
            if rig is None or path.suffix.lower() == AVATAR:
                save_avatar(avatar, stage / path.name)
            else:
                export_rig(rig, stage / path.name)
        more = {path.name for path in stage.iterdir()} - {path.name for path in files}
    return [*files, *(folder / name for name in sorted(more))]


def export_rig(rig: RigArrays, path: Path) -> None:
    """Write a rig as .blend, .glb or .obj."""
    ending = path.suffix.lower()
    if ending == ".blend":
        from rome_backend.export.blend import write_blend

        write_blend(rig, path)
    elif ending == ".glb":
        from rome_backend.export.glb import write_glb

        write_glb(rig, path)
    elif ending == ".obj":
        from rome_backend.export.obj import write_obj

        write_obj(rig, path)
    else:
        raise UsageError(
            "unknown_ending", f"{path.name!r} cannot be exported.", f"Use {', '.join(EXPORTS)}."
        )
