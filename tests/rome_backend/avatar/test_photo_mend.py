# SPDX-License-Identifier: Apache-2.0
"""Tests of joining photo layers: what averaging takes and what is given back.

Does not test the network; test_photo_avatar.py and test_photo_trainee.py draw with it.
"""

from __future__ import annotations

import numpy as np
import torch

from rome_backend.avatar.photo_mend import Mended, averaged, crisp


def _picture(side: int, seed: int = 0) -> Mended:
    drawn = torch.Generator().manual_seed(seed)
    rgb = torch.rand(1, 3, side, side, generator=drawn)
    return Mended(rgb, torch.ones(1, 1, side, side))


def test_colours_are_weighted_by_alpha() -> None:
    rgb = torch.zeros(1, 3, 2, 2)
    rgb[..., 0, 0] = 1
    alpha = torch.zeros(1, 1, 2, 2)
    alpha[..., 0, 0] = 1
    small = averaged(Mended(rgb, alpha), 2)
    assert small.rgb.flatten().tolist() == [1, 1, 1] and small.alpha.item() == 0.25


def test_a_flat_colour_and_alpha_stay_as_they_are() -> None:
    flat = Mended(torch.full((1, 3, 6, 6), 0.4), torch.rand(1, 1, 6, 6))
    found = crisp(flat)
    assert torch.allclose(found.rgb, flat.rgb) and torch.equal(found.alpha, flat.alpha)


def test_fine_detail_gets_stronger_within_bounds_and_its_mean_stays() -> None:
    soft = averaged(_picture(64), 4)
    found = crisp(soft)
    before, after = (float(np.var(each.rgb.numpy())) for each in (soft, found))
    assert 1.3 * before < after < 1.3**2 * before
    assert abs(float((found.rgb - soft.rgb).mean())) < 1e-3
    loud = crisp(Mended(_picture(16).rgb.round(), torch.ones(1, 1, 16, 16)))
    assert float(loud.rgb.min()) >= 0 and float(loud.rgb.max()) <= 1
