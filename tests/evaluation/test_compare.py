"""Results side by side, and which are refused."""

import json
from dataclasses import replace

import pytest

from zerosum.evaluation.compare import compare, differ
from zerosum.evaluation.scores import Scores, read_scores, shown, write_scores

PROTOCOL = {
    "real": "data", "real.n": 100, "real.content": "aa", "fake": "run", "fake.n": 100, "fake.content": "bb",
    "fake.trained_images": 1000, "features.name": "pixels", "features.resize": "none", "metric.fid": "one way",
    "metric.kid": "one way", "shape": "8x8x1", "seed": 0, "device": "cpu", "torch": "2.13",
}  # fmt: skip
BETTER = {"fid": "lower", "kid": "lower", "precision": "higher", "memorisation": ""}
ONE = Scores({"fid": 10.0, "kid": 0.010}, {"fid": 0.5, "kid": 0.002}, PROTOCOL, better=BETTER)


def scores(values, errors=None, **protocol):
    protocol = {**PROTOCOL, **{key.replace("__", "."): v for key, v in protocol.items()}}
    return Scores(values, errors or {}, protocol, better=BETTER)


def test_the_best_is_marked_with_all_that_cannot_be_told_from_it():
    near, far = scores({"fid": 11.0}, {"fid": 0.5}), scores({"fid": 11.5}, {"fid": 0.5})
    found = compare({"a": ONE, "b": near, "c": far})
    assert found.best["fid"] == ("a", "b"), "1.0 is within two errors of the difference, 1.41; 1.5 is not"
    assert found.scores["fid"] == (10.0, 11.0, 11.5) and found.errors["fid"] == (0.5, 0.5, 0.5)
    assert found.scores["kid"] == (0.010, None, None) and found.best["kid"] == ()


def test_higher_is_better_where_it_is():
    one, two = scores({"precision": 0.5, "memorisation": 1.0}), scores({"precision": 0.6, "memorisation": 2.0})
    found = compare({"a": one, "b": two})
    assert found.best == {"precision": ("b",), "memorisation": ()}


def test_results_that_disagree_on_the_direction_of_a_score_are_refused():
    other = replace(ONE, better={"fid": "higher"})
    with pytest.raises(ValueError, match="results are not comparable: fid is better lower in a and higher in b"):
        compare({"a": ONE, "b": other})


def test_scores_differ_beyond_two_standard_errors_of_their_difference():
    assert differ(0.0, 3.0, 10.01, 4.0) and not differ(0.0, 3.0, 9.99, 4.0)
    assert differ(0.0, None, 0.1, None) and not differ(0.1, None, 0.1, None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"real__content": "cc"}, "real.content is aa in a.json and cc in b.json"),
        ({"real__n": 99}, "real.n is 100 in a.json and 99 in b.json"),
        ({"fake__n": 99}, "fake.n is 100 in a.json and 99 in b.json"),
        ({"shape": "9x9x1"}, "shape is 8x8x1 in a.json and 9x9x1 in b.json"),
        ({"features__name": "other"}, "features.name is pixels in a.json and other in b.json"),
        ({"features__resize": "bilinear"}, "features.resize is none in a.json and bilinear in b.json"),
        ({"features__dtype": "bfloat16"}, "features.dtype is None in a.json and bfloat16 in b.json"),
        ({"metric__fid": "another way"}, "metric.fid is one way in a.json and another way in b.json"),
    ],
)
def test_unlike_protocols_are_refused_with_what_differs(changes, sentence):
    with pytest.raises(ValueError, match="these scores were not made alike, so they are not compared: ") as told:
        compare({"a.json": ONE, "b.json": scores({"fid": 9.0}, **changes)})
    assert sentence in str(told.value) and ";" not in str(told.value)


def test_all_that_differs_is_told_at_once():
    with pytest.raises(ValueError, match=r"real\.n is .*; fake\.n is .*; features\.name is "):
        compare({"a": ONE, "b": scores({"fid": 9.0}, real__n=1, fake__n=2, features__name="x")})


def test_samples_seeds_and_scores_of_their_own_are_no_difference_and_versions_are_told():
    other = scores(
        {"fid": 9.0}, fake="other", fake__content="dd", fake__trained_images=9, seed=5, real="elsewhere", torch="2.14"
    )
    other = replace(other, protocol={k: v for k, v in other.protocol.items() if k != "metric.kid"})
    found = compare({"a": ONE, "b": other})
    assert found.notes == ("made otherwise: torch is 2.13 in a and 2.14 in b",)


def test_one_result_or_results_without_a_score_in_common_are_no_comparison():
    with pytest.raises(ValueError, match="two results or more can be compared; found 1"):
        compare({"a": ONE})
    with pytest.raises(ValueError, match="a and b have no score in common"):
        compare({"a": ONE, "b": scores({"swd": 1.0})})


def test_a_file_of_scores_reads_back(tmp_path):
    write_scores(tmp_path / "deep" / "a.json", ONE)
    assert read_scores(tmp_path / "deep" / "a.json") == ONE


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("nothing", "does not read as a file of scores"),
        ("[1]", "is no file of scores: it lacks 'zerosum scores 1'"),
        (json.dumps({"modes": 8}), "is no file of scores"),
        (
            json.dumps({"format": "zerosum scores 1", "scores": [1]}),
            "is a damaged file of scores: it should hold tables",
        ),
        (json.dumps({**ONE.as_dict(), "scores": {"fid": "low"}}), "is a damaged file of scores: it should hold tables"),
        (json.dumps({**ONE.as_dict(), "protocol": {}}), r"damaged file of scores: its protocol does not tell real\.n"),
    ],
)
def test_another_file_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read_scores(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"none\.json cannot be read: No such file or directory$"):
        read_scores(tmp_path / "none.json")


def test_a_score_shows_the_digits_that_its_error_allows():
    assert shown(12.3456, 0.432) == "12.35 ± 0.43" and shown(12.3456) == "12.35"
    assert shown(1234.5, 43.2) == "1234 ± 43" and shown(0.00123456, 0.000012) == "0.001235 ± 0.000012"
    assert shown(1.0, 0.0) == "1" and shown(2.0, float("inf")) == "2"
