import numpy as np
import pytest
import torch

from zerosum.bench import sample_coverage as reading
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.data.toys.shapes import Moons
from zerosum.data.toys.stacked_digits import StackedDigits


@pytest.fixture(scope="module")
def judges(tmp_path_factory):
    """A folder in which a judge is trained for a moment, once."""
    folder = tmp_path_factory.mktemp("judges")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "SEEN", 9_000)
        yield folder


def test_stacks_are_read_plane_by_plane(judges):
    source = StackedDigits(count=600)
    data = source.open()
    judge = reading.digit_judge(source, judges)
    numbers, confident = reading.read_stacks(data.read(torch.arange(600)), judge)
    assert (numbers == data.labels).double().mean() > 0.85
    assert (numbers == data.labels)[confident].double().mean() > 0.95
    alone = judge.probabilities(data.read(torch.tensor([5])).permute(1, 0, 2, 3)).max(1)
    assert int(numbers[5]) == int(alone.indices @ torch.tensor([100, 10, 1]))
    assert bool(confident[5]) == bool((alone.values > 0.9).all())


def test_coverage_of_stacks_counts_numbers_against_their_law(judges):
    source = StackedDigits(count=400)
    found = reading.coverage(source.open().read(torch.arange(400)), source, judges)
    truth = len(source.open().labels.unique())
    assert found.modes == 1000 and abs(found.found - truth) < 40 and 0.5 < found.high_quality < 1
    one = source.open().read(torch.zeros(50, dtype=torch.int64))
    collapsed = reading.coverage(one, source, judges)
    assert collapsed.found == 1 and collapsed.kl == pytest.approx(np.log(1000))
    assert [p.suffix for p in judges.iterdir()] == [".safetensors"], "one judge for all"


def test_other_digits_have_another_judge(judges, tmp_path):
    digits = Digits().open()
    some = torch.arange(0, 5000, 25)
    np.savez(tmp_path / "few.npz", x=digits.read(some)[:, 0].numpy(), y=digits.labels[some].numpy())
    source = StackedDigits(str(tmp_path / "few.npz"), count=10)
    assert reading.protocol(source).endswith("-few") and reading.protocol(StackedDigits()).endswith("-embedded")
    before = set(judges.iterdir())
    assert reading.digit_judge(source, judges).held_out == 40
    assert len(set(judges.iterdir()) - before) == 1


def test_points_are_counted_by_their_distance(tmp_path):
    source = Ring(count=2000)
    found = reading.coverage(source.open().read(torch.arange(2000)), source, tmp_path)
    assert found.found == 8 and found.high_quality > 0.97 and reading.protocol(source) == "nearest-centre"


def test_data_without_known_modes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="modes are counted of Gaussians and of stacked digits; Moons"):
        reading.coverage(torch.zeros(3, 2), Moons(), tmp_path)
