# SPDX-License-Identifier: Apache-2.0
"""Other programs' pictures: where each writes them, which frame each is of, in our protocols."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from rome_backend.core.camera import fit_camera
from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import F32, U8, FaceFit, FlameParams
from training.__main__ import main
from training.evaluation.frames import RealFrame, TrackedClip
from training.evaluation.other_pictures import (
    PLACES,
    OtherPictures,
    Recorded,
    input_order,
    other_pictures,
    recorded,
    write_inputs,
)

SIDE, SOURCE = 16, 1
NUMBERS = (0, 30, 60, 90)
ORDER = [30, 0, 60, 90]  # the source first


def frame(number: int) -> RealFrame:
    fit = FaceFit(
        FlameParams(np.zeros(2), np.zeros(2)), 9.0, np.eye(3), np.zeros(2), 0.0, 0.0, 0.0, 1.0
    )
    rgb = np.full((SIDE, SIDE, 3), number, np.uint8)
    ones = np.ones((SIDE, SIDE), np.float32)
    landmarks = np.zeros((478, 2))
    return RealFrame(number, rgb, ones, ones, landmarks, fit_camera(fit, SIDE, SIDE), fit)


FRAMES = [frame(number) for number in NUMBERS]
CLIP: Any = TrackedClip(tuple(SimpleNamespace(number=n) for n in NUMBERS), SOURCE, 0)  # type: ignore[arg-type]


def matte(rgb: U8) -> F32:
    return np.full(rgb.shape[:2], 0.25, np.float32)


def drawn(number: int, channels: int = 3) -> U8:
    return np.full((SIDE, SIDE, channels), 100 + number, np.uint8)


def save(path: Path, picture: U8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def save_strip(path: Path) -> None:
    save(path, np.concatenate([drawn(number) for number in ORDER], axis=1))


def save_folder(path: Path, channels: int = 3) -> None:
    for place, number in enumerate(ORDER):
        save(path / f"{place:05d}.png", drawn(number, channels))


def save_film(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 64))
    for number in ORDER:
        film.write(np.full((64, 64, 3), 100 + number, np.uint8))
    film.release()


WRITTEN = {
    ("fomm", None): ("reconstruction/png/ann.png", save_strip),
    ("fomm", "bob"): ("animation/png/ann-bob.png", save_strip),
    ("tpsmm", None): ("reconstruction/png/ann.png", save_strip),
    ("tpsmm", "bob"): ("ann-bob.mp4", save_film),
    ("bilayer", None): ("ann", save_folder),
    ("bilayer", "bob"): ("ann-bob", save_folder),
    ("mine", None): ("ann", save_folder),
    ("mine", "bob"): ("animation/png/ann-bob.png", save_strip),
}


@pytest.mark.parametrize(("program", "source"), WRITTEN)
def test_each_program_s_pictures_are_of_the_right_frames(
    program: str, source: str | None, tmp_path: Path
) -> None:
    place, save_as = WRITTEN[program, source]
    others = other_pictures({program: tmp_path})
    assert recorded(others, CLIP, matte, "ann", source) == {}
    save_as(tmp_path / place)
    (found,) = recorded(others, CLIP, matte, "ann", source).values()
    for each in FRAMES:
        rgb, alpha = found.draw(each)
        assert rgb.shape == (SIDE, SIDE, 3)
        assert np.abs(rgb.astype(int) - 100 - each.number).max() <= 8
        assert (alpha == 0.25).all()
    assert recorded(others, CLIP, matte, "eve", source) == {}


def test_a_program_s_own_alpha_goes_before_the_matte(tmp_path: Path) -> None:
    save_folder(tmp_path / "ann", channels=4)
    (found,) = recorded(other_pictures({"bilayer": tmp_path}), CLIP, matte, "ann").values()
    rgb, alpha = found.draw(FRAMES[2])
    assert rgb.shape[2] == 3 and np.allclose(alpha, 160 / 255)


def test_pictures_of_another_size_are_brought_to_ours() -> None:
    large = [np.full((4 * SIDE, 4 * SIDE, 3), 100 + number, np.uint8) for number in ORDER]
    rgb, alpha = Recorded("it", large, ORDER, matte).draw(FRAMES[0])
    assert rgb.shape == (SIDE, SIDE, 3) and (rgb == 100).all() and alpha.shape == (SIDE, SIDE)


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    save_folder(tmp_path / "ann")
    (tmp_path / "ann" / "00003.png").unlink()
    save(tmp_path / "reconstruction/png/bob.png", np.zeros((SIDE, 3 * SIDE, 3), np.uint8))
    for program, name in (("bilayer", "ann"), ("fomm", "bob")):
        with pytest.raises(FileInvalid) as caught:
            recorded(other_pictures({program: tmp_path}), CLIP, matte, name)
        assert caught.value.code == "other_frames"


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    save_strip(tmp_path / "reconstruction/png/ann.png")
    (tmp_path / "reconstruction/png/ann.png").write_bytes(b"no picture")
    with pytest.raises(FileInvalid) as caught:
        recorded(other_pictures({"fomm": tmp_path}), CLIP, matte, "ann")
    assert caught.value.code == "other_unreadable"


def test_the_inputs_are_the_frames_with_the_source_first(tmp_path: Path) -> None:
    assert input_order(CLIP) == ORDER
    write_inputs(tmp_path, "ann", CLIP, FRAMES)
    assert (tmp_path / "train").is_dir()  # without it FOMM's data set splits by chance
    found = sorted((tmp_path / "test" / "ann").iterdir())
    values = [int(np.asarray(Image.open(path))[0, 0, 0]) for path in found]
    assert values == ORDER


def test_every_program_of_the_tables_has_its_places() -> None:
    assert set(PLACES) == {"fomm", "tpsmm", "bilayer"}
    assert all("{}" in place for places in PLACES.values() for place in places)
    assert isinstance(other_pictures({"fomm": Path()})[0], OtherPictures)


def test_a_program_that_copies_its_inputs_is_perfect(
    tmp_path: Path, data_dir: Path, tracker_models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What --inputs writes goes back as somebody's result: the real frames themselves."""
    call = ["evaluate", "--clips", str(data_dir / "videos"), "--only", "v06", "--every", "150"]
    for name in ("none", "test"):
        (tmp_path / name).mkdir()
    others = ["--others", f"fomm={tmp_path / 'none'}", "--others", f"copy={tmp_path / 'test'}"]
    assert main([*call, "--inputs", str(tmp_path), *others, "--json", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["others_missing"]["fomm"] == ["v06_man_mouth"] and "fomm" not in result["mean"]
    copied = result["mean"]["copy"]
    assert copied["psnr"] > 30 and copied["ssim"] > 0.97 and copied["matte_mae"] < 0.1
    assert copied["sharpness_ratio"] == pytest.approx(1, abs=0.1)
    assert copied["psnr"] > result["mean"]["textured_mesh"]["psnr"]
