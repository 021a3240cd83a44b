# SPDX-License-Identifier: Apache-2.0
"""`prepare` on a Ray cluster of two nodes on this machine: the bytes of a run without it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rome_backend.core.errors import PhotoRefused
from training.data.clips import ClipRules
from training.data.engines import ONE_THREAD, RayCluster
from training.data.instruments import Instruments
from training.data.prepare import prepare, recordings_in
from training.data.shards import MANIFEST, Packed

ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two nodes of one CPU each; gives the address."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), before)))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    made.add_node(num_cpus=1, object_store_memory=80 << 20)
    try:
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def where(number: int) -> Packed:
    """The node that a job is done on; later ones are done sooner."""
    time.sleep(1.0 / (number + 1))
    context = ray.get_runtime_context()
    return Packed(context.get_node_id().encode(), number, {"omp": os.environ["OMP_NUM_THREADS"]})


def refusing() -> Packed:
    raise PhotoRefused("odd", "This one is odd.", "Take another.")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.timeout(590)
def test_a_cluster_of_two_nodes(
    cluster: str, tmp_path: Path, instruments: Instruments, short_clip: Path
) -> None:
    """Both nodes work, results and errors come as they are; then real videos, the run broken off
    after the first shard and taken up again."""
    engine = RayCluster(cluster)
    results = engine.run([*(partial(where, number) for number in range(4)), refusing])
    found = [next(results) for _ in range(4)]
    assert [shard.samples for shard in found] == [0, 1, 2, 3]
    assert len({shard.tar for shard in found}) == 2
    assert {shard.facts["omp"] for shard in found} == {"1"}
    with pytest.raises(PhotoRefused) as caught:
        next(results)
    assert not ray.is_initialized()
    assert caught.value.code == "odd"
    ray.init(cluster, log_to_driver=False, runtime_env={"env_vars": ONE_THREAD})  # kept from here

    videos, rules = tmp_path / "videos", ClipRules(every=1, pairs=1)
    (videos / "id00001" / "v").mkdir(parents=True)
    for name in ("1.mp4", "3.mp4"):
        (videos / "id00001" / "v" / name).symlink_to(short_clip)
    (videos / "id00001" / "v" / "2.mp4").write_bytes(b"no video")
    recordings = recordings_in(videos)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    prepare(recordings, whole, instruments, rules, 32)

    class BrokenOff(BaseException):
        pass

    def stop(name: str, fraction: float) -> None:
        if name.endswith("2.mp4"):
            raise BrokenOff

    with pytest.raises(BrokenOff):
        prepare(recordings, broken, instruments, rules, 32, progress=stop, engine=engine)
    assert set(contents(broken)) == {MANIFEST, "shard-000000.tar"}
    prepare(recordings, broken, instruments, rules, 32, engine=engine)
    assert contents(broken) == contents(whole)
    assert set(contents(whole)) == {MANIFEST, "shard-000000.tar", "shard-000002.tar"}
