"""How a label enters a network, against numpy."""

import numpy as np
import pytest
import torch

from zerosum.networks import Concatenate, DCGANGenerator, Head, Join, Labels, MLPGenerator, Projection
from zerosum.networks.conditioning import entrance


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_an_embedding_is_appended_to_vectors_and_added_to_maps_as_planes():
    join, c = Join(Labels(5), 3), torch.tensor([4, 0])
    entries = join.embedding.weight.detach().numpy()[[4, 0]]
    vectors, maps = normal(2, 6), normal(2, 6, 4, 3)
    np.testing.assert_array_equal(join(vectors, c).detach().numpy(), np.concatenate([vectors, entries], axis=1))
    planes = np.broadcast_to(entries[:, :, None, None], (2, 3, 4, 3))
    np.testing.assert_array_equal(join(maps, c).detach().numpy(), np.concatenate([maps, planes], axis=1))


def test_without_a_condition_nothing_is_joined():
    join, h = Join(None, 3), normal(2, 6)
    assert join(h) is h
    assert join.size == 0
    assert [*join.parameters()] == []


def test_head_scores_linearly_and_adds_the_projection_of_the_label():
    head, features, c = Head(6, Labels(5)), normal(2, 6), torch.tensor([4, 0])
    f = features.double().numpy()
    weight, bias = head.linear.weight.detach().double().numpy(), head.linear.bias.detach().double().numpy()
    embedding = head.embedding.weight.detach().double().numpy()[[4, 0]]
    wanted = f @ weight[0] + bias[0] + (embedding * f).sum(1)
    np.testing.assert_allclose(head(features, c).detach().numpy(), wanted, rtol=1e-5)
    plain = Head(6)
    assert plain(features).shape == (2,)
    assert plain.embedding is None


def test_labels_enter_at_the_door_or_at_the_head_and_never_at_both():
    join, left = entrance(Concatenate(3), Labels(5))
    assert (join.size, left) == (3, None)
    join, left = entrance(Projection(), Labels(5))
    assert (join.size, left) == (0, Labels(5))
    for conditioning in (Concatenate(3), Projection()):
        join, left = entrance(conditioning, None)
        assert (join.size, left) == (0, None)


def test_a_projection_begins_about_as_large_as_the_score():
    features = normal(2_000, 64)
    head = Head(64, Labels(10))
    projection = (head.embedding(torch.arange(2_000) % 10) * features).sum(1)
    assert projection.std().item() == pytest.approx(1, rel=0.25)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Labels(0), "labels need at least one class; found count=0"),
        (lambda: Join(Labels(2), 3)(torch.zeros(1, 2)), "this network is conditional: call it with a condition c"),
        (lambda: Head(2, Labels(2))(torch.zeros(1, 2)), "this network is conditional: call it with a condition c"),
        (lambda: Concatenate(0), "number of entries, at least 1; found 0"),
        (lambda: MLPGenerator(embedding=0), "number of entries, at least 1; found 0"),
    ],
)
def test_missing_and_empty_conditions_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
