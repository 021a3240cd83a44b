# SPDX-License-Identifier: Apache-2.0
"""The trusted matte: its rim, the photo's border, and background that shows through.

Does not test meshes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.core.types import HeadModel
from rome_backend.texture.outline import person_matte

METRES = 0.32 / 384


def test_the_rim_is_not_trusted_and_the_middle_is(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    trusted = person_matte(view, METRES)
    assert trusted[192, 192] == 1
    row = view.matte[192]
    first = int(np.argmax(row > 0.5))
    assert np.all(trusted[192, : first + 2] == 0)
    assert np.all(trusted <= view.matte.max())


def test_the_crops_border_is_no_outline(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    everything = replace(view, matte=np.ones_like(view.matte))
    assert person_matte(everything, METRES)[190:194, 0].min() == 1


def test_background_showing_through_the_rim_is_found(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    rgb = view.rgb.copy()
    row = view.matte[192]
    first = int(np.argmax(row > 0.5))
    rgb[180:204, first + 6 : first + 12] = rgb[0, 0]
    trusted = person_matte(replace(view, rgb=rgb), METRES)
    assert trusted[192, first + 9] < 0.05
    assert person_matte(view, METRES)[192, first + 9] > 0.9
