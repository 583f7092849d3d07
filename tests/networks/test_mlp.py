"""MLPs against the formulas in numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.networks import Concatenate, IdentityDiscriminator, MLPDiscriminator, MLPGenerator, Projection

ACTIVATIONS = {
    "relu": lambda h: np.maximum(h, 0),
    "leaky": lambda h: np.where(h > 0, h, 0.2 * h),
    "tanh": np.tanh,
    "silu": lambda h: h / (1 + np.exp(-h)),
}


def by_numpy(network, h, act):
    """The features of an MLP: its linear layers with the activation between them and after the last."""
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    *hidden, last = [(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in linear]
    for weight, bias in hidden:
        h = ACTIVATIONS[act](h @ weight.T + bias)
    return h, h @ last[0].T + last[1]


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_generator_of_points_is_an_mlp_with_a_linear_end(act):
    G = MLPGenerator(hidden=(7, 6), activation=act).build(3, (2,), None)
    z = normal(5, 3)
    np.testing.assert_allclose(G(z).detach().numpy(), by_numpy(G, z.double().numpy(), act)[1], rtol=1e-4, atol=1e-5)


def test_generator_of_images_ends_in_tanh():
    G = MLPGenerator(hidden=(7,)).build(3, (2, 4, 3), None)
    z = 10 * normal(5, 3)
    wanted = np.tanh(by_numpy(G, z.double().numpy(), "relu")[1]).reshape(5, 2, 4, 3)
    np.testing.assert_allclose(G(z).detach().numpy(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_discriminator_scores_linearly_what_it_shows_as_features(act):
    D = MLPDiscriminator(hidden=(7, 6), activation=act).build((2, 4, 3), None)
    x = normal(5, 2, 4, 3)
    judgement = D(x)
    features, score = by_numpy(D, x.double().flatten(1).numpy(), act)
    np.testing.assert_allclose(judgement.features.detach().numpy(), features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(judgement.score.detach().numpy(), score[:, 0], rtol=1e-4, atol=1e-5)


def test_fourier_features_are_waves_of_fixed_random_frequencies():
    D = MLPDiscriminator(hidden=(7,), fourier=500, fourier_scale=4.0).build((3,), None)
    frequencies = D.entrance.frequencies
    assert not frequencies.requires_grad
    assert "entrance.frequencies" in D.state_dict(), "without them saved weights would mean nothing"
    assert frequencies.std().item() == pytest.approx(4.0, rel=0.1)
    x = normal(5, 3)
    phase = x.double().numpy() @ frequencies.double().numpy()
    waves = np.concatenate([x.double().numpy(), np.sin(phase), np.cos(phase)], axis=1)
    score = by_numpy(D, waves, "leaky")[1][:, 0]
    np.testing.assert_allclose(D(x).score.detach().numpy(), score, rtol=1e-3, atol=1e-4)


def test_dropout_acts_in_training_only():
    D = MLPDiscriminator(hidden=(64,), dropout=0.5).build((2,), None)
    x = normal(1, 2)
    assert (D(x).features == 0).any()
    assert not torch.equal(D(x).score, D(x).score)
    D.eval()
    assert torch.equal(D(x).score, D(x).score)


def test_batch_norm_follows_every_hidden_layer_of_the_generator():
    G = MLPGenerator(hidden=(7, 6), norm="batch").build(3, (2,), None)
    assert [m.num_features for m in G.modules() if isinstance(m, nn.BatchNorm1d)] == [7, 6]


@pytest.mark.parametrize("make", [MLPGenerator, MLPDiscriminator])
def test_layer_norm_follows_every_hidden_layer(make):
    arguments = (3, (2,), None) if make is MLPGenerator else ((2,), None)
    network = make(hidden=(7, 6), norm="layer").build(*arguments)
    assert [m.normalized_shape for m in network.modules() if isinstance(m, nn.LayerNorm)] == [(7,), (6,)]


def test_size_is_the_width_of_two_hidden_layers_where_none_are_listed():
    def widths(network):
        return [m.out_features for m in network.modules() if isinstance(m, nn.Linear)]

    assert widths(MLPGenerator(size=6).build(3, (2,), None)) == [6, 6, 2]
    assert widths(MLPDiscriminator(size=6).build((2,), None)) == [6, 6, 1]
    assert widths(MLPGenerator(size=6, hidden=(5,)).build(3, (2,), None)) == [5, 2]
    assert widths(MLPDiscriminator(size=6, hidden=(5, 4, 3)).build((2,), None)) == [5, 4, 3, 1]


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4)], ids=["points", "images"])
@pytest.mark.parametrize("conditioning", [Concatenate(3), Projection()], ids=repr)
def test_the_label_changes_what_is_made_and_how_it_is_scored(conditioning, shape):
    G = MLPGenerator(hidden=(8,), embedding=3).build(5, shape, Labels(4))
    D = MLPDiscriminator(hidden=(8,), conditioning=conditioning).build(shape, Labels(4))
    x = G(normal(1, 5).expand(4, 5), torch.arange(4))
    assert len(x.detach().flatten(1).unique(dim=0)) == 4
    assert len(D(x[:1].expand(4, *shape), torch.arange(4)).score.detach().unique()) == 4
    for network, argument in ((G, normal(4, 5)), (D, x)):
        with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
            network(argument)


def test_no_discriminator_is_the_sample_itself():
    D = IdentityDiscriminator().build((2, 3, 3), None)
    x = normal(4, 2, 3, 3)
    assert torch.equal(D(x), x.flatten(1))
    assert [*D.parameters()] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLPGenerator(hidden=()), r"hidden lists the widths of one or more hidden layers; found \(\)"),
        (lambda: MLPDiscriminator(hidden=(8, 0)), r"hidden lists the widths .* found \(8, 0\)"),
        (lambda: MLPGenerator(size=0), "size is a number of channels or units, at least 1; found 0"),
        (lambda: MLPDiscriminator(size=-1), "size is a number of channels or units, at least 1; found -1"),
        (lambda: MLPDiscriminator(dropout=1.0), r"dropout is a share in \[0, 1\); found 1.0"),
        (lambda: MLPDiscriminator(dropout=-0.1), r"dropout is a share in \[0, 1\); found -0.1"),
        (lambda: MLPDiscriminator(fourier=-1), "fourier counts features and fourier_scale is above 0; found -1"),
        (lambda: MLPDiscriminator(fourier_scale=0.0), "fourier counts features .* found 0 and 0.0"),
        (
            lambda: MLPGenerator(activation="gelu").build(3, (2,), None),
            "no activation is called 'gelu'; there are relu, leaky, tanh, silu",
        ),
        (
            lambda: MLPDiscriminator(norm="instance").build((2,), None),
            "no norm of vectors is called 'instance'; there are batch, layer, spectral, spectral_batch, none",
        ),
        (
            lambda: IdentityDiscriminator().build((2,), Labels(3)),
            "IdentityDiscriminator cannot see labels: set conditional=False",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
