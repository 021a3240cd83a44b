# SPDX-License-Identifier: Apache-2.0
"""Fits head models whose expressions are components of either sign, as FLAME's own are.

Does not know photos or how a face is fitted: FaceFitter does that, with keys from 0 up.

Each component becomes two keys, one for each sign, whose difference is its value (our own).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rome_backend.core.types import F32, F64, FaceFit, HeadModel
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.lens import UNKNOWN, Lens

# Standard deviations that a key of 1 stands for: FaceFitter's prior of 0.45 then means one.
UNIT = 2.2


def has_signed_expressions(head: HeadModel) -> bool:
    """Whether the expressions are numbered components (Exp1, Exp2, ...) instead of ARKit's."""
    return bool(head.expression_names) and all(
        name.startswith("Exp") and name[3:].isdigit() for name in head.expression_names
    )


def make_fitter(head: HeadModel) -> FaceFitter | SignedFitter:
    """Return what fits this head model to landmarks."""
    return SignedFitter(head) if has_signed_expressions(head) else FaceFitter(head)


class SignedFitter:
    """FaceFitter's methods for a head model with components of either sign."""

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        dirs = UNIT * head.expression_dirs
        names = [name + sign for sign in ("Plus", "Minus") for name in head.expression_names]
        doubled = replace(
            head,
            expression_dirs=np.concatenate([dirs, -dirs], axis=-1),
            expression_names=tuple(names),
        )
        self._fitter = FaceFitter(doubled)

    def fit(self, landmarks: F32 | F64, lens: Lens = UNKNOWN) -> FaceFit:
        """Fit one face to landmarks (478, 3) px; see FaceFitter.fit."""
        return self._signed(self._fitter.fit(landmarks, lens))

    def fit_shared(
        self, landmarks: Sequence[F32 | F64], lenses: Sequence[Lens] = ()
    ) -> list[FaceFit]:
        """Fit several photos of one person; see FaceFitter.fit_shared."""
        return [self._signed(fit) for fit in self._fitter.fit_shared(landmarks, lenses)]

    def track(self, landmarks: F32 | F64, previous: FaceFit) -> FaceFit:
        """Fit the next frame of a clip; see FaceFitter.track."""
        value = previous.params.expression / UNIT
        keys = np.concatenate([np.maximum(value, 0), np.maximum(-value, 0)])
        params = replace(previous.params, expression=keys)
        return self._signed(self._fitter.track(landmarks, replace(previous, params=params)))

    def _signed(self, fit: FaceFit) -> FaceFit:
        """Return a fit whose keys are components again."""
        plus, minus = np.split(fit.params.expression, 2)
        expression = UNIT * (plus - minus)
        return replace(fit, params=replace(fit.params, expression=expression))
