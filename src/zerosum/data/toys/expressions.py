"""Strings of a small grammar, of which every property is known."""

__all__ = ["Expressions"]

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset
from zerosum.data.texts import text_dataset

_SUM, _PRODUCT, _BRACKET = 0.35, 0.3, 0.25  # probability of a further term, a further factor, and of brackets
_LONGEST = 64


@dataclass(frozen=True)
class Expressions:
    """Arithmetic expressions such as `x*(y+x)`, drawn from a grammar.

    An expression is terms joined by `+`, a term is factors joined by `*`, and a factor is `x`, `y`, or an expression in
    brackets. After each term another follows with probability .35, after each factor with .3; a factor is in brackets
    with probability .25, else x or y alike. Longer expressions are drawn again.

    Args:
        length: largest number of characters.
        count: number of expressions.
        seed: random seed.
    """

    length: int = 11
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, 1 <= self.length <= _LONGEST and self.count >= 1, f"1 <= length <= {_LONGEST} and count >= 1")
        require_room(self, self.count, self.length, 8)

    def open(self) -> Dataset:
        """Draw the expressions."""
        return text_dataset("expressions", self.texts(), self.length, made_by=self)

    def texts(self) -> list[str]:
        """The expressions as strings."""
        numbers = _uniform(torch.Generator().manual_seed(self.seed))
        found: list[str] = []
        while len(found) < self.count:
            drawn = _sum(numbers, self.length)
            if len(drawn) <= self.length:
                found.append(drawn)
        return found

    def valid(self, text: str) -> bool:
        """Whether a string is an expression of the grammar, of any length."""
        before = ""
        while before != text:
            before = text
            text = re.sub(r"\(x([+*]x)*\)", "x", text.replace("y", "x"))
        return re.fullmatch(r"x([+*]x)*", text) is not None

    def every(self, longest: int) -> list[str]:
        """All expressions of up to `longest` characters."""
        factors: list[set[str]] = [set()]
        terms: list[set[str]] = [set()]
        sums: list[set[str]] = [set()]
        for size in range(1, longest + 1):
            factors.append({"x", "y"} if size == 1 else {f"({inner})" for inner in sums[max(size - 2, 0)]})
            terms.append(factors[size] | _joined("*", factors, terms, size))
            sums.append(terms[size] | _joined("+", terms, sums, size))
        return sorted(set().union(*sums))


def _joined(sign: str, first: list[set[str]], rest: list[set[str]], size: int) -> set[str]:
    """All strings of a size that are one of the first, a sign, and one of the rest."""
    return {
        f"{one}{sign}{other}"
        for split in range(1, size - 1)
        for one in first[split]
        for other in rest[size - split - 1]
    }


def _uniform(random: torch.Generator) -> Iterator[float]:
    while True:
        yield from torch.rand(4_096, generator=random, dtype=torch.float64).tolist()


def _sum(numbers: Iterator[float], room: int) -> str:
    """An expression, abandoned once it is longer than the room."""
    text = _product(numbers, room)
    while next(numbers) < _SUM and len(text) <= room:
        text += "+" + _product(numbers, room - len(text))
    return text


def _product(numbers: Iterator[float], room: int) -> str:
    text = _factor(numbers, room)
    while next(numbers) < _PRODUCT and len(text) <= room:
        text += "*" + _factor(numbers, room - len(text))
    return text


def _factor(numbers: Iterator[float], room: int) -> str:
    if next(numbers) < _BRACKET:
        return f"({_sum(numbers, room - 2)})" if room > 0 else "()" + "x" * _LONGEST
    return "x" if next(numbers) < 0.5 else "y"
