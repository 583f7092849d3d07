"""What is kept of the two sides: in memory no more than is needed, on disk what was seen of the real one."""

import weakref

import pytest

from zerosum.data.sources.arrays import ArraySource
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.features.extractor import Features, Function


def small(images):
    """Four features of a picture."""
    x = images.double().flatten(1) / 255
    return x[:, [0, 7, 20, 33]].float()


@pytest.fixture
def pair(make):
    return ArraySource(make.pictures(90)), ArraySource(make.pictures(84, seed=1))


class Watched:
    """An extractor that hands on the very tensors that a function gives."""

    def __init__(self, call, name="watched"):
        self.call, self.facts = call, {"name": name}

    def __call__(self, images):
        return self.call(images)


class Counted(Watched):
    """An extractor that counts the pictures it is shown."""

    def __init__(self):
        super().__init__(self.look, "counted")
        self.seen = 0

    def look(self, images):
        self.seen += len(images)
        return Features(small(images))


def test_fid_alone_keeps_no_features(pair):
    """Whatever was seen is let go before much more is seen: memory does not grow with the number of pictures."""
    alive, most = set(), []

    def look(images):
        seen = small(images)
        mark = object()
        alive.add(id(mark))
        weakref.finalize(seen, alive.discard, id(mark))
        kept.append(mark)
        most.append(len(alive))
        return Features(seen)

    kept = []
    evaluate(*pair, ("fid",), EvaluationConfig(Watched(look), batch=4, cache=False))
    assert len(most) > 40 and max(most) <= 3
    most.clear()
    evaluate(*pair, ("kid",), EvaluationConfig(Watched(look), batch=4, cache=False))
    assert max(most) <= 3, "features that are needed lie in one tensor, not in a list of pieces"


@pytest.mark.parametrize("metrics", [("fid",), ("fid", "kid"), ("prdc",)])
def test_the_real_side_is_looked_at_once_and_then_known_by_its_content(pair, cache, metrics):
    eye = Counted()
    first = evaluate(*pair, metrics, EvaluationConfig(eye))
    assert eye.seen == 90 + 84 and list(cache.iterdir())
    again = evaluate(*pair, metrics, EvaluationConfig(eye))
    assert eye.seen == 90 + 84 + 84
    assert again == first
    evaluate(pair[0], pair[1], metrics, EvaluationConfig(eye, n=80))
    assert eye.seen == 90 + 84 + 84 + 160, "another selection is another side"
    other = Counted()
    other.facts = {"name": "counted", "weights": "others"}
    evaluate(*pair, metrics, EvaluationConfig(other))
    assert other.seen == 174, "another extractor sees for itself"
    evaluate(*pair, metrics, EvaluationConfig(eye, cache=False))
    assert eye.seen == 90 + 84 + 84 + 160 + 174


def test_a_changed_picture_is_seen_anew(make, tmp_path):
    folder, eye = make.as_folder(tmp_path / "real", make.pictures(20)), Counted()
    fake = ArraySource(make.pictures(20, seed=1))
    before = evaluate(folder, fake, ("fid",), EvaluationConfig(eye))
    make.as_folder(folder, make.pictures(1, seed=9))
    after = evaluate(folder, fake, ("fid",), EvaluationConfig(eye))
    assert eye.seen == 80 and before.values["fid"] != after.values["fid"]


def test_a_damaged_cache_is_made_anew_and_one_that_cannot_be_written_is_told(pair, cache, monkeypatch):
    eye, said = Counted(), []
    first = evaluate(*pair, ("fid", "kid"), EvaluationConfig(eye))
    for file in cache.iterdir():
        file.write_bytes(file.read_bytes()[:-5])
    assert evaluate(*pair, ("fid", "kid"), EvaluationConfig(eye)) == first and eye.seen == 2 * 174
    assert evaluate(*pair, ("fid", "kid"), EvaluationConfig(eye)) == first and eye.seen == 3 * 174 - 90
    (cache.parent / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent / "file"))
    found = Evaluator(pair[0], ("fid",), EvaluationConfig(eye), say=said.append).score(pair[1])
    assert found.values["fid"] == pytest.approx(first.values["fid"], rel=1e-9)
    assert any("cannot be kept for the next time" in sentence for sentence in said)


def test_the_cache_makes_room_for_what_is_newer(pair, make, cache, monkeypatch):
    evaluate(*pair, ("fid", "kid"), EvaluationConfig(Function(small, "small"), cache=False))
    assert not cache.exists(), "without the cache nothing is kept"
    evaluate(*pair, ("fid", "kid"), EvaluationConfig(Function(small, "small")))
    taken = sum(file.stat().st_size for file in cache.iterdir())
    monkeypatch.setattr("zerosum.evaluation.cache.MOST", int(taken * 1.5))
    before = {*cache.iterdir()}
    evaluate(
        ArraySource(make.pictures(90, seed=5)), pair[1], ("fid", "kid"), EvaluationConfig(Function(small, "small"))
    )
    assert sum(file.stat().st_size for file in cache.iterdir()) <= taken * 1.5
    assert {*cache.iterdir()} - before
