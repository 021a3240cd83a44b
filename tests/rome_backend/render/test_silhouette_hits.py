# SPDX-License-Identifier: Apache-2.0
"""Which faces count for a pixel, and their nearest edges, against plain loops."""

from __future__ import annotations

import pytest
import torch

from rome_backend.render.silhouette_hits import find_hits

SIZE = (11, 8)
BLUR = 0.03


def corners_of(seed: int, count: int = 9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(count, 1, 3, generator=generator) * 2 - 1
    return (centres + 0.4 * torch.randn(count, 3, 3, generator=generator)).double()


def centre_of(pixel: int) -> torch.Tensor:
    row, column = divmod(pixel, SIZE[1])
    return torch.tensor(
        [(2 * column + 1) / SIZE[1] - 1, (2 * row + 1) / SIZE[0] - 1], dtype=torch.float64
    )


def edge_distances(face: torch.Tensor, point: torch.Tensor) -> list[float]:
    found = []
    for corner in range(3):
        start, step = face[corner, :2], face[(corner + 1) % 3, :2] - face[corner, :2]
        along = float(((point - start) @ step / (step @ step)).clamp(0, 1))
        found.append(float(((point - start - along * step) ** 2).sum()))
    return found


def weights_of(face: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    matrix = torch.cat([face[:, :2].T, torch.ones(1, 3, dtype=torch.float64)])
    return torch.linalg.solve(matrix, torch.cat([point, point.new_ones(1)]))


def expected_hits(corners: torch.Tensor, least: float) -> dict[int, list[tuple[int, int, bool]]]:
    """Pixel -> (face, nearest edge, inside) by depth."""
    found: dict[int, list[tuple[float, int, int, bool]]] = {}
    for pixel in range(SIZE[0] * SIZE[1]):
        point = centre_of(pixel)
        for number, face in enumerate(corners):
            weights = weights_of(face, point)
            inside = bool((weights > 0).all())
            distances = edge_distances(face, point)
            depth = float(weights @ face[:, 2])
            if depth >= least and (inside or min(distances) < BLUR):
                edge = distances.index(min(distances))
                found.setdefault(pixel, []).append((depth, number, edge, inside))
    return {pixel: [hit[1:] for hit in sorted(hits)] for pixel, hits in found.items()}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 100])
def test_the_nearest_faces_of_every_pixel_are_found(seed: int, count: int) -> None:
    corners = corners_of(seed)
    hits = find_hits(corners, 1, SIZE, BLUR, count, -0.5)
    expected = expected_hits(corners, -0.5)
    found: dict[int, list[tuple[int, int, bool]]] = {}
    for pixel, face, edge, inside in zip(
        hits.pixel.tolist(), hits.face.tolist(), hits.edge.tolist(), hits.inside.tolist(),
        strict=True,
    ):  # fmt: skip
        found.setdefault(pixel, []).append((face, edge, inside))
    assert found == {pixel: each[:count] for pixel, each in expected.items()}


def test_ranks_count_the_nearer_faces() -> None:
    hits = find_hits(corners_of(1), 1, SIZE, BLUR, 3, -10.0)
    for pixel in hits.pixel.unique():
        ranks = hits.rank[hits.pixel == pixel]
        assert ranks.tolist() == list(range(len(ranks))) and len(ranks) <= 3


def test_winding_changes_nothing_but_the_edges_numbers() -> None:
    corners = corners_of(2)
    there = find_hits(corners, 1, SIZE, BLUR, 4, -10.0)
    turned = find_hits(corners[:, [0, 2, 1]], 1, SIZE, BLUR, 4, -10.0)
    assert torch.equal(there.face, turned.face)
    assert torch.equal(there.inside, turned.inside)
    # outside, two edges are as near where their common corner is the nearest point
    assert torch.equal(2 - there.edge[there.inside], turned.edge[turned.inside])


def test_equally_deep_faces_come_by_their_index() -> None:
    face = torch.tensor([[-0.8, -0.8, 1], [0.8, -0.8, 1], [0, 0.9, 1]]).double()
    hits = find_hits(face.expand(3, 3, 3), 1, SIZE, BLUR, 2, -10.0)
    assert set(zip(hits.face.tolist(), hits.rank.tolist(), strict=True)) == {(0, 0), (1, 1)}


def test_faces_of_a_second_picture_lie_in_its_pixels() -> None:
    corners = corners_of(3)
    one = find_hits(corners, 1, SIZE, BLUR, 5, -10.0)
    both = find_hits(torch.cat([corners, corners]), 2, SIZE, BLUR, 5, -10.0)
    second = both.pixel >= SIZE[0] * SIZE[1]
    assert torch.equal(both.pixel[~second], one.pixel)
    assert torch.equal(both.pixel[second] - SIZE[0] * SIZE[1], one.pixel)
    assert torch.equal(both.face[second] - len(corners), one.face)


def test_nothing_is_found_where_nothing_is() -> None:
    nan = torch.full((1, 3, 3), torch.nan, dtype=torch.float64)
    flat = torch.zeros(1, 3, 3, dtype=torch.float64)
    away = corners_of(4, 1) + 100
    for corners in (nan, flat, away, nan[:0]):
        assert len(find_hits(corners, 1, SIZE, BLUR, 5, -10.0).pixel) == 0
