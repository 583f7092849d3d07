"""Scores against the metric functions, and invariance to batch size and format."""

import numpy as np
import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.evaluation.measures.cas import CAS
from zerosum.evaluation.sets import open_set
from zerosum.evaluation.stored import load_moments, save_moments
from zerosum.features.extractor import Features, Function
from zerosum.features.pixels import Pixels
from zerosum.metrics.frechet import frechet_distance, frechet_infinity, intra_class_frechet
from zerosum.metrics.jackknife import jackknife, leave_one_out
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.logits import inception_score
from zerosum.metrics.neighbours import density_coverage, nearest_neighbours, precision_recall
from zerosum.metrics.wasserstein import sliced_wasserstein
from zerosum.runs.generator import load

EVERY = ("fid", "fid-infinity", "kid", "is", "prdc", "swd", "memorisation", "intra-fid")


def small(images):
    """Six features of an image, and logits of three classes."""
    x = images.double().flatten(1) / 255
    features = torch.stack([x.mean(1), x.std(1), x[:, 0], x[:, 7], x[:, 20], x[:, -1]], 1).float()
    return Features(features, 4 * features[:, :3])


SMALL = Function(small, "small")
PLAIN = EvaluationConfig(SMALL, cache=False)


def labelled(images, classes=("a", "b", "c")):
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return in_memory("images", x, torch.arange(len(images)) % len(classes), classes)


def of(dataset, seed=0):
    """The features of a whole data set in the order of `SampleSet.take`, and its labels."""
    sample = open_set(dataset).take(len(dataset), seed)
    return small(torch.cat([*sample.chunks()])), sample.labels


class Recorder:
    """A metric that records its inputs."""

    def __init__(self, measure, recorded):
        self.name, self.needs, self.gives, self.how = measure.name, measure.needs, measure.gives, measure.how
        self.measure, self.recorded = measure, recorded

    def __call__(self, inputs):
        self.recorded.append(inputs)
        return self.measure(inputs)


@pytest.fixture
def pair(make):
    return labelled(make.noise_images(90)), labelled(make.noise_images(84, seed=1))


def test_every_score_is_that_of_its_function_on_the_features(pair, make):
    held_out = labelled(make.noise_images(40, seed=2))
    found = evaluate(*pair, EVERY, PLAIN, held_out)
    (real, _), real_labels = of(pair[0])
    (fake, logits), fake_labels = of(pair[1])
    memory = nearest_neighbours(fake, real, of(held_out)[0].features)
    infinity, kernel = frechet_infinity(real, fake, seed=0), kernel_distance(real, fake)
    shares, balls = precision_recall(real, fake, 3), density_coverage(real, fake, 5)
    expected = {
        "fid": frechet_distance(real, fake),
        "fid-infinity": infinity.value,
        "kid": kernel.value,
        "is": inception_score(logits).value,
        "precision": shares.precision,
        "recall": shares.recall,
        "density": balls.density,
        "coverage": balls.coverage,
        "swd": sliced_wasserstein(real, fake, seed=0),
        "memorisation": memory.statistic,
        "memorisation-closer": memory.closer,
        "memorisation-p": memory.p_value,
        "intra-fid": intra_class_frechet(real, real_labels, fake, fake_labels).value,
    }
    assert dict(found.values) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    errors = {
        "fid": jackknife([frechet_distance(real, some) for some in leave_one_out(fake)]),
        "fid-infinity": infinity.standard_error,
        "kid": kernel.standard_error,
        "is": jackknife([inception_score(some).value for some in leave_one_out(logits)]),
        "precision": shares.precision_error,
        "recall": shares.recall_error,
        "density": balls.density_error,
        "coverage": balls.coverage_error,
        "swd": jackknife([sliced_wasserstein(real, some, seed=0) for some in leave_one_out(fake)]),
        "memorisation": 1.0,
        "intra-fid": jackknife(
            [
                intra_class_frechet(real, real_labels, x, c).value
                for x, c in zip(leave_one_out(fake), leave_one_out(fake_labels), strict=True)
            ]
        ),
    }
    assert dict(found.errors) == pytest.approx(errors, rel=1e-7, abs=1e-12)
    assert min(errors.values()) > 0


