"""Every family computes in float64 where its weights and samples are float64: derivatives agree with differences."""

import pytest
import torch

from zerosum._rooms import public
from zerosum.conditions import Attributes, Labels, Vector
from zerosum.game.batch import Batch
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.latents import Normal
from zerosum.game.player import Player
from zerosum.game.precision import at_least_float32
from zerosum.game.random import Draws
from zerosum.game.turn import Clock, Turn
from zerosum.networks import (
    AutoEncoderDiscriminator,
    Auxiliary,
    DCGANDiscriminator,
    DCGANGenerator,
    Discriminative,
    FastGANDiscriminator,
    FastGANGenerator,
    FeatureDiscriminator,
    MinibatchDiscrimination,
    MinibatchStddev,
    MLPDiscriminator,
    MLPGenerator,
    Packed,
    PatchDiscriminator,
    R3GANDiscriminator,
    R3GANGenerator,
    ResNetDiscriminator,
    ResNetGenerator,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
    TransformerDiscriminator,
    TransformerGenerator,
    UNet,
    UNetDiscriminator,
)
from zerosum.networks.layers.spectral import SpectralNorm
from zerosum.objectives.wasserstein import Wasserstein
from zerosum.terms.gradient_penalties import R1

SHAPE = (2, 16, 16)
G = MLPGenerator(hidden=(8,), activation="silu")
PAIRS = {
    "MLP": (G, MLPDiscriminator(hidden=(8,)), None),
    "MLP, minibatch": (G, MLPDiscriminator(hidden=(8,), minibatch=MinibatchDiscrimination(3, 2)), Labels(3)),
    "MLP, stddev": (G, MLPDiscriminator(hidden=(8,), minibatch=MinibatchStddev()), Vector(2)),
    "MLP, auxiliary": (G, MLPDiscriminator(hidden=(8,), conditioning=Auxiliary()), Labels(3)),
    "MLP, two-sided": (G, MLPDiscriminator(hidden=(8,), conditioning=Discriminative()), Labels(3)),
    "DCGAN": (DCGANGenerator(size=4), DCGANDiscriminator(size=4), Attributes(2)),
    "DCGAN, virtual": (DCGANGenerator(size=4, norm="virtual"), DCGANDiscriminator(size=4, norm="virtual"), Labels(3)),
    "ResNet": (ResNetGenerator(size=4, attention=8), ResNetDiscriminator(size=4, norm="none", attention=8), Labels(3)),
    "R3GAN": (R3GANGenerator(size=4, embedding=3), R3GANDiscriminator(size=4), Labels(3)),
    "StyleGAN2": (StyleGAN2Generator(size=4), StyleGAN2Discriminator(size=4), Labels(3)),
    "transformer": (TransformerGenerator(size=4, embedding=3), TransformerDiscriminator(size=4), Labels(3)),
    "FastGAN": (FastGANGenerator(size=4, embedding=3), FastGANDiscriminator(size=4), Labels(3)),
    "features": (G, FeatureDiscriminator("random-conv", side=16, size=2), Labels(3)),
    "autoencoder": (G, AutoEncoderDiscriminator(size=4, code=3), None),
    "U-Net": (G, UNetDiscriminator(size=4, norm="none"), Labels(3)),
    "U-Net, patches": (UNet(size=4), PatchDiscriminator(size=4, layers=2, scales=2), Labels(3)),
    "packed": (G, Packed(MLPDiscriminator(hidden=(8,))), None),
}
SPECTRAL = {"spectral": (G, ResNetDiscriminator(size=4), Labels(3))}  # exact once its iteration has converged
each_pair = pytest.mark.parametrize("name", PAIRS)


def test_every_family_is_among_the_pairs():
    tested = {type(network).__name__ for pair in PAIRS.values() for network in pair[:2]}
    families = {name for name in public("zerosum.networks") if name.endswith(("Generator", "Discriminator"))}
    apart = {"IdentityDiscriminator", "TextGenerator"}  # without parameters, and of texts: tested in float64 there
    assert families - tested == apart


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def conditions(condition):
    """Conditions of four samples, as data give them: integers, or float32."""
    if condition is None:
        return None
    if isinstance(condition, Labels):
        return torch.tensor([2, 0, 1, 1])
    rows = drawn(4, condition.size).float()
    return (rows > 0).float() if isinstance(condition, Attributes) else rows


