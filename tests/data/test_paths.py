"""Paths as users write them: equal paths are equal sources, and a path that means nothing is a sentence."""

from pathlib import Path

import numpy as np
import pytest

import zerosum
from zerosum._cache import cache_folder
from zerosum._paths import differ_in_paths_alone, is_constructor, tidy, user_path
from zerosum.autoencoders.latents import Latents, load_autoencoder
from zerosum.data.resolve import source
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.folders import Images
from zerosum.data.sources.hub import Hub
from zerosum.data.sources.idx import Idx
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack
from zerosum.data.toys.gaussians import Ring
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.evaluation.scores import read_scores
from zerosum.features.classifier_features import ClassifierFeatures
from zerosum.runs.log import read_log


@pytest.fixture
def homeless(monkeypatch):
    """No home folder: neither in the environment nor in the list of users."""
    monkeypatch.setattr("os.path.expanduser", lambda path: path)


@pytest.mark.parametrize("spelling", ["imgs/a", "imgs/a/", "./imgs/a", "imgs//a", "imgs/./a/"])
def test_spellings_of_a_path_are_one_source(spelling):
    assert tidy(spelling) == "imgs/a"
    for kind in (Images, Arrays, PackedSet, Hub, Idx):
        assert kind(spelling) == kind(Path("imgs/a")) == kind("imgs/a")
    assert Idx("x", spelling) == Idx("x", "imgs/a")
    assert StackedDigits(spelling) == StackedDigits("imgs/a")
    assert Latents(Images(spelling), spelling) == Latents(Images("imgs/a"), "imgs/a")


def test_the_address_of_a_remote_set_stays_as_it_is():
    assert Hub("hf://datasets/a/b.parquet").path == "hf://datasets/a/b.parquet"


def test_sources_that_differ_in_paths_alone_may_be_one_data_set():
    one, other = Latents(Images("a", 64), "ae"), Latents(Images("b", 64), "elsewhere/ae")
    assert differ_in_paths_alone(one, other)
    assert not differ_in_paths_alone(one, Latents(Images("b", 32), "ae"))
    assert not differ_in_paths_alone(Images("a"), PackedSet("a"))
    assert not differ_in_paths_alone(StackedDigits(), StackedDigits("mnist.npz"))
    assert not differ_in_paths_alone(Ring(), Ring(modes=5))
    assert not differ_in_paths_alone(Images("a", conditions="x.csv"), Images("a", conditions="y.csv"))


ENTRIES = {
    "source": lambda path: source(path),
    "open": lambda path: Arrays(path).open(),
    "train": lambda path: zerosum.train("ring", path, images=1),
    "load": lambda path: zerosum.load(path),
    "Run": lambda path: zerosum.Run(path),
    "read_log": lambda path: read_log(path),
    "read_scores": lambda path: read_scores(path),
    "pack": lambda path: pack(Ring(count=4), path),
    "load_autoencoder": lambda path: load_autoencoder(path),
    "ClassifierFeatures": lambda path: ClassifierFeatures.load(path),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_home_that_does_not_exist_is_a_sentence(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^~no-such-user/x begins with a home folder that does not exist, ~no-such-"):
        ENTRIES[entry]("~no-such-user/x")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("entry", ["source", "open", "train", "load", "Run", "pack"])
def test_an_empty_path_is_not_the_current_folder(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^a path is empty: name a file or folder \(\. for the current folder\)$"):
        ENTRIES[entry]("")


def test_without_a_home_folder_there_are_sentences(homeless, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(ValueError, match="begins with a home folder that does not exist, ~: write it in full"):
        user_path("~/x")
    with pytest.raises(OSError, match="there is no home folder: set HOME, or XDG_CACHE_HOME for caches alone"):
        cache_folder("evaluation")


def test_features_are_not_cached_without_a_home_folder(homeless, monkeypatch):
    from zerosum.evaluation.config import EvaluationConfig
    from zerosum.evaluation.evaluate import Evaluator

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    images, said = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8), []
    evaluator = Evaluator(images, ("swd",), EvaluationConfig("pixels"), say=said.append)
    assert evaluator.score(images).values
    evaluator = Evaluator(images, ("kid",), EvaluationConfig("pixels"), say=said.append)
    assert evaluator.score(images).values
    assert any("cannot be cached: there is no home folder" in sentence for sentence in said)


def test_a_folder_with_brackets_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Ring(2)").mkdir()
    assert is_constructor("Ring(modes=5)") and is_constructor(" Latents(Images('a'), 'b') ")
    for path in ("Ring(2)", "~/Ring(2)", "photos (1)", "my/photos(1)", "new photos (copy)", "a(b"):
        assert not is_constructor(path)
    # "photos(1)" is both: where there is no such folder it is a constructor.
    assert is_constructor("photos(1)")
