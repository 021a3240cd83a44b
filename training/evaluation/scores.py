# SPDX-License-Identifier: Apache-2.0
"""Measures of a picture against the real one, inside a mask that no renderer has a say in.

Does not know heads, clips or renderers.

PSNR and SSIM (Wang et al. 2004, with its Gaussian window) by scikit-image on 8-bit values; the
others our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity

from rome_backend.core.types import F32, F64, U8
from training.evaluation.lpips import Lpips

GROUND = 128.0  # sRGB grey behind both pictures
MOST_DB = 99.0  # of a picture that is the real one


@dataclass(frozen=True)
class Scores:
    """psnr in dB and ssim inside the mask; matte_mae: mean absolute difference of alpha and matte
    above the chin, as a share of the person's area there; sharpness_ratio: mean squared gradient
    of the picture over that of the real one, inside the mask; lpips: of the pictures with flat
    grey outside the mask; csim: cosine of a face recogniser's features of both; iqa: of the picture
    alone. The last three are None without their networks."""

    psnr: float
    ssim: float
    matte_mae: float
    sharpness_ratio: float
    lpips: float | None = None
    csim: float | None = None
    iqa: float | None = None


def score(
    real: U8, matte: F32, above: F32, found: U8, alpha: F32, lpips: Lpips | None = None
) -> Scores:
    """Compare a picture with the real one.

    Args:
        real, found: (S, S, 3) u8 sRGB; matte, alpha: (S, S) in [0, 1], what is the person in each;
        above: (S, S) in [0, 1], the part above the chin. The mask is matte times above.
        lpips: the network for that measure, if there is one.

    Raises ValueError where the mask is empty.
    """
    mask = np.asarray(matte, np.float64) * above
    if not mask.sum() > 0:
        raise ValueError("there is nothing to compare inside the mask")
    wanted, made = on_ground(real, matte), on_ground(found, alpha)
    error = _mean((wanted - made) ** 2, mask)
    psnr = MOST_DB if error == 0 else min(MOST_DB, 10 * np.log10(255**2 / error))
    _, similarity = structural_similarity(
        wanted, made, full=True, channel_axis=-1, data_range=255,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    apart = np.abs(np.asarray(alpha, np.float64) - matte) * above
    return Scores(
        psnr=float(psnr),
        ssim=_mean(similarity, mask),
        matte_mae=float(apart.sum() / mask.sum()),
        sharpness_ratio=energy(made, mask) / max(energy(wanted, mask), 1e-9),
        lpips=None if lpips is None else _lpips(lpips, wanted, made, mask),
    )


def _lpips(network: Lpips, wanted: F64, made: F64, mask: F64) -> float:
    masked = [on_ground(each, mask) for each in (wanted, made)]
    first, second = (torch.from_numpy(each / 255).float().permute(2, 0, 1)[None] for each in masked)
    with torch.no_grad():
        return float(network(first, second)[0])


def on_ground(picture: U8 | F64, alpha: F32 | F64) -> F64:
    """Return a picture (S, S, 3) over the flat ground, sRGB 0..255."""
    share = np.asarray(alpha, np.float64)[..., None]
    return share * picture + (1 - share) * GROUND


def energy(picture: F64, mask: F64) -> float:
    """Return the mean squared gradient of a picture (S, S, 3) inside a mask (S, S)."""
    down, across = np.gradient(picture.mean(-1))
    return _mean((down**2 + across**2)[..., None], mask)


def _mean(values: F64, mask: F64) -> float:
    return float((values * mask[..., None]).sum() / (mask.sum() * values.shape[-1]))


def mean_scores(scores: Sequence[Scores]) -> dict[str, float]:
    """Return the means, rounded for JSON; empty without scores."""
    return mean_of_rows([asdict(each) for each in scores])


def mean_of_rows(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """Return the mean of every value over the rows that have it, rounded for JSON.

    A value that no row has is left out.
    """
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [value for row in rows if (value := row.get(name)) is not None]
        if values:
            found[name] = round(float(np.mean(values)), 4)
    return found


def summary(by_renderer: dict[str, list[Scores]]) -> dict[str, Any]:
    """Return the mean scores of each renderer and the number of frames they are of."""
    frames = max((len(each) for each in by_renderer.values()), default=0)
    return {"frames": frames, **{name: mean_scores(each) for name, each in by_renderer.items()}}
