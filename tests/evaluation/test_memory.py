"""Memory use of an evaluation, and the disk cache of the reference set."""

import weakref

import pytest
import torch

from zerosum.data.sources.arrays import ArraySource
from zerosum.evaluation.compare import compare
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.features.extractor import Features, Function


def small(images):
    """Four features of an image."""
    x = images.double().flatten(1) / 255
    return x[:, [0, 7, 20, 33]].float()


@pytest.fixture
def pair(make):
    return ArraySource(make.noise_images(90)), ArraySource(make.noise_images(84, seed=1))


class Direct:
    """An extractor that returns the very tensors of a function."""

    def __init__(self, call, name="direct"):
        self.call, self.facts = call, {"name": name}

    def __call__(self, images):
        return self.call(images)


PROBES = 8  # images by whose features an extractor is identified, in every evaluation


class Counting(Direct):
    """An extractor that counts its images."""

    def __init__(self):
        super().__init__(self.extract, "counting")
        self.count = 0

    def extract(self, images):
        self.count += len(images)
        return Features(small(images))


def test_fid_alone_keeps_no_features(pair):
    """Features are released early: memory does not grow with the number of images."""
    alive, most = set(), []

    def extract(images):
        features = small(images)
        mark = object()
        alive.add(id(mark))
        weakref.finalize(features, alive.discard, id(mark))
        kept.append(mark)
        most.append(len(alive))
        return Features(features)

    kept = []
    evaluate(*pair, ("fid",), EvaluationConfig(Direct(extract), batch=4, cache=False))
    assert len(most) > 40 and max(most) <= 3
    most.clear()
    evaluate(*pair, ("kid",), EvaluationConfig(Direct(extract), batch=4, cache=False))
    assert max(most) <= 3, "features that are needed lie in one tensor, not in a list of chunks"


@pytest.mark.parametrize("metrics", [("fid",), ("fid", "kid"), ("prdc",)])
def test_features_of_the_reference_set_are_cached_by_content(pair, cache, metrics):
    extractor = Counting()
    first = evaluate(*pair, metrics, EvaluationConfig(extractor))
    assert extractor.count == PROBES + 90 + 84 and list(cache.iterdir())
    again = evaluate(*pair, metrics, EvaluationConfig(extractor))
    assert extractor.count == 2 * PROBES + 90 + 84 + 84
    assert again == first
    evaluate(pair[0], pair[1], metrics, EvaluationConfig(extractor, n=80))
    assert extractor.count == 3 * PROBES + 90 + 84 + 84 + 160, "another selection is another cache entry"
    other = Counting()
    other.facts = {"name": "counting", "weights": "others"}
    evaluate(*pair, metrics, EvaluationConfig(other))
    assert other.count == PROBES + 174, "another extractor has its own cache entries"
    evaluate(*pair, metrics, EvaluationConfig(extractor, cache=False))
    assert extractor.count == 4 * PROBES + 90 + 84 + 84 + 160 + 174


def test_a_changed_image_invalidates_the_cache(make, tmp_path):
    folder, extractor = make.as_folder(tmp_path / "real", make.noise_images(20)), Counting()
    fake = ArraySource(make.noise_images(20, seed=1))
    before = evaluate(folder, fake, ("fid",), EvaluationConfig(extractor))
    make.as_folder(folder, make.noise_images(1, seed=9))
    after = evaluate(folder, fake, ("fid",), EvaluationConfig(extractor))
    assert extractor.count == 2 * PROBES + 80 and before.values["fid"] != after.values["fid"]


