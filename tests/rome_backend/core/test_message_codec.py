# SPDX-License-Identifier: Apache-2.0
"""Tests of messages to frames and back: round trips of all, and refusal of what does not fit."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import ProtocolError
from rome_backend.core.framing import Frame
from rome_backend.core.message_codec import decode, encode, receive, send
from rome_backend.core.messages import (
    TYPES,
    AvatarKept,
    AvatarReady,
    Cancel,
    CreateAvatar,
    DetectFaces,
    FacesFound,
    Failed,
    FrameReady,
    Hello,
    KeepAvatar,
    LoadAvatar,
    Message,
    Progress,
    Rebake,
    RenderFrame,
    SetSurface,
    Shutdown,
    SurfaceReady,
    Welcome,
)

POINTS = np.arange(12, dtype=np.float32).reshape(4, 3)
EYE = np.eye(4)
RENDER = RenderFrame(
    7, 64, 48, EYE, EYE, ("a", "b"), (POINTS, POINTS[:2]), (EYE, 2 * EYE),
    ("combined", "uv"), viewport=True,
)  # fmt: skip
NEURAL = RenderFrame(
    7, 64, 48, EYE, EYE, ("a",), (POINTS,), (EYE,), renderer="auto", avatar_ids=("ada",),
    picture_side=512,
)  # fmt: skip
EXAMPLES: list[Message] = [
    Hello(1, "0.1.0"),
    Welcome(1, "0.1.0", "cpu", "3.11.7", ""),
    CreateAvatar(1, ("/photos/Zoë.jpg", "b.png"), 2048, 1, 5, "flame"),
    LoadAvatar(2, np.arange(5, dtype=np.uint8)),
    Rebake(3, "head", 512, True),
    AvatarReady(
        3, "id", "Zoë", {"vertices": POINTS, "region.face": np.array([True, False])},
        {"keys": [{"name": "jawOpen", "driver": None}]}, np.zeros(3, np.uint8), 2, ("small",),
        {"head": "CC0"}, {"fit": 0.5},
    ),
    SetSurface(
        6, "skin", np.array([[0, 1, 2]], np.int32), np.full((1, 3, 2), 0.5, np.float32),
        np.zeros((2, 4, 3), np.uint8),
    ),
    SetSurface(
        6, "skin", np.array([[0, 1, 2]], np.int32), np.full((1, 3, 2), 0.5, np.float32),
        albedo_png=np.arange(9, dtype=np.uint8),
    ),
    SurfaceReady(6, "skin"),
    KeepAvatar(8, "ada", np.arange(5, dtype=np.uint8)),
    AvatarKept(8, "ada"),
    RENDER,
    NEURAL,
    FrameReady(7, np.ones((2, 3, 4), np.float32), depth=np.full((2, 3), np.inf, np.float32)),
    FrameReady(7, drawn_by=("rome", "textured"), note="No."),
    DetectFaces(4, "a.jpg"),
    FacesFound(4, 30, 20, np.ones((1, 4), np.float32), np.zeros((2, 3, 3), np.uint8)),
    Cancel(4),
    Shutdown(),
    Progress(1, "fit", 0.5, None),
    Progress(1, "fit", 0.5, 2.25),
    Failed(0, "protocol", "No.", "Yes.", 4),
]  # fmt: skip


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda each: type(each).__name__)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    pipe = io.BytesIO()
    send(pipe, message)
    pipe.seek(0)
    back = receive(pipe)
    assert type(back) is type(message)
    for each in fields(message):
        assert same(getattr(message, each.name), getattr(back, each.name)), each.name
    assert receive(pipe) is None


def test_the_examples_cover_every_type() -> None:
    assert {type(each).__name__ for each in EXAMPLES} == set(TYPES)


def code_of(frame: Frame) -> str:
    with pytest.raises(ProtocolError) as caught:
        decode(frame)
    return caught.value.code


def changed(message: Message, **values: Any) -> Frame:
    frame = encode(message)
    gone = {name for name, value in values.items() if value is ...}
    merged = {**frame.fields, **values}
    return Frame(
        frame.type, {k: v for k, v in merged.items() if k not in gone}, frame.arrays
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "Frame", "create_avatar", "__class__", "Message"])
def test_an_unknown_type_is_named(name: str) -> None:
    assert code_of(Frame(name)) == "message_unknown"


CREATE = CreateAvatar(1, ("a.jpg",))
WRONG = [
    (CREATE, {"request_id": ...}),
    (CREATE, {"request_id": "1"}),
    (CREATE, {"request_id": True}),
    (CREATE, {"request_id": 1.0}),
    (CREATE, {"request_id": None}),
    (CREATE, {"request_id": 1 << 70}),
    (CREATE, {"photos": "a.jpg"}),
    (CREATE, {"photos": ["a.jpg", 3]}),
    (CREATE, {"photos": {"0": "a.jpg"}}),
    (CREATE, {"unknown": 1}),
    (CREATE, {"head": ["open"]}),
    (Rebake(1, "a"), {"delight": 1}),
    (Progress(1, "a", 0.5), {"fraction": "0.5"}),
    (Progress(1, "a", 0.5), {"fraction": True}),
    (Progress(1, "a", 0.5), {"fraction": None}),
    (EXAMPLES[5], {"rig_metadata": []}),
    (EXAMPLES[5], {"rig": ["vertices"]}),
    (EXAMPLES[5], {"rig": ["vertices", "region.face", "more"]}),
    (EXAMPLES[5], {"rig": 2}),
    (RENDER, {"vertices": 1}),
    (RENDER, {"vertices": 3}),
    (RENDER, {"vertices": 1 << 40}),
    (RENDER, {"vertices": -1}),
    (RENDER, {"width": 0}),
    (RENDER, {"height": 1 << 20}),
    (RENDER, {"passes": ["combined", "secrets"]}),
    (RENDER, {"surface_ids": ["a"]}),
    (RENDER, {"renderer": "magic"}),
    (RENDER, {"renderer": "auto"}),
    (NEURAL, {"avatar_ids": ["ada", "bob"]}),
    (NEURAL, {"picture_side": 300}),
]


@pytest.mark.parametrize(("message", "values"), WRONG)
def test_fields_of_the_wrong_kind_are_refused(message: Message, values: dict[str, Any]) -> None:
    assert code_of(changed(message, **values)) == "message_invalid"


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("world_to_clip", np.eye(3)),
        ("world_to_clip", np.eye(4, dtype=np.float32)),
        ("world_to_clip", np.full((4, 4), np.nan)),
        ("vertices.0", POINTS.astype(np.float64)),
        ("vertices.0", POINTS[:, :2]),
        ("vertices.1", POINTS[0]),
        ("vertices.1", np.full_like(POINTS, np.inf)),
        ("unknown", POINTS),
        ("width", POINTS),
    ],
)
def test_arrays_of_the_wrong_kind_are_refused(name: str, array: Any) -> None:
    frame = encode(RENDER)
    assert code_of(replace(frame, arrays={**frame.arrays, name: array})) == "message_invalid"


def test_an_array_that_is_missing_is_refused() -> None:
    frame = encode(RENDER)
    for name in frame.arrays:
        rest = {key: value for key, value in frame.arrays.items() if key != name}
        assert code_of(replace(frame, arrays=rest)) == "message_invalid"


@pytest.mark.parametrize("message", [Hello(99, "9.0.0"), Welcome(99, "9.0.0")])
def test_another_version_can_still_say_hello(message: Message) -> None:
    frame = changed(message, colour="blue", device="x")
    back = decode(replace(frame, arrays={"more": POINTS}))
    assert isinstance(back, Hello | Welcome)
    assert (back.protocol, back.version) == (99, "9.0.0")


def test_a_short_welcome_of_another_version_is_read() -> None:
    assert decode(Frame("Welcome", {"protocol": 2, "version": "x"})) == Welcome(2, "x")


def test_whole_numbers_are_numbers() -> None:
    back = decode(changed(Progress(1, "a", 0.5), fraction=1))
    assert isinstance(back, Progress) and type(back.fraction) is float


def test_random_damage_of_values_never_does_more_than_raise() -> None:
    random = np.random.default_rng(11)
    odd: list[Any] = [None, True, -1, 1 << 62, 0.5, "", "x", [], [1], ["a"], [[]], {}, {"a": 1}]
    arrays = [POINTS, EYE, np.zeros(0, np.uint8), np.array(True), np.zeros((1, 2, 4), np.float32)]
    outcomes = set()
    for _ in range(4000):
        frame = encode(EXAMPLES[random.integers(len(EXAMPLES))])
        values, held = dict(frame.fields), dict(frame.arrays)
        if values and random.integers(2):
            values[random.choice(sorted(values))] = odd[random.integers(len(odd))]
        if held and random.integers(2):
            held[random.choice(sorted(held))] = arrays[random.integers(len(arrays))]
        try:
            decode(Frame(frame.type, values, held))
            outcomes.add("read")
        except ProtocolError as error:
            outcomes.add(error.code)
    assert outcomes == {"read", "message_invalid"}
