"""Functions and classes of one's own as metrics, and what a metric says of itself."""

from dataclasses import dataclass
from types import MappingProxyType

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.groups_of_samples import jackknife, without
from zerosum.evaluation.measure import FunctionMeasure, Needs, Score, ScoreInfo, measure_kinds
from zerosum.evaluation.measures.prdc import PRDC
from zerosum.evaluation.sets import open_side
from zerosum.features.extractor import Function
from zerosum.metrics.neighbours import precision_recall


def corners(images):
    """Three features of a picture."""
    return images.float().flatten(1)[:, [0, 20, -1]] / 255


PLAIN = EvaluationConfig(Function(corners, "corners"), cache=False)


def of(dataset):
    """The features of all of a data set in the order in which a side gives them."""
    return corners(torch.cat([*open_side(dataset).take(len(dataset), 0).pieces()]))


@pytest.fixture
def pair(make):
    sets = [make.pictures(90), make.pictures(84, seed=1)]
    return [in_memory("pictures", torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()) for x in sets]


def test_metrics_have_names_of_their_own_and_say_which_way_they_are_better():
    kinds = measure_kinds()
    assert {
        "fid",
        "fid-infinity",
        "kid",
        "is",
        "prdc",
        "swd",
        "memorisation",
        "intra-fid",
        "cas",
        "vendi",
    } <= kinds.keys()
    infos = [(name, info) for kind in kinds.values() for name, info in kind().gives.items()]
    assert len({name for name, _ in infos}) == len(infos)
    assert {info.better for _, info in infos} == {"lower", "higher", ""}
    assert all(info.line.endswith(".") for _, info in infos) and all(
        kind().how and kind.__doc__ for kind in kinds.values()
    )
    assert ScoreInfo("lower", "").worse == "higher" and ScoreInfo("higher", "").worse == "lower"
    assert ScoreInfo("", "", alarm="lower").worse == "lower" and ScoreInfo("", "").worse == ""


def mean_gap(real, fake):
    return float((real.double().mean(0) - fake.double().mean(0)).norm())


def test_a_function_is_a_metric_and_has_an_error(pair):
    found = evaluate(*pair, ("kid", mean_gap, FunctionMeasure(lambda r, f: len(f), "count", "higher")), PLAIN)
    real, fake = map(of, pair)
    assert found.values["mean_gap"] == pytest.approx(mean_gap(real, fake), rel=1e-9)
    assert found.errors["mean_gap"] == pytest.approx(jackknife([mean_gap(real, some) for some in without(fake)]))
    assert found.values["count"] == 84 and found.better == {"kid": "lower", "mean_gap": "", "count": "higher"}
    assert "test_own_metrics:mean_gap, source " in found.protocol["metric.mean_gap"]
    other = FunctionMeasure(lambda r, f: len(r), "count", "higher")
    assert evaluate(*pair, (other,), PLAIN).protocol["metric.count"] != found.protocol["metric.count"]


@dataclass(frozen=True)
class Darkest:
    """The darkest pixel of the generated images."""

    name = "darkest"
    needs = Needs(fake=frozenset({"images"}))
    gives = MappingProxyType({"darkest": ScoreInfo("higher", "The darkest pixel.")})

    scale: float = 1.0
    wrong: bool = False

    @property
    def how(self):
        return f"times {self.scale}"

    def __call__(self, sides):
        return {"lightest" if self.wrong else "darkest": Score(self.scale * float(sides.fake.images.min()))}


def test_a_metric_of_ones_own_and_one_with_options_take_part_like_the_others(pair):
    found = evaluate(*pair, (Darkest(2.0), PRDC(k=1)), PLAIN)
    (sample,) = open_side(pair[1]).take(84, 0).pieces()
    assert found.values["darkest"] == 2 * int(sample.min()) and found.better["darkest"] == "higher"
    assert found.protocol["metric.darkest"] == "times 2.0" and found.protocol["metric.prdc"].startswith("k = 1 for")
    real, fake = map(of, pair)
    assert found.values["recall"] == precision_recall(real, fake, 1).recall


def test_what_is_no_metric_is_one_sentence(pair):
    for metrics, sentence in (
        ((Darkest,), r"Darkest is a class: write Darkest\(\), with parentheses"),
        ((3,), "a metric is a name, a metric or a function of real and generated features; found 3"),
        ((lambda real, fake: 0.0,), r"a metric needs a name: give FunctionMeasure\(.*lambda>, name="),
        (("prdc", PRDC(k=1)), "two metrics give a score 'precision': rename one, or leave one out"),
        ((Darkest(wrong=True),), "the metric darkest should return the scores darkest; found lightest"),
    ):
        with pytest.raises(ValueError, match=sentence):
            evaluate(*pair, metrics, PLAIN)
