"""Unrolled: G is shown the D that D's own next moves would lead to, and its gradient passes through them."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call

from zerosum.game import Unrolled
from zerosum.objectives import Minimax, NonSaturating, Wasserstein
from zerosum.terms import R1, Every, GradientPenalty, HistoricalAveraging, OrthogonalRegularization, WeightDecay


class Showing:
    """An `Unrolled` that keeps what it showed."""

    def __init__(self, k):
        self.inner, self.shown = Unrolled(k), []

    def __call__(self, game, turn):
        self.turn = turn
        self.shown.append(self.inner(game, turn))
        return self.shown[-1]


OPTIMISERS = {
    "adam": lambda p: torch.optim.Adam(p, 0.01, (0.5, 0.9)),
    "adam in reversed groups": lambda p: torch.optim.Adam(
        [{"params": [one], "lr": 0.01 * place} for place, one in reversed([*enumerate(p, 1)])], 0.01, (0.5, 0.9)
    ),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, 0.9),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("k", [1, 3])
def test_the_opponent_is_d_after_k_real_updates_on_the_same_samples(play, batches, fresh_networks, name, k):
    showing = Showing(k)
    terms = (R1(0.5), GradientPenalty(2.0))
    D = fresh_networks()[1]
    game = play(D=D, D_optimiser=OPTIMISERS[name]([*D.parameters()]), D_terms=terms, opponent=showing)
    for _ in range(2):  # so that the optimiser has moments to start from
        game.update_D(next(batches))
    twin = copy.deepcopy((game.D.network, game.D.optimiser.state_dict()))
    batch = next(batches)
    game.update_G(batch)

    # The same k moves, taken for real by torch's own optimiser.
    D, turn = twin[0], showing.turn
    optimiser = OPTIMISERS[name]([*D.parameters()])
    optimiser.load_state_dict(twin[1])
    x, x_fake = turn.x.detach().requires_grad_(), turn.x_fake.detach().requires_grad_()
    epsilon = turn.draws.uniform("gradient penalty", (len(x), 1))
    for _ in range(k):
        (grad,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
        between = torch.lerp(x_fake, x, epsilon).detach().requires_grad_()
        (steep,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
        loss = NonSaturating().d_loss(D(x), D(x_fake)) + 0.25 * grad.square().sum(1).mean()
        loss = loss + 2 * (steep.norm(dim=1) - 1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(showing.shown[0](points), D(points), rtol=1e-4, atol=1e-6)


def test_terms_on_weights_act_on_the_weights_ahead(play, batches):
    """Against the same moves taken for real, and with a layer whose weights are used twice."""
    shared, showing = nn.Linear(4, 4), Showing(3)
    D = nn.Sequential(nn.Linear(2, 4), shared, nn.Tanh(), shared, nn.Linear(4, 1), nn.Flatten(0))
    history = HistoricalAveraging(0.5)
    terms = (WeightDecay(0.3), OrthogonalRegularization(0.2), history)
    game = play(D=D, D_optimiser=torch.optim.Adam(D.parameters(), 0.01, (0.5, 0.9)), D_terms=terms, opponent=showing)
    game.update_D(next(batches))
    twin, moments = copy.deepcopy(D), copy.deepcopy(game.D.optimiser.state_dict())
    means, before = [*copy.deepcopy(history.means).values()], copy.deepcopy(history.state_dict())
    game.update_G(next(batches))
    assert [*map(id, D.parameters())] == [*map(id, game.D.parameters)], "the network has its own weights again"
    assert all(torch.equal(before[name], tensor) for name, tensor in history.state_dict().items())

    optimiser = torch.optim.Adam(twin.parameters(), 0.01, (0.5, 0.9))
    optimiser.load_state_dict(moments)
    x, x_fake = showing.turn.x.detach(), showing.turn.x_fake.detach()
    weights = [*twin.parameters()]
    for _ in range(3):
        loss = NonSaturating().d_loss(twin(x), twin(x_fake))
        loss = loss + 0.15 * sum(w.square().sum() for w in weights if w.dim() > 1)
        for w in (twin[0].weight, shared_weight := twin[1].weight, twin[4].weight):
            loss = loss + 0.2 * ((w @ w.T) * (1 - torch.eye(len(w)))).square().sum()
        loss = loss + 0.5 * sum((w - mean).square().sum() for w, mean in zip(weights, means, strict=True))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert twin[3].weight is shared_weight
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(showing.shown[0](points), twin(points), rtol=1e-4, atol=1e-6)


def test_a_term_that_is_first_active_ahead_keeps_nothing_of_it(play, batches):
    history = HistoricalAveraging()
    game = play(D_terms=(Every(2, history),), opponent=Unrolled(1))
    game.D.updates = 2
    game.update_G(next(batches))
    assert history.means == {} and history.taken.tolist() == [[0, -1], [0, -1]]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_gradient_of_g_passes_through_the_look_ahead(play, batches, fresh_networks, name):
    """Finite differences of the whole look-ahead, in float64, in one weight of G."""
    showing, D = Showing(2), fresh_networks()[1]
    game = play(D=D, D_optimiser=OPTIMISERS[name]([*D.parameters()]), opponent=showing, objective=Minimax())
    game.update_D(next(batches))
    for player in (game.G, game.D):
        player.network.double()
        for state in player.optimiser.state.values():
            state |= {key: tensor.double() for key, tensor in state.items() if key != "step"}
    batch = next(batches)
    batch = type(batch)(batch.x.double(), None, batch.position)
    weight = game.G.network[2].weight

    def loss():
        z = game.draws(batch).mine(game.latent.draw(len(batch.x), game.draws(batch).stream("latent"))).double()
        turn = game.turn(game.G, batch, batch.x, game.G.network(z), z)
        turn.D = game.opponent(game, turn)
        return game.parts(game.G, turn)["G/loss"]

    (gradient,) = torch.autograd.grad(loss(), weight)
    for i, j in ((0, 0), (1, 5)):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[i, j] += sign * 1e-5
            values.append(loss().item())
            with torch.no_grad():
                weight[i, j] -= sign * 1e-5
        assert gradient[i, j].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5)
    shown = showing.shown[-1]
    z = torch.randn(4, 3, dtype=torch.float64)
    (alone,) = torch.autograd.grad(Minimax().g_loss(functional_call(game.D.network, {}, (game.G.network(z),))), weight)
    assert not torch.allclose(alone, gradient, rtol=1e-2)
    assert callable(shown)


def test_d_is_left_as_it_was_by_being_imagined_ahead(play, batches):
    D = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))
    game = play(D=D, opponent=Unrolled(3))
    game.update_D(next(batches))
    before = copy.deepcopy((D.state_dict(), game.D.optimiser.state_dict()["state"]))
    game.opponent(game, game.turn(game.G, batch := next(batches), batch.x, *reversed(game.generate(batch))))
    assert all(torch.equal(a, b) for a, b in zip(before[0].values(), D.state_dict().values(), strict=True))
    after = game.D.optimiser.state_dict()["state"]
    assert all(torch.equal(after[i][key], entry[key]) for i, entry in before[1].items() for key in entry)


def test_a_term_of_every_other_update_counts_on_in_the_updates_ahead(play, batches, fresh_networks):
    """After one update of D, the term skips the first update ahead, the second of all, and acts on the next."""
    batch, points = next(batches), torch.randn(5, 2, generator=torch.Generator().manual_seed(1))

    def shown(k, terms):
        showing = Showing(k)
        game = play(D=fresh_networks()[1], D_terms=terms, opponent=showing)
        game.D.updates = 1
        game.update_G(batch)
        return showing.shown[0](points)

    lazy = (Every(2, R1(5.0)),)
    assert torch.equal(shown(1, lazy), shown(1, ()))
    assert not torch.allclose(shown(2, lazy), shown(2, ()), rtol=1e-3)


def test_dead_units_have_a_finite_gradient(play, batches):
    """Their gradient is 0, where the root in Adam's step is infinitely steep."""
    game = play(opponent=Unrolled(2))
    with torch.no_grad():
        game.D.network[2].weight.zero_()
    assert all(torch.isfinite(value) for value in game.step(batches).values())


def test_what_cannot_look_ahead_says_so(play, batches):
    with pytest.raises(ValueError, match="Unrolled\\(k\\) looks k updates ahead, at least 1; found 0"):
        Unrolled(0)
    D = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    game = play(D=D, D_optimiser=torch.optim.SGD([*D.parameters()], 0.1), opponent=Unrolled(1), objective=Wasserstein())
    with pytest.raises(ValueError, match="Unrolled looks ahead by Adam or RMSprop; D's optimiser is SGD"):
        game.update_G(next(batches))


@pytest.mark.parametrize("name", ["weight_decay", "momentum", "centered"])
def test_a_part_of_an_optimiser_that_it_would_leave_out_is_refused(play, batches, fresh_networks, name):
    D = fresh_networks()[1]
    optimiser = torch.optim.RMSprop([*D.parameters()], 0.01, **{name: 0.5 if name != "centered" else True})
    game = play(D=D, D_optimiser=optimiser, opponent=Unrolled(1))
    with pytest.raises(ValueError, match=f"Unrolled does not look ahead by {name}: leave it out of D's optimiser"):
        game.update_G(next(batches))
