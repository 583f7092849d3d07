"""Every choice in every family: gradients, gradient penalties, half precision, channels last."""

import re
import typing
from dataclasses import replace

import pytest
import torch

from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.game import Judgement
from zerosum.networks import (
    AutoEncoderDiscriminator,
    Auxiliary,
    Concatenate,
    ConditionalNorm,
    DCGANDiscriminator,
    DCGANGenerator,
    FastGANDiscriminator,
    FeatureDiscriminator,
    MinibatchDiscrimination,
    MinibatchStddev,
    MLPDiscriminator,
    MLPGenerator,
    Packed,
    PatchDiscriminator,
    Projection,
    R3GANDiscriminator,
    ResNetDiscriminator,
    ResNetGenerator,
    Style,
    StyleGAN2Discriminator,
    TransformerDiscriminator,
)

SHAPE, BATCH = (2, 9, 8), 4
MAPS = ["batch", "layer", "instance", "virtual", "spectral", "spectral_batch", "none"]
VECTORS = ["batch", "layer", "spectral", "spectral_batch", "none"]
CONDITIONS = [None, Labels(3, nullable=True), Attributes(3), Vector(3)]
CONVOLUTIONAL_G = [DCGANGenerator(size=4), ResNetGenerator(size=4)]
CONVOLUTIONAL_D = [DCGANDiscriminator(size=4), ResNetDiscriminator(size=4)]
WAYS = [Concatenate(3), Projection(), Auxiliary()]
GENERATORS = [
    *(replace(G, norm=norm) for G in CONVOLUTIONAL_G for norm in MAPS),
    *(replace(G, norm=n, conditioning=ConditionalNorm()) for G in CONVOLUTIONAL_G for n in ("batch", "spectral_batch")),
    *(MLPGenerator(size=8, norm=norm, activation="silu") for norm in VECTORS),
    *(replace(G, norm=n, conditioning=Style(6)) for G in CONVOLUTIONAL_G for n in ("batch", "spectral_batch")),
    ResNetGenerator(size=8, norm="spectral_batch", conditioning=ConditionalNorm(), attention=8, doublings=1),
]
DISCRIMINATORS = [
    *(replace(D, norm=norm) for D in CONVOLUTIONAL_D for norm in MAPS),
    *(MLPDiscriminator(size=8, norm=norm, activation="silu") for norm in VECTORS),
    *(replace(D, conditioning=way) for D in (*CONVOLUTIONAL_D, MLPDiscriminator(size=8)) for way in WAYS),
    *(
        replace(D, minibatch=minibatch, auxiliary=2)
        for D in (*CONVOLUTIONAL_D, MLPDiscriminator(size=8))
        for minibatch in (MinibatchDiscrimination(5, 2), MinibatchStddev())
    ),
    AutoEncoderDiscriminator(size=4, code=5, norm="spectral"),
    ResNetDiscriminator(size=8, attention=4, norm="layer", pooling="mean", doublings=1),
    *(PatchDiscriminator(4, norm, 1, 2) for norm in MAPS),
    PatchDiscriminator(4, "spectral", 2, 1, Projection()),
    Packed(DCGANDiscriminator(size=4, norm="virtual")),
    Packed(ResNetDiscriminator(size=4, minibatch=MinibatchStddev())),
]


@pytest.mark.parametrize(
    "network",
    [
        *(DCGANGenerator(4), DCGANDiscriminator(4), ResNetGenerator(4), ResNetDiscriminator(4), MLPDiscriminator(4)),
        *(AutoEncoderDiscriminator(4), Packed(MLPDiscriminator(4)), R3GANDiscriminator(4), StyleGAN2Discriminator(4)),
        *(TransformerDiscriminator(4), FastGANDiscriminator(4), PatchDiscriminator(4), FeatureDiscriminator("vgg16")),
    ],
    ids=lambda network: type(network).__name__,
)
def test_a_way_in_which_the_condition_would_not_be_seen_is_refused(network):
    known = typing.get_type_hints(type(network))["conditioning"]
    known = typing.get_args(known) or (known,)
    for way in (Concatenate(3), Projection(), ConditionalNorm(), Style(3), Auxiliary()):
        if isinstance(way, known):
            assert replace(network, conditioning=way).conditioning == way
        else:
            names = " or ".join(kind.__name__ for kind in known)
            sentence = re.escape(f"the condition enters this network by {names}; found conditioning={way!r}")
            with pytest.raises(ValueError, match=sentence):
                replace(network, conditioning=way)


