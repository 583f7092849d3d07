"""How samples change with the latent: mode seeking, and the length of paths."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Labels
from zerosum.networks import StyleGAN2Generator
from zerosum.terms import Every, ModeSeeking, PathLength


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


class Conditional(nn.Module):
    """A generator of images, of z alone or of z and a class."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 8)).double()
        self.runs = 0

    def forward(self, z, c=None):
        self.runs += 1
        x = self.body(z).view(-1, 2, 2, 2)
        return x if c is None else x * c.view(-1, 1, 1, 1)


def apart(a, b):
    return np.abs(a - b).reshape(len(a), -1).mean(1)


@pytest.mark.parametrize("c", [None, np.array([1, 2, 3, 4])])
def test_mode_seeking_inverts_the_ratio_of_distances_of_neighbours_under_one_condition(build_turn, c):
    G, z = Conditional(), samples(0, 4, 3)
    turn = build_turn("G", None, G, z=z, c=c)
    ran = G.runs
    value = ModeSeeking(0.7)(turn)
    assert G.runs == ran + (c is not None), "without a condition the samples are on the table"
    with torch.no_grad():
        x, other = (G(torch.tensor(latent), turn.c).numpy() for latent in (z, np.roll(z, 1, 0)))
    ratio = (apart(x, other) / apart(z, np.roll(z, 1, 0))).mean()
    assert value.item() == pytest.approx(0.7 / (ratio + 1e-5), rel=1e-10)


def test_a_generator_that_spreads_twice_as_far_pays_half(build_turn):
    z = samples(0, 6, 3)
    near, far = (ModeSeeking()(build_turn("G", None, lambda z, k=k: k * z, z=z)).item() for k in (10.0, 20.0))
    assert near == pytest.approx(1 / (10 + 1e-5), rel=1e-10)
    assert far == pytest.approx(near / 2, rel=1e-5)


def test_a_collapsed_generator_pays_most_and_equal_latents_break_nothing(build_turn):
    z = samples(0, 4, 3)
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    value = ModeSeeking()(build_turn("G", None, lambda z: weight * z + 1, z=z))
    assert value.item() == pytest.approx(1e5)
    equal = ModeSeeking()(build_turn("G", None, lambda z: weight * z, z=np.ones((4, 3))))
    assert torch.autograd.grad(value + equal, weight)[0].isfinite()


def test_mode_seeking_teaches_g(build_turn):
    G = Conditional()
    value = ModeSeeking()(build_turn("G", None, G, z=samples(0, 4, 3), c=np.array([1, 2, 3, 4])))
    assert all(g.any() for g in torch.autograd.grad(value, [G.body[0].weight, G.body[2].weight]))


def test_a_batch_of_one_seeks_no_modes(build_turn):
    with pytest.raises(ValueError, match="ModeSeeking compares the samples of a batch and needs at least 2; found 1"):
        ModeSeeking()(build_turn("G", None, Conditional(), z=samples(0, 1, 3)))


def directions(turn, count, *shape):
    """The y of an update."""
    return turn.draws.normal("path length", (count, *shape)).double()


@pytest.mark.parametrize("c", [None, np.array([1, 2, 3, 4, 5])])
def test_lengths_are_those_of_the_jacobian_and_the_mean_is_led_by_them(build_turn, c):
    G, term, mean = Conditional(), PathLength(weight=2.0, decay=0.6, shrink=1), 0.0
    for update, share in enumerate((1, 1 / 2, 0.4, 0.4)):  # the plain mean of two, and from the third on a running one
        z = samples(update, 5, 3)
        turn = build_turn("G", None, G, z=z, c=c, position=5 * update)
        value = term(turn).item()
        y = directions(turn, 5, 2, 2, 2) / 2  # an image of 4 pixels
        lengths = []
        for i in range(5):
            label = None if c is None else turn.c[i : i + 1]
            jacobian = torch.func.jacrev(lambda v, label=label: G(v[None], label)[0])(torch.tensor(z[i]))
            lengths.append(torch.einsum("chw,chwz->z", y[i], jacobian).norm().item())
        mean = (1 - share) * mean + share * np.mean(lengths)
        assert value == term(turn).item(), "looking changes nothing"
        term.watch("D", turn, {})
        assert term.running[0].item() != pytest.approx(mean, rel=1e-9)
        term.watch("G", turn, {})
        assert value == pytest.approx(2 * ((np.array(lengths) - mean) ** 2).mean(), rel=1e-9)
        assert term.running[0].item() == pytest.approx(mean, rel=1e-9)


