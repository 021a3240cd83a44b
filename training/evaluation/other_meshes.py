# SPDX-License-Identifier: Apache-2.0
"""Adapters of other programs' meshes: where each writes the head it made of a photo.

Does not know distances; which way a mesh looks and how large it is, is found by looking at it.

Sources, as the programs write their results (NAME is the photo's name without its ending):
DECA `demos/demo_reconstruct.py --saveObj True -s FOLDER` (yfeng95/DECA): NAME/NAME.obj, beside
NAME_detail.obj, which is left; FLAMETex `photometric_fitting.py` (its `savefolder`;
HavenFeng/photometric_optimization): NAME.obj, in the picture's axes; H3D-Net has no released
program: NAME.ply or NAME.obj, as H3DS's `evaluate_scene` (CrisalixSA/h3ds) is given it; `meshes`:
the same, for any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLACES: Mapping[str, tuple[str, ...]] = {
    "deca": ("{name}/{name}.obj",),
    "flametex": ("{name}.obj", "{name}/{name}.obj"),
    "h3dnet": ("{name}.ply", "{name}.obj"),
    "meshes": ("{name}.ply", "{name}.obj", "{name}/{name}.obj", "{name}/{name}.ply"),
}


@dataclass(frozen=True)
class OtherMeshes:
    """What another program made: its name in tables, the program that wrote it, its folder."""

    name: str
    kind: str
    folder: Path

    def find(self, head: str) -> Path | None:
        """Return the mesh of a head, None where the program made none."""
        for place in PLACES[self.kind]:
            path = self.folder / place.format(name=head)
            if path.is_file():
                return path
        return None


def other_meshes(given: Mapping[str, Path]) -> list[OtherMeshes]:
    """Return the adapters of name -> folder; a name that is no known program's is of `meshes`."""
    return [
        OtherMeshes(name, name if name in PLACES else "meshes", folder)
        for name, folder in given.items()
    ]