def test_the_standard_error_of_fid_is_its_standard_deviation_over_samples():
    """Over 60 generated sets of 200 samples against the same real ones; the estimate itself is off by about 15 %."""
    draw = torch.Generator().manual_seed(0)
    real = torch.randn(4_000, 3, generator=draw)
    sets = [torch.randn(200, 3, generator=draw) * torch.tensor([1.0, 1.4, 1.0]) + 0.3 for _ in range(60)]
    spread = torch.tensor([frechet_distance(real, x) for x in sets]).std()
    errors = torch.tensor([jackknife([frechet_distance(real, some) for some in leave_one_out(x)]) for x in sets])
    assert errors.square().mean().sqrt() == pytest.approx(float(spread), rel=0.25)


def test_fid_from_features_equals_fid_from_moments_with_fewer_samples_than_dimensions(pair):
    """`fid` alone is computed from moments; with `kid` it may be computed from features."""
    config = EvaluationConfig(Pixels(), cache=False)
    alone, together = evaluate(*pair, ("fid",), config), evaluate(*pair, ("fid", "kid"), config)
    assert alone.values["fid"] == pytest.approx(together.values["fid"], rel=1e-7)
    assert alone.errors["fid"] == pytest.approx(together.errors["fid"], rel=1e-4)


@pytest.mark.parametrize("batch", [1, 7, 200])
def test_the_batch_size_does_not_affect_scores(pair, batch):
    expected = evaluate(*pair, EVERY[:6], PLAIN)
    found = evaluate(*pair, EVERY[:6], EvaluationConfig(SMALL, batch=batch, cache=False))
    assert dict(found.values) == pytest.approx(dict(expected.values), rel=1e-10)
    assert dict(found.errors) == pytest.approx(dict(expected.errors), rel=1e-7)
    assert found.protocol == expected.protocol


def test_the_extractor_gets_batches_of_the_requested_size(pair):
    sizes = []
    recording = Function(lambda images: sizes.append(len(images)) or small(images), "recording")
    evaluate(*pair, ("fid",), EvaluationConfig(recording, batch=32, cache=False))
    assert sizes == [8, 32, 32, 26, 32, 32, 20]  # those that identify the extractor first


def test_saved_moments_replace_the_reference_set(pair, tmp_path):
    stored = Evaluator(pair[0], ("fid",), PLAIN).stored_moments()
    save_moments(tmp_path / "deep" / "real.safetensors", stored)
    again = load_moments(tmp_path / "deep" / "real.safetensors")
    assert (again.content, again.shape, again.features) == (stored.content, (12, 12, 3), stored.features)
    assert SMALL.facts.items() < again.features.items()
    direct = evaluate(*pair, ("fid", "is"), PLAIN)
    found = evaluate(tmp_path / "deep" / "real.safetensors", pair[1], ("fid", "is"), PLAIN)
    assert found.values == direct.values and found.errors == direct.errors
    differing = {key for key in found.protocol if found.protocol[key] != direct.protocol[key]}
    assert differing == {"real"}, "they can be compared"
    stored.moments.save(tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match="does not record the data of its moments: make it with `zerosum evaluate"):
        load_moments(tmp_path / "bare.safetensors")


def test_the_protocol_describes_the_evaluation(pair, run):
    found = evaluate(*pair, ("fid", "kid"), EvaluationConfig(SMALL, n=50, seed=4, cache=False)).protocol
    assert {key: found[key] for key in ("real.n", "fake.n", "seed", "shape", "features.name")} == {
        "real.n": 50, "fake.n": 50, "seed": 4, "shape": "12x12x3", "features.name": "small",
    }  # fmt: skip
    assert {f"features.{key}" for key in SMALL.facts} <= found.keys()
    assert {"metric.fid", "metric.kid", "zerosum", "torch", "numpy", "device"} <= found.keys()
    assert len(found["real.content"]) == len(found["fake.content"]) == 64
    of_run = evaluate("Digits()", run, ("fid",), EvaluationConfig(SMALL, n=20, cache=False)).protocol
    assert of_run["fake.trained_images"] == 64 and of_run["fake.recipe"] == "small" and of_run["fake"] == str(run)


