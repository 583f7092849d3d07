"""Penalties on weights: on whose, on which, and how much."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.terms import Every, HistoricalAveraging, OrthogonalRegularization, WeightDecay


def networks():
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    D = nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 1)).double()
    return G, D


@pytest.fixture
def turns(build_turn):
    """An update of each player over the same two networks."""
    G, D = networks()
    x = np.zeros((4, 2))
    return {player: lambda updates=0, p=player: build_turn(p, D, G, x=x, x_fake=x, updates=updates) for player in "GD"}


def arrays(network, axes=1):
    return [p.detach().numpy() for p in network.parameters() if p.dim() >= axes]


def own(turn):
    return turn.G if turn.player == "G" else turn.D


def other(turn):
    return turn.D if turn.player == "G" else turn.G


TERMS = [WeightDecay(0.3), OrthogonalRegularization(0.3), HistoricalAveraging(0.3)]


@pytest.mark.parametrize("term", TERMS, ids=repr)
@pytest.mark.parametrize("player", ["G", "D"])
def test_they_act_on_the_weights_of_the_player_that_is_updated_and_on_no_other(turns, player, term):
    turn = turns[player]()
    term(turn)
    with torch.no_grad():
        for p in own(turn).parameters():
            p += 0.5
    value = term(turns[player](updates=1))
    value.backward()
    assert value > 0
    assert any(p.grad is not None and p.grad.any() for p in own(turn).parameters())
    assert all(p.grad is None for p in other(turn).parameters())


@pytest.mark.parametrize("player", ["G", "D"])
def test_decay_is_half_the_sum_of_squares_of_matrices_or_of_all(turns, player):
    turn = turns[player]()
    for vectors, axes in ((False, 2), (True, 1)):
        value = WeightDecay(0.3, vectors)(turn)
        assert value.item() == pytest.approx(0.15 * sum((a**2).sum() for a in arrays(own(turn), axes)), rel=1e-12)
    value.backward()
    for p in own(turn).parameters():
        assert torch.allclose(p.grad, 0.3 * p, rtol=1e-12), "the gradient of decay is the weight itself"


def test_frozen_weights_are_left_out(turns):
    turn = turns["D"]()
    turn.D[0].requires_grad_(False)
    last = turn.D[1].weight.detach().numpy()
    assert WeightDecay(1.0)(turn).item() == pytest.approx(0.5 * (last**2).sum(), rel=1e-12)
    assert OrthogonalRegularization(1.0)(turn) == 0, "one filter has no other to be apart from"
    assert HistoricalAveraging()(turn) == 0


def orthogonal(w, diagonal):
    products = w @ w.T
    return ((products - np.diag(np.diag(products)) if not diagonal else products - np.eye(len(w))) ** 2).sum()


@pytest.mark.parametrize("diagonal", [False, True])
def test_orthogonality_is_that_of_the_filters_of_every_layer(build_turn, diagonal):
    torch.manual_seed(1)
    D = nn.Sequential(
        nn.Linear(2, 5),
        nn.Conv2d(3, 4, 3),
        nn.ConvTranspose2d(6, 8, 2, groups=2),
        nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)),
        nn.Embedding(3, 4),
    ).double()
    dense, convolution, transposed = (D[i].weight.detach().numpy() for i in range(3))
    outputs = [transposed[3 * (o // 4) : 3 * (o // 4) + 3, o % 4].ravel() for o in range(8)]  # a row for each output
    normed = D[3].parametrizations.weight.original.detach().numpy()
    matrices = [dense, convolution.reshape(4, -1), np.stack(outputs), normed]
    term = OrthogonalRegularization(0.1, diagonal)
    value = term(build_turn("D", D, x=np.zeros((2, 2)), x_fake=np.zeros((2, 2)))).item()
    assert value == pytest.approx(0.1 * sum(orthogonal(w, diagonal) for w in matrices), rel=1e-12)


def test_orthogonal_filters_of_any_length_cost_nothing_and_the_diagonal_holds_the_length(build_turn):
    D = nn.Linear(4, 4, bias=False).double()
    with torch.no_grad():
        D.weight.copy_(torch.diag(torch.tensor([1.0, 2.0, 3.0, 0.5]))[torch.tensor([2, 0, 3, 1])])
    turn = build_turn("D", D, x=np.zeros((2, 4)), x_fake=np.zeros((2, 4)))
    assert OrthogonalRegularization(1.0)(turn) == 0
    lengths = np.array([9, 1, 0.25, 4])
    assert OrthogonalRegularization(1.0, True)(turn).item() == pytest.approx(((lengths - 1) ** 2).sum(), rel=1e-12)


def test_orthogonality_keeps_its_digits_under_autocast(build_turn):
    torch.manual_seed(0)
    D = nn.Linear(64, 32)
    turn = build_turn("D", D, x=np.zeros((2, 64)), x_fake=np.zeros((2, 64)))
    with torch.autocast("cpu", torch.bfloat16):
        value = OrthogonalRegularization(1.0)(turn).item()
    assert value == pytest.approx(orthogonal(D.weight.detach().double().numpy(), False), rel=1e-5)


def step(turn, random):
    """Stands for an optimiser: the weights jump."""
    with torch.no_grad():
        for p in own(turn).parameters():
            p.copy_(torch.tensor(random.normal(0, 1, p.shape)))


def walk(term, turns, player, steps, first=0):
    """The term's values before each update while the weights change at random, and those of the formula."""
    random, found, wanted, seen = np.random.default_rng(first), [], [], []
    for update in range(first, first + steps):
        turn = turns[player](update)
        seen.append(np.concatenate([a.ravel() for a in arrays(own(turn))]))
        found.append(term(turn).item())
        wanted.append(((seen[-1] - np.mean(seen, axis=0)) ** 2).sum())
        step(turn, random)
        term.watch(player, turn, {})
    return found, wanted


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("player", ["G", "D"])
def test_history_is_the_mean_of_all_weights_so_far(turns, player, first):
    found, wanted = walk(HistoricalAveraging(1.0), turns, player, 6, first)
    assert found == pytest.approx(wanted, rel=1e-10)
    assert found[0] == 0 < min(found[1:])


