# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of packages is complete, hashed, and the one that the backend is developed with."""

from __future__ import annotations

import re
import tomllib

import pytest

from blender_addon.backend import packages

HASH = "ab" * 32


@pytest.fixture(scope="module")
def listed():
    """The packages of the list that the add-on ships."""
    return packages.read_list(packages.LIST.read_text("utf-8"))


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_direct_dependency_is_listed_but_blender_and_the_benches(listed, root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {line.split(";")[0].strip() for line in project["dependencies"]}
    found = {f"{each.name}=={each.version.partition('+')[0]}" for each in listed}
    missing = {line.split("==")[0] for line in wanted - found}
    assert missing == {"bpy", "scikit-image"}


def test_the_versions_are_those_of_the_lock(listed, root):
    pins = dict(
        line.split("==") for line in (root / "requirements.lock").read_text("utf-8").split()
    )
    pins = {_normal(name): version for name, version in pins.items()}
    for each in listed:
        assert pins.get(each.name, "84.2.1") == each.version.partition("+")[0], each.name


def test_names_no_server_and_no_folder():
    for path in (packages.LIST, packages.GENERAL_LIST, packages.FINDER_LIST):
        text = path.read_text("utf-8")
        assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_the_list_for_linux_with_cuda_holds_the_same_and_what_cuda_needs(listed):
    general = packages.read_list(packages.GENERAL_LIST.read_text("utf-8"))
    pins = {each.name: each for each in general}
    assert len(pins) == len(general) and all(each.linux is None for each in general)
    for each in listed:
        assert pins[each.name].version == each.version.partition("+")[0], each.name
        if each.linux is None:  # of the four platforms' files those for the two kinds of Linux
            assert set(pins[each.name].hashes) <= set(each.hashes), each.name
    added = set(pins) - {each.name for each in listed}
    assert {"nvidia-cudnn-cu13", "nvidia-cublas", "triton"} <= added
    compiled = [each for each in added if each.startswith("nvidia-")]
    assert all(len(pins[name].hashes) == 2 for name in [*compiled, "torch"])
    assert not set(pins["torch"].hashes) & {h for each in listed for h in each.hashes}


@pytest.mark.parametrize(
    ("system", "with_cuda", "name"),
    [
        ("linux", True, "GENERAL_LIST"), ("linux", False, "LIST"),
        ("win32", True, "LIST"), ("darwin", False, "LIST"),
    ],
)  # fmt: skip
def test_only_linux_that_wants_cuda_takes_the_large_list(system, with_cuda, name):
    assert packages.list_for(system, with_cuda) == getattr(packages, name)
    key = {"linux": "linux-x86_64", "win32": "win32-amd64", "darwin": "darwin-arm64"}[system]
    large = packages.size_for(key, with_cuda).download > 2_000_000_000
    assert large is (name == "GENERAL_LIST")


def test_only_linux_needs_an_index_and_only_for_the_processor_s_torch(listed):
    assert packages.with_own_index(listed, "linux").version.endswith("+cpu")
    assert packages.with_own_index(listed, "win32") is None
    general = packages.read_list(packages.GENERAL_LIST.read_text("utf-8"))
    assert packages.with_own_index(general, "linux") is None


def test_what_is_large_has_a_share_of_the_progress():
    """Without weights the bar would stand still over gigabytes."""
    general = packages.read_list(packages.GENERAL_LIST.read_text("utf-8"))
    weights = packages.weights(general, "linux")
    cuda = sum(weight for name, weight in weights.items() if name.startswith("nvidia-"))
    assert cuda > 0.5 * sum(weights.values())


def test_linux_gets_the_processor_s_build_of_torch_and_everybody_exactly_one(listed):
    torches = {each.linux: each.version for each in listed if each.name == "torch"}
    assert set(torches) == {True, False}
    assert torches[True] == torches[False] + "+cpu"
    for system in ("linux", "win32", "darwin"):
        weights = packages.weights(listed, system)
        assert len(weights) == len(listed) - 1 and weights["torch"] == max(weights.values())


def test_compiled_packages_have_a_file_for_each_platform(listed):
    for each in listed:
        if each.name in {"numpy", "scipy", "opencv-python-headless", "pillow"}:
            assert len(set(each.hashes)) == len(packages.SIZES), each.name


def test_platforms_are_told_apart_whatever_they_call_themselves():
    key = packages.platform_key
    assert key("linux", "x86_64") == "linux-x86_64" and key("linux", "arm64") == "linux-aarch64"
    assert key("win32", "AMD64") == "win32-amd64" and key("darwin", "arm64") == "darwin-arm64"
    assert {key("darwin", "x86_64"), key("win32", "ARM64")} & set(packages.SIZES) == set()


def test_sizes_read_well():
    size = packages.Size(324_000_000, 1_250_000_000)
    assert size.sentence() == "324 MB to download, 1.2 GB on disk"
    assert packages.Size(2_860_000_000, 1).sentence().startswith("2.9 GB to download")
    sizes = (*packages.SIZES.values(), *packages.GENERAL_SIZES.values())
    assert all(each.disk > each.download > 100_000_000 for each in sizes)


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy==1.0", "numpy>=1.0 --hash=sha256:" + HASH, "numpy==1.0 --hash=sha256:abc"],
)
def test_what_is_not_pinned_and_hashed_is_no_list(line):
    with pytest.raises(ValueError, match="numpy"):
        packages.read_list(line + "\n")


def test_reads_pins_markers_and_hashes():
    text = f'# no\n\na-b==1.0 ; sys_platform != "linux" \\\n    --hash=sha256:{HASH} \\\n'
    text += f"    --hash=sha256:{HASH}\nc==2 \\\n    --hash=sha256:{HASH}\n"
    first, second = packages.read_list(text)
    assert first == packages.Package("a-b", "1.0", False, (HASH, HASH))
    assert second.linux is None and second.version == "2"


def test_a_changed_list_has_another_fingerprint():
    assert packages.fingerprint("a") != packages.fingerprint("b")
    assert packages.fingerprint("a") == packages.fingerprint("a")
