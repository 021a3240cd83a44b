# SPDX-License-Identifier: Apache-2.0
"""The basis of people's offsets: orthonormal, apart by region, exact where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.offset_basis import HAIR_COMPONENTS
from training.distill.basis import COMPONENTS, LinearBasis, fit_basis

PEOPLE, KINDS = 40, 4


def people(head: HeadModel, seed: int, count: int = PEOPLE) -> np.ndarray:
    """Offsets that are mixtures of four shapes of hair and four of neck about a mean."""
    shapes = np.random.default_rng(0)
    random = np.random.default_rng([7, seed])
    found = np.zeros((count, *head.template.shape), np.float32)
    for name in ("hair", "neck"):
        places = np.flatnonzero(head.regions[name])
        kinds = shapes.normal(0, 0.01, (KINDS + 1, len(places), 3))
        mixes = random.normal(size=(count, KINDS)) * [4, 3, 2, 1]
        found[:, places] = kinds[0] + np.einsum("nk,kvx->nvx", mixes, kinds[1:])
    return found


@pytest.fixture(scope="module")
def basis(small_head: HeadModel) -> LinearBasis:
    return fit_basis(people(small_head, 0), small_head)


def test_the_layout_is_the_released_one(basis: LinearBasis, small_head: HeadModel) -> None:
    count = len(small_head.template)
    assert basis.dirs.shape == (3 * count, COMPONENTS) and basis.dirs.dtype == np.float32
    assert basis.mean.shape == (count, 3) and basis.mean.dtype == np.float32
    by_vertex = np.abs(basis.dirs.reshape(count, 3, COMPONENTS)).max(1)
    hair, neck = small_head.regions["hair"], small_head.regions["neck"]
    assert not by_vertex[~hair, :HAIR_COMPONENTS].any()
    assert not by_vertex[~neck, HAIR_COMPONENTS:].any()
    assert not basis.mean[~hair & ~neck].any()


def test_directions_are_orthonormal_and_ordered_by_size(
    basis: LinearBasis, small_head: HeadModel
) -> None:
    products = basis.dirs.T.astype(np.float64) @ basis.dirs
    there = np.diag(products) > 0
    assert there[:KINDS].all() and there[HAIR_COMPONENTS : HAIR_COMPONENTS + KINDS].all()
    assert np.allclose(products[np.ix_(there, there)], np.eye(there.sum()), atol=1e-5)
    spread = basis.coefficients(people(small_head, 0)).std(0)
    for first in (0, HAIR_COMPONENTS):
        assert (np.diff(spread[first : first + KINDS]) < 0).all()
    assert basis.explained == pytest.approx((1, 1), abs=1e-6)


def test_other_people_of_the_same_kinds_are_said_exactly(
    basis: LinearBasis, small_head: HeadModel
) -> None:
    others = people(small_head, 1, 5)
    found = basis.coefficients(others)
    assert found.shape == (5, COMPONENTS)
    assert np.allclose(basis.offsets(found), others, atol=1e-6)
    assert np.allclose(basis.offsets(np.zeros(COMPONENTS)), basis.mean)


def test_the_error_of_coefficients_is_that_of_offsets(
    basis: LinearBasis, small_head: HeadModel
) -> None:
    one, two = basis.coefficients(people(small_head, 2, 2))
    apart = np.linalg.norm(basis.offsets(one) - basis.offsets(two))
    assert np.linalg.norm(one - two) == pytest.approx(apart, rel=1e-5)


def test_one_person_makes_no_basis(small_head: HeadModel) -> None:
    with pytest.raises(ValueError, match="two people"):
        fit_basis(people(small_head, 0, 1), small_head)
