"""The pool of past generated samples: which D sees, which stay, and the same on resume, in Chain and on ranks."""

import copy
from dataclasses import replace

import pytest
import torch

from zerosum.augment import Chain, HistoryBuffer, InstanceNoise
from zerosum.game import Turn
from zerosum.networks import Blind
from zerosum.recipes.named_recipes import named
from zerosum.training.build import build_game


def numbered(first, count):
    """Samples that show when they were generated."""
    return torch.arange(first, first + count, dtype=torch.float32)[:, None]


def play(buffer, turn, updates, batch=4, begin=0):
    """What D sees as generated in each of its updates, whose samples are numbered in the order of generation."""
    seen = []
    for update in range(begin, begin + updates):
        fake = numbered(update * batch, batch)
        t = turn(torch.zeros(batch, 1), fake, position=update * batch)
        seen.append(buffer(fake, "fake", t).flatten().tolist())
        buffer.watch("D", t, {})
    return seen


def test_half_of_what_d_sees_is_past_and_from_the_pool(turn):
    buffer = HistoryBuffer(size=50)
    past = total = 0
    for update in range(400):
        before = set() if buffer.pool.samples is None else set(buffer.pool.samples.flatten().tolist())
        (seen,) = play(buffer, turn, 1, begin=update)
        new = {4.0 * update + row for row in range(4)}
        assert all(sample in before or sample == 4 * update + row for row, sample in enumerate(seen))
        if update >= 20:
            past, total = past + sum(sample not in new for sample in seen), total + 4
        kept = set(buffer.pool.samples.flatten().tolist())
        assert len(kept) == len(buffer.pool.samples) == min(50, 4 * update + 4) and kept <= before | new
    assert past / total == pytest.approx(0.5, abs=0.04)


def test_samples_stay_as_long_as_they_are_not_replaced(turn):
    """Half of the new ones enter a full pool, each in place of any: after k updates (1 - share b / size)^k are left."""
    buffer = HistoryBuffer(size=200)
    play(buffer, turn, 50)
    old = set(buffer.pool.samples.flatten().tolist())
    assert old == set(range(200))
    play(buffer, turn, 100, begin=50)
    left = len(old & set(buffer.pool.samples.flatten().tolist())) / 200
    assert left == pytest.approx((1 - 2 / 200) ** 100, abs=0.1)


def test_every_place_of_the_pool_is_shown(turn):
    buffer, fake = HistoryBuffer(size=20), numbered(-400, 400)
    play(buffer, turn, 20)
    seen = buffer(fake, "fake", turn(torch.zeros(400, 1), fake)).flatten()
    counts = torch.bincount(torch.searchsorted(buffer.pool.samples.flatten().sort().values, seen[seen >= 0]))
    assert len(counts) == 20 and counts.min() >= 2 and counts.max() < 25


def test_real_samples_and_those_that_g_learns_by_stay_as_they_are(turn):
    buffer = HistoryBuffer(size=8, share=1.0)
    x = torch.zeros(4, 1)
    play(buffer, turn, 2)
    state = buffer.state_dict()["samples"]
    fake = numbered(100, 4)
    assert not torch.equal(buffer(fake, "fake", turn(x, fake)), fake)
    assert buffer(x, "real", turn(x, fake)) is x
    of_g = turn(x, fake, player="G")
    assert buffer(fake, "fake", of_g) is fake
    buffer.watch("G", of_g, {})
    assert torch.equal(buffer.state_dict()["samples"], state)


def test_new_samples_keep_their_gradient(turn):
    buffer = HistoryBuffer(size=8)
    play(buffer, turn, 4)
    fake = numbered(16, 4).requires_grad_()
    seen = buffer(fake, "fake", turn(torch.zeros(4, 1), fake, position=16))
    (gradient,) = torch.autograd.grad(seen.sum(), fake)
    assert torch.equal(gradient, (seen == fake).float()) and 0 < gradient.sum() < 4


@pytest.mark.parametrize("chained", [False, True])
def test_a_resumed_buffer_shows_the_same_samples(turn, chained):
    """Also within a chain, which draws apart; as checkpoints save it."""
    buffer = Chain((InstanceNoise(0.1), HistoryBuffer(size=10))) if chained else HistoryBuffer(size=10)
    play(buffer, turn, 7)
    resumed = copy.deepcopy(buffer)
    resumed.load_state_dict({})
    assert resumed.state_dict() == {}
    resumed.load_state_dict(buffer.state_dict())
    assert play(resumed, turn, 5, begin=7) == play(buffer, turn, 5, begin=7)
    for one, other in zip(resumed.state_dict().values(), buffer.state_dict().values(), strict=True):
        assert torch.equal(one, other)


class OfRanks(Turn):
    """A turn on one of two ranks, which is given the rows of both."""

    both = None

    def everyone(self, rows):
        return self.both


def test_two_ranks_show_and_keep_what_one_does(turn):
    one, others = HistoryBuffer(size=6), [HistoryBuffer(size=6) for _ in range(2)]
    for update in range(8):
        fake, x = numbered(4 * update, 4), torch.zeros(4, 1)
        whole = turn(x, fake, position=4 * update)
        seen = one(fake, "fake", whole)
        parts = []
        for rank, buffer in enumerate(others):
            rows = slice(2 * rank, 2 * rank + 2)
            draws = replace(whole.draws, rank=rank, ranks=2)
            own = OfRanks("D", None, None, x[rows], fake[rows], None, None, whole.clock, draws)
            own.both = fake
            parts.append(buffer(fake[rows], "fake", own))
            buffer.watch("D", own, {})
        one.watch("D", whole, {})
        assert torch.equal(torch.cat(parts), seen)
        assert all(torch.equal(buffer.pool.samples, one.pool.samples) for buffer in others)


def test_a_batch_may_be_larger_than_the_pool(turn):
    buffer = HistoryBuffer(size=3)
    seen = play(buffer, turn, 20, batch=16)
    assert len(buffer.pool.samples) == 3 and len({*seen[-1]}) > 8
    assert buffer.pool.samples.min() >= 16, "each place was taken again"


def test_a_d_that_sees_conditions_is_refused():
    recipe = replace(named("cgan"), augment=Chain((HistoryBuffer(), InstanceNoise())))
    dataset = recipe.data.open()
    with pytest.raises(ValueError, match="HistoryBuffer shows D past samples, of other conditions"):
        build_game(recipe, dataset, torch.device("cpu"), "float32")
    blind = replace(recipe, discriminator=Blind(recipe.discriminator))
    for fine in (blind, replace(recipe, conditional=False)):
        assert build_game(fine, dataset, torch.device("cpu"), "float32").augment == recipe.augment


def test_errors_are_sentences(turn):
    with pytest.raises(ValueError, match="size counts the samples of a history buffer, at least 1; found 0"):
        HistoryBuffer(size=0)
    with pytest.raises(ValueError, match=r"share is a share in \[0, 1\]; found 1.5"):
        HistoryBuffer(share=1.5)
    buffer = HistoryBuffer(size=3)
    for wrong in (torch.zeros(4, 1), torch.zeros(0, 1), torch.zeros(2, 1, dtype=torch.int64), torch.tensor(1.0)):
        with pytest.raises(ValueError, match="a history buffer of 3 has one to 3 samples, of floating point; found"):
            buffer.load_state_dict({"samples": wrong})
    buffer.load_state_dict({"samples": torch.zeros(2, 5)})
    with pytest.raises(ValueError, match=r"the history buffer has samples of \(5,\); found \(1,\)"):
        play(buffer, turn, 1)
