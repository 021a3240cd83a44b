# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a set-up: it goes on while pip is silent, never back, never too far."""

from __future__ import annotations

import pytest

from blender_addon.backend import pace as module


class Clock:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_progress_creeps_while_pip_is_silent_and_never_runs_ahead():
    clock = Clock()
    pace = module.Pace({"torch": 60, "numpy": 30, "small-one": 10}, clock)
    seen = [pace.now()]
    for line in (
        "Collecting torch==2.13.0+cpu (from -r list.txt (line 1))",
        "  Downloading torch-2.13.0-cp311.whl (190 MB)",
        "Processing /wheels/numpy-2.4.6-cp311-cp311-win_amd64.whl (from -r list.txt)",
        "Collecting small_one==1.0 (from -r list.txt (line 3))",
        "Installing collected packages: numpy, torch",
    ):
        pace.hear(line)
        for seconds in (0.0, 10.0, 1000.0):
            clock.seconds += seconds
            seen.append(pace.now())
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == module.MADE and fractions[-1] <= module.INSTALLED
    stages = list(dict.fromkeys(stage for stage, _ in seen))
    assert stages == [
        "Fetching packages",
        "Fetching torch",
        "Fetching numpy",
        "Fetching small-one",
        "Installing packages",
    ]
    of_torch = [fraction for stage, fraction in seen if stage == "Fetching torch"]
    span = module.FETCHED - module.MADE
    assert of_torch[0] == module.MADE
    assert 0.15 < (of_torch[1] - module.MADE) / span < 0.3
    assert (of_torch[-1] - module.MADE) / span <= 0.6


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Collecting numpy==2.4.6 (from -r C:\\a b\\list.txt (line 1))", "numpy"),
        (
            "Processing /opt/x y/opencv_python_headless-5.0.0.93-cp37-abi3.whl",
            "opencv-python-headless",
        ),
        ("Processing c:\\wheels\\tiny-1.0-py3-none-any.whl (from -r list.txt)", "tiny"),
    ],
)
def test_names_are_found_in_what_pip_says(line, name):
    pace = module.Pace({name: 1, "other": 1})
    pace.hear(line)
    assert pace.now()[0] == f"Fetching {name}"
    pace.hear("Collecting other==1.0")
    assert pace.now()[1] >= module.MADE + (module.FETCHED - module.MADE) / 2
