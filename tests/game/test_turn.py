"""What is on the table of one move."""

import pytest
import torch
from torch import nn

from zerosum.game import Clock, Draws, Judgement, Player, Turn


class Recorder:
    """A discriminator that remembers what it was asked."""

    def __init__(self, answer=lambda x: x.sum(1)):
        self.asked, self.answer = [], answer

    def __call__(self, x, *condition):
        self.asked.append((x, *condition))
        return self.answer(x)


def turn(D, c=None):
    x, x_fake = torch.arange(6.0).view(3, 2), -torch.ones(3, 2)
    return Turn("D", D, None, x, x_fake, None, c, Clock(), Draws(seed=0, position=0))


def test_each_batch_is_scored_once_and_separately_and_only_when_needed():
    D = Recorder()
    table = turn(D)
    assert D.asked == []
    for _ in range(3):
        assert table.real.score.tolist() == [1, 5, 9]
        assert table.fake.score.tolist() == [-2, -2, -2]
    assert [asked[0] is batch for asked, batch in zip(D.asked, (table.x, table.x_fake), strict=True)] == [True, True]


def test_the_condition_goes_along_where_there_is_one():
    labels = torch.tensor([0, 1, 2])
    D, bare = Recorder(), Recorder()
    turn(D, labels).judge(torch.zeros(3, 2))
    turn(bare).judge(torch.zeros(3, 2))
    assert D.asked[0][1] is labels
    assert len(bare.asked[0]) == 1


def test_a_bare_score_is_a_judgement_too():
    judgement = Judgement(torch.zeros(3), features=torch.ones(3, 2))
    assert turn(lambda x: judgement).real is judgement
    assert turn(lambda x: judgement.score).real.score is judgement.score
    assert turn(lambda x: judgement.score).real.features is None


def test_half_precision_scores_become_float32_and_other_outputs_stay():
    spoken = Judgement(torch.ones(3, dtype=torch.bfloat16), features=torch.ones(3, 2, dtype=torch.bfloat16))
    heard = turn(lambda x: spoken).real
    assert heard.score.dtype == torch.float32
    assert heard.features is spoken.features
    assert turn(lambda x: torch.ones(3, dtype=torch.float64)).real.score.dtype == torch.float64


def test_a_resting_term_is_worth_a_zero():
    assert turn(Recorder()).zero().item() == 0
    assert turn(Recorder()).zero().shape == ()


def test_alone_the_mean_over_ranks_is_the_value_itself():
    value = torch.tensor(3.0)
    assert turn(Recorder()).average(value) is value


@pytest.mark.parametrize(
    ("network", "optimiser"),
    [(nn.Linear(1, 1), None), (nn.Identity(), torch.optim.SGD([torch.zeros(1, requires_grad=True)]))],
)
def test_a_player_moves_exactly_if_it_has_something_to_learn(network, optimiser):
    with pytest.raises(ValueError, match="player D needs an optimiser exactly if its network has parameters"):
        Player("D", network, optimiser)
