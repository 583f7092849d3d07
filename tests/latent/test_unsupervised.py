"""Directions without attributes, against numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Labels
from zerosum.game import Normal
from zerosum.latent import LatentModel, principal_components, space_of, weight_directions
from zerosum.networks import DCGANGenerator, StyleGAN2Generator
from zerosum.networks.layers.modulated import ModulatedConv2d


def built(spec, condition=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return spec.build(5, (1, 8, 8), condition).eval()


def same_lines(found, wanted, within=1e-3):
    return np.abs((found.numpy() * wanted).sum(1)) == pytest.approx(np.ones(len(wanted)), abs=within)


@pytest.mark.parametrize("norm", ["batch", "virtual"])  # a virtual one carries a reference batch before the points
@pytest.mark.parametrize("condition", [None, Labels(3)], ids=str)
def test_sefa_of_z_is_that_of_the_first_layer(condition, norm):
    G = built(DCGANGenerator(4, norm=norm), condition)
    model = LatentModel(G, Normal(5), condition)
    found = weight_directions(space_of(model), model.inputs(4), 5)
    # A transposed convolution of a 1x1 map: each output is a weighted sum of z and of the embedding.
    weight = next(m for m in G.modules() if isinstance(m, nn.ConvTranspose2d)).weight.detach()
    rows = weight[:5].flatten(1).T.double().numpy()
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert same_lines(found, np.linalg.svd(rows)[2])


def test_sefa_of_w_stacks_the_styles_of_all_layers():
    G = built(StyleGAN2Generator(4))
    model = LatentModel(G, Normal(5))
    wanted = [m.affine.weight.detach().double() for m in G.synthesis.modules() if isinstance(m, ModulatedConv2d)]
    rows = torch.cat(wanted).numpy()
    assert len(wanted) == 5  # three convolutions and two images
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for name in ("w", "layers"):
        found = weight_directions(space_of(model, name), model.inputs(4), 3)
        assert len(found) == 3
        if name == "w":
            assert same_lines(found, np.linalg.svd(rows)[2][:3])


def test_components_of_w_are_its_principal_axes():
    model = LatentModel(built(StyleGAN2Generator(4)), Normal(5))
    space, inputs = space_of(model, "w"), model.inputs(200)
    w = space.at(inputs).detach().double().numpy()
    assert same_lines(principal_components(space, inputs, 3), np.linalg.svd(w - w.mean(0))[2][:3])


def test_components_of_a_linear_first_layer_are_regressed_back_to_z():
    layer = nn.Linear(5, 9)
    model = LatentModel(nn.Sequential(layer, nn.Tanh(), nn.Unflatten(1, (1, 3, 3))), Normal(5))
    space, inputs = space_of(model), model.inputs(5000)
    z = inputs.z.double().numpy()
    h = (z - z.mean(0)) @ layer.weight.detach().double().numpy().T
    basis = np.linalg.svd(h, full_matrices=False)[2][:4]
    wanted = np.linalg.lstsq(h @ basis.T, z - z.mean(0), rcond=None)[0]
    assert same_lines(principal_components(space, inputs, 4), wanted / np.linalg.norm(wanted, axis=1, keepdims=True))


class Classes(nn.Module):
    """A layer whose activations differ by class far more than by z."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 9)

    def forward(self, z, c):
        return self.layer(torch.cat([z, 30 * nn.functional.one_hot(c, 3)], 1)).view(-1, 1, 3, 3)


def test_components_are_not_the_classes():
    model = LatentModel(Classes(), Normal(5), Labels(3))
    space, inputs = space_of(model), model.inputs(5000)
    weight = model.call.layer.weight.detach().double()[:, :5]
    wanted = np.linalg.svd(weight.numpy())[2][:2]
    assert same_lines(principal_components(space, inputs, 2), wanted, 0.05)


class Normalised(nn.Module):
    """No layer is affine in z."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 9)

    def forward(self, z):
        return self.layer(z / z.norm(dim=1, keepdim=True)).view(-1, 1, 3, 3)


def test_what_has_no_such_layers_is_one_sentence():
    model = LatentModel(Normalised(), Normal(5))
    with pytest.raises(ValueError, match="no layer of this generator is an affine function of z: use pca"):
        weight_directions(space_of(model), model.inputs(4))
    plain = LatentModel(lambda z: z.view(-1, 1, 1, 5), Normal(5))
    for method in (weight_directions, principal_components):
        with pytest.raises(ValueError, match="reads the layers of a network, and the generator is a plain function"):
            method(space_of(plain), plain.inputs(9))
    blind = LatentModel(nn.Sequential(nn.Linear(5, 4), nn.Unflatten(1, (1, 2, 2))), Normal(5))
    blind.call[0].weight.data.zero_()
    with pytest.raises(ValueError, match="no layer of this generator depends on z, so it has no components"):
        principal_components(space_of(blind), blind.inputs(9))
    linear = LatentModel(nn.Sequential(nn.Linear(5, 4), nn.Unflatten(1, (1, 2, 2))), Normal(5))
    with pytest.raises(ValueError, match="here are 1 to 4 components; found 5"):
        principal_components(space_of(linear), linear.inputs(9), 5)
