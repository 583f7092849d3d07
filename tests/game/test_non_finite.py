"""A game that no longer computes with numbers stops at once, and says where."""

import pytest

from zerosum.game import NonFiniteError
from zerosum.terms import R1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_stops_the_run_before_anything_moved(play, batches, bad, spying, unchanged):
    game = play(D_terms=(R1(), spying(bad)))
    still_same = unchanged(game.D.network)
    with pytest.raises(NonFiniteError, match=r"^D/Spy is no longer a finite number$"):
        game.step(batches)
    assert still_same()
    assert game.D.updates == game.images == 0
    assert not game.D.optimiser.state


def test_every_part_that_went_wrong_is_named(play, batches, spying, unchanged):
    game = play(G_terms=(spying(float("nan")), spying(1.0), spying(float("inf"))))
    still_same = unchanged(game.G.network)
    with pytest.raises(NonFiniteError, match=r"^G/Spy, G/Spy#3 is no longer a finite number$"):
        game.step(batches)
    assert still_same()


def test_a_part_is_named_and_not_the_gradient_that_it_makes_nan(play, batches):
    class Spoilt:
        def __call__(self, turn):
            return turn.fake.score.sum() * float("nan")

    with pytest.raises(NonFiniteError, match=r"^D/Spoilt is no longer a finite number$"):
        play(D_terms=(Spoilt(),)).step(batches)


def test_a_gradient_that_is_no_number_is_found_where_the_loss_is_one(play, batches, unchanged):
    class Cliff:
        def __call__(self, turn):
            return (turn.fake.score * 0).sqrt().sum()

    game = play(D_terms=(Cliff(),))
    still_same = unchanged(game.D.network)
    with pytest.raises(NonFiniteError, match=r"^D/gradient_norm is no longer a finite number$"):
        game.step(batches)
    assert still_same()