def conditions(condition):
    """A batch of conditions, the label that tells nothing among them."""
    if condition is None:
        return ()
    if isinstance(condition, Labels):
        return (torch.arange(BATCH),)
    c = torch.randn(BATCH, 3)
    return (c > 0,) if isinstance(condition, Attributes) else (c,)


def opened(network):
    """The network with the gates of its attention open, and its embedding of the condition not at rest."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("gamma", "scale.weight", "offset.weight", "scale.linear.weight", "offset.linear.weight")):
                parameter.add_(torch.randn_like(parameter))
    return network


def unreached(network, loss):
    gradients = torch.autograd.grad(loss, [*network.parameters()], allow_unused=True)
    named = zip(network.named_parameters(), gradients, strict=True)
    assert all(g is None or g.isfinite().all() for g in gradients)
    return {name for (name, _), gradient in named if gradient is None or not gradient.any()}


def read(judgement):
    """A loss of all that a discriminator says."""
    parts = [judgement.score] + ([] if judgement.logits is None else [judgement.logits])
    return sum((part * torch.linspace(1, 2, part.numel()).view(part.shape)).sum() for part in parts)


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
@pytest.mark.parametrize("G", GENERATORS, ids=repr)
def test_every_parameter_of_a_generator_is_reached(G, condition):
    network = opened(G.build(5, SHAPE, condition))
    x = network(torch.randn(BATCH, 5), *conditions(condition))
    assert x.shape == (BATCH, *SHAPE)
    assert unreached(network, (x * torch.randn_like(x)).sum()) == set()


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
@pytest.mark.parametrize("D", DISCRIMINATORS, ids=repr)
def test_every_parameter_of_a_discriminator_gets_a_gradient_and_so_does_a_gradient_penalty(D, condition):
    network = opened(D.build(SHAPE, condition))
    x = torch.randn(BATCH, *SHAPE, requires_grad=True)
    judgement = network(x, *conditions(condition))
    assert unreached(network, read(judgement)) == set()
    judgement = network(x, *conditions(condition))
    (grad,) = torch.autograd.grad(judgement.score.square().sum(), x, create_graph=True)
    left = unreached(network, grad.square().sum())
    assert all("auxiliary" in name or name.endswith("bias") for name in left)


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
@pytest.mark.parametrize("spec", [*GENERATORS, *DISCRIMINATORS], ids=repr)
def test_half_precision_and_channels_last_serve(spec, condition):
    generates = isinstance(spec, MLPGenerator | DCGANGenerator | ResNetGenerator)
    network = spec.build(*((5,) if generates else ()), SHAPE, condition).to(memory_format=torch.channels_last)
    argument = torch.randn(BATCH, 5) if generates else torch.randn(BATCH, *SHAPE)
    if not generates:
        argument = argument.to(memory_format=torch.channels_last).requires_grad_()
    exact = network.state_dict()
    c = conditions(condition)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        if generates:
            x = network(argument, *c)
            assert x.dtype == torch.float32
            loss = (x * torch.randn_like(x)).sum()
        else:
            judgement = Judgement.of(network(argument, *c))
            assert judgement.score.dtype == torch.float32
            (grad,) = torch.autograd.grad(judgement.score.sum(), argument, create_graph=True)
            loss = read(judgement) + grad.float().square().sum()
    assert loss.isfinite()
    assert all(
        g is None or g.isfinite().all() for g in torch.autograd.grad(loss, [*network.parameters()], allow_unused=True)
    )
    assert [*network.state_dict()] == [*exact]
