# SPDX-License-Identifier: Apache-2.0
"""The backend's side of the render engine: surfaces are kept and forgotten, frames drawn.

Does not test what frames look like (render/test_frame.py does) nor the pipe.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import Cancelled, FileInvalid, RomeError
from rome_backend.core.message_codec import decode, encode
from rome_backend.core.messages import FrameReady, RenderFrame, SetSurface, SurfaceReady
from rome_backend.server.frames import Frames
from rome_backend.server.jobs import Job
from rome_backend.server.kept_surfaces import MOST

EYE = np.eye(4)
TRIANGLE = np.array([[-0.9, -0.9, 0], [0.9, -0.9, 0], [0, 0.9, 0]], np.float32)
MIRROR = np.diag([-1.0, 1, 1, 1])


def surface(name: str = "a", colour: int = 255, **changed: Any) -> SetSurface:
    parts = {
        "faces": np.array([[0, 1, 2]], np.int32),
        "uvs": np.zeros((1, 3, 2), np.float32),
        "albedo": np.full((4, 4, 3), colour, np.uint8),
    }
    return SetSurface(1, name, **(parts | changed))


def frame(*names: str, placed: np.ndarray = EYE, **changed: Any) -> RenderFrame:
    parts = {"width": 16, "height": 12, "passes": ("combined", "depth")} | changed
    heads = len(names)
    return RenderFrame(
        2, parts.pop("width"), parts.pop("height"), EYE, EYE, names, (TRIANGLE,) * heads,
        (placed,) * heads, **parts,
    )  # fmt: skip


def ask(frames: Frames, message: Any) -> Any:
    """Answer a message by its entry of the table, over the codec."""
    message = decode(encode(message))
    job = Job(message, lambda answer: None)
    return decode(encode(frames.table()[type(message)](message, job)))


def test_a_kept_surface_is_drawn() -> None:
    frames = Frames()
    assert ask(frames, surface()) == SurfaceReady(1, "a")
    answer = ask(frames, frame("a"))
    assert isinstance(answer, FrameReady) and answer.request_id == 2
    assert answer.combined.shape == (12, 16, 4) and answer.combined[8, 8].tolist() == [1, 1, 1, 1]
    assert np.isinf(answer.depth[0, 0]) and answer.depth[8, 8] == 0
    assert answer.mask is None


def test_a_surface_sent_again_takes_the_old_ones_place() -> None:
    frames = Frames()
    ask(frames, surface())
    ask(frames, surface(colour=0))
    assert ask(frames, frame("a")).combined[8, 8].tolist() == [0, 0, 0, 1]


def test_a_mirrored_head_shows_its_outer_side() -> None:
    frames = Frames()
    ask(frames, surface())
    assert ask(frames, frame("a", placed=MIRROR)).combined[8, 8, 0] < 0.5


def test_viewport_frames_have_hard_edges_and_final_ones_soft() -> None:
    frames = Frames()
    ask(frames, surface())
    levels = [
        len(np.unique(ask(frames, frame("a", viewport=on)).combined[..., 3]))
        for on in (True, False)
    ]
    assert levels[0] == 2 and levels[1] > 4


def test_unknown_and_forgotten_surfaces_are_asked_for_again() -> None:
    frames = Frames()
    with pytest.raises(RomeError) as failed:
        ask(frames, frame("a"))
    assert failed.value.code == "surface_unknown"
    for number in range(MOST + 1):
        ask(frames, surface(f"s{number}"))
    ask(frames, frame("s1"))
    with pytest.raises(RomeError, match="surface"):
        ask(frames, frame("s0"))


@pytest.mark.parametrize(
    "changed",
    [
        {"uvs": np.zeros((2, 3, 2), np.float32)},
        {"faces": np.array([[0, 1, -2]], np.int32)},
        {"albedo": np.zeros((0, 4, 3), np.uint8)},
    ],
    ids=str,
)
def test_surfaces_that_make_no_sense_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(FileInvalid) as failed:
        ask(Frames(), surface(**changed))
    assert failed.value.code == "surface_invalid"


def test_a_surface_of_another_mesh_is_refused() -> None:
    frames = Frames()
    ask(frames, surface(faces=np.array([[0, 1, 7]], np.int32)))
    with pytest.raises(FileInvalid) as failed:
        ask(frames, frame("a"))
    assert failed.value.code == "frame_invalid"


def test_a_cancelled_frame_ends() -> None:
    frames = Frames()
    ask(frames, surface())
    message = frame("a")
    job = Job(message, lambda answer: None)
    job.cancel()
    with pytest.raises(Cancelled):
        frames.render(message, job)
