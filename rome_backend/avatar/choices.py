# SPDX-License-Identifier: Apache-2.0
"""Which tracker, head model and networks make an avatar: asked for, or chosen by what there is.

Does not know how any of them works, and loads nothing.

The released networks were trained on FLAME's own mesh and texture layout and make no sense on
another; DECA's codes are coefficients of FLAME's own components.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rome_backend.assets import flame_kinds as flame
from rome_backend.assets import flame_open, rome_table_kinds
from rome_backend.assets.installed_weights import ROME_NETWORKS
from rome_backend.core.errors import AssetMissing, UsageError

AUTO, OPEN, FLAME, DECA, OFFICIAL, LINEAR = "auto", "open", "flame", "deca", "official", "linear"
TRACKERS = (OPEN, DECA)
NETWORKS = (OPEN, OFFICIAL, LINEAR)
FACE_REGRESSOR, LINEAR_NETWORK = "deca", "rome-linear-offsets"
_HEAD_NEEDS = (flame.MODEL,)
_LANDMARKS = (flame.LANDMARKS_MEDIAPIPE, flame.LANDMARKS_68)
_NEEDS: dict[str, tuple[str, ...]] = {
    DECA: (*_HEAD_NEEDS, FACE_REGRESSOR),
    OFFICIAL: (*_HEAD_NEEDS, flame.LAYOUT, ROME_NETWORKS),
    LINEAR: (
        *_HEAD_NEEDS,
        LINEAR_NETWORK,
        rome_table_kinds.OFFSET_BASIS,
        rome_table_kinds.MEAN_OFFSETS,
    ),
}
_FILES = {
    flame.MODEL: "FLAME's model pickle",
    flame.LAYOUT: "head_template.obj",
    ROME_NETWORKS: "rome.pth",
    FACE_REGRESSOR: "deca_model.tar",
    LINEAR_NETWORK: "linear_hair.pth",
    rome_table_kinds.OFFSET_BASIS: "u_full.pt",
    rome_table_kinds.MEAN_OFFSETS: "mean_deform.pt",
}


@dataclass(frozen=True)
class Choice:
    """What makes an avatar: tracker open or deca; head open, flame or a file; networks open,
    official or linear; face_tightness: how far these may move the face, 0 as their mask says."""

    tracker: str = OPEN
    head: str = OPEN
    networks: str = OPEN
    face_tightness: float = 0.0


def missing(part: str, installed: Collection[str]) -> tuple[str, ...]:
    """Return the files that deca, official or linear still lack, in words."""
    return tuple(_FILES[name] for name in _NEEDS[part] if name not in installed)


def choose(tracker: str, head: str, networks: str, installed: Collection[str]) -> Choice:
    """Return the choice that the words mean with these assets installed (by name).

    auto: FLAME's own model if it is there with landmarks, else the open head; on FLAME the
    released networks and DECA where they are complete; otherwise what is built in.

    Raises UsageError (`choice_unknown`, `networks_need_flame`, `tracker_need_flame`) for what
    makes no sense, AssetMissing (`networks_missing`, `tracker_missing`) for files that lack.
    """
    _known("tracker", tracker, TRACKERS)
    _known("networks", networks, NETWORKS)
    if head == AUTO:
        wants_flame = tracker == DECA or networks in (OFFICIAL, LINEAR)
        head = FLAME if wants_flame or _flame_ready(installed) else OPEN
    on_flame = head == FLAME and flame.MODEL in installed
    if networks == AUTO:
        ready = [name for name in (OFFICIAL, LINEAR) if not missing(name, installed)]
        networks = ready[0] if on_flame and ready else OPEN
    if tracker == AUTO:
        tracker = DECA if on_flame and not missing(DECA, installed) else OPEN
    for option, part in (("networks", networks), ("tracker", tracker)):
        if part != OPEN:
            _check(option, part, head, installed)
    return Choice(tracker, head, networks)


def _check(option: str, part: str, head: str, installed: Collection[str]) -> None:
    """Raise unless a part that needs FLAME has it, and its files."""
    reduced = flame_open.NAME in installed and flame.MODEL not in installed
    if head != FLAME or reduced:
        raise UsageError(
            f"{option}_need_flame",
            f"--{option} {part} works on FLAME's own mesh, components and texture layout only.",
            "Use --head flame with FLAME's model pickle imported, or leave both to auto.",
        )
    lacking = missing(part, installed)
    if lacking:
        raise AssetMissing(
            f"{option}_missing",
            f"--{option} {part} needs files that are not installed: {', '.join(lacking)}.",
            "Import them with: rome assets import PATH",
        )


def _flame_ready(installed: Collection[str]) -> bool:
    return flame.MODEL in installed and any(name in installed for name in _LANDMARKS)


def _known(option: str, word: str, words: tuple[str, ...]) -> None:
    if word not in (AUTO, *words):
        raise UsageError(
            "choice_unknown", f"There is no {option} {word!r}.",
            f"Choose {', '.join((AUTO, *words))}.",
        )  # fmt: skip
