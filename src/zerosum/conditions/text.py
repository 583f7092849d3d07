"""A caption as the condition: words of a vocabulary, in their order."""

__all__ = ["Text"]

import difflib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum._text import printable
from zerosum.conditions.arrays import array_file, is_array_file
from zerosum.conditions.condition import Condition, ConditionRow, Overview, first_of, shortened
from zerosum.conditions.labels import UNKNOWN_LABEL

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_LONGEST, _MOST_WORDS, _MOST_LETTERS = 64, 1 << 14, 64  # words of a caption and a vocabulary, letters of a word
_WIDTH, _HIDDEN = 32, 128  # dimensions of a word's vector and of the hidden layer
_TANH = 0.394  # variance of tanh of a standard normal variable


class TextEmbedding(nn.Module):
    """Embed captions `(B, length)`, indices of words with 0 for padding, by the network of Bengio et al. 2003.

    "A Neural Probabilistic Language Model", JMLR 3, equation 1: b + W x + U tanh(d + H x), where x are the vectors of
    the caption's words, one after the other. So the place of a word matters, and W x is a sum over words: what one of
    them does is the same beside words that it was never seen with. x is divided by the square root of the number of
    words. The vector of 0 stands for an unknown caption, which is all padding.

    Args:
        words: size of the vocabulary.
        length: words of a caption, at most.
        size: dimensions of the embedding.
        scale: initial standard deviation of the embedding.
        mean: initial mean of the embedding.
    """

    def __init__(self, words: int, length: int, size: int, scale: float, mean: float) -> None:
        super().__init__()
        self.length = length
        self.words = nn.Embedding(words + 1, _WIDTH)
        self.direct, self.hidden = nn.Linear(_WIDTH * length, size), nn.Linear(_WIDTH * length, _HIDDEN)
        self.linear = nn.Linear(_HIDDEN, size, bias=False)
        nn.init.normal_(self.direct.weight, std=scale * math.sqrt(0.5 / _WIDTH))
        nn.init.constant_(self.direct.bias, mean)
        nn.init.normal_(self.hidden.weight, std=_WIDTH**-0.5)
        nn.init.zeros_(self.hidden.bias)
        nn.init.normal_(self.linear.weight, std=scale * math.sqrt(0.5 / (_HIDDEN * _TANH)))

    def forward(self, c: Tensor) -> Tensor:
        """`(B, size)`."""
        if c.shape[1:] != (self.length,):
            raise ValueError(f"captions here are {self.length} indices of words; found shape {tuple(c.shape)}")
        words = self.words(c)
        known = (c > 0).to(words.dtype)
        known = torch.cat([torch.ones_like(known[:, :1]), known[:, 1:]], 1)
        x = (words * known[:, :, None]).flatten(1) / known.sum(1, keepdim=True).sqrt()
        rows: Tensor = self.direct(x) + self.linear(torch.tanh(self.hidden(x)))
        return rows


