# SPDX-License-Identifier: Apache-2.0
"""The speed bench on a tiny mesh and tiny networks: what it reports, never how fast it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rome_backend.bench import speed, speed_networks, speed_raster
from rome_backend.bench.rounds import Ratio
from rome_backend.core.errors import AssetMissing
from rome_backend.models.texture_encoder import TextureEncoderParams, make_texture_encoder
from rome_backend.models.unet import UNetParams, make_unet
from rome_backend.open_head.build import open_head


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (speed_raster, speed_networks, speed):
        monkeypatch.setattr(module, "SIDE", 32)
    monkeypatch.setattr(speed_networks, "VERTICES", 50)
    monkeypatch.setattr(speed_networks, "MOVABLE", 20)
    widths = {32: (16, 32, 32), 4: (16, 32, 32)}
    monkeypatch.setattr(
        speed_networks,
        "make_unet",
        lambda params: make_unet(UNetParams(47, params.out_channels, widths[params.out_channels])),
    )
    small = TextureEncoderParams(inner=8, levels=2)
    monkeypatch.setattr(speed_networks, "make_texture_encoder", lambda: make_texture_encoder(small))
    yield


@pytest.fixture
def triangles() -> SimpleNamespace:
    generator = np.random.default_rng(0)
    points = generator.normal(0, 0.1, (20, 1, 3)) + generator.normal(0, 0.03, (20, 3, 3))
    template = points.reshape(-1, 3).astype(np.float32)
    faces = np.arange(60, dtype=np.int32).reshape(-1, 3)
    return SimpleNamespace(template=template, faces=faces)


def _without_int8(*_: object) -> None:
    raise AssetMissing("int8_missing", "Not here.")


ISSUE_NAMES = (
    "raster_vs_bruteforce", "soft_vs_bruteforce", "raster_vs_pytorch3d", "soft_vs_pytorch3d",
    "frame_official_vs_eager", "frame_official_psnr_db", "frame_fastest_vs_eager",
    "frame_fastest_psnr_db", "texture_encoder_vs_eager", "frame_light_256_vs_official",
    "frame_light_512_vs_official", "render_network_share", "render_memory_growth",
    "create_overhead",
)  # fmt: skip


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Frames, timelines and create made up; what they were asked for."""
    asked: dict[str, object] = {}

    def frames(head: object, rounds: int, sizes: object) -> tuple[dict, dict]:
        asked.update(head=head, sizes=sizes)
        names = ("frame_light_256_vs_official", "frame_light_512_vs_official")
        return {name: Ratio(20.0, 19.0, 21.0) for name in names}, {"frame_light_256": [0.03]}

    def timelines(count: int, hog: bool) -> tuple[dict, dict]:
        asked["frames"] = (count, hog)
        return {"render_network_share": 0.9, "render_memory_growth": None}, {"rest_ms": 9.0}

    def create(photo: object, rounds: int) -> tuple[dict, dict]:
        asked["photo"] = (photo, rounds)
        return {"create_overhead": Ratio(0.4, 0.3, 0.5)}, {"create_networks": [1.7]}

    monkeypatch.setattr(speed, "bench_frames", frames)
    monkeypatch.setattr(speed, "bench_timelines", timelines)
    monkeypatch.setattr(speed, "bench_create_overhead", create)
    monkeypatch.setattr(speed, "seconds_per_tracked_frame", lambda photo: 0.02)
    monkeypatch.setattr(speed, "bench_pipe", lambda size, rounds: {"frame_ms": 2.0})
    return asked


def test_create_and_clip_are_measured_where_there_is_a_photo(
    triangles: SimpleNamespace, others: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "bench_raster", lambda *_: ({}, {}))
    monkeypatch.setattr(speed, "bench_official", lambda *_: ({}, {}))
    monkeypatch.setattr(speed, "ensure_tracker_models", lambda _: None)
    options = speed.SpeedOptions(rounds=7, photo=Path("me.jpg"))
    payload = speed.bench_speed(triangles, options, lambda *_: None)  # type: ignore[arg-type]
    assert others["photo"] == (Path("me.jpg"), 3)
    assert payload["ratios"]["create_overhead"] == 0.4
    assert payload["spread"]["create_overhead"] == [0.3, 0.5]
    seconds = payload["seconds"]
    assert (seconds["track_clip_frame"], seconds["pipe_frame_512"]) == (0.02, 0.002)
    assert payload["frames"] == 240 and payload["light"] == {"rest_ms": 9.0}


