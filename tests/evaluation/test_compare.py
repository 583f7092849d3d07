"""Comparisons of results, and which are refused."""

import json
from dataclasses import replace

import pytest

from zerosum.evaluation.compare import compare, differ
from zerosum.evaluation.scores import Scores, format_score, read_scores, write_scores

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


def test_the_best_value_is_marked_and_those_within_two_standard_errors_of_it():
    near, far = scores({"fid": 11.0}, {"fid": 0.5}), scores({"fid": 11.5}, {"fid": 0.5})
    found = compare({"a": ONE, "b": near, "c": far})
    assert found.best["fid"] == ("a", "b"), "1.0 is within two errors of the difference, 1.41; 1.5 is not"
    assert found.scores["fid"] == (10.0, 11.0, 11.5) and found.errors["fid"] == (0.5, 0.5, 0.5)
    assert found.scores["kid"] == (0.010, None, None) and found.best["kid"] == ()


def test_the_better_direction_is_respected():
    error = {"precision": 0.01, "memorisation": 1.0}
    one, two = (
        scores({"precision": 0.5, "memorisation": 1}, error),
        scores({"precision": 0.6, "memorisation": 2}, error),
    )
    found = compare({"a": one, "b": two})
    assert found.best == {"precision": ("b",), "memorisation": ()}


def test_results_that_disagree_on_the_direction_of_a_score_are_refused():
    other = replace(ONE, better={"fid": "higher"})
    with pytest.raises(
        ValueError, match="results are not comparable: the better direction of fid is lower in a and higher in b"
    ):
        compare({"a": ONE, "b": other})


def test_scores_differ_beyond_two_standard_errors_of_their_difference():
    assert differ(0.0, 3.0, 10.01, 4.0) and not differ(0.0, 3.0, 9.99, 4.0)


def test_scores_of_unknown_error_are_not_called_different():
    assert not differ(0.0, None, 9.0, None) and not differ(0.0, 0.1, 9.0, None) and differ(0.0, 0.1, 9.0, 0.0)
    one, two = scores({"fid": 10.0, "kid": 1.0}, {"kid": 0.1}), scores({"fid": 20.0, "kid": 2.0}, {"kid": 0.1})
    found = compare({"a": one, "b": two})
    assert found.best == {"fid": ("a", "b"), "kid": ("a",)}
    assert found.notes == ("the standard error of fid is unknown, so none of its values counts as worse",)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"real__content": "cc"}, "real.content: aa in a.json and cc in b.json"),
        ({"real__n": 99}, "real.n: 100 in a.json and 99 in b.json"),
        ({"fake__n": 99}, "fake.n: 100 in a.json and 99 in b.json"),
        ({"shape": "9x9x1"}, "shape: 8x8x1 in a.json and 9x9x1 in b.json"),
        ({"features__name": "other"}, "features.name: pixels in a.json and other in b.json"),
        ({"features__resize": "bilinear"}, "features.resize: none in a.json and bilinear in b.json"),
        ({"features__dtype": "bfloat16"}, "features.dtype: None in a.json and bfloat16 in b.json"),
        ({"metric__fid": "another way"}, "metric.fid: one way in a.json and another way in b.json"),
    ],
)
def test_different_protocols_are_refused(changes, sentence):
    with pytest.raises(ValueError, match="results are not comparable: protocols differ in ") as error:
        compare({"a.json": ONE, "b.json": scores({"fid": 9.0}, **changes)})
    assert sentence in str(error.value) and ";" not in str(error.value)


def test_all_differences_are_reported():
    with pytest.raises(ValueError, match=r"real\.n: .*; fake\.n: .*; features\.name: "):
        compare({"a": ONE, "b": scores({"fid": 9.0}, real__n=1, fake__n=2, features__name="x")})


def test_generated_sets_and_seeds_may_differ_and_versions_are_noted():
    other = scores(
        {"fid": 9.0},
        {"fid": 0.5},
        fake="other",
        fake__content="dd",
        fake__trained_images=9,
        seed=5,
        real="elsewhere",
        torch="2.14",
    )
    other = replace(other, protocol={k: v for k, v in other.protocol.items() if k != "metric.kid"})
    found = compare({"a": ONE, "b": other})
    assert found.notes == ("protocols differ in torch: 2.13 in a and 2.14 in b",)


def test_a_comparison_needs_two_results_with_a_common_score():
    with pytest.raises(ValueError, match="a comparison needs at least two results; found 1"):
        compare({"a": ONE})
    with pytest.raises(ValueError, match="a and b have no score in common"):
        compare({"a": ONE, "b": scores({"swd": 1.0})})


def test_a_score_file_round_trips(tmp_path):
    write_scores(tmp_path / "deep" / "a.json", ONE)
    assert read_scores(tmp_path / "deep" / "a.json") == ONE


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("nothing", "is not a score file: "),
        ("[1]", "is not a score file: expected the format 'zerosum scores 1'"),
        (json.dumps({"modes": 8}), "is not a score file"),
        (
            json.dumps({"format": "zerosum scores 1", "scores": [1]}),
            "is a damaged score file: it should contain the tables",
        ),
        (
            json.dumps({**ONE.as_dict(), "scores": {"fid": "low"}}),
            "is a damaged score file: it should contain the tables",
        ),
        (json.dumps({**ONE.as_dict(), "protocol": {}}), r"damaged score file: its protocol lacks real\.n"),
    ],
)
def test_another_file_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read_scores(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"none\.json cannot be read: No such file or directory$"):
        read_scores(tmp_path / "none.json")


def test_a_score_is_formatted_by_its_standard_error():
    assert format_score(12.3456, 0.432) == "12.35 ± 0.43" and format_score(12.3456) == "12.35"
    assert format_score(1234.5, 43.2) == "1234 ± 43" and format_score(0.00123456, 0.000012) == "0.001235 ± 0.000012"
    assert format_score(1.0, 0.0) == "1" and format_score(2.0, float("inf")) == "2"
