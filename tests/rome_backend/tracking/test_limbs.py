# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.limbs: drawn people with and without raised arms."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rome_backend.core.types import F32, Mask
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.limbs import raised_limbs, without_limbs
from rome_backend.tracking.matte import PersonMatte
from rome_backend.tracking.photo import load_photo

SIZE = 256
MIDDLE, CHIN, LIP = 128, 150, 128


def landmarks(size: int = SIZE) -> F32:
    """A face from row 70 to row 150 in the middle of 256 px, at another size in scale."""
    points = np.full((478, 3), MIDDLE, np.float32)
    points[[10, 13, 152], 1] = 70, LIP, CHIN
    return points * np.float32(size / SIZE)


def face(size: int = SIZE) -> Mask:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(mask, (MIDDLE, 110), (28, 38), 0, 0, 360, 1, -1)
    return cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST) > 0


def person(*arms: tuple[tuple[int, int], tuple[int, int]], size: int = SIZE) -> F32:
    """A head with hair on shoulders, and arms as thick lines from shoulder to hand."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(mask, (MIDDLE, 105), (38, 50), 0, 0, 360, 255, -1)
    mask[140:180, 112:144] = 255
    mask[175:, 50:206] = 255
    for shoulder, hand in arms:
        cv2.line(mask, shoulder, hand, 255, 22)
    soft = cv2.GaussianBlur(mask, (0, 0), 1.0)
    return cv2.resize(soft, (size, size)).astype(np.float32) / 255


LEFT_ARM = ((62, 190), (20, 30))
RIGHT_ARM = ((194, 190), (240, 60))


def test_without_raised_arms_the_matte_stays_as_it_is() -> None:
    matte = person()
    np.testing.assert_array_equal(without_limbs(matte, landmarks(), face()), matte)


@pytest.mark.parametrize("arms", [(LEFT_ARM,), (RIGHT_ARM,), (LEFT_ARM, RIGHT_ARM)])
@pytest.mark.parametrize("size", [200, 256, 700])
def test_raised_arms_go_and_the_head_stays(
    arms: tuple[tuple[tuple[int, int], tuple[int, int]], ...], size: int
) -> None:
    matte = without_limbs(person(*arms, size=size), landmarks(size), face(size))
    matte = cv2.resize(matte, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    for shoulder, hand in arms:
        raised = np.linspace(0.35, 1.0, 20)[:, None]
        along = (np.array(shoulder) + raised * (np.array(hand) - shoulder)).astype(int)
        assert matte[along[:, 1], along[:, 0]].max() < 0.1
        arm = person((shoulder, hand)) - person() > 0.02
        arm[CHIN - 10 :] = False
        assert matte[arm].max() < 0.3, "nor is a rim left of its soft edge"
    kept = person()
    kept[CHIN + 15 :] = 0
    inside = kept > 0.5
    assert matte[inside].min() > 0.4, "nothing of the head is missing"


def test_an_arm_ends_where_it_is_joined_with_the_body() -> None:
    limbs = raised_limbs(person(LEFT_ARM), landmarks(), face())
    rows = np.flatnonzero(limbs.any(axis=1))
    assert rows[-1] > CHIN, "it is followed down below the chin"
    assert not limbs[178:].any(), "but the body stays"
    columns = np.flatnonzero(limbs.any(axis=0))
    assert columns[-1] < MIDDLE - 38, "and so does the head"


def test_shoulders_that_reach_the_chin_are_no_limbs() -> None:
    matte = person()
    matte[CHIN - 15 :, 30:70] = 1
    assert not raised_limbs(matte, landmarks(), face()).any()


def test_hair_beside_the_face_is_no_limb() -> None:
    matte = person()
    matte[60:200, 80:92] = 1
    np.testing.assert_array_equal(without_limbs(matte, landmarks(), face()), matte)


def test_a_hand_on_the_head_stays() -> None:
    matte = person(((62, 190), (40, 120)))
    cv2.line(matte, (40, 120), (100, 80), 1.0, 18)
    assert not raised_limbs(matte, landmarks(), face()).any()


def test_specks_are_left_alone() -> None:
    matte = person()
    matte[20:22, 20:22] = 1
    np.testing.assert_array_equal(without_limbs(matte, landmarks(), face()), matte)


@pytest.mark.parametrize(("start", "raised"), [("p27", True), ("p06", False), ("p13", False)])
def test_arms_in_photos(data_dir: Path, start: str, raised: bool) -> None:
    """A woman with both arms up, a man who leans over, a painted girl with a long scarf."""
    (path,) = (data_dir / "photos").glob(f"{start}*")
    photo = load_photo(path)
    person_matte, seen = PersonMatte(), []

    def matter(rgb: np.ndarray, sure: Mask | None) -> F32:
        seen.append(person_matte(rgb, sure))
        return seen[0]

    crop = head_crop(photo, FaceTracker().track(photo.rgb)[0], matter, max_size=512)
    gone = (np.floor(np.clip(seen[0] * 255 + 0.5, 0, 255)) / 255 - crop.matte) > 0.01
    assert gone.any() == raised
    if raised:
        sides = gone[:, : len(gone) // 4].sum(), gone[:, -len(gone) // 4 :].sum()
        assert min(sides) > 0.01 * gone.size, "both arms"
        assert not gone[:, int(0.36 * len(gone)) : int(0.64 * len(gone))].any(), "not the head"
