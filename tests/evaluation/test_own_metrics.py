"""User-defined functions and classes as metrics, and the descriptions of metrics."""

import re
from dataclasses import dataclass
from types import MappingProxyType

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.evaluation.compare import compare
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.measure import FunctionMeasure, Needs, Score, ScoreInfo, measure_kinds
from zerosum.evaluation.measures.prdc import PRDC
from zerosum.evaluation.sets import open_set
from zerosum.features.extractor import Function
from zerosum.metrics.jackknife import jackknife, leave_one_out
from zerosum.metrics.neighbours import precision_recall


def corners(images):
    """Three features of an image."""
    return images.float().flatten(1)[:, [0, 20, -1]] / 255


PLAIN = EvaluationConfig(Function(corners, "corners"), cache=False)


def of(dataset):
    """The features of a whole data set in the order of `SampleSet.take`."""
    return corners(torch.cat([*open_set(dataset).take(len(dataset), 0).chunks()]))


@pytest.fixture
def pair(make):
    sets = [make.noise_images(90), make.noise_images(84, seed=1)]
    return [in_memory("images", torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()) for x in sets]


def test_metrics_have_unique_names_and_a_better_direction():
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
        "linear-probe",
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


def test_a_function_is_a_metric_with_a_standard_error(pair):
    found = evaluate(*pair, ("kid", mean_gap, FunctionMeasure(lambda r, f: len(f), "count", "higher")), PLAIN)
    real, fake = map(of, pair)
    assert found.values["mean_gap"] == pytest.approx(mean_gap(real, fake), rel=1e-9)
    assert found.errors["mean_gap"] == pytest.approx(jackknife([mean_gap(real, some) for some in leave_one_out(fake)]))
    assert found.values["count"] == 84 and found.better == {"kid": "lower", "mean_gap": "", "count": "higher"}
    assert "test_own_metrics:mean_gap, source " in found.protocol["metric.mean_gap"]
    other = FunctionMeasure(lambda r, f: len(r), "count", "higher")
    assert evaluate(*pair, (other,), PLAIN).protocol["metric.count"] != found.protocol["metric.count"]


def test_what_a_function_was_made_with_is_part_of_the_protocol(pair):
    """The source of these two is the same."""

    def scaled(factor):
        return FunctionMeasure(lambda real, fake: factor * mean_gap(real, fake), "gap", "lower")

    first, again, other = (evaluate(*pair, (scaled(factor),), PLAIN) for factor in (2, 2, 3))
    assert compare({"first": first, "again": again}).scores["gap"] == (first.values["gap"],) * 2
    with pytest.raises(ValueError, match=r"not comparable: protocols differ in metric\.gap"):
        compare({"first": first, "other": other})
    refusing = FunctionMeasure(lambda real, fake: float(real[70, 0]), "picky")
    assert ", answer none; " in evaluate(*pair, (refusing,), PLAIN).protocol["metric.picky"]


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

    def __call__(self, inputs):
        return {"lightest" if self.wrong else "darkest": Score(self.scale * float(inputs.fake.images.min()))}


def test_user_defined_metrics_and_metrics_with_options_are_accepted(pair):
    found = evaluate(*pair, (Darkest(2.0), PRDC(k=1)), PLAIN)
    (sample,) = open_set(pair[1]).take(84, 0).chunks()
    assert found.values["darkest"] == 2 * int(sample.min()) and found.better["darkest"] == "higher"
    assert re.fullmatch("times 2.0; source [0-9a-f]{16}", found.protocol["metric.darkest"])
    assert found.protocol["metric.prdc"].startswith("k = 1 for")
    real, fake = map(of, pair)
    assert found.values["recall"] == precision_recall(real, fake, 1).recall


def test_invalid_metrics_raise_one_sentence(pair):
    for metrics, sentence in (
        ((Darkest,), r"Darkest is a class: pass an instance, Darkest\(\)"),
        ((3,), "a metric should be a name, a Measure or a function of real and generated features; found 3"),
        ((lambda real, fake: 0.0,), r"a metric needs a name: give FunctionMeasure\(.*lambda>, name="),
        (("prdc", PRDC(k=1)), "two metrics return a score named 'precision': rename or remove one"),
        ((Darkest(wrong=True),), "the metric darkest should return the scores darkest; found lightest"),
    ):
        with pytest.raises(ValueError, match=sentence):
            evaluate(*pair, metrics, PLAIN)
