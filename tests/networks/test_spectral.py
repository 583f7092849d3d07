"""Spectral norm against singular values, and how its buffer behaves."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from zerosum.conditions.labels import Labels
from zerosum.game import ExponentialMovingAverage
from zerosum.networks import (
    ConditionalNorm,
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    ResNetDiscriminator,
    ResNetGenerator,
)
from zerosum.networks.layers.spectral import SpectralNorm, spectral

SAGAN = ResNetGenerator(size=4, norm="spectral_batch", conditioning=ConditionalNorm(), attention=8)
LAYERS = {
    "linear": lambda: nn.Linear(7, 5),
    "convolution": lambda: nn.Conv2d(3, 5, (3, 4), stride=2, padding=1),
    "transposed": lambda: nn.ConvTranspose2d(5, 3, 4, stride=2, padding=1),
    "grouped": lambda: nn.Conv2d(4, 6, 3, groups=2, dilation=2, padding=2),
    "embedding": lambda: nn.Embedding(6, 5),
}
INPUTS = {
    "linear": lambda: torch.randn(2, 7),
    "convolution": lambda: torch.randn(2, 3, 8, 9),
    "transposed": lambda: torch.randn(2, 5, 4, 4),
    "grouped": lambda: torch.randn(2, 4, 6, 6),
    "embedding": lambda: torch.tensor([5, 0]),
}


def matrix(layer):
    """The weight as outputs by all the rest, in float64."""
    weight = layer.weight.detach().double().numpy()
    weight = weight.swapaxes(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
    return weight.reshape(len(weight), -1)


def converged(layer):
    normed = SpectralNorm(layer)
    for _ in range(300):
        normed.weight()
    return normed


@pytest.mark.parametrize("kind", LAYERS)
def test_the_weight_is_divided_by_its_largest_singular_value(kind):
    layer = LAYERS[kind]()
    normed = converged(layer)
    sigma = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    np.testing.assert_allclose(normed.weight().detach(), layer.weight.detach() / sigma, rtol=1e-4)
    x, plain = INPUTS[kind](), copy.deepcopy(layer)
    with torch.no_grad():
        plain.weight.copy_(normed.weight())
    torch.testing.assert_close(normed(x), plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_the_first_division_is_already_about_right(kind):
    layer = LAYERS[kind]()
    normed = SpectralNorm(layer).eval()
    wanted = layer.weight.detach() / np.linalg.svd(matrix(layer), compute_uv=False)[0]
    np.testing.assert_allclose(normed.weight().detach(), wanted, rtol=0.05)


def test_u_takes_one_step_of_power_iteration_a_pass_in_training_and_none_in_evaluation():
    normed = SpectralNorm(LAYERS["linear"]())
    normed.u.copy_(nn.functional.normalize(torch.randn(5), dim=0))
    x, before, place = torch.randn(2, 7), normed.u.clone(), normed.u.data_ptr()
    normed.eval()
    quiet = normed(x)
    assert torch.equal(normed(x), quiet)
    assert torch.equal(normed.u, before)
    normed.train()
    assert torch.equal(normed(x), quiet), "evaluation sees what training would see next"
    w, u = matrix(normed.layer), before.double().numpy()
    v = w.T @ u / np.linalg.norm(w.T @ u)
    np.testing.assert_allclose(normed.u, w @ v / np.linalg.norm(w @ v), rtol=1e-5)
    assert normed.u.data_ptr() == place, "averages and checkpoints follow the buffer, which must stay the same one"


def test_the_gradient_is_that_of_equation_12():
    normed = converged(LAYERS["linear"]())
    h, delta = torch.randn(4, 7), torch.randn(4, 5)
    (normed(h) * delta).sum().backward()
    w = matrix(normed.layer)
    u, s, vt = np.linalg.svd(w)
    back = delta.double().numpy().T @ h.double().numpy()
    wanted = (back - (back * w / s[0]).sum() * np.outer(u[:, 0], vt[0])) / s[0]
    np.testing.assert_allclose(normed.layer.weight.grad, wanted, rtol=1e-3, atol=1e-5)


def grad(D, x):
    """Mean squared gradient norm, as in R1, differentiable again."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def test_the_gradient_of_the_squared_norm_is_that_of_finite_differences():
    D = nn.Sequential(converged(nn.Linear(3, 4)), nn.Tanh(), converged(nn.Linear(4, 2))).double().eval()
    x, weight = torch.randn(5, 3, dtype=torch.float64), D[0].layer.weight
    (gradient,) = torch.autograd.grad(grad(D, x), weight)
    for place in np.ndindex(*weight.shape):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weight[place] += step
            values.append(grad(D, x).item())
            with torch.no_grad():
                weight[place] -= step
        assert gradient[place].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-3, abs=1e-6)


