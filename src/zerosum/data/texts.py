"""Texts as samples: one-hot sequences for the networks, shown as images of their characters."""

__all__ = ()

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset

_CELL = (6, 11)  # width and height of a character of Pillow's bitmap font
_PAPER = 230  # grey, which separates the texts of a grid


@dataclass(frozen=True, eq=False)
class TextCoding:
    """Represents texts of up to L characters as one-hot sequences `(V, 1, L)`, and shows these as images.

    Symbol 0 is the end of a text, and symbol k the k-th character of the alphabet; what follows an end is ignored.

    Attributes:
        alphabet: the V - 1 characters.
        glyphs: image of each symbol, uint8 `(V, H, W)`.
    """

    alphabet: str
    glyphs: Tensor

    def codes(self, texts: Sequence[str], length: int) -> Tensor:
        """The symbols of texts, int64 `(N, length)`, filled up with ends."""
        symbol = {character: code for code, character in enumerate(self.alphabet, 1)}
        rows = [[symbol[character] for character in text] for text in texts]
        return torch.tensor([row + [0] * (length - len(row)) for row in rows])

    def encode(self, codes: Tensor) -> Tensor:
        """Symbols `(N, L)` as one-hot sequences, float32 `(N, V, 1, L)`."""
        return one_hot(codes, len(self.alphabet) + 1).movedim(2, 1)[:, :, None].float()

    def texts(self, samples: Tensor) -> list[str]:
        """The texts of sequences `(N, V, 1, L)`: at each place the largest symbol, up to the first end."""
        symbols = "\0" + self.alphabet
        return ["".join(symbols[code] for code in row).split("\0")[0] for row in _ended(samples).tolist()]

    def decode(self, samples: Tensor) -> Tensor:
        """The texts of sequences `(N, V, 1, L)` as images, dark on light: float32 `(N, 1, H, L W)` in [-1, 1]."""
        return self.images(_ended(samples)).float() / 127.5 - 1

    def images(self, codes: Tensor) -> Tensor:
        """Symbols `(N, L)` as images, uint8 `(N, 1, H, L W)`."""
        return self.glyphs[codes].transpose(1, 2).flatten(2)[:, None]

    @property
    def facts(self) -> dict[str, Any]:
        """The alphabet."""
        return {"text": self.alphabet}

    def state_dict(self) -> dict[str, Tensor]:
        """The images of the symbols."""
        return {"glyphs": self.glyphs}

    @staticmethod
    def restored(facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "TextCoding":
        """The coding with these facts and tensors; raises `ValueError` if they are invalid."""
        glyphs, symbols = state.get("glyphs"), len(facts["text"]) + 1
        if _strange(facts["text"]) is not None:
            raise ValueError("a coding of texts has an alphabet of printable characters of Latin-1")
        if glyphs is None or glyphs.dtype != torch.uint8 or glyphs.dim() != 3 or len(glyphs) != symbols:
            raise ValueError(f"a coding of texts has glyphs, uint8 images of its {symbols} symbols")
        return TextCoding(facts["text"], glyphs)


def _ended(samples: Tensor) -> Tensor:
    """The symbols `(N, L)` of sequences `(N, V, 1, L)` on the CPU, with nothing but ends after the first."""
    codes = samples.cpu().argmax(1).flatten(1)
    return codes * (codes != 0).cumprod(1)


def text_dataset(
    name: str, texts: Sequence[str], length: int, notes: tuple[str, ...] = (), made_by: object | None = None
) -> Dataset:
    """A data set of texts of up to `length` characters; a source whose repr determines them may be `made_by`.

    Raises `ValueError` for characters outside of Latin-1, and for texts that are too long.
    """
    alphabet = "".join(sorted({*"".join(texts)}))
    strange = _strange(alphabet)
    if strange is not None:
        raise ValueError(f"{name} has the character {strange!a}: texts are of printable characters of Latin-1")
    coding = TextCoding(alphabet, _drawn(alphabet))
    codes = coding.codes(texts, length)
    content = partial(content_of, codes) if made_by is None else partial(repr, made_by)
    width, height = _CELL
    shape = (1, height, length * width)
    shown = Dataset(name, shape, len(codes), lambda index: coding.images(codes[index]), notes=notes, content=content)

    def read(index: Tensor) -> Tensor:
        return coding.encode(codes[index])

    return replace(shown, shape=(len(alphabet) + 1, 1, length), read=read, coding=coding, original=shown)


def _strange(alphabet: str) -> str | None:
    """The first character that Pillow's font does not have."""
    return next((character for character in alphabet if ord(character) > 255 or not character.isprintable()), None)


def _drawn(alphabet: str) -> Tensor:
    """The images of the end and of the characters of an alphabet, uint8 `(V, H, W)`."""
    font = ImageFont.load_default_imagefont()
    drawn = []
    for character in " " + alphabet:
        cell = Image.new("L", _CELL, _PAPER)
        ImageDraw.Draw(cell).text((0, 0), character, fill=0, font=font)
        drawn.append(torch.from_numpy(np.array(cell)))
    return torch.stack(drawn)
