# SPDX-License-Identifier: Apache-2.0
"""Tests of the linear basis of hair, neck and shoulders, on three head models.

Does not know photos.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.types import HeadModel, LandmarkTable, OffsetBasis
from rome_backend.open_head.hair import draw_hair, hair_offsets
from rome_backend.open_head.offset_basis import (
    HAIR_COMPONENTS,
    offset_basis,
    principal_components,
)
from rome_backend.open_head.offset_region import offset_regions
from rome_backend.open_head.scalp import Scalp, build_scalp

HAIR, NECK = slice(0, HAIR_COMPONENTS), slice(HAIR_COMPONENTS, 60)


@pytest.fixture(scope="module")
def basis(head: HeadModel) -> OffsetBasis:
    return offset_basis(head)


@pytest.fixture(scope="module")
def flame(data_dir: Path, small_head: HeadModel) -> HeadModel:
    """FLAME 2023 Open's surface with rough regions 'hair' and 'neck'; the rest is not used."""
    data = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    template = data["v_template"]
    eyes = np.concatenate([data["eyeball_left"], data["eyeball_right"]])
    _, y, z = (template - template[eyes].mean(axis=0)).T
    skin = np.ones(len(template), dtype=bool)
    skin[eyes] = False
    side = np.abs(template[:, 0])
    ears = (side > 0.068) & (np.abs(y) < 0.05) & (z < -0.05)
    hair = skin & ~ears & (y > -0.06) & ((y > 0.055) | (z < -0.085)) & ~((z > 0) & (y < 0.06))
    neck = skin & ~hair & ~ears & (y < -0.07) & ((z < -0.06) | (y < -0.125))
    regions = {"hair": hair, "neck": neck}
    none = LandmarkTable(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), "f4"))
    return replace(
        small_head, template=template, faces=data["faces"], regions=regions, landmarks=none
    )


