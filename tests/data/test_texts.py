"""Texts as one-hot sequences, and sources of them: the lines of a file, and a grammar whose truth is known."""

import itertools
from collections import Counter

import pytest
import torch

from zerosum.data import Expressions, Lines, fingerprint, source
from zerosum.data.texts import TextCoding, text_dataset

PARSED = {"x", "y"}


def derivable(text):
    """Whether the grammar derives a string, by trying every derivation: independent of `Expressions.valid`."""
    return any(
        derivable_term(text[:at]) and (at == len(text) or (text[at] == "+" and derivable(text[at + 1 :])))
        for at in range(1, len(text) + 1)
        if at == len(text) or text[at] == "+"
    )


def derivable_term(text):
    return any(
        derivable_factor(text[:at]) and (at == len(text) or (text[at] == "*" and derivable_term(text[at + 1 :])))
        for at in range(1, len(text) + 1)
        if at == len(text) or text[at] == "*"
    )


def derivable_factor(text):
    return text in PARSED or (text[:1] == "(" and text[-1:] == ")" and derivable(text[1:-1]))


def test_every_string_of_the_alphabet_is_told_valid_or_not_and_all_valid_ones_are_listed():
    grammar = Expressions()
    strings = ["".join(s) for n in range(6) for s in itertools.product("xy+*()", repeat=n)]
    truth = [text for text in strings if derivable(text)]
    assert [text for text in strings if grammar.valid(text)] == truth
    assert grammar.every(5) == sorted(truth) and len(truth) == 70
    assert all(map(grammar.valid, grammar.every(9))) and len({*grammar.every(9)}) == len(grammar.every(9))
    assert not any(map(grammar.valid, ("a", "x\n", "(x)(y)", "x(y)", "((x)", "x+-y", "0")))


def test_expressions_are_valid_and_drawn_with_the_probabilities_of_the_grammar():
    grammar = Expressions(count=20_000)
    texts = grammar.texts()
    assert all(map(grammar.valid, texts)) and max(map(len, texts)) == 11
    counts = Counter(texts)
    # x: no brackets, x, no further factor, no further term. Longer expressions than 11 are drawn again.
    x, product, total = (
        0.75 * 0.5 * 0.7 * 0.65,
        (0.75 * 0.5) ** 2 * 0.3 * 0.7 * 0.65,
        (0.75 * 0.5 * 0.7) ** 2 * 0.35 * 0.65,
    )
    bracket = 0.25 * 0.7 * 0.65 * x
    for text, probability in {"y*x": product, "x+y": total, "(x)": bracket}.items():
        assert counts[text] / counts["x"] == pytest.approx(probability / x, rel=0.12)
    assert Expressions(count=20_000).texts() == texts != Expressions(count=20_000, seed=1).texts()
    with pytest.raises(ValueError, match="1 <= length <= 64 and count >= 1"):
        Expressions(length=0)


def test_texts_are_one_hot_sequences_that_decode_to_themselves_and_to_images():
    data = text_dataset("words", ["to be", "or", ""], 5)
    coding = data.coding
    x = data.read(torch.tensor([1, 0, 2]))
    assert coding.alphabet == " beort" and data.shape == (7, 1, 5) == tuple(x.shape[1:])
    assert torch.equal(x.sum(1), torch.ones(3, 1, 5)) and x.dtype == torch.float32
    assert x[0, :, 0].argmax(0).tolist() == [4, 5, 0, 0, 0] and coding.texts(x) == ["or", "to be", ""]
    shown = data.displayed.read(torch.tensor([1, 0, 2]))
    assert shown.shape == (3, 1, 11, 30) == (3, *data.displayed.shape) and shown.dtype == torch.uint8
    assert torch.equal(((coding.decode(x) + 1) * 127.5).round().to(torch.uint8), shown)
    o, blank = shown[1, 0, :, 6:12], shown[0, 0, :, 12:18]
    assert torch.equal(o, shown[0, 0, :, :6]) and bool((blank == 230).all()) and int(o.min()) == 0
    late = x.clone()
    late[0, :, 0, 4] = torch.eye(7)[6]  # a symbol after the end
    assert coding.texts(late)[0] == "or" and torch.equal(coding.decode(late), coding.decode(x))


def test_a_coding_is_restored_from_its_facts_and_tensors():
    coding = text_dataset("words", ["ab"], 2).coding
    again = TextCoding.restored(coding.facts, coding.state_dict())
    assert again.alphabet == "ab" and torch.equal(again.glyphs, coding.glyphs)
    for state in ({}, {"glyphs": coding.glyphs[1:]}, {"glyphs": coding.glyphs.float()}, {"glyphs": coding.glyphs[0]}):
        with pytest.raises(ValueError, match="a coding of texts has glyphs, uint8 images of its 3 symbols"):
            TextCoding.restored(coding.facts, state)


def test_lines_of_a_file_are_texts(tmp_path):
    file = tmp_path / "poem.txt"
    file.write_text("Caf\u00e9\n\n  two words \r\nlonger than ten\n", encoding="utf-8")
    assert source(file) == Lines(str(file))
    data = Lines(str(file)).open()
    assert data.coding.texts(data.read(torch.arange(3))) == ["Caf\u00e9", "two words", "longer than ten"]
    assert data.shape[2] == 15 and data.notes == ()
    short = Lines(str(file), length=10).open()
    assert len(short) == 2 and short.shape[2] == 10
    assert short.notes == ("lines of more than 10 characters that are passed over: 1",)
    before = fingerprint(data)
    file.write_text("Caf\u00e9\n\n  two words \r\nlonger than tex\n", encoding="utf-8")
    assert fingerprint(Lines(str(file)).open()) != before


def test_refused_lines(tmp_path):
    file = tmp_path / "lines.txt"
    for content, sentence in {
        b"": "has no line of 1 to 1 characters",
        b"a\n\xff\xfe": "is not a text in UTF-8",
        "ok\n\u20ac5\n".encode(): r"has the character '\\u20ac': texts are of printable characters of Latin-1",
        b"a\tb": r"has the character '\\t'",
        b"x" * 1_001: "has lines of up to 1,001 characters: set length, at most 1,000",
    }.items():
        file.write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            Lines(str(file)).open()
    with pytest.raises(ValueError, match="needs 1 <= length <= 1,000"):
        Lines("lines.txt", length=0)
