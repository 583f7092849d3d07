"""How a label enters a network, against numpy."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.conditions.schema import ConditionSchema
from zerosum.networks import (
    Auxiliary,
    Concatenate,
    ConditionalNorm,
    DCGANDiscriminator,
    DCGANGenerator,
    Discriminative,
    Head,
    Join,
    MLPDiscriminator,
    MLPGenerator,
    Projection,
    ResNetDiscriminator,
    ResNetGenerator,
    Style,
)
from zerosum.networks.conditioning import entrance, predictions
from zerosum.networks.layers.conditional import ConditionalBatchNorm


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_an_embedding_is_appended_to_vectors_and_added_to_maps_as_planes():
    join, c = Join(Labels(5), 3), torch.tensor([4, 0])
    rows = join.embedding.weight.detach().numpy()[[4, 0]]
    vectors, maps = normal(2, 6), normal(2, 6, 4, 3)
    np.testing.assert_array_equal(join(vectors, c).detach().numpy(), np.concatenate([vectors, rows], axis=1))
    planes = np.broadcast_to(rows[:, :, None, None], (2, 3, 4, 3))
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


def test_a_score_of_several_dimensions_is_a_feature_map_that_the_label_moves():
    head = Head(6, Labels(3), scores=4)
    features, c = torch.randn(5, 6), torch.tensor([0, 1, 2, 0, 1])
    score = head(features, c)
    assert score.shape == (5, 4)
    for i in range(5):
        h = features[i].double().detach().numpy()
        wanted = head.linear.weight.double().detach().numpy() @ h + head.linear.bias.double().detach().numpy()
        wanted = wanted + head.embedding.weight[c[i]].double().detach().numpy() @ h
        assert score[i].detach().numpy() == pytest.approx(wanted, abs=1e-5)
    with pytest.raises(ValueError, match="a score has a number of dimensions, at least 1; found 0"):
        DCGANDiscriminator(scores=0)


def test_a_projection_begins_about_as_large_as_the_score():
    features = normal(2_000, 64)
    head = Head(64, Labels(10))
    projection = (head.embedding(torch.arange(2_000) % 10) * features).sum(1)
    assert projection.std().item() == pytest.approx(1, rel=0.25)


def test_attributes_and_vectors_enter_by_an_affine_map():
    for condition, c in ((Attributes(3), torch.tensor([[1, 0, 1], [0, 0, 1]]).bool()), (Vector(3), normal(2, 3))):
        join = Join(condition, 4)
        torch.nn.init.normal_(join.embedding.linear.bias)
        weight, bias = (p.detach().double().numpy() for p in join.embedding.linear.parameters())
        rows = c.double().numpy()
        wanted = (2 * rows - 1 if isinstance(condition, Attributes) else rows) @ weight.T + bias
        h = normal(2, 5)
        np.testing.assert_allclose(join(h, c).detach(), np.concatenate([h, wanted], axis=1), rtol=1e-5, atol=1e-6)
        assert torch.equal(join(h, c), join(h, c.float()))


@pytest.mark.parametrize("condition", [Labels(50), Attributes(50), Vector(50)], ids=repr)
def test_embeddings_of_every_kind_begin_at_the_scale_asked_for(condition):
    signs = normal(50, 50)
    c = torch.arange(50) if isinstance(condition, Labels) else signs if isinstance(condition, Vector) else signs > 0
    for scale in (1.0, 0.1):
        assert condition.embed(400, scale)(c).std().item() == pytest.approx(scale, rel=0.1)


def test_a_projection_of_a_vector_is_bilinear():
    """<e(c), f> with an affine e, as section 3 of the paper has it for conditions that are no classes."""
    head, f, c = Head(6, Vector(3)), normal(2, 6), normal(2, 3)
    weight = head.embedding.linear.weight.detach().double().numpy()
    plain = f.double().numpy() @ head.linear.weight.detach().double().numpy()[0] + head.linear.bias.item()
    wanted = plain + np.einsum("bf,fk,bk->b", f, weight, c)
    np.testing.assert_allclose(head(f, c).detach(), wanted, rtol=1e-5)


def test_the_label_that_tells_nothing_is_the_one_after_the_last():
    join = Join(Labels(3, nullable=True), 2)
    assert join(normal(1, 2), torch.tensor([3])).shape == (1, 4)
    for way, predicted in ((Auxiliary(), (3, 0)), (Discriminative(), (0, 3))):
        assert predictions(way, Labels(3, nullable=True), 0) == predicted, "nothing is no class that could be predicted"
    with pytest.raises(IndexError):
        Join(Labels(3), 2)(normal(1, 2), torch.tensor([3]))


def test_conditional_norm_scales_what_batch_norm_leaves():
    norm, h, c = ConditionalBatchNorm(3, Labels(4)), normal(5, 3, 4, 2), torch.tensor([3, 0, 0, 1, 3])
    torch.testing.assert_close(norm(h, c), torch.nn.BatchNorm2d(3)(h))
    for part in (norm.scale, norm.offset):
        torch.nn.init.normal_(part.weight)
    x = h.double().numpy()
    mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    scale, offset = (p.weight.detach().double().numpy()[c][:, :, None, None] for p in (norm.scale, norm.offset))
    wanted = (x - mean) / np.sqrt(variance + 1e-5) * scale + offset
    np.testing.assert_allclose(norm(h, c).detach(), wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        norm(h)


@pytest.mark.parametrize("condition", [Attributes(4), Vector(4)], ids=repr)
def test_conditional_norm_begins_as_batch_norm_for_conditions_of_every_kind(condition):
    norm, h = ConditionalBatchNorm(3, condition), normal(5, 3, 4, 2)
    torch.testing.assert_close(norm(h, normal(5, 4)), torch.nn.BatchNorm2d(3)(h))


@pytest.mark.parametrize("make", [DCGANGenerator, ResNetGenerator], ids=["DCGAN", "ResNet"])
def test_conditional_norm_without_a_condition_is_batch_norm(make):
    shape = (1, 8, 8)
    plain, conditional = (make(size=4, conditioning=way) for way in (Concatenate(3), ConditionalNorm()))
    assert [*plain.build(5, shape, None).state_dict()] == [*conditional.build(5, shape, None).state_dict()]
    G = conditional.build(5, shape, Labels(3))
    assert [m for m in G.modules() if isinstance(m, ConditionalBatchNorm)]
    assert not [m for m in G.modules() if isinstance(m, Join) and m.size]


def leaky(h):
    return np.where(h > 0, h, 0.2 * h)


@pytest.mark.parametrize("make", [DCGANGenerator, ResNetGenerator], ids=["DCGAN", "ResNet"])
@pytest.mark.parametrize("condition", [None, Labels(3)], ids=repr)
def test_a_style_of_latent_and_condition_sets_the_norms(make, condition):
    """As a twin with conditional norms, given the style as a vector."""
    shape, z, c = (1, 8, 8), normal(4, 5), None if condition is None else torch.tensor([0, 2, 1, 2])
    G = make(size=4, conditioning=Style(6)).build(5, shape, condition).eval()
    twin = make(size=4, conditioning=ConditionalNorm()).build(5, shape, Vector(6)).eval()
    with torch.no_grad():
        for parameter in G.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    state = {name: value.double().numpy() for name, value in G.state_dict().items()}
    twin.load_state_dict({n[5:]: v for n, v in G.state_dict().items() if n.startswith("body.")})
    h = z.double().numpy()
    if c is not None:
        h = np.concatenate([h, state["join.embedding.weight"][c]], 1)
    for layer in (0, 2):
        h = leaky(h @ state[f"mapping.{layer}.weight"].T + state[f"mapping.{layer}.bias"])
    style = torch.from_numpy(h).float()
    torch.testing.assert_close(G(z, c), twin(z, style))
    assert not torch.allclose(twin(z, style), twin(z, style.flip(0)), atol=1e-4)


@pytest.mark.parametrize("make", [DCGANGenerator, ResNetGenerator], ids=["DCGAN", "ResNet"])
def test_a_style_begins_by_leaving_the_norms_as_they_are(make):
    G = make(size=4, conditioning=Style(6)).build(5, (1, 8, 8), Labels(3)).eval()
    z = normal(4, 5)
    assert torch.equal(G(z, torch.zeros(4, dtype=torch.int64)), G(z, torch.arange(4) % 3))
    G.train()
    assert torch.equal(G(z, torch.zeros(4, dtype=torch.int64)), G(z, torch.arange(4) % 3))


DISCRIMINATORS = [
    (MLPDiscriminator(size=8), (3,)),
    (DCGANDiscriminator(size=4), (2, 8, 9)),
    (ResNetDiscriminator(size=4), (2, 8, 9)),
]


@pytest.mark.parametrize(("D", "shape"), DISCRIMINATORS, ids=["MLP", "DCGAN", "ResNet"])
def test_an_auxiliary_head_predicts_what_d_is_not_shown(D, shape):
    aided = replace(D, conditioning=Auxiliary(), auxiliary=2)
    x, c = normal(4, *shape), torch.arange(4) % 3
    for condition, outputs in ((None, 2), (Labels(3), 5), (Attributes(4), 6), (Vector(5), 7)):
        network = aided.build(shape, condition).eval()
        judgement = network(x)
        assert judgement.logits.shape == (4, outputs)
        if condition == Labels(3):
            assert torch.equal(network(x, c).score, judgement.score)
            assert torch.equal(network(x, c).logits, judgement.logits)
    assert replace(D, conditioning=Projection()).build(shape, Labels(3))(x, c).logits is None
    assert replace(D, conditioning=Auxiliary()).build(shape, None)(x).logits is None


@pytest.mark.parametrize(("D", "shape"), DISCRIMINATORS, ids=["MLP", "DCGAN", "ResNet"])
def test_a_head_predicts_classes_by_side_of_what_d_is_not_shown(D, shape):
    aided = replace(D, conditioning=Discriminative(), auxiliary=2)
    x, c = normal(4, *shape), torch.arange(4) % 3
    network = aided.build(shape, Labels(3)).eval()
    judgement = network(x, c)
    assert judgement.logits.shape == (4, 2) and judgement.sides.shape == (4, 2, 3)
    assert torch.equal(network(x).sides, judgement.sides) and torch.equal(network(x).score, judgement.score)
    bias = next(value for name, value in network.named_parameters() if "sides" in name and name.endswith("bias"))
    with torch.no_grad():
        bias += torch.arange(6.0)
    torch.testing.assert_close(network(x).sides - judgement.sides, torch.arange(6.0).view(1, 2, 3).expand(4, 2, 3))
    assert aided.build(shape, None)(x).sides is None
    assert replace(D, conditioning=Auxiliary()).build(shape, Labels(3))(x).sides is None
    for condition in (Attributes(4), Vector(5)):
        sentence = f"Discriminative() predicts class labels, and here are {condition!r}: choose Auxiliary()"
        with pytest.raises(ValueError, match=re.escape(sentence)):
            aided.build(shape, condition)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Labels(0), "labels need at least one class; found count=0"),
        (lambda: Join(Labels(2), 3)(torch.zeros(1, 2)), "this network is conditional: call it with a condition c"),
        (lambda: Head(2, Labels(2))(torch.zeros(1, 2)), "this network is conditional: call it with a condition c"),
        (lambda: Attributes(0), "a row of attributes has at least 1 component; found 0"),
        (
            lambda: Vector(3, ConditionSchema.normal(2)),
            "a condition vector has 3 components, but its schema 2",
        ),
        (lambda: Vector(0), "a condition vector has at least 1 component; found 0"),
        (
            lambda: Join(Vector(3), 2)(torch.zeros(2, 2), torch.zeros(2, 4)),
            r"conditions here are rows of 3 components; found shape \(2, 4\)",
        ),
        (
            lambda: Join(Attributes(3), 2)(torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64)),
            r"conditions here are rows of 3 components; found shape \(2,\)",
        ),
        (lambda: MLPDiscriminator(auxiliary=-1), "auxiliary counts numbers to predict, at least 0; found -1"),
        (
            lambda: DCGANGenerator(norm="layer", conditioning=ConditionalNorm()),
            "a conditional norm is a batch norm: norm is 'batch' or 'spectral_batch'; found 'layer'",
        ),
        (lambda: ResNetGenerator(norm="none", conditioning=ConditionalNorm()), "a conditional norm is a batch norm"),
        (
            lambda: DCGANGenerator(norm="virtual", conditioning=Style()),
            "a conditional norm is a batch norm: .*'virtual'",
        ),
        (lambda: Style(0), "a style has a number of dimensions, at least 1; found 0"),
        (lambda: Concatenate(0), "number of dimensions, at least 1; found 0"),
        (lambda: MLPGenerator(embedding=0), "number of dimensions, at least 1; found 0"),
    ],
)
def test_missing_and_empty_conditions_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
