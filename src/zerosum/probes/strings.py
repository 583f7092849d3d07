"""Scores of generated strings."""

__all__ = ["StringScores", "string_scores"]

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class StringScores:
    """Scores of generated strings, each a share in [0, 1].

    Attributes:
        valid: share that satisfies a rule; None without one.
        covered: share of the strings to be covered that was generated; None without any.
        novel: share that is not among the real strings.
        distinct: number of different strings, as a share of all.
        words: share of the words, separated by spaces, that occur in the real strings.
        ngrams: total variation distance of the distributions of n-grams: 0 where equal, 1 where none is common.
    """

    valid: float | None
    covered: float | None
    novel: float
    distinct: float
    words: float
    ngrams: float


def string_scores(
    generated: Sequence[str],
    real: Sequence[str],
    valid: Callable[[str], bool] | None = None,
    every: Iterable[str] = (),
    n: int = 3,
) -> StringScores:
    """Score generated strings against real ones.

    Args:
        generated: generated strings.
        real: real strings, such as the training data.
        valid: whether a string is valid, where that is known.
        every: strings to be covered, such as all short ones.
        n: characters of an n-gram; the beginning and the end of a string count as characters.

    Raises:
        ValueError: for no strings, and n < 1.
    """
    if not generated or not real or n < 1:
        raise ValueError(
            f"string_scores needs generated and real strings, and n >= 1; found {len(generated)}, {len(real)} and n={n}"
        )
    known, unique, wanted = {*real}, {*generated}, {*every}
    vocabulary = {word for text in known for word in text.split()}
    words = [word for text in generated for word in text.split()]
    return StringScores(
        None if valid is None else sum(map(valid, generated)) / len(generated),
        len(wanted & unique) / len(wanted) if wanted else None,
        sum(text not in known for text in generated) / len(generated),
        len(unique) / len(generated),
        sum(word in vocabulary for word in words) / len(words) if words else 0.0,
        _distance(_ngrams(generated, n), _ngrams(real, n)),
    )


def _ngrams(texts: Sequence[str], n: int) -> Counter[str]:
    marked = (f"\x02{text}\x03" for text in texts)
    return Counter(text[at : at + n] for text in marked for at in range(max(1, len(text) - n + 1)))


def _distance(one: Counter[str], other: Counter[str]) -> float:
    """Half the sum of the absolute differences of two distributions."""
    first, second = one.total(), other.total()
    return sum(abs(one[key] / first - other[key] / second) for key in {*one, *other}) / 2
