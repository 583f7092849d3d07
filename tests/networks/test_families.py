"""What every modern family keeps, whatever its paper: sides, channels, labels, formats, gradients."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import softplus

from zerosum.conditions.labels import Labels
from zerosum.game import Judgement
from zerosum.networks import (
    Concatenate,
    FastGANDiscriminator,
    FastGANGenerator,
    R3GANDiscriminator,
    R3GANGenerator,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
    TransformerDiscriminator,
    TransformerGenerator,
)

PAIRS = {
    "R3GAN": (R3GANGenerator(size=4, embedding=3), R3GANDiscriminator(size=4)),
    "StyleGAN2": (StyleGAN2Generator(size=4), StyleGAN2Discriminator(size=4)),
    "Transformer": (TransformerGenerator(size=4, embedding=3), TransformerDiscriminator(size=4)),
    "FastGAN": (FastGANGenerator(size=4, embedding=3), FastGANDiscriminator(size=4)),
    "FastGAN without norm": (FastGANGenerator(size=4, embedding=3), FastGANDiscriminator(size=4, norm="none")),
}
BATCH_BOUND = {"StyleGAN2"}  # whose discriminators look at several samples together
SHAPES = [(1, 8, 8), (3, 9, 13), (2, 28, 28), (4, 16, 37), (3, 64, 64)]

each_pair = pytest.mark.parametrize("name", PAIRS)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def built(name, shape=(2, 16, 16), condition=None):
    G, D = PAIRS[name]
    return G.build(5, shape, condition), D.build(shape, condition)


def stirred(module):
    """The module with every parameter off its beginning, where layers may be zero."""
    for p in module.parameters():
        p.data.add_(torch.randn_like(p), alpha=0.1)
    return module


@pytest.mark.parametrize("condition", [None, Labels(3)], ids=["plain", "labelled"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@each_pair
def test_images_of_any_shape_are_made_and_scored(name, shape, condition):
    G, D = built(name, shape, condition)
    c = () if condition is None else (torch.tensor([2, 0, 1]),)
    x = G(drawn(3, 5), *c)
    assert x.shape == (3, *shape)
    assert x.dtype == torch.float32
    judgement = D(x, *c)
    assert judgement.score.shape[0] == judgement.features.shape[0] == 3
    assert judgement.score.dim() == (2 if name.startswith("FastGAN") else 1), "a score for each patch, or one"
    assert x.isfinite().all()
    assert judgement.score.isfinite().all()


@pytest.mark.parametrize("conditioning", [None, Concatenate(3)], ids=["projection", "concatenation"])
@each_pair
def test_the_label_changes_what_is_made_and_how_it_is_scored(name, conditioning):
    G, D = PAIRS[name]
    D = D if conditioning is None else replace(D, conditioning=conditioning)
    G, D = (stirred(n).eval() for n in (G.build(5, (1, 16, 16), Labels(4)), D.build((1, 16, 16), Labels(4))))
    z, c = drawn(1, 5).expand(4, 5), torch.arange(4)
    x = G(z, c)
    assert all(not torch.allclose(x[i], x[j], atol=1e-4) for i in range(4) for j in range(i))
    same = x[:1].expand(4, -1, -1, -1)
    scores = torch.stack([D(same[:1], label[None]).score.mean() for label in c])
    assert len(scores.detach().unique()) == 4
    for network, argument in ((G, z), (D, x)):
        with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
            network(argument)


@each_pair
def test_half_precision_in_channels_last_says_about_the_same(name):
    G, D = (stirred(network).eval() for network in built(name))
    z = drawn(4, 5)
    x = G(z)
    score = D(x).score
    G, D = (network.to(memory_format=torch.channels_last) for network in (G, D))
    assert torch.allclose(G(z), x, rtol=1e-3, atol=1e-4)
    last = x.detach().contiguous(memory_format=torch.channels_last)
    assert torch.allclose(D(last).score, score, rtol=1e-3, atol=1e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x_half, score_half = G(z), Judgement.of(D(last)).score
    assert x_half.dtype == score_half.dtype == torch.float32
    assert (x_half - x).norm() < 0.1 * x.norm()
    assert (score_half - score).abs().max() < 0.1 + 0.1 * score.abs().max()


@pytest.mark.parametrize("condition", [None, Labels(3)], ids=["plain", "labelled"])
@each_pair
def test_every_parameter_is_reached_within_two_steps(name, condition):
    G, D = built(name, condition=condition)
    c = () if condition is None else (torch.tensor([2, 0, 1, 1]),)
    x = drawn(4, 2, 16, 16)
    players = {
        "D": (D, lambda: softplus(-D(x, *c).score).sum() + softplus(D(G(drawn(4, 5), *c).detach(), *c).score).sum()),
        "G": (G, lambda: softplus(-D(G(drawn(4, 5), *c), *c).score).sum()),
    }
    for player, loss in players.values():
        optimiser, reached = torch.optim.Adam(player.parameters(), lr=0.01), set()
        for _ in range(2):
            gradients = torch.autograd.grad(loss(), [*player.parameters()], materialize_grads=True)
            for (key, p), gradient in zip(player.named_parameters(), gradients, strict=True):
                assert gradient.isfinite().all(), key
                p.grad = gradient
                reached |= {key} if gradient.any() else set()
            optimiser.step()
        assert reached == {key for key, _ in player.named_parameters()}


@each_pair
def test_the_gradient_of_the_score_can_be_differentiated_again(name):
    """The derivative of the squared gradient norm along a direction in weight space, against its central difference."""
    D = stirred(built(name, (1, 9, 8))[1]).double().eval()
    x = drawn(2, 1, 9, 8).double().requires_grad_()
    start = [p.detach().clone() for p in D.parameters()]
    direction = [torch.randn_like(p) for p in start]

    def squared_gradient_norm(step=0.0):
        for p, at, way in zip(D.parameters(), start, direction, strict=True):
            p.data = at + step * way
        (grad,) = torch.autograd.grad(D(x).score.sum(), x, create_graph=True)
        return grad.square().sum()

    gradients = torch.autograd.grad(squared_gradient_norm(), [*D.parameters()], materialize_grads=True)
    along = sum((g * way).sum().item() for g, way in zip(gradients, direction, strict=True))
    difference = (squared_gradient_norm(1e-9).item() - squared_gradient_norm(-1e-9).item()) / 2e-9
    assert along == pytest.approx(difference, rel=1e-3)
    assert along != 0


@each_pair
def test_a_sample_is_made_and_scored_the_same_alone_and_among_others(name):
    G, D = (stirred(network).eval() for network in built(name))
    z, x = drawn(5, 5), drawn(5, 2, 16, 16)
    assert torch.allclose(G(z)[:1], G(z[:1]), atol=1e-5)
    if name not in BATCH_BOUND:
        assert torch.allclose(D(x).score[:1], D(x[:1]).score, atol=1e-4)


@each_pair
def test_weights_restore_what_was_learnt(name):
    for made, other, argument in zip(built(name), built(name), (drawn(2, 5), drawn(2, 2, 16, 16)), strict=True):
        stirred(made)
        other.load_state_dict(made.state_dict())
        made.eval(), other.eval()
        assert torch.equal(*(Judgement.of(network(argument)).score for network in (made, other)))


@each_pair
def test_what_cannot_be_built_is_refused(name):
    G, D = PAIRS[name]
    with pytest.raises(ValueError, match=r"networks take images \(C, H, W\); these data have shape \(2,\)"):
        G.build(5, (2,), None)
    with pytest.raises(ValueError, match=r"networks take images \(C, H, W\); these data have shape \(2,\)"):
        D.build((2,), None)
    for kind in (type(G), type(D)):
        with pytest.raises(ValueError, match=r"size sets the width and depth of the network, at least \d; found 1"):
            kind(size=1)
    for spec in (lambda: G.build(5, (1, 7, 16), None), lambda: D.build((1, 7, 16), None)):
        with pytest.raises(ValueError, match="of 8x8 and more; found 7x16"):
            spec()