class Fixed:
    """Draws of given numbers."""

    def __init__(self, y):
        self.y = torch.tensor(y)

    def normal(self, purpose, shape):
        assert self.y.shape == shape
        return self.y


def of_length_two(build_turn, matrix):
    """An update of the linear generator x = M z in four dimensions, in which all y have the length 2."""
    m = torch.tensor(matrix)
    turn = build_turn("G", None, lambda z: z @ m.T, z=samples(0, 6, 4))
    y = samples(1, 6, 4)
    turn.draws = Fixed(2 * y / np.linalg.norm(y, axis=1, keepdims=True))
    return turn


def test_an_orthogonal_linear_generator_at_its_mean_pays_nothing_and_one_that_stretches_does(build_turn):
    rotation = np.linalg.qr(samples(2, 4, 4))[0]
    for matrix, free in ((3 * rotation, True), (np.diag([3.0, 3.0, 3.0, 1.0]), False)):
        term, turn = PathLength(decay=0.0, shrink=1), of_length_two(build_turn, matrix)
        value = term(turn).item()
        assert term.following[0].item() == pytest.approx(6) or not free
        assert (value < 1e-20) is free


def test_the_gradient_takes_the_mean_as_given(build_turn, differences):
    w = samples(3, 4, 3)
    weight = torch.tensor(w, requires_grad=True)
    term = PathLength(weight=2.0, decay=0.5, shrink=1)
    turn = build_turn("G", None, lambda z: torch.tanh(z) @ weight.T, z=samples(4, 5, 3))
    value = term(turn)
    (gradient,) = torch.autograd.grad(value, weight)
    y, bend = directions(turn, 5, 4).numpy(), 1 - np.tanh(turn.z.numpy()) ** 2
    mean = term.following[0].item()

    def formula(w):
        return 2 * ((np.linalg.norm((y @ w) * bend, axis=1) - mean) ** 2).mean()

    assert value.item() == pytest.approx(formula(w), rel=1e-10)
    np.testing.assert_allclose(gradient.numpy(), differences(formula, w), atol=1e-6)


class Mapped(nn.Module):
    """A generator in two halves, w = M z and x = S w, with a w for each layer if asked."""

    def __init__(self, layers):
        super().__init__()
        torch.manual_seed(0)
        self.layers = layers
        self.mapping = _Mapping(layers)
        self.synthesis = _Synthesis()

    def forward(self, z, c=None):
        return self.synthesis(self.mapping(z, c))