def test_a_generator_is_sampled_as_often_as_the_reference_set_is_large(pair, run):
    digits = in_memory("digits", torch.zeros(30, 1, 28, 28, dtype=torch.uint8))
    assert evaluate(digits, run, ("fid",), PLAIN).protocol["fake.n"] == 30
    assert evaluate(digits, run, ("fid",), EvaluationConfig(SMALL, n=40, cache=False)).protocol["fake.n"] == 40
    said = []
    Evaluator(digits, ("fid",), EvaluationConfig(SMALL, n=40, cache=False), say=said.append).score(run)
    assert said == ["digits has only 30 of the 40 requested samples: all are used"]


def test_a_conditional_generator_is_sampled_with_the_class_frequencies_of_the_reference_set(run):
    digits = Digits().open()
    skewed = torch.cat(
        [torch.arange(0, 60), torch.arange(500, 520), *(torch.arange(c * 500, c * 500 + 10) for c in range(2, 10))]
    )
    few = in_memory("skewed", digits.read(skewed), digits.labels[skewed], digits.classes)
    recorded = []
    evaluator = Evaluator(few, ("fid", "intra-fid"), PLAIN)
    intra = evaluator.measures[1]
    evaluator.measures = (evaluator.measures[0], Recorder(intra, recorded))
    scores = evaluator.score(run)
    labels = recorded[0].fake.labels
    assert labels.bincount().tolist() == [60, 20, *[10] * 8] and labels[:60].sum() > 0, "shuffled"
    expected = load(run).sample(160, labels=labels)
    assert torch.allclose(recorded[0].fake.features, small(torch.from_numpy(expected)).features, atol=1e-6)
    assert scores.protocol["fake.classes"] == "as in real"
    assert (
        evaluate("Digits()", run, ("fid",), EvaluationConfig(SMALL, n=40, cache=False)).protocol["fake.classes"]
        == "uniform"
    )


def test_identical_sets_are_reported(pair):
    said = []
    Evaluator(pair[0], ("kid",), PLAIN, say=said.append).score(pair[0])
    assert said == ["images and images are the same samples: unbiased scores can be below 0"]


def test_classes_are_matched_by_name(pair, make):
    turned = labelled(make.noise_images(84, seed=1), ("c", "b", "a"))
    names = np.array(["c", "b", "a"])[turned.labels]
    same = ArraySource(make.noise_images(84, seed=1), names)
    direct = evaluate(pair[0], turned, ("intra-fid",), PLAIN)
    assert evaluate(pair[0], same, ("intra-fid",), PLAIN).values == direct.values
    assert evaluate(*pair, ("intra-fid",), PLAIN).values != direct.values
    with pytest.raises(ValueError, match="has a class 'd' that images lacks: use equal classes"):
        evaluate(pair[0], labelled(make.noise_images(9), ("a", "d")), ("intra-fid",), PLAIN)


def test_cas_is_the_accuracy_of_a_classifier_trained_on_the_samples():
    dark = torch.arange(60) % 2
    x = (dark[:, None, None, None] * 150 + torch.randint(0, 60, (60, 1, 8, 8))).byte()
    right, wrong = (in_memory("made", x, labels, ("bright", "dark")) for labels in (dark, 1 - dark))
    real = in_memory("real", x, dark, ("bright", "dark"))
    assert evaluate(real, right, (CAS(seen=600),), PLAIN).values["cas"] == 1
    assert evaluate(real, wrong, (CAS(seen=600),), PLAIN).values["cas"] == 0


def test_points_need_no_extractor():
    found = evaluate("Ring(count=400)", "Ring(count=300, seed=1)", ("fid", "kid"))
    assert found.protocol["features.name"] == "given" and found.values["fid"] < 0.1
    with pytest.raises(ValueError, match="contains features, not images: leave out --features"):
        evaluate("Ring(count=400)", "Ring(count=300, seed=1)", ("fid",), PLAIN)
