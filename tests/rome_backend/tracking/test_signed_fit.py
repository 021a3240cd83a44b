# SPDX-License-Identifier: Apache-2.0
"""Components of either sign are found by a fit that knows keys from 0 up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F64, FlameParams, HeadModel
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.priors import HELD_KEYS
from rome_backend.tracking.signed_fit import SignedFitter, has_signed_expressions, make_fitter

PX_PER_M = 2000.0


@pytest.fixture(scope="session")
def component_head(small_head: HeadModel) -> HeadModel:
    """The built-in head with four of its expressions as components, a key's half each."""
    head = small_head
    columns = [n for n, name in enumerate(head.expression_names) if not name.startswith(HELD_KEYS)]
    columns = columns[:4]
    return replace(
        head,
        expression_dirs=np.ascontiguousarray(head.expression_dirs[..., columns] / 2),
        expression_names=tuple(f"Exp{n + 1}" for n in range(4)),
    )


def seen(head: HeadModel, expression: F64) -> F64:
    """The landmarks (478, 3) px that a tracker would report of a frontal face."""
    params = FlameParams(np.zeros(head.shape_dirs.shape[2]), expression)
    points = landmark_points(posed_vertices(head, params), head.faces, head.landmarks)
    return points[np.argsort(head.landmarks.indices)] * [1, -1, -1] * PX_PER_M + [500, 500, 0]


def test_names_tell_components_from_keys(
    small_head: HeadModel, component_head: HeadModel
) -> None:
    assert has_signed_expressions(component_head)
    assert not has_signed_expressions(small_head)
    assert isinstance(make_fitter(component_head), SignedFitter)
    assert isinstance(make_fitter(small_head), FaceFitter)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_both_signs_are_found(component_head: HeadModel, sign: float) -> None:
    wanted = np.array([0.0, sign * 1.2, 0.0, 0.0])
    fit = SignedFitter(component_head).fit(seen(component_head, wanted))
    found = fit.params.expression
    assert found.shape == (4,)
    assert sign * found[1] > 0.4 and abs(found[1]) == max(abs(found))


def test_a_clip_goes_on_from_the_frame_before(component_head: HeadModel) -> None:
    fitter = SignedFitter(component_head)
    first = fitter.fit(seen(component_head, np.array([0, 1.0, 0, 0])))
    after = fitter.track(seen(component_head, np.array([0, -1.0, 0, 0])), first)
    assert np.array_equal(after.params.shape, first.params.shape)
    assert first.params.expression[1] > 0.3 > -0.3 > after.params.expression[1]
    both = fitter.fit_shared([seen(component_head, np.zeros(4))] * 2)
    assert len(both) == 2 and np.abs(both[0].params.expression).max() < 0.5