class _Mapping(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.linear, self.layers = nn.Linear(3, 5).double(), layers

    def forward(self, z, c=None):
        w = self.linear(z if c is None else z * c[:, None])
        return w if self.layers is None else w[:, None].expand(-1, self.layers, -1)


class _Synthesis(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 2).double()

    def forward(self, w):
        return (
            self.linear(w)
            if w.dim() == 2
            else torch.stack([k * self.linear(v) for k, v in enumerate(w.unbind(1))]).sum(0)
        )


@pytest.mark.parametrize("layers", [None, 3])
@pytest.mark.parametrize("c", [None, np.array([1, 2, 3, 4])])
def test_of_a_mapped_generator_the_gradient_is_by_w(build_turn, layers, c):
    G, term = Mapped(layers), PathLength(decay=0.0, shrink=1)
    turn = build_turn("G", None, G, z=samples(0, 4, 3), c=c)
    value = term(turn).item()
    steps = np.linalg.norm(directions(turn, 4, 2).numpy() @ G.synthesis.linear.weight.detach().numpy(), axis=1)
    lengths = steps if layers is None else steps * np.sqrt((0 + 1 + 4) / 3)
    assert term.following[0].item() == pytest.approx(lengths.mean(), rel=1e-10)
    assert value == pytest.approx(2 * ((lengths - lengths.mean()) ** 2).mean(), rel=1e-9)


@pytest.mark.parametrize(("condition", "c"), [(None, None), (Labels(5), np.array([4, 0, 2]))])
def test_of_stylegan2_the_squared_length_is_the_mean_over_the_w_of_its_layers(build_turn, condition, c):
    torch.manual_seed(0)
    G = StyleGAN2Generator(size=8, mixing=0.0).build(4, (3, 16, 16), condition).double()
    turn = build_turn("G", None, G, z=samples(0, 3, 4), c=c)
    term = PathLength(weight=2.0, decay=0.0, shrink=1)
    value, y = term(turn).item(), directions(turn, 3, 3, 16, 16).numpy() / 16
    with torch.no_grad():
        ws = G.mapping(turn.z, turn.c)[:, None].repeat(1, 6, 1)  # by hand: two layers at 4x4, two each at 8x8 and 16x16
    lengths = []
    for direction, w in zip(y, ws, strict=True):
        jacobian = torch.func.jacrev(lambda w: G.synthesis(w[None])[0], chunk_size=64)(w).detach().numpy()
        gradients = np.einsum("chw,chwls->ls", direction, jacobian)
        lengths.append(np.sqrt((gradients**2).sum(1).mean()))
    assert G.synthesis.count == 6
    assert term.following[0].item() == pytest.approx(np.mean(lengths), rel=1e-10)
    assert value == pytest.approx(2 * np.var(lengths), rel=1e-8)


@pytest.mark.parametrize(("batch", "shrink", "seen"), [(8, 2, 4), (7, 2, 4), (2, 5, 1)])
def test_a_shrunken_batch_is_every_nth_latent_with_its_condition(build_turn, batch, shrink, seen):
    shown = []

    def G(z, c):
        shown.append((z.detach().numpy(), c.tolist()))
        return z * c[:, None]

    z = samples(0, batch, 3)
    turn = build_turn("G", None, G, z=z, c=np.arange(batch) + 1)
    PathLength(shrink=shrink)(turn)
    latents, labels = shown[-1]
    assert np.array_equal(latents, z[::shrink])
    assert labels == [*range(1, batch + 1, shrink)]
    assert len(latents) == seen


def test_a_generator_of_one_sample_whatever_the_latent_gives_finite_gradients(build_turn):
    weight = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    for G in (lambda z: z @ weight, lambda z: (weight.sum(0) + 1).expand(len(z), 2)):
        value = PathLength()(build_turn("G", None, G, z=samples(0, 4, 3)))
        assert value.item() == pytest.approx(0, abs=1e-20)
        assert torch.autograd.grad(value, weight, materialize_grads=True)[0].isfinite().all()


def test_the_mean_is_that_of_all_ranks_and_lazily_follows_the_updates_in_which_it_acts(build_turn, monkeypatch):
    found = []
    monkeypatch.setattr("zerosum.game.turn.average", lambda values: [v + 10 * (1 + len(found)) for v in values])
    term = PathLength()
    lazy = Every(2, term)
    for update in range(4):
        turn = build_turn("G", None, lambda z, k=update: 0 * z + k, z=samples(0, 4, 3), updates=update)
        lazy(turn)
        term.watch("G", turn, {})
        found.append(term.running[0].item())
    assert found == pytest.approx([10, 10, 20, 20])


def test_the_mean_is_saved_and_restored(build_turn):
    term, restored, G = PathLength(), PathLength(), Conditional()
    turns = [build_turn("G", None, G, z=samples(i, 4, 3), position=4 * i) for i in range(3)]
    for turn in turns:
        term(turn)
        term.watch("G", turn, {})
    restored.load_state_dict(term.state_dict())
    restored.watch("G", turns[0], {})
    assert torch.equal(restored.running, term.running)
    assert term.running[0] > 0
    assert term.running[1] == 3
    assert term(turns[0]) == restored(turns[0])
    assert term == PathLength()
    assert repr(term) == "PathLength(weight=2.0, decay=0.99, shrink=2)"
    assert not term.running.requires_grad


@pytest.mark.parametrize("term", [ModeSeeking(), PathLength()], ids=repr)
def test_they_are_refused_on_ds_side(build_turn, term):
    with pytest.raises(ValueError, match=f"{type(term).__name__} is a term of G: put it among g_terms, not d_terms"):
        term(build_turn("D", None, Conditional(), z=samples(0, 4, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModeSeeking(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: PathLength(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: PathLength(decay=1.0), r"decay is that of the mean length, in \[0, 1\)"),
        (lambda: PathLength(shrink=0), "shrink divides the batch and is at least 1; found 0"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
