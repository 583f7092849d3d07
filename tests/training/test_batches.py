"""The stream of real batches: every sample once an epoch, in an order that the seed and the position decide."""

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import Ring
from zerosum.training.batches import Batches

COUNT = 50


RANDOM = torch.Generator().manual_seed(0)
YES = torch.randint(2, (COUNT, 3), generator=RANDOM)
NUMBERS = 1e4 + 50 * torch.randn(COUNT, 2, generator=RANDOM, dtype=torch.float64)


def batches(seed=0, position=0, batch=16, dropout=0.0, conditions=None, conditional=True):
    data = Ring(count=COUNT).open()
    if conditions is not None:
        data = in_memory("tabled", data.read(torch.arange(COUNT)), conditions=conditions)
    return Batches(data, batch, conditional, seed, torch.device("cpu"), position, dropout)


def test_each_epoch_has_every_sample_once_in_an_order_of_its_own():
    made = batches()
    epochs = [made.indices(COUNT * i, COUNT * (i + 1)) for i in range(3)]
    assert all(torch.equal(order.sort().values, torch.arange(COUNT)) for order in epochs)
    assert len({tuple(order.tolist()) for order in epochs}) == 3
    assert not torch.equal(epochs[0], batches(seed=1).indices(0, COUNT))


def test_a_batch_depends_on_its_position_alone():
    straight = batches()
    for _ in range(7):  # 112 samples: past two ends of an epoch, in the middle of a batch
        position = straight.position
        one, again = next(straight), next(batches(position=position))
        assert torch.equal(one.x, again.x)
        assert torch.equal(one.c, again.c)
        assert one.position == again.position == position


def test_labels_stay_with_their_samples():
    data = Ring(count=COUNT).open()
    batch = next(batches())
    indices = batches().indices(0, 16)
    assert torch.equal(batch.x, data.read(indices))
    assert torch.equal(batch.c, data.labels[indices])


def test_a_batch_that_the_ranks_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr("zerosum.training.batches.ranks", lambda: 3)
    with pytest.raises(ValueError, match="16 does not divide by 3 ranks"):
        batches()


@pytest.mark.parametrize("count", [2, 3])
def test_ranks_share_out_what_one_process_sees(monkeypatch, count):
    """Also over the ends of epochs, and where the batch is larger than the data."""
    for batch in (18, 2 * 3 * 17):
        alone = batches(batch=batch, dropout=0.3)
        shared = [batches(batch=batch, dropout=0.3) for _ in range(count)]
        for _ in range(7):
            whole, parts = next(alone), []
            for number, one in enumerate(shared):
                with monkeypatch.context() as patched:
                    patched.setattr("zerosum.training.batches.rank", lambda number=number: number)
                    patched.setattr("zerosum.training.batches.ranks", lambda: count)
                    parts.append(next(one))
            assert {part.position for part in parts} == {whole.position}
            assert torch.equal(torch.cat([part.x for part in parts]), whole.x)
            assert torch.equal(torch.cat([part.c for part in parts]), whole.c)


def test_label_dropout_hides_its_share_of_labels_by_position(monkeypatch):
    stream, complete = batches(batch=50, dropout=0.3), batches(batch=50)
    pairs = [(next(stream).c, next(complete).c) for _ in range(40)]
    hidden = torch.stack([c == 8 for c, _ in pairs])
    assert hidden.double().mean().item() == pytest.approx(0.3, abs=0.03)
    assert not torch.equal(hidden[0], hidden[1])
    assert all(torch.equal(c[c != 8], label[c != 8]) for c, label in pairs)
    assert torch.equal(next(batches(batch=50, dropout=0.3)).c, pairs[0][0])
    hidden_by_another = next(batches(seed=1, batch=50, dropout=0.3)).c == 8
    assert not torch.equal(hidden_by_another, hidden[0]), "another seed hides others"
    for name, value in (("rank", 1), ("ranks", 2)):
        monkeypatch.setattr(f"zerosum.training.batches.{name}", lambda value=value: value)
    assert torch.equal(next(batches(batch=50, dropout=0.3)).c, pairs[0][0][25:]), "ranks share out the same draws"


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [(YES, YES.float()), (NUMBERS, ((NUMBERS - NUMBERS.mean(0)) / NUMBERS.std(0, correction=0)).float())],
    ids=["attributes", "numbers"],
)
def test_rows_stay_with_their_samples_as_networks_take_them(conditions, wanted):
    stream = batches(conditions=conditions)
    for start in range(0, 96, 16):
        batch, indices = next(stream), batches().indices(start, start + 16)
        assert torch.equal(batch.x, Ring(count=COUNT).open().read(indices))
        assert batch.c.dtype == torch.float32
        torch.testing.assert_close(batch.c, wanted[indices], rtol=1e-5, atol=1e-5)
    assert next(batches(conditions=conditions, conditional=False)).c is None


def test_label_dropout_hides_all_attributes_of_the_samples_whose_label_it_would_hide():
    for position in range(0, 500, 50):
        label = next(batches(batch=50, position=position, dropout=0.3)).c
        row = next(batches(batch=50, position=position, dropout=0.3, conditions=YES)).c
        plain = next(batches(batch=50, position=position, conditions=YES)).c
        assert torch.equal((row == 0.5).all(1), label == 8)
        assert torch.equal(row[label != 8], plain[label != 8])
