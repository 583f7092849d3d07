"""A few samples of each class, and the half of each class that is held out."""

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import ArraySource, Digits, FewLabels, Images, fingerprint
from zerosum.data.dataset import in_memory
from zerosum.data.held_out import around, held_out

DIGITS = Digits().open()


def indices(dataset):
    return [int(dataset.named(index)) for index in range(len(dataset))]


def few(per_class, seed=0, part="train"):
    return FewLabels(Digits(), per_class, seed, part).open()


def test_the_few_are_balanced_nested_and_disjoint_from_the_half_held_out():
    ten, fifty, test = few(10), few(50), few(10, part="test")
    assert ten.labels.bincount().tolist() == [10] * 10 and test.labels.bincount().tolist() == [250] * 10
    assert {*indices(ten)} < {*indices(fifty)} and not {*indices(fifty)} & {*indices(test)}
    assert not {*indices(few(250))} & {*indices(test)} and len(few(250)) == 2_500
    chosen = indices(ten)
    assert torch.equal(ten.read(torch.arange(100)), DIGITS.read(torch.tensor(chosen)))
    assert torch.equal(ten.labels, DIGITS.labels[torch.tensor(chosen)]) and ten.classes == DIGITS.classes


def test_the_held_out_half_depends_on_the_names_alone_and_the_few_on_the_seed():
    assert indices(few(10, seed=1)) != indices(few(10)) == indices(few(10))
    tests = [few(*arguments, part="test") for arguments in ((10, 0), (200, 7))]
    assert indices(tests[0]) == indices(tests[1]) and fingerprint(tests[0]) == fingerprint(tests[1])
    assert len({fingerprint(one) for one in (few(10), few(11), few(10, 1), few(250), tests[0])}) == 5
    assert indices(tests[0]) != list(range(0, 5_000, 2)) and len(few(10, part="all")) == 5_000


def test_files_keep_their_part_whatever_their_order(tmp_path):
    random = np.random.default_rng(0)
    for name in ("cats/a", "cats/b", "cats/c", "dogs/a", "dogs/b", "dogs/c"):
        file = tmp_path / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (4, 4), np.uint8)).save(file)
    source = Images(str(tmp_path))
    dataset = source.open()
    backwards = FewLabels(_Reversed(source), 2, part="test").open()
    names = [backwards.named(index) for index in range(len(backwards))]
    test = FewLabels(source, 2, part="test").open()
    assert sorted(names) == [test.named(index) for index in range(len(test))] and len(names) == 2 < len(dataset)


class _Reversed:
    def __init__(self, source):
        self.source = source

    def open(self):
        from zerosum.data.held_out import subset

        dataset = self.source.open()
        return subset(dataset, torch.arange(len(dataset)).flip(0), "reversed")


def test_a_recipe_evaluates_on_the_held_out_half_and_takes_other_data_inside():
    own = FewLabels(per_class=20, seed=3)
    assert held_out(own) == FewLabels(per_class=20, seed=3, part="test")
    other = ArraySource(np.zeros((4, 2, 2), np.uint8))
    assert around(own, other) == FewLabels(other, 20, 3)


def test_refusals():
    with pytest.raises(ValueError, match="FewLabels needs per_class >= 1"):
        FewLabels(per_class=0)
    with pytest.raises(ValueError, match="part to be train, test, all"):
        FewLabels(part="rest")
    with pytest.raises(ValueError, match=r"few labels are drawn from data with class labels, which .* has not"):
        FewLabels(ArraySource(np.zeros((4, 2, 2), np.uint8))).open()
    with pytest.raises(
        ValueError,
        match="class 0 of digits has 500 samples, of which half are held out: give at least 501 of each class, or a "
        "smaller per_class than 251",
    ):
        few(251)
    x, labels = torch.zeros(5, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 0, 0, 0, 1])

    class Unequal:
        def open(self):
            return in_memory("unequal", x, labels, ("a", "b"))

    with pytest.raises(ValueError, match="class b of unequal has 1 samples, of which half are held out: give at least"):
        FewLabels(Unequal(), 1, part="test").open()
