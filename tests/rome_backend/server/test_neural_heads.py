# SPDX-License-Identifier: Apache-2.0
"""Which heads of a frame networks draw: what was chosen, what there is, what the others are told.

Does not test what networks draw (avatar/test_neural_frame.py does); these here are stand-ins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend.avatar import installed_networks, renderers
from rome_backend.core import frame_messages
from rome_backend.core.avatar_text import Packed, pack_steps
from rome_backend.core.errors import AssetMissing, FileInvalid, RomeError, UsageError
from rome_backend.core.message_codec import decode, encode
from rome_backend.core.messages import AvatarKept, KeepAvatar, RenderFrame, SetSurface
from rome_backend.core.types import Avatar
from rome_backend.models.light_renderer import LIGHT_RENDERERS
from rome_backend.server import neural_heads
from rome_backend.server.avatar_bytes import avatar_of, bytes_of
from rome_backend.server.frames import Frames
from rome_backend.server.jobs import Job
from rome_backend.server.neural_heads import KEPT_AVATARS

EYE = np.eye(4)
SQUARE = np.array([[-0.9, -0.9, 0], [0.9, -0.9, 0], [0.9, 0.9, 0], [-0.9, 0.9, 0]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
WEIGHTS = "0123456789abcdef"


class Green(torch.nn.Module):
    """Draws everything green."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found = values.new_full((len(values), 4, *values.shape[2:]), -9.0)
        found[:, 1], found[:, 3] = 9.0, 20 * (values[:, 7] > 0.5) - 10.0
        return found


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Networks are installed for WEIGHTS alone; returns the ids that were loaded."""
    found: list[str] = []

    def load(weights_id: str, store: Any, device: torch.device) -> torch.nn.Module:
        if weights_id != WEIGHTS:
            raise AssetMissing("networks_missing", "They are not installed.", "Render otherwise.")
        found.append(weights_id)
        return Green()

    monkeypatch.setattr(installed_networks, "drawing_network", load)
    return found


@pytest.fixture
def neural_avatar(small_avatar: Avatar) -> Avatar:
    texture = np.full((8, 16, 16), 1, np.float32)
    return replace(small_avatar, neural_texture=texture, weights_id=WEIGHTS)


def packed(avatar: Avatar) -> Packed:
    steps = pack_steps(bytes_of(avatar))
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def keep(frames: Frames, avatar: Avatar) -> str:
    """Make an avatar known and return its id."""
    found = packed(avatar)
    text = np.frombuffer(found.text.encode(), np.uint8)
    assert ask(frames, KeepAvatar(3, found.key, text)) == AvatarKept(3, found.key)
    return found.key


def ask(frames: Frames, message: Any) -> Any:
    """Answer a message by its entry of the table, over the codec."""
    message = decode(encode(message))
    job = Job(message, lambda answer: None)
    return decode(encode(frames.table()[type(message)](message, job)))


@pytest.fixture
def frames() -> Frames:
    """A red square is known as "a"."""
    made = Frames("cpu")
    uvs = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]], np.float32)[FACES]
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    ask(made, SetSurface(1, "a", FACES, uvs, red))
    return made


def frame(*avatar_ids: str, renderer: str = "auto", **changed: Any) -> RenderFrame:
    count = len(avatar_ids)
    message = RenderFrame(
        2, 24, 24, EYE, EYE, ("a",) * count, (SQUARE,) * count, (EYE,) * count,
        ("combined", "mask", "depth", "uv", "normal"), renderer, avatar_ids=avatar_ids,
    )  # fmt: skip
    return replace(message, **changed)


def colour(answer: Any) -> list[float]:
    return answer.combined[12, 12].round(2).tolist()


def test_networks_draw_what_they_can_and_the_other_passes_stay(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    name = keep(frames, neural_avatar)
    plain = ask(frames, frame("", renderer="textured"))
    for renderer in ("auto", "rome"):
        answer = ask(frames, frame(name, renderer=renderer))
        assert colour(answer) == [0, 1, 0, 1]
        assert (answer.drawn_by, answer.note) == (("rome",), "")
        for passed in ("mask", "depth", "uv", "normal"):
            assert np.array_equal(getattr(answer, passed), getattr(plain, passed))
    assert colour(plain) == [1, 0, 0, 1] and plain.drawn_by == ("textured",)
    assert loaded == [WEIGHTS]  # once


def test_textured_is_textured_whatever_there_is(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    answer = ask(frames, frame(keep(frames, neural_avatar), renderer="textured"))
    assert colour(answer) == [1, 0, 0, 1] and not loaded


def test_without_a_neural_texture_automatic_draws_the_mesh_and_says_why(
    frames: Frames, loaded: list[str], small_avatar: Avatar
) -> None:
    for name in ("", keep(frames, small_avatar)):
        answer = ask(frames, frame(name))
        assert colour(answer) == [1, 0, 0, 1] and answer.drawn_by == ("textured",)
        assert "no neural texture" in answer.note and answer.note.count(".") == 1
        with pytest.raises(UsageError) as refused:
            ask(frames, frame(name, renderer="rome"))
        assert refused.value.code == "no_neural_texture" and "Automatic" in refused.value.hint


def test_without_networks_automatic_draws_the_mesh_and_says_why(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    name = keep(frames, replace(neural_avatar, weights_id="f" * 16))
    answer = ask(frames, frame(name))
    assert colour(answer) == [1, 0, 0, 1] and answer.note == "They are not installed."
    with pytest.raises(AssetMissing) as refused:
        ask(frames, frame(name, renderer="rome"))
    assert "Automatic" in refused.value.hint and "import" in refused.value.hint


def test_one_frame_may_hold_both_kinds(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    aside = np.diag([0.4, 0.4, 1, 1]).astype(np.float32)[:3, :3]
    points = (SQUARE @ aside - np.float32([0.5, 0, 0]), SQUARE @ aside + np.float32([0.5, 0, 0]))
    answer = ask(frames, frame(keep(frames, neural_avatar), "", vertices=points))
    assert answer.drawn_by == ("rome", "textured") and answer.note
    shown = answer.combined[12, [6, 18]].round(2).tolist()
    assert shown == [[0, 1, 0, 1], [1, 0, 0, 1]]


def test_combined_is_not_drawn_where_nobody_asked_for_it(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    answer = ask(frames, frame(keep(frames, neural_avatar), passes=("mask",)))
    assert answer.combined is None and answer.mask[12, 12] == 1


def test_an_unknown_and_a_forgotten_avatar_are_asked_for_again(
    frames: Frames, loaded: list[str], neural_avatar: Avatar
) -> None:
    first = keep(frames, neural_avatar)
    for number in range(KEPT_AVATARS):
        keep(frames, replace(neural_avatar, name=f"n{number}"))
    for name in ("nobody", first):
        with pytest.raises(RomeError) as refused:
            ask(frames, frame(name))
        assert refused.value.code == "avatar_unknown"


def test_an_avatar_that_is_damaged_or_another_is_refused(
    frames: Frames, small_avatar: Avatar
) -> None:
    found = packed(small_avatar)
    for key, text in (("0" * 32, found.text), (found.key, found.text[:-20]), (found.key, "???")):
        with pytest.raises(FileInvalid) as refused:
            ask(frames, KeepAvatar(1, key, np.frombuffer(text.encode(), np.uint8)))
        assert refused.value.code == "avatar_damaged"


def test_avatars_are_the_same_after_bytes_and_back(neural_avatar: Avatar) -> None:
    data = bytes_of(neural_avatar)
    for sent in (data, np.frombuffer(data, np.uint8)):
        back = avatar_of(sent)
        assert back.name == neural_avatar.name and back.weights_id == WEIGHTS
        assert np.array_equal(back.neural_texture, neural_avatar.neural_texture)


def test_the_names_of_renderers_are_those_of_the_command_line() -> None:
    """What draws from the photo is not offered by the render engine, nor a light renderer."""
    not_offered = {renderers.PHOTO, *LIGHT_RENDERERS}
    assert set(frame_messages.RENDERERS) == set(renderers.RENDERERS) - not_offered
    assert (neural_heads.AUTO, neural_heads.TEXTURED, neural_heads.ROME) == (
        renderers.AUTO, renderers.TEXTURED, renderers.ROME,
    )  # fmt: skip
