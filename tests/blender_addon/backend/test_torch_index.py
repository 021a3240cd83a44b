# SPDX-License-Identifier: GPL-3.0-or-later
"""Where PyTorch's CPU build is: what is asked, what is read from the answer, what is left behind.

Does not use the network: the runner is made up.
"""

from __future__ import annotations

import pytest

from blender_addon.backend import packages
from blender_addon.backend.torch_index import find_torch_index
from blender_addon.core_access import RomeError

TORCH = packages.Package("torch", "2.13.0+cpu", True, ("ab" * 32,))
ANSWER = ["Resolved 1 package", "torch==2.13.0+cpu", "    # via -r torch.in"]
INDEX = "https://example.org/whl/cpu"


class _Runner:
    """Runs nothing; answers pip and then uv, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.commands = []
        self.wanted = ""

    def __call__(self, command):
        self.commands.append(command)
        if "compile" in command:
            with open(command[-1], encoding="utf-8") as file:
                self.wanted = file.read()
        return self.answers.pop(0)


def _find(runner, tmp_path):
    python = tmp_path / "bin" / "python"
    return find_torch_index(python, TORCH, tmp_path / "finder", runner)


def test_the_address_is_the_one_uv_took_the_build_from(tmp_path):
    runner = _Runner((0, []), (0, [*ANSWER, f"    # from {INDEX}"]))
    assert _find(runner, tmp_path) == INDEX
    assert runner.wanted == "torch==2.13.0+cpu\n"
    fetch, ask = runner.commands
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(fetch)
    assert fetch[fetch.index("-r") + 1] == str(packages.FINDER_LIST)
    assert ask[0] == str(tmp_path / "finder" / "bin" / "uv")
    assert ask[ask.index("--torch-backend") + 1] == "cpu"
    assert ask[ask.index("--python") + 1] == str(tmp_path / "bin" / "python")


@pytest.mark.parametrize(
    "answers",
    [
        [(1, ["ERROR: connection refused"])],
        [(0, []), (2, ["error: Failed to fetch: x", "  cause: dns error"])],
        [(0, []), (0, ANSWER)],
        [(0, []), (0, [f"    # from {INDEX}"])],
    ],
)
def test_nothing_is_left_behind_however_it_ends(tmp_path, answers):
    runner = _Runner(*answers)
    if answers[-1][1][-1].endswith(INDEX):
        _find(runner, tmp_path)
    else:
        with pytest.raises(RomeError):
            _find(runner, tmp_path)
    assert not (tmp_path / "finder").exists()


def test_an_index_out_of_reach_is_said_with_what_to_do(tmp_path):
    runner = _Runner((0, []), (2, ["error: Failed", "  cause: no the/index", "  cause: dns"]))
    with pytest.raises(RomeError) as caught:
        _find(runner, tmp_path)
    assert caught.value.code == "torch_index_unknown"
    assert "Failed: no the/index." in caught.value.message
    assert "PyTorch Index" in caught.value.hint and "PyTorch with CUDA" in caught.value.hint


def test_pip_s_own_troubles_keep_their_names(tmp_path):
    with pytest.raises(RomeError) as caught:
        _find(_Runner((1, ["ERROR: [Errno 28] No space left on device"])), tmp_path)
    assert caught.value.code == "disk_full"


def test_an_answer_without_an_address_is_no_answer(tmp_path):
    with pytest.raises(RomeError) as caught:
        _find(_Runner((0, []), (0, [])), tmp_path)
    assert caught.value.code == "torch_index_unknown" and "said nothing" in caught.value.message


def test_the_finder_s_list_is_pinned_for_both_kinds_of_linux():
    (uv,) = packages.read_list(packages.FINDER_LIST.read_text("utf-8"))
    assert uv.name == "uv" and len(set(uv.hashes)) == 2
