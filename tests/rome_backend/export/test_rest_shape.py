# SPDX-License-Identifier: Apache-2.0
"""Cutting at seams keeps every corner, and shown normals are outward units.

Does not know file formats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.export.rest_shape import cut_at_seams, origin_of, shown_normals, shown_vertices


def test_every_corner_keeps_its_vertex_and_uv(rig):
    surface = cut_at_seams(rig)
    assert np.array_equal(surface.source[surface.faces], rig.faces)
    assert np.array_equal(surface.uvs[surface.faces], rig.uvs[rig.uv_faces])


def test_only_seams_are_cut(rig):
    surface = cut_at_seams(rig)
    pairs = {(v, t) for v, t in zip(rig.faces.ravel(), rig.uv_faces.ravel(), strict=True)}
    assert len(surface.source) == len(pairs) > len(rig.vertices)
    assert sorted(set(surface.source.tolist())) == list(range(len(rig.vertices)))


def test_normals_do_not_depend_on_size(rig):
    """Triangles of a few micrometres still get unit normals."""
    tiny = replace(rig, vertices=rig.vertices * np.float32(1e-2), keys=())
    assert np.allclose(shown_normals(tiny), shown_normals(replace(rig, keys=())), atol=1e-3)


def test_normals_of_a_ball_point_outwards(rig, synthetic):
    ball = replace(rig, vertices=synthetic.head.template, keys=())
    skin = ~synthetic.head.regions["left_eyeball"] & ~synthetic.head.regions["right_eyeball"]
    outward = np.einsum("vi,vi->v", shown_normals(ball), ball.vertices.astype(float))
    assert np.all(outward[skin] > 0)


def test_a_vertex_without_a_face_has_a_unit_normal_too(rig):
    lonely = replace(rig, faces=rig.faces[:5], uv_faces=rig.uv_faces[:5])
    assert np.allclose(np.linalg.norm(shown_normals(lonely), axis=1), 1.0)


def test_stored_values_are_shown(rig):
    key = next(key for key in rig.keys if key.value)
    one = replace(rig, keys=(key,))
    moved = shown_vertices(one) - rig.vertices
    assert np.allclose(moved, key.value * key.delta, atol=1e-9)
    assert np.allclose(origin_of(replace(rig, properties={})), 0.0)