def test_a_player_that_stands_still_pays_nothing_for_its_history(turns):
    term = HistoricalAveraging()
    for update in range(3):
        assert term(turns["G"](update)) == 0
        term.watch("G", turns["G"](update), {})


def test_history_is_no_part_of_the_gradient_and_looking_changes_nothing(turns):
    term = HistoricalAveraging(1.0)
    walk(term, turns, "D", 3)
    turn = turns["D"](3)
    value = term(turn)
    assert value == term(turn)
    value.backward()
    for name, p in turn.D.named_parameters():
        assert torch.allclose(p.grad, 2 * (p - term.means[f"D.{name}"])), name


def test_one_value_serves_both_players_and_each_has_a_history_of_its_own(turns):
    """Listed twice it is called twice for each update, and counts it once."""
    shared, alone = HistoricalAveraging(1.0), {player: HistoricalAveraging(1.0) for player in "GD"}
    random = np.random.default_rng(0)
    for update in range(4):
        for player in "DG":
            turn = turns[player](update)
            assert shared(turn) == alone[player](turn)
            step(turn, random)
            for term in (shared, shared, *alone.values()):
                term.watch(player, turn, {})
    assert shared.taken.tolist() == [[5, 3], [5, 3]]
    assert [alone[player].taken.tolist() for player in "GD"] == [[[5, 3], [0, -1]], [[0, -1], [5, 3]]]


def test_lazily_it_still_averages_every_update(turns):
    lazy, term = Every(3, HistoricalAveraging(1.0)), HistoricalAveraging(1.0)
    random = np.random.default_rng(0)
    for update in range(7):
        turn = turns["D"](update)
        value = lazy(turn)
        assert value == (3 * term(turn) if update % 3 == 0 else 0)
        step(turn, random)
        for part in (lazy.term, term):
            part.watch("D", turn, {})


def test_history_is_saved_and_restored(turns):
    term, restored = HistoricalAveraging(1.0), HistoricalAveraging(1.0)
    restored(turns["G"]())
    walk(term, turns, "D", 3)
    weights = [p.detach().clone() for p in turns["D"]().D.parameters()]
    restored.load_state_dict(term.state_dict())
    assert term.state_dict().keys() == restored.state_dict().keys()
    found, _ = walk(term, turns, "D", 3, first=3)
    with torch.no_grad():
        for p, weight in zip(turns["D"]().D.parameters(), weights, strict=True):
            p.copy_(weight)
    assert walk(restored, turns, "D", 3, first=3)[0] == found
    assert HistoricalAveraging().state_dict(), "a checkpoint at the start holds a state too"
    assert term == HistoricalAveraging(1.0), "the history belongs to a run, not to the value written in a recipe"
    assert repr(term) == "HistoricalAveraging(weight=1.0)"


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_a_player_whose_weights_cannot_be_seen_is_refused(build_turn, term):
    turn = build_turn("D", lambda x: x.sum(1), x=np.zeros((2, 2)), x_fake=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"terms on weights need D to be an nn.Module; found a function"):
        term(turn)


@pytest.mark.parametrize("kind", [WeightDecay, OrthogonalRegularization, HistoricalAveraging])
def test_weights_below_zero_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -1.0"):
        kind(weight=-1.0)
