"""The state of parts as tensors: optimisers go by their parameter groups, whichever order these have."""

import copy

import pytest
import torch
from torch import nn

from zerosum.game.state import counts_of, load_count, load_state, state_of


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def descend(net, optimiser, steps=2):
    x = torch.linspace(-1, 1, 8).view(4, 2)
    for _ in range(steps):
        optimiser.zero_grad()
        (net(x) - x.sum(1, keepdim=True)).square().mean().backward()
        optimiser.step()


def frozen(net):
    net[0].requires_grad_(False)
    return torch.optim.Adam(net.parameters(), 0.1)


OPTIMISERS = {
    "all parameters": lambda net: torch.optim.Adam(net.parameters(), 0.1),
    "a frozen layer first": frozen,
    "groups in another order": lambda net: torch.optim.Adam(
        [{"params": [*net[2].parameters()], "lr": 0.2}, {"params": [net[0].bias, net[0].weight]}], 0.1
    ),
    "factored moments": lambda net: torch.optim.Adafactor(net.parameters(), 0.1),
    "state from the start": lambda net: torch.optim.Adagrad(net.parameters(), 0.1),
    "no state": lambda net: torch.optim.SGD(net.parameters(), 0.1),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_goes_on_as_if_never_stopped(name):
    make = OPTIMISERS[name]
    straight = network()
    optimiser = make(straight)
    descend(straight, optimiser)
    state = copy.deepcopy(state_of({"net": straight, "opt": optimiser}))
    descend(straight, optimiser)
    resumed = network()
    again = make(resumed)
    load_state({"net": resumed, "opt": again}, state)
    descend(resumed, again)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))


def adam():
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), 0.1)
    descend(net, optimiser)
    return optimiser, state_of({"opt": optimiser})["opt"]


DAMAGES = {
    "no such parameter": (lambda s: {**s, "7.exp_avg": torch.zeros(1)}, "'7.exp_avg' is of none of the parameters"),
    "no number": (lambda s: {**s, "x.exp_avg": torch.zeros(1)}, "'x.exp_avg' is of none of the parameters"),
    "another shape": (lambda s: {**s, "0.exp_avg": torch.zeros(5, 2)}, r"'0.exp_avg' is float32 \(5, 2\)"),
    "a part is missing": (
        lambda s: {name: value for name, value in s.items() if name != "1.exp_avg"},
        "its opt does not fit: it lacks numbers of some parameters",
    ),
    "a parameter is missing": (
        lambda s: {name: value for name, value in s.items() if not name.startswith("3.")},
        "its opt does not fit: it lacks numbers of some parameters",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_state_of_this_optimiser_is_refused(damage):
    optimiser, state = adam()
    change, sentence = DAMAGES[damage]
    with pytest.raises(ValueError, match=sentence):
        load_state({"opt": optimiser}, {"opt": change(state)})


def test_counts_are_whole_numbers():
    group = counts_of({"images": 3})
    assert load_count(group, "images") == 3
    for odd in (torch.tensor(-1), torch.tensor(1.0), torch.zeros(2, dtype=torch.int64), torch.tensor(1 << 62)):
        with pytest.raises(ValueError, match="its images should be a count; found "):
            load_count({"images": odd}, "images")
    with pytest.raises(ValueError, match="its steps should be a count; found None"):
        load_count(group, "steps")


def test_what_is_not_made_of_tensors_cannot_be_kept():
    net = network()
    optimiser = torch.optim.LBFGS(net.parameters())

    def loss():
        optimiser.zero_grad()
        value = net(torch.ones(1, 2)).square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    with pytest.raises(ValueError, match=r"the state of opt \(LBFGS\) should map names to tensors; found 0\."):
        state_of({"opt": optimiser})
