"""Ways through a space."""

import numpy as np
import pytest
import torch

from zerosum.latent import analogy, linear, loop, mesh, mixed_styles, spherical, truncated

A, B = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def angle(a, b):
    return float(torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1).acos().mean())


def test_arcs_keep_the_radius_and_turn_evenly():
    for share in (0.0, 0.3, 1.0):
        found = spherical(A, B, share)
        lengths = A.norm(dim=1) * (1 - share) + B.norm(dim=1) * share
        assert torch.allclose(found.norm(dim=1), lengths)
        assert angle(A, found) == pytest.approx(share * angle(A, B), abs=1e-6)
    assert torch.allclose(spherical(A, B, 1.0), B)
    halfway = spherical(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5)
    assert halfway.numpy() == pytest.approx(np.array([[1, 1]]) / np.sqrt(2))


def test_equal_and_opposite_directions_are_joined():
    assert torch.allclose(spherical(A, A, 0.5), A)
    assert spherical(A, -A, 0.25).isfinite().all()
    assert torch.allclose(spherical(A, -A, 0.25), A / 2)


def test_a_line_is_straight():
    assert torch.allclose(linear(A, B, 0.25), 0.75 * A + 0.25 * B)


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_loop_passes_its_points_and_closes(space):
    points = torch.stack([A, B, A + B])
    path = loop(points, 4, space)
    assert path.shape == (12, 3, 7) and torch.allclose(path[::4], points)
    steps = (path.roll(-1, 0) - path).norm(dim=-1)
    assert float(steps.max() / steps.min()) < 10  # it does not jump from its end to its start
    middle = spherical(A, B, 0.5) if space == "z" else (A + B) / 2
    assert torch.allclose(path[2], middle)


def test_a_grid_has_its_corners():
    corners = torch.stack([A[0], B[0], A[1], B[1]])
    found = mesh(corners, 3, 4, "w").view(3, 4, 7)
    assert torch.allclose(found[[0, 0, 2, 2], [0, 3, 0, 3]], corners)
    assert torch.allclose(found[1, 0], (A[0] + A[1]) / 2)
    assert torch.allclose(mesh(corners, 3, 4, "z").view(3, 4, 7)[1, 3], spherical(B[:1], B[1:2], 0.5)[0])


def test_truncation_mixing_and_arithmetic():
    assert torch.allclose(truncated(A, B, 0.7), B + 0.7 * (A - B))
    coarse, fine = torch.zeros(2, 5, 3), torch.ones(2, 5, 3)
    assert mixed_styles(coarse, fine, 2)[0, :, 0].tolist() == [0, 0, 1, 1, 1]
    assert torch.allclose(analogy(A, B, A + 1), B.mean(0) + 1)


def test_what_is_no_path_is_refused():
    with pytest.raises(ValueError, match="a loop takes at least 2 points and 1 step; found 1 and 3"):
        loop(A[:1], 3)
    with pytest.raises(ValueError, match="a grid has 4 corners and 2 or more rows and columns; found 3, 2, 2"):
        mesh(A, 2, 2)
    with pytest.raises(ValueError, match=r"styles \(n, layers, size\) of equal shapes are mixed from a layer"):
        mixed_styles(torch.zeros(2, 5, 3), torch.zeros(2, 5, 3), 5)