def test_what_create_needs_is_missed_before_minutes_of_measuring(
    triangles: SimpleNamespace, others: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: object) -> None:
        raise AssetMissing("asset_missing", "Not here.")

    monkeypatch.setattr(speed, "ensure_tracker_models", missing)
    monkeypatch.setattr(speed, "bench_raster", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(AssetMissing):
        options = speed.SpeedOptions(photo=Path("me.jpg"))
        speed.bench_speed(triangles, options, lambda *_: None)  # type: ignore[arg-type]


def test_the_payload_has_every_ratio_with_its_spread(
    tiny: None, triangles: SimpleNamespace, others: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(speed_networks, "Int8Network", _without_int8)
    monkeypatch.setattr(speed_raster, "_pytorch3d", lambda: None)
    told: list[str] = []
    options = speed.SpeedOptions(2, 24, None, (32,), False)
    payload = speed.bench_speed(triangles, options, lambda stage, _: told.append(stage))  # type: ignore[arg-type]
    ratios, spread = payload["ratios"], payload["spread"]
    assert payload["runs"] == 2 and told[-1] == "done"
    assert set(ISSUE_NAMES) <= ratios.keys() and payload["weights"] == "random"
    assert others == {"head": triangles, "sizes": (32,), "frames": (24, False)}
    for name in (
        "raster_vs_pytorch3d", "soft_vs_pytorch3d", "frame_fastest_vs_eager", "create_overhead",
    ):  # fmt: skip
        assert ratios[name] is None and name not in spread
    for name in (
        "raster_vs_bruteforce", "soft_vs_bruteforce", "frame_official_vs_eager",
        "texture_encoder_vs_eager",
    ):  # fmt: skip
        assert spread[name][0] <= ratios[name] <= spread[name][1]
        assert ratios[name] > 0
    assert ratios["texture_encoder_psnr_db"] > 80
    assert ratios["frame_official_psnr_db"] > 30
    assert all(value > 0 for value in payload["seconds"].values())


def test_the_seconds_of_brute_force_are_those_of_all_rows(
    tiny: None, triangles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []

    def counted(*arguments: object) -> torch.Tensor:
        rows.append(int(arguments[-1]))  # type: ignore[call-overload]
        return torch.zeros(1)

    monkeypatch.setattr(speed_raster, "nearest_faces", counted)
    monkeypatch.setattr(
        speed_raster, "in_turns", lambda ways, rounds, warm_up=True: _run(ways, rounds)
    )
    vertices, faces = speed.head_on_screen(triangles)  # type: ignore[arg-type]
    ratios, seconds = speed_raster.bench_raster(vertices, faces, 1)
    assert rows == [speed_raster.EVERY]
    assert seconds["raster_bruteforce"] == [float(speed_raster.EVERY)]
    assert seconds["raster"] == [1.0]
    found = ratios["raster_vs_bruteforce"]
    assert found is not None and found.value == speed_raster.EVERY


def _run(ways: dict, rounds: int) -> dict[str, list[float]]:
    """Run each way, and say that it took a second."""
    for way in ways.values():
        way()
    return {name: [1.0] * rounds for name in ways}


def test_a_peer_that_is_installed_is_timed(
    tiny: None, triangles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    peer = SimpleNamespace(
        rasterize=lambda *_: called.append("raster"),
        soft_alpha=lambda vertices, *_: (called.append("soft"), vertices[..., 0])[1],
    )
    monkeypatch.setattr(speed_raster, "_pytorch3d", lambda: peer)
    vertices, faces = speed.head_on_screen(triangles)  # type: ignore[arg-type]
    ratios, _ = speed_raster.bench_raster(vertices, faces, 1)
    assert {"raster", "soft"} == set(called)
    assert ratios["raster_vs_pytorch3d"] is not None and ratios["soft_vs_pytorch3d"] is not None


def test_the_average_head_fills_the_picture() -> None:
    points, faces = speed.head_on_screen(open_head())
    assert points[:, :2].abs().max() < 1.3
    assert (points[:, 1].max() - points[:, 1].min()) > 1
    assert faces.max() < len(points)