def test_several_passes_may_be_made_before_one_backward():
    """Real and generated samples are scored in turn, then a penalty uses both; buffers are not in the graph."""
    D = ResNetDiscriminator(size=4).build((2, 8, 8), Labels(3))
    x, x_fake = (torch.randn(4, 2, 8, 8).requires_grad_() for _ in range(2))
    c = torch.arange(4) % 3
    real, fake = D(x, c).score, D(x_fake, c).score
    D.eval()
    quiet = D(x, c).score
    D.train()
    D(x_fake, c)
    grads = torch.autograd.grad(real.sum() + fake.sum(), (x, x_fake), create_graph=True)
    penalty = sum(grad.square().sum() for grad in grads)
    gradients = torch.autograd.grad(penalty + real.mean() - fake.mean() + quiet.mean(), [*D.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_imagined_weights_are_normed_too_and_leave_no_trace():
    """As a look-ahead calls D: with other weights, that depend on something, and with copies of its buffers."""
    D, other = (MLPDiscriminator(size=8, norm="spectral").build((3,), Labels(2)) for _ in range(2))
    x, c, before = torch.randn(4, 3), torch.arange(4) % 2, {k: v.clone() for k, v in D.state_dict().items()}
    scale = torch.tensor(2.0, requires_grad=True)
    weights = {name: parameter * scale for name, parameter in other.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in other.named_buffers()}
    score = functional_call(D, weights | buffers, (x, c)).score
    (grad,) = torch.autograd.grad(score.square().sum(), scale, create_graph=True)
    assert grad.isfinite()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(2)
    torch.testing.assert_close(score, other(x, c).score)
    assert all(torch.equal(D.state_dict()[name], tensor) for name, tensor in before.items())


def test_saved_weights_bring_u_along():
    D = DCGANDiscriminator(size=4, norm="spectral").build((1, 8, 8), None)
    x = torch.randn(3, 1, 8, 8)
    for _ in range(5):
        D(x)
    other = DCGANDiscriminator(size=4, norm="spectral").build((1, 8, 8), None)
    other.load_state_dict(D.state_dict())
    assert sum(name.endswith(".u") for name in D.state_dict()) == 2
    for _ in range(3):
        assert torch.equal(D(x).score, other(x).score)


def test_a_running_average_follows_u():
    G = DCGANGenerator(size=4, norm="spectral_batch").build(5, (1, 8, 8), None)
    average = ExponentialMovingAverage(G, half_life=0.0)
    with torch.no_grad():
        for parameter in G.parameters():
            parameter.add_(torch.randn_like(parameter))
    for _ in range(50):
        G(torch.randn(4, 5))
    average.update(1, 1)
    z = torch.randn(4, 5)
    torch.testing.assert_close(average.module(z), G.eval()(z))


@pytest.mark.parametrize(
    "network",
    [
        MLPDiscriminator(size=4, norm="spectral").build((1, 8, 8), Labels(3)),
        DCGANDiscriminator(size=4, norm="spectral", auxiliary=2).build((1, 8, 8), Labels(3)),
        ResNetDiscriminator(size=4, attention=4).build((1, 8, 8), Labels(3)),
        SAGAN.build(5, (1, 8, 8), Labels(3)),
    ],
    ids=["MLP", "DCGAN", "ResNet", "SAGAN"],
)
def test_every_layer_but_the_scales_of_norms_is_under_the_norm(network):
    plain = {name for name, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)}
    outside = {name for name in plain if not name.endswith(".layer")}
    assert outside == {name for name in plain if ".scale" in name or ".offset" in name}
    assert len(plain - outside) >= 3


def test_a_discriminator_under_the_norm_is_never_steeper_than_one():
    D = MLPDiscriminator(size=16, norm="spectral").build((6,), None)
    with torch.no_grad():
        for parameter in D.parameters():
            parameter.mul_(30)
    for _ in range(300):
        D(torch.randn(2, 6))
    assert grad(lambda x: D(x).score, 10 * torch.randn(200, 6)) <= 1.0001


def test_a_weight_of_zeros_stays_one():
    layer = nn.Linear(3, 2)
    nn.init.zeros_(layer.weight)
    normed = SpectralNorm(layer)
    assert torch.equal(normed.weight(), torch.zeros(2, 3))
    normed(torch.randn(2, 3)).sum().backward()
    assert layer.weight.grad.isfinite().all()


def test_under_autocast_the_singular_value_keeps_its_digits():
    normed = converged(nn.Linear(64, 64)).eval()
    exact = normed.weight()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(normed.weight(), exact)
        assert normed(torch.randn(2, 64)).dtype == torch.bfloat16


def test_layers_are_found_at_any_depth():
    network = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 3)))
    spectral(network)
    assert isinstance(network[0], SpectralNorm)
    assert isinstance(network[1][1], SpectralNorm)