def test_a_damaged_cache_is_rebuilt_and_an_unwritable_one_is_reported(pair, cache, monkeypatch):
    extractor, said = Counting(), []
    first = evaluate(*pair, ("fid", "kid"), EvaluationConfig(extractor))
    for file in cache.iterdir():
        file.write_bytes(file.read_bytes()[:-5])
    assert evaluate(*pair, ("fid", "kid"), EvaluationConfig(extractor)) == first and extractor.count == 2 * (
        PROBES + 174
    )
    assert (
        evaluate(*pair, ("fid", "kid"), EvaluationConfig(extractor)) == first
        and extractor.count == 3 * (PROBES + 174) - 90
    )
    (cache.parent / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent / "file"))
    found = Evaluator(pair[0], ("fid",), EvaluationConfig(extractor), say=said.append).score(pair[1])
    assert found.values["fid"] == pytest.approx(first.values["fid"], rel=1e-9)
    assert any("cannot be cached" in sentence for sentence in said)


def test_the_cache_deletes_old_files(pair, make, cache, monkeypatch):
    evaluate(*pair, ("fid", "kid"), EvaluationConfig(Function(small, "small"), cache=False))
    assert not cache.exists(), "nothing is written without the cache"
    evaluate(*pair, ("fid", "kid"), EvaluationConfig(Function(small, "small")))
    taken = sum(file.stat().st_size for file in cache.iterdir())
    monkeypatch.setattr("zerosum.evaluation.cache.MAX_BYTES", int(taken * 1.5))
    before = {*cache.iterdir()}
    evaluate(
        ArraySource(make.noise_images(90, seed=5)), pair[1], ("fid", "kid"), EvaluationConfig(Function(small, "small"))
    )
    assert sum(file.stat().st_size for file in cache.iterdir()) <= taken * 1.5
    assert {*cache.iterdir()} - before


def scores(pair, features, **settings):
    return evaluate(*pair, ("fid", "kid"), EvaluationConfig(features, **settings))


class Weighted:
    """An extractor of a user: its facts do not show which weights it read."""

    facts = {"name": "mine", "weights": "mine"}  # noqa: RUF012

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, images):
        return Features(read_by(self.weights)(images))


def read_by(file):
    """A function that reads its weights from a file at every call."""
    return lambda images: (images.double().flatten(1) / 255 @ torch.load(file, weights_only=True)).float()


@pytest.mark.parametrize("kind", [lambda file: Function(read_by(file), "mine"), read_by, Weighted])
def test_a_changed_extractor_gets_fresh_features_and_its_scores_are_not_compared(pair, tmp_path, kind):
    draw, file = torch.Generator().manual_seed(0), tmp_path / "weights.pt"
    torch.save(torch.randn(432, 5, generator=draw, dtype=torch.float64), file)
    first = scores(pair, kind(file))
    assert scores(pair, kind(file), cache=False) == first and compare({"a": first, "b": scores(pair, kind(file))})
    torch.save(30 * torch.randn(432, 5, generator=draw, dtype=torch.float64), file)
    second, fresh = scores(pair, kind(file)), scores(pair, kind(file), cache=False)
    assert second == fresh and second.values["fid"] > 100 * first.values["fid"]
    with pytest.raises(ValueError, match=r"results are not comparable: protocols differ in features\.answers: "):
        compare({"first": first, "second": second})


def test_an_extractor_that_refuses_noise_is_identified_by_what_it_returns_for_the_reference_set(pair, cache):
    scale = [1.0]

    def of_photographs(images):
        if images.float().std((1, 2, 3)).max() > 65:
            raise ValueError("no face was found")
        return scale[0] * small(images)

    first = scores(pair, Function(of_photographs, "faces"))
    assert first.protocol["features.answers"] != "none" and len([*cache.iterdir()]) == 2
    scale[0] = 3.0
    second = scores(pair, Function(of_photographs, "faces"))
    assert second.values["fid"] == pytest.approx(9 * first.values["fid"], rel=1e-5)
    with pytest.raises(ValueError, match=r"results are not comparable: protocols differ in features\.answers: "):
        compare({"first": first, "second": second})


def test_another_version_of_zerosum_computes_features_again(pair, monkeypatch):
    extractor = Counting()
    scores(pair, extractor)
    monkeypatch.setattr("zerosum.evaluation.cache.__version__", "0.0.0")
    scores(pair, extractor)
    assert extractor.count == 2 * (PROBES + 174)