def built(name):
    """The pair in float64, with every parameter off its beginning, where layers may be zero."""
    makes_G, makes_D, condition = (PAIRS | SPECTRAL)[name]
    pair = makes_G.build(5, SHAPE, condition), makes_D.build(SHAPE, condition)
    for network in pair:
        network.double()
        for p in network.parameters():
            p.data.add_(torch.randn_like(p), alpha=0.1)
    for layer in pair[0].modules():
        if isinstance(layer, SpectralNorm):  # exact once its iteration has converged
            for _ in range(1_000):
                layer.weight()
    c = conditions(condition)
    with torch.no_grad():
        pair[1](drawn(4, *SHAPE).tanh(), *([] if c is None else [c]))  # virtual batch norm meets its reference
    return *pair, c


def grads(value, tensors, step=1e-7):
    """The derivative of `value()` by some tensors, along a fixed direction: by autograd, and by central differences."""
    directions = [torch.randn_like(tensor) for tensor in tensors]
    gradients = torch.autograd.grad(value(), tensors, allow_unused=True)
    own = sum(float((g * v).sum()) for g, v in zip(gradients, directions, strict=True) if g is not None)
    found = []
    for sign in (1, -1):
        for tensor, v in zip(tensors, directions, strict=True):
            tensor.data.add_(v, alpha=sign * step)
        found.append(float(value().detach()))
        for tensor, v in zip(tensors, directions, strict=True):
            tensor.data.sub_(v, alpha=sign * step)
    return own, (found[0] - found[1]) / (2 * step)


def turn_of(G, D, c):
    """A turn of D, everything in float64."""
    x, z = drawn(4, *SHAPE).tanh().requires_grad_(), drawn(4, 5)
    x_fake = (G(z) if c is None else G(z, c)).detach().requires_grad_()
    return Turn("D", D, G, x, x_fake, z, c, Clock(), Draws(0, 0))


@each_pair
def test_a_penalty_on_the_gradient_of_D_is_differentiated_to_float64(name):
    G, D, c = built(name)
    G, D = G.eval(), D.eval()

    def penalty():
        return R1()(turn_of(G, D, c))

    assert penalty().dtype == torch.float64
    own, differences = grads(penalty, [*D.parameters()])
    assert abs(own) > 1e-8, "the penalty is not flat here"
    assert own == pytest.approx(differences, rel=1e-5)


@each_pair
def test_samples_and_scores_are_differentiated_to_float64(name):
    G, D, c = built(name)
    G, D = G.eval(), D.eval()
    z = drawn(4, 5).requires_grad_()
    given = () if c is None else (c,)

    def score():
        return Judgement.of(D(G(z, *given), *given)).score.square().mean()

    assert G(z, *given).dtype == score().dtype == torch.float64
    own, differences = grads(score, [z, *G.parameters()])
    assert own == pytest.approx(differences, rel=1e-5)


@pytest.mark.parametrize("name", PAIRS | SPECTRAL)
def test_a_game_is_played_in_float64(name):
    G, D, c = built(name)
    players = [
        Player(role, network, torch.optim.SGD(network.parameters(), lr=1e-4), terms)
        for role, network, terms in (("G", G, ()), ("D", D, (R1(0.1),)))
    ]
    game = Game(*players, Wasserstein(), Normal(5), ExponentialMovingAverage(G, 10))
    batches = (Batch(drawn(4, *SHAPE).tanh(), c, 4 * i) for i in range(2))
    log = game.step(batches)
    assert {log[name].dtype for name in ("D/loss", "D/R1", "G/loss")} == {torch.float64}
    for network in (G, D, game.ema.module):
        assert all(t.dtype == torch.float64 and t.isfinite().all() for t in network.parameters())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_at_least_float32(given, wanted):
    value = torch.ones(2, dtype=given)
    assert at_least_float32(value).dtype == wanted
    assert (at_least_float32(value) is value) == (given == wanted)
