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
def turns(lay):
    """A move of each player over the same two networks."""
    G, D = networks()
    x = np.zeros((4, 2))
    return {player: lambda moves=0, p=player: lay(p, D, G, x=x, x_fake=x, moves=moves) for player in "GD"}


def arrays(network, axes=1):
    return [p.detach().numpy() for p in network.parameters() if p.dim() >= axes]


def own(turn):
    return turn.G if turn.player == "G" else turn.D


def other(turn):
    return turn.D if turn.player == "G" else turn.G


TERMS = [WeightDecay(0.3), OrthogonalRegularization(0.3), HistoricalAveraging(0.3)]


@pytest.mark.parametrize("term", TERMS, ids=repr)
@pytest.mark.parametrize("player", ["G", "D"])
def test_they_act_on_the_weights_of_the_player_whose_move_it_is_and_on_no_other(turns, player, term):
    turn = turns[player]()
    term(turn)
    with torch.no_grad():
        for p in own(turn).parameters():
            p += 0.5
    value = term(turns[player](moves=1))
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
def test_orthogonality_is_that_of_the_filters_of_every_layer(lay, diagonal):
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
    value = term(lay("D", D, x=np.zeros((2, 2)), x_fake=np.zeros((2, 2)))).item()
    assert value == pytest.approx(0.1 * sum(orthogonal(w, diagonal) for w in matrices), rel=1e-12)


def test_orthogonal_filters_of_any_length_cost_nothing_and_the_diagonal_holds_the_length(lay):
    D = nn.Linear(4, 4, bias=False).double()
    with torch.no_grad():
        D.weight.copy_(torch.diag(torch.tensor([1.0, 2.0, 3.0, 0.5]))[torch.tensor([2, 0, 3, 1])])
    turn = lay("D", D, x=np.zeros((2, 4)), x_fake=np.zeros((2, 4)))
    assert OrthogonalRegularization(1.0)(turn) == 0
    lengths = np.array([9, 1, 0.25, 4])
    assert OrthogonalRegularization(1.0, True)(turn).item() == pytest.approx(((lengths - 1) ** 2).sum(), rel=1e-12)


def test_orthogonality_keeps_its_digits_under_autocast(lay):
    torch.manual_seed(0)
    D = nn.Linear(64, 32)
    turn = lay("D", D, x=np.zeros((2, 64)), x_fake=np.zeros((2, 64)))
    with torch.autocast("cpu", torch.bfloat16):
        value = OrthogonalRegularization(1.0)(turn).item()
    assert value == pytest.approx(orthogonal(D.weight.detach().double().numpy(), False), rel=1e-5)


def walk(term, turns, player, steps):
    """The term's values while the player's weights jump about, and those of the formula."""
    random = np.random.default_rng(0)
    found, wanted, seen = [], [], []
    for move in range(steps):
        turn = turns[player](move)
        with torch.no_grad():
            for p in own(turn).parameters():
                p.copy_(torch.tensor(random.normal(0, 1, p.shape)))
        seen.append(np.concatenate([a.ravel() for a in arrays(own(turn))]))
        found.append(term(turn).item())
        wanted.append(((seen[-1] - np.mean(seen, axis=0)) ** 2).sum())
    return found, wanted


@pytest.mark.parametrize("player", ["G", "D"])
def test_history_is_the_mean_of_all_weights_so_far(turns, player):
    found, wanted = walk(HistoricalAveraging(1.0), turns, player, 6)
    assert found == pytest.approx(wanted, rel=1e-10)
    assert found[0] == 0 < min(found[1:])


def test_a_player_that_stands_still_pays_nothing_for_its_history(turns):
    term = HistoricalAveraging()
    assert [term(turns["G"](move)).item() for move in range(3)] == [0, 0, 0]


def test_history_is_no_part_of_the_gradient(turns):
    term = HistoricalAveraging(1.0)
    walk(term, turns, "D", 3)
    turn = turns["D"](2)
    value = term(turn)
    value.backward()
    for name, p in turn.D.named_parameters():
        assert torch.allclose(p.grad, 2 * (p - term.means[f"D.{name}"])), name


def test_one_value_serves_both_players_and_each_has_a_history_of_its_own(turns):
    shared, alone = HistoricalAveraging(1.0), {player: HistoricalAveraging(1.0) for player in "GD"}
    for move in range(4):
        for player in "GD":
            turn = turns[player](move)
            with torch.no_grad():
                for p in own(turn).parameters():
                    p += torch.randn_like(p)
            assert shared(turn) == alone[player](turn)
    assert shared.taken.tolist() == [[4, 3], [4, 3]]


def test_looking_twice_on_one_move_counts_once(turns):
    term = HistoricalAveraging(1.0)
    walk(term, turns, "D", 4)
    turn = turns["D"](3)
    assert term(turn) == term(turn)
    assert term.taken.tolist()[1] == [4, 3]


def test_history_takes_in_the_moves_on_which_it_acts(turns):
    term = HistoricalAveraging(1.0)
    for move in range(7):
        Every(3, term)(turns["D"](move))
    assert term.taken.tolist() == [[0, -1], [3, 6]]


def test_history_is_saved_and_restored(turns):
    term, restored = HistoricalAveraging(1.0), HistoricalAveraging(1.0)
    restored(turns["G"]())
    walk(term, turns, "D", 3)
    state = {name: value.clone() for name, value in term.state_dict().items()}
    restored.load_state_dict(state)
    assert term.state_dict().keys() == restored.state_dict().keys()
    found, again = walk(term, turns, "D", 2), walk(restored, turns, "D", 2)
    assert found == again
    assert HistoricalAveraging().state_dict(), "a checkpoint at the start holds a state too"
    assert term == HistoricalAveraging(1.0), "the history belongs to a run, not to the value written in a recipe"
    assert repr(term) == "HistoricalAveraging(weight=1.0)"


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_a_player_whose_weights_cannot_be_seen_is_refused(lay, term):
    turn = lay("D", lambda x: x.sum(1), x=np.zeros((2, 2)), x_fake=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"terms on weights need D to be an nn.Module; found a function"):
        term(turn)


@pytest.mark.parametrize("kind", [WeightDecay, OrthogonalRegularization, HistoricalAveraging])
def test_weights_below_zero_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -1.0"):
        kind(weight=-1.0)