@dataclass(frozen=True)
class Text(Condition):
    """The condition is a caption: indices of its words in a vocabulary, from 1, int64 `(B, length)`, padded with 0.

    Words are compared in lower case; punctuation is ignored. With label dropout, an unknown caption is all padding.

    Args:
        words: the vocabulary.
        length: words of a caption, at most.
        nullable: whether a caption may be unknown.
        examples: captions of the data, if any not trained on, int64 `(n, length)`.
    """

    words: tuple[str, ...] = field(default=("a",), repr=False)
    length: int = 64
    nullable: bool = False
    examples: Tensor | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.words) <= _MOST_WORDS or len({*self.words}) != len(self.words):
            raise ValueError(f"a vocabulary has 1 to {_MOST_WORDS:,} words, each once; found {len(self.words):,}")
        odd = [word for word in self.words if words_of(word) != [word]]
        if odd:
            raise ValueError(f"a word of a vocabulary is one in lower case, without spaces; found {odd[0]!a:.80}")
        if not 1 <= self.length <= _LONGEST:
            raise ValueError(f"a caption has a length of 1 to {_LONGEST} words; found {self.length}")
        if self.examples is not None and not self._fits(self.examples):
            raise ValueError(f"examples of captions are int64 (n, {self.length}), from 0 to {len(self.words)}")

    @classmethod
    def of(cls, captions: Sequence[str]) -> "Text":
        """The kind of some captions: all of their words, and the length of the longest, up to the limits.

        Limits are 16,384 words, of which the most frequent are kept, and captions of 64 words.
        """
        lists = [words_of(caption) for caption in captions]
        counts = Counter(word for words in lists for word in words)
        kept = sorted(counts, key=lambda word: (-counts[word], word))[:_MOST_WORDS]
        return cls(tuple(sorted(kept)), min(_LONGEST, max(map(len, lists), default=1) or 1))

    @property
    def shape(self) -> tuple[int, ...]:
        """`(length,)`."""
        return (self.length,)

    @property
    def dtype(self) -> torch.dtype:
        """int64."""
        return torch.int64

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """A sum over words in their places, and a hidden layer: see `TextEmbedding`."""
        return TextEmbedding(len(self.words), self.length, size, scale, mean)

    def with_unknown(self) -> "Text":
        """Captions that may also be all padding."""
        return replace(self, nullable=True)

    def unknown(self, n: int) -> Tensor:
        """All padding, n times."""
        return torch.zeros(n, self.length, dtype=torch.int64)

    def tokens(self, captions: Sequence[str]) -> Tensor:
        """Captions as indices of their words, int64 `(n, length)`.

        With `nullable`, "none" is an unknown caption unless it is a word. Raises `ValueError` for words that are not in
        the vocabulary, with similar ones, and for captions without words or with too many.
        """
        index = {word: number for number, word in enumerate(self.words, 1)}
        rows = [self._row(caption, index) for caption in captions]
        return torch.tensor(rows, dtype=torch.int64).view(-1, self.length)

    def caption(self, tokens: Tensor) -> str:
        """The words of a row of tokens."""
        return " ".join(self.words[index - 1] for index in tokens.tolist() if index)

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """Captions as indices of words, int64 `(n, length)`, used cyclically.

        Args:
            n: number of samples.
            wanted: a caption, a list of captions, or indices `(k, length)`. By default the examples.

        Raises:
            ValueError: for captions that have no words or other words than the vocabulary, and without examples.
        """
        if wanted is not None:
            rows = self._read(wanted)
        elif self.examples is not None:
            rows = self.examples
        else:
            raise ValueError("this condition is a caption and has no examples: pass captions (conditions=)")
        return rows[torch.arange(n) % len(rows)]

    def parse(self, texts: Sequence[str], n: int) -> Any:
        """Captions, in turn, or a .npy file of indices."""
        return array_file(self, texts) if is_array_file(texts) else [*texts]

    def overview(self, rows: int, columns: int) -> Overview:
        """A row for each of some captions of the data."""
        shown = self.values(min(rows, 1 if self.examples is None else len(self.examples)))
        names = [self.caption(row) for row in shown]
        text = "Samples of captions of the data, held out of training where any are. Columns share a latent."
        text += "" if self.examples is None else first_of(len(names), len(self.examples), " examples")
        found = (
            ConditionRow(name, row.expand(columns, -1), (name,) * columns)
            for name, row in zip(names, shown, strict=True)
        )
        return Overview("Caption by caption", text, tuple(found))

    @property
    def facts(self) -> dict[str, Any]:
        """The vocabulary, the length of a caption, and whether one may be unknown."""
        return {"words": [*self.words], "length": self.length, "nullable": self.nullable}

    def state_dict(self) -> dict[str, Tensor]:
        """The examples."""
        return {} if self.examples is None else {"examples": self.examples}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "Text":
        """The condition with these facts and examples; raises `ValueError` if they are invalid."""
        words, length, nullable = (facts.get(name) for name in ("words", "length", "nullable"))
        listed = isinstance(words, list) and all(type(word) is str for word in words)
        if not listed or type(length) is not int or type(nullable) is not bool or {*state} - {"examples"}:
            raise ValueError(f"Text needs a list of words, an integer length and nullable; found {facts!a:.80}")
        assert isinstance(words, list)
        return cls(tuple(words), length, nullable, state.get("examples"))

    def _fits(self, rows: Tensor) -> bool:
        whole = rows.dtype == torch.int64 and rows.dim() == 2 and rows.shape[1] == self.length and len(rows) > 0
        return whole and int(rows.min()) >= 0 and int(rows.max()) <= len(self.words)

    def _read(self, wanted: Any) -> Tensor:
        if isinstance(wanted, str):
            return self.tokens([wanted])
        array = wanted.numpy(force=True) if isinstance(wanted, Tensor) else np.asarray(wanted)
        if array.ndim == 1 and len(array) and all(isinstance(one, str) for one in array.tolist()):
            return self.tokens(array.tolist())
        rows = torch.from_numpy(array.astype(np.int64)) if array.dtype.kind in "iu" else torch.zeros(0)
        rows = rows[None] if rows.dim() == 1 else rows
        if not self._fits(rows) or not (self.nullable or bool((rows > 0).any(1).all())):
            raise ValueError(
                f"conditions are captions, texts or indices (n, {self.length}) of words from 1 to {len(self.words)} "
                f"padded with 0; found {array.dtype} of shape {array.shape}"
            )
        return rows

    def _row(self, caption: str, index: Mapping[str, int]) -> list[int]:
        words = words_of(caption)
        if words == [UNKNOWN_LABEL] and self.nullable and UNKNOWN_LABEL not in self.words:
            return [0] * self.length
        if not 1 <= len(words) <= self.length:
            raise ValueError(f"a caption has 1 to {self.length} words; found {len(words)} in {caption!a:.80}")
        for word in words:
            if word not in index:
                alike = difflib.get_close_matches(word, self.words, n=3)
                hint = f"did you mean {' or '.join(alike)}?" if alike else f"there are {shortened(self.words)}"
                raise ValueError(f"no caption of the data has the word {printable(word)!r}: {hint}")
        return [index[word] for word in words] + [0] * (self.length - len(words))


def words_of(caption: str) -> list[str]:
    """The words of a caption, in lower case and without punctuation, each of at most 64 letters."""
    return [word[:_MOST_LETTERS] for word in _WORD.findall(unicodedata.normalize("NFC", caption.lower()))]
