"""Scores of strings against their definitions."""

import pytest

from zerosum.probes import StringScores, string_scores

REAL = ["a cat", "a dog", "a dog"]


def test_scores_of_strings():
    found = string_scores(["a cat", "a cow", "a cow", "b"], REAL, lambda text: text[0] == "a", ["a cat", "a hen"], n=1)
    # n-grams of one, with both marks: real 21 of 3 strings, generated 24 of 4.
    real = {"\x02": 3, "\x03": 3, "a": 4, " ": 3, "c": 1, "t": 1, "d": 2, "o": 2, "g": 2}
    made = {"\x02": 4, "\x03": 4, "a": 4, " ": 3, "c": 3, "t": 1, "o": 2, "w": 2, "b": 1}
    assert sum(real.values()) == 21 and sum(made.values()) == 24
    distance = sum(abs(real.get(key, 0) / 21 - made.get(key, 0) / 24) for key in {*real, *made}) / 2
    assert found == StringScores(0.75, 0.5, 0.75, 0.75, 4 / 7, pytest.approx(distance))


def test_the_same_strings_are_perfect_and_others_share_nothing():
    assert string_scores(REAL, REAL, n=3) == StringScores(None, None, 0.0, 2 / 3, 1.0, 0.0)
    other = string_scores(["zzz"], REAL, str.isdigit, REAL)
    assert other == StringScores(0.0, 0.0, 1.0, 1.0, 0.0, pytest.approx(1))
    assert string_scores(["ab", "ba"], ["ab", "ba"], n=2).ngrams < string_scores(["aa", "bb"], ["ab", "ba"], n=2).ngrams
    assert string_scores([""], ["a"]).ngrams == pytest.approx(1) and string_scores([""], [""]).words == 0.0


def test_refusals():
    for arguments in (([], REAL), (REAL, [])):
        with pytest.raises(ValueError, match="string_scores needs generated and real strings, and n >= 1"):
            string_scores(*arguments)
    with pytest.raises(ValueError, match="found 3, 3 and n=0"):
        string_scores(REAL, REAL, n=0)
