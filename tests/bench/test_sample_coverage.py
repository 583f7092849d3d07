import numpy as np
import pytest
import torch

from zerosum.bench import sample_coverage as subject
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.data.toys.shapes import Moons
from zerosum.data.toys.stacked_digits import StackedDigits


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    """A folder with a briefly trained classifier."""
    folder = tmp_path_factory.mktemp("classifiers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "SEEN", 9_000)
        yield folder


def test_stacks_are_predicted_channel_by_channel(classifiers):
    source = StackedDigits(count=600)
    data = source.open()
    classifier = subject.digit_classifier(source, classifiers)
    numbers, confident = subject.predict_stacks(data.read(torch.arange(600)), classifier)
    assert (numbers == data.labels).double().mean() > 0.85
    assert (numbers == data.labels)[confident].double().mean() > 0.95
    alone = classifier.probabilities(data.read(torch.tensor([5])).permute(1, 0, 2, 3)).max(1)
    assert int(numbers[5]) == int(alone.indices @ torch.tensor([100, 10, 1]))
    assert bool(confident[5]) == bool((alone.values > 0.9).all())


def test_coverage_of_stacks_counts_numbers_against_their_distribution(classifiers):
    source = StackedDigits(count=400)
    found = subject.coverage(source.open().read(torch.arange(400)), source, classifiers)
    truth = len(source.open().labels.unique())
    assert found.modes == 1000 and abs(found.found - truth) < 40 and 0.5 < found.high_quality < 1
    one = source.open().read(torch.zeros(50, dtype=torch.int64))
    collapsed = subject.coverage(one, source, classifiers)
    assert collapsed.found == 1 and collapsed.kl == pytest.approx(np.log(1000))
    assert [p.suffix for p in classifiers.iterdir()] == [".safetensors"], "one classifier for all"


def test_other_digits_have_another_classifier(classifiers, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "SEEN", 500)
    digits = Digits().open()
    some = torch.arange(0, 5000, 25)
    np.savez(tmp_path / "few.npz", x=digits.read(some)[:, 0].numpy(), y=digits.labels[some].numpy())
    source = StackedDigits(str(tmp_path / "few.npz"), count=10)
    assert subject.protocol(source).endswith("-few") and subject.protocol(StackedDigits()).endswith("-embedded")
    before = set(classifiers.iterdir())
    assert subject.digit_classifier(source, classifiers).held_out == 40
    assert len(set(classifiers.iterdir()) - before) == 1


def test_points_are_counted_by_their_distance(tmp_path):
    source = Ring(count=2000)
    found = subject.coverage(source.open().read(torch.arange(2000)), source, tmp_path)
    assert found.found == 8 and found.high_quality > 0.97 and subject.protocol(source) == "nearest-centre"


def test_data_without_known_modes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mode coverage needs Gaussians or stacked digits; found Moons"):
        subject.coverage(torch.zeros(3, 2), Moons(), tmp_path)
