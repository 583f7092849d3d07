"""Comparing the samples of a batch, against numpy."""

import numpy as np
import pytest
import torch

from zerosum.networks import (
    DCGANDiscriminator,
    MinibatchDiscrimination,
    MinibatchStddev,
    MLPDiscriminator,
    ResNetDiscriminator,
)
from zerosum.networks.layers.minibatch import GroupStddev, KernelCloseness

FAMILIES = [
    (MLPDiscriminator(size=8), (3,)),
    (DCGANDiscriminator(size=4, norm="none"), (2, 8, 9)),
    (ResNetDiscriminator(size=4, norm="layer"), (2, 8, 9)),
]


def test_closeness_is_the_papers_sum_over_the_batch_itself_included():
    layer, h = KernelCloseness(6, 4, 3), torch.randn(5, 6)
    m = (h.double().numpy() @ layer.tensor.detach().double().numpy()).reshape(5, 4, 3)
    wanted = np.zeros((5, 4))
    for i, j, b in np.ndindex(5, 5, 4):
        wanted[i, b] += np.exp(-np.abs(m[i, b] - m[j, b]).sum())
    np.testing.assert_allclose(layer(h)[:, 6:].detach(), wanted, rtol=1e-5)
    assert torch.equal(layer(h)[:, :6], h)
    assert layer(h[:1])[:, 6:].tolist() == [[1.0] * 4]
    torch.testing.assert_close(layer(h[:1].expand(5, -1))[:, 6:], torch.full((5, 4), 5.0))


def test_closeness_begins_neither_flat_nor_full():
    closeness = KernelCloseness(512, 100, 5)(torch.randn(64, 512))[:, 512:] / 64
    assert 0.1 < closeness.min() < closeness.max() < 0.9


def stddev(x, group):
    """One number for each sample: by loops over the groups, dealt out in turn."""
    groups = -(-len(x) // group)
    numbers = [np.sqrt(x[g::groups].var(0) + 1e-8).mean() for g in range(groups)]
    return np.array([numbers[i % groups] for i in range(len(x))])


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 7, 8, 13, 16])
@pytest.mark.parametrize("shape", [(6,), (3, 4, 2)], ids=str)
def test_standard_deviation_is_that_of_each_group(batch, shape):
    h = torch.randn(batch, *shape)
    out = GroupStddev(4)(h)
    assert out.shape == (batch, shape[0] + 1, *shape[1:])
    assert torch.equal(out[:, :-1], h)
    wanted = stddev(h.double().numpy(), 4).reshape(batch, *(1 for _ in shape[1:]))
    np.testing.assert_allclose(out[:, -1], np.broadcast_to(wanted, (batch, *shape[1:])), rtol=1e-4)


def test_groups_of_a_batch_that_divides_are_those_of_stylegan2():
    h = torch.randn(8, 3, 2, 2)
    grouped = h.view(4, 2, 3, 2, 2)
    wanted = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3)).repeat(4)
    torch.testing.assert_close(GroupStddev(4)(h)[:, -1, 0, 0], wanted)


@pytest.mark.parametrize("minibatch", [MinibatchDiscrimination(7, 2), MinibatchStddev()], ids=repr)
@pytest.mark.parametrize(("D", "shape"), FAMILIES, ids=["MLP", "DCGAN", "ResNet"])
def test_a_batch_of_equal_samples_scores_otherwise_than_the_same_sample_in_a_mixed_one(D, shape, minibatch):
    plain, network = (type(D)(**{**vars(D), "minibatch": m}).build(shape, None) for m in (None, minibatch))
    x = torch.randn(4, *shape)
    x[1:] += 5 * torch.randn(3, *shape)
    equal = x[:1].expand(4, *shape)
    for tested, differs in ((plain, False), (network, True)):
        tested.eval()
        gap = (tested(x).score[0] - tested(equal).score[0]).abs().item()
        assert (gap > 1e-3) == differs
    assert network(x).features.shape == plain(x).features.shape, "features are a sample's own"


@pytest.mark.parametrize("layer", [KernelCloseness(6, 4, 3), GroupStddev(3)], ids=["kernels", "stddev"])
def test_gradients_can_be_differentiated_and_are_finite_for_equal_samples(layer):
    for h in (torch.randn(5, 6), torch.ones(5, 6)):
        h.requires_grad_()
        (gradient,) = torch.autograd.grad(layer(h).tanh().sum(), h, create_graph=True)
        (again,) = torch.autograd.grad(gradient.square().sum(), h)
        assert gradient.isfinite().all()
        assert again.isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MinibatchDiscrimination(kernels=0), "kernels and their size are at least 1; found 0 and 5"),
        (lambda: MinibatchDiscrimination(size=0), "kernels and their size are at least 1; found 100 and 0"),
        (lambda: MinibatchStddev(group=1), "a standard deviation needs groups of at least 2 samples; found group=1"),
    ],
)
def test_empty_comparisons_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_kernels_compare_within_groups_alone():
    h = torch.randn(7, 6)
    layer = KernelCloseness(6, 4, 3, group=3)
    whole = KernelCloseness(6, 4, 3)
    whole.load_state_dict(layer.state_dict())
    found = layer(h)
    for group in ([0, 3, 6], [1, 4], [2, 5]):
        torch.testing.assert_close(found[group], whole(h[group]))


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="compared in groups of at least 2; found group=1"):
        MinibatchDiscrimination(group=1)
