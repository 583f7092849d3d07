"""The terms of the field: words that the documentation and the code avoid, each with what to write instead.

A ratchet: each word may occur as often as it did when its number was set, and the numbers only get lower.
"""

import re
from typing import NamedTuple

import pytest
from docs.generate import by_hand

PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
HISTORY = "docs/lab-notes.md"  # a record of what was tried, in the words of its time


class Word(NamedTuple):
    """A pattern, an example of it, what to write instead, and how often it may still occur."""

    pattern: str
    example: str
    instead: str
    allowed: int


WORDS = (
    Word(r"laws?", "the law of z", "distribution, prior", 0),
    Word(r"pictures?", "a picture of a digit", "image; plot", 0),
    Word(r"(real|fake|generated|other) sides?|sides? that is judged", "the real side", "real or generated set", 2),
    Word(r"manners?", "the manner of a score", "EvaluationConfig, protocol", 0),
    Word(r"(?<!negative )slopes?", "the slope of D", "gradient norm", 9),
    Word(r"(is|are|be|been) held(?![ -]out)", "a critic is held by a penalty", "constrained, regularised", 0),
    Word(r"told|untold", "the class is told", "given, logged, reported", 1),
    Word(r"a word on", "a word on seeds", "a note on", 0),
    Word(r"perceptrons?", "a perceptron of two layers", "MLP", 1),
    Word(r"moves? of (D|G|a player)|an? move|each move|every move", "a move of D", "update", 0),
    Word(r"rounds (of|a|in)|(a|each|every|this|per) round", "rounds of the game", "iteration, step", 0),
    Word(r"(?<!standard )deviations?", "a deviation of 0.1", "standard deviation", 1),
    Word(r"by heart", "learns by heart", "memorises, overfits", 0),
    Word(r"(?<!\.)(?<!def )judges?|judged|judging", "a judge of digits", "classifier, predict, score", 4),
    Word(r"carr(y|ies) the class", "carry the class asked for", "conditional accuracy", 0),
    Word(r"pieces?", "pieces of a batch", "micro-batches, chunks", 0),
    Word(r"vices?", "vices of a metric", "failure modes", 3),
    Word(r"chance", "what chance does to it", "sampling noise", 0),
    Word(r"spoils?|spoiled|spoiling", "spoil the images", "corrupt", 0),
    Word(r"notices?|noticed", "notices the blur", "detect", 5),
    Word(r"praises?|praised", "praises the blur", "reward", 0),
    Word(r"boards?", "games on a board", "task", 0),
    Word(r"entry|entries", "entries of z", "dimensions, components, elements", 51),
    Word(r"yes[ /-](and |or )?no", "yes and no", "binary attributes", 2),
    Word(r"lay the table|sit down|stand together|settles?", "lay the table", "build, synchronise, update", 0),
    Word(r"lest", "lest it fail", "so that it does not", 0),
    Word(r"anew", "written anew", "again", 0),
    Word(r"likewise", "the other, likewise", "the same for", 0),
    Word(r"endless(ly)?", "endlessly many samples", "infinite", 0),
    Word(r"look(s|ed|ing)? at (the )?(images|pictures)", "what looks at the images", "feature extractor", 0),
)


def found(word: Word, text: str) -> int:
    """How often a word occurs in a text, whose lines may be broken anywhere."""
    return len(re.findall(rf"(?<![\w-])(?:{word.pattern})(?![\w-])", " ".join(text.split()), re.IGNORECASE))


@pytest.fixture(scope="module")
def texts(root, library):
    """The library's files, and the pages of the documentation without what is generated from these."""
    pages = [root / name for name in PAGES] + sorted((root / "docs").rglob("*.md"))
    prose = {page.relative_to(root).as_posix(): by_hand(page.read_text(encoding="utf-8")) for page in pages}
    del prose[HISTORY]
    return {source.path: source.text for source in library} | prose


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.example)
def test_a_word_is_used_no_more_often_than_before(texts, word):
    counts = {path: count for path, text in texts.items() if (count := found(word, text))}
    total = sum(counts.values())
    most = sorted(counts, key=lambda path: -counts[path])[:10]
    listed = "\n".join(f"{counts[path]:4} {path}" for path in most)
    assert total <= word.allowed, f"{total} times, {word.allowed} allowed; write {word.instead}:\n{listed}"


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.example)
def test_an_offence_would_be_seen_though_a_line_breaks_within_it(word):
    assert found(word, f"x\n{word.example.replace(' ', chr(10))}\ny") == 1
    assert found(word, word.instead) == 0


def test_what_only_resembles_a_word_passes():
    fine = "samples held out; held-out images; a standard deviation; lawful, a one-sided label, entryway, judgement"
    assert [word.example for word in WORDS if found(word, fine)] == []
