# SPDX-License-Identifier: Apache-2.0
"""`rome bench expressions`: the 52 keys of the open head, measured.

Does not know how anything is measured.
"""

from __future__ import annotations

import argparse
from typing import Any

from rome_backend.commands.console import Console


def add_expressions(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `expressions` to the kinds of `bench`."""
    parser = kinds.add_parser("expressions", parents=[shared], help="the 52 keys, lids and jaw")
    parser.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.avatar.heads import load_head
    from rome_backend.bench.expressions import bench_expressions, missed_limits

    payload = bench_expressions(load_head()[0])
    console.result(payload, _lines(payload))
    missed = missed_limits(payload) if args.check else []
    for sentence in missed:
        console.say(f"missed: {sentence}")
    return 1 if missed else 0


def _lines(payload: dict[str, Any]) -> list[str]:
    lines = [
        f"{key['name']:20} {key['largest_mm']:6.2f} mm  outside {key['outside_percent']:5.2f} %"
        f"  off its mirror image {key['asymmetry_mm']:.3f} mm  lips {key['lip_gap_mm']:+6.2f} mm"
        f"  folded {key['folded_faces']}"
        for key in payload["keys"]
    ]
    lines += [
        f"blink {step['value']:4.2f}  lid {step['nearest_mm']:+.2f} mm from the eyeball at least,"
        f" its edge {step['edge_off_mm']:.2f} mm at most"
        for step in payload["blink"]["steps"]
    ]
    lines.append(f"lid gap at a full blink {payload['blink']['lid_gap_mm']} mm")
    lines += [
        f"eye {gaze['pitch']:+.0f} down {gaze['yaw']:+.0f} aside  lid {gaze['nearest_mm']:+.2f} mm"
        f" from it at least, {gaze['edge_off_mm']:.2f} mm at most, goes {gaze['upper_lid']} down"
        for gaze in payload["gaze"]
    ]
    for pose in payload["poses"]:
        values = (f"{name} {value}" for name, value in pose.items() if name != "pose")
        lines.append(f"{pose['pose']:13} " + "  ".join(values))
    return [*lines, f"jaw opened by 30 degrees: {payload['jaw_opening_mm']} mm between the lips"]