def scalp_of(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def check_basis(head: HeadModel, basis: OffsetBasis, neck_components: int = 10) -> None:
    """The promises of OffsetBasis: shapes, names, support, orthogonality, order."""
    count = len(head.template)
    assert basis.mean.shape == (count, 3) and basis.mean.dtype == np.float32
    assert basis.dirs.shape == (count, 3, 60) and basis.dirs.dtype == np.float32
    assert basis.names[0] == "Hair01" and basis.names[49:51] == ("Hair50", "Neck01")
    assert basis.names[-1] == "Neck10" and len(set(basis.names)) == 60
    assert not basis.dirs[~head.regions["hair"]][:, :, HAIR].any()
    assert not basis.dirs[~head.regions["neck"]][:, :, NECK].any()
    assert not basis.mean[~(head.regions["hair"] | head.regions["neck"])].any()
    flat = basis.dirs.reshape(-1, 60).astype(np.float64)
    length = np.linalg.norm(flat, axis=0)
    for group in (length[HAIR], length[NECK][:neck_components]):
        assert (np.diff(group) <= 1e-9).all()
    used = length > 1e-7
    unit = flat[:, used] / length[used]
    np.testing.assert_allclose(unit.T @ unit, np.eye(used.sum()), atol=1e-4)


def test_promises_on_the_open_head(head: HeadModel, basis: OffsetBasis) -> None:
    check_basis(head, basis)
    assert (np.linalg.norm(basis.dirs.reshape(-1, 60), axis=0) > 1e-4).all()


def test_promises_on_flame(flame: HeadModel) -> None:
    check_basis(flame, offset_basis(flame))


def test_promises_on_a_tiny_head(small_head: HeadModel) -> None:
    check_basis(small_head, offset_basis(small_head, count=40))


def test_bald_and_afro_are_within_reach(head: HeadModel, basis: OffsetBasis) -> None:
    region = offset_regions(head)[0]
    directions = basis.dirs[region.vertices][:, :, HAIR].reshape(-1, HAIR_COMPONENTS)
    mean = basis.mean[region.vertices].ravel()

    def reached(target: np.ndarray) -> np.ndarray:
        found = np.linalg.lstsq(directions, target.ravel() - mean, rcond=1e-6)[0]
        moved = mean + directions @ np.clip(found, -3, 3)
        return moved.reshape(-1, 3)

    bald = reached(np.zeros((len(region.vertices), 3)))
    assert np.sqrt(np.mean(np.sum(bald**2, axis=1))) < 0.003
    styles = draw_hair(np.random.default_rng(100), 100)
    volumes = hair_offsets(scalp_of(head), styles)
    afro = reached(volumes[np.argmax(styles.base)])
    assert np.linalg.norm(afro, axis=1).max() > 0.06
    long = reached(volumes[np.argmax(styles.drape)])
    assert long[:, 1].min() < -0.07


def test_unseen_volumes_are_explained(head: HeadModel, basis: OffsetBasis) -> None:
    region = offset_regions(head)[0]
    directions = basis.dirs[region.vertices][:, :, HAIR].reshape(-1, HAIR_COMPONENTS)
    mean = basis.mean[region.vertices].ravel()
    volumes = hair_offsets(scalp_of(head), draw_hair(np.random.default_rng(101), 100)).reshape(
        100, -1
    )
    found = np.linalg.lstsq(directions, (volumes - mean).T, rcond=1e-6)[0]
    left = (volumes - mean).T - directions @ found
    error = np.sqrt((left**2).sum(axis=0) / len(region.vertices))
    assert np.median(error) < 0.003 and error.max() < 0.02


def test_units_are_standard_deviations(head: HeadModel, basis: OffsetBasis) -> None:
    """Coefficients of drawn volumes have about unit variance."""
    region = offset_regions(head)[0]
    directions = basis.dirs[region.vertices][:, :, :5].reshape(-1, 5).astype(np.float64)
    mean = basis.mean[region.vertices].ravel()
    volumes = hair_offsets(scalp_of(head), draw_hair(np.random.default_rng(102), 200)).reshape(
        200, -1
    )
    scores = (volumes - mean) @ (directions / (directions**2).sum(axis=0))
    assert (np.abs(scores.std(axis=0) - 1) < 0.35).all()
    assert np.abs(scores.mean(axis=0)).max() < 0.25


def test_positive_means_outwards(head: HeadModel, basis: OffsetBasis) -> None:
    for region, group in zip(offset_regions(head), (HAIR, NECK), strict=True):
        pushes = basis.dirs[region.vertices][:, :, group]
        assert np.einsum("hck,hc->k", pushes, region.outward).min() > -1e-6


def test_first_hair_component_is_volume(head: HeadModel, basis: OffsetBasis) -> None:
    hair = head.regions["hair"]
    sizes = np.sqrt((basis.dirs[hair] ** 2).sum(axis=(0, 1)) / hair.sum())
    assert 0.006 < sizes[0] < 0.05
    assert sizes[0] > 5 * sizes[10]


def test_seed_decides(head: HeadModel, basis: OffsetBasis) -> None:
    again = offset_basis(head)
    np.testing.assert_array_equal(again.dirs, basis.dirs)
    np.testing.assert_array_equal(again.mean, basis.mean)
    assert np.abs(offset_basis(head, seed=1).mean - basis.mean).max() > 1e-5


def test_principal_components_of_a_known_cloud(head: HeadModel) -> None:
    region = offset_regions(head)[0]
    random = np.random.default_rng(0)
    axes = np.linalg.qr(random.normal(size=(3 * len(region.vertices), 2)))[0]
    scores = random.normal(size=(4000, 2)) * [0.05, 0.01]
    found = principal_components((scores @ axes.T).reshape(4000, -1, 3), region, 2)
    lengths = np.linalg.norm(found.reshape(-1, 2), axis=0)
    np.testing.assert_allclose(lengths, [0.05, 0.01], rtol=0.05)
    overlap = np.abs(found.reshape(-1, 2).T @ axes) / lengths[:, None]
    np.testing.assert_allclose(overlap, np.eye(2), atol=0.05)
