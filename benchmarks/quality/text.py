"""Score `text` on a grammar whose truth is known, beside maximum likelihood with the same network.

    python -m benchmarks.quality.text [--jobs 2] [--out runs/gallery]

Two runs: `text`, and its twin, the same network trained for the same number of images by maximum likelihood alone, with
a learning rate that falls to 0 (see `TWIN`; the stage kept as `pretrained`). Each is sampled at several temperatures,
the scale of the Gumbel noise. Beside them are new strings of the grammar, the best possible, and strings of a Markov
chain of characters. The table is written to `benchmarks/results/text.md`; an interrupted run is resumed, and a finished
one is only scored.
"""

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS
from benchmarks.quality.gallery import OUT, Entry, plan, play
from zerosum.data import Expressions
from zerosum.probes import StringScores, string_scores
from zerosum.runs import TrainedGenerator, load, sample_texts
from zerosum.training.signals import Interrupted, Terminated

PAGE = RESULTS / "text.md"
COUNT, SHORT = 5_000, 5  # strings of each row; all valid strings of so many characters are to be covered
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.5, 0.3)
HEAD = "| method | temperature | valid | short ones covered | new | distinct | 3-gram distance | processor s |\n"
HEAD += "| --- " * 8 + "|"
TWIN = (
    *("pretrain=0.99", "g_terms=(MaximumLikelihood(),)"),
    "G_opt=Adam(lr=5e-3, betas=(0.5, 0.99), schedule=Cosine(begin=0.3))",
)


def scores(texts: Sequence[str], grammar: Expressions) -> StringScores:
    """The scores of strings against the training data and the truth of the grammar."""
    return string_scores(texts, grammar.texts(), grammar.valid, grammar.every(SHORT))


def at_temperature(generator: TrainedGenerator, temperature: float) -> TrainedGenerator:
    """The same generator with less noise."""
    latent = replace(generator.recipe.latent, scale=temperature)
    return replace(generator, recipe=replace(generator.recipe, latent=latent))


def chained(texts: Sequence[str], count: int) -> list[str]:
    """Strings of a Markov chain in which a character follows from the one before, fitted to texts."""
    following = defaultdict(list)
    for text in texts:
        for before, after in zip("\n" + text, text + "\n", strict=True):
            following[before].append(after)
    draw, made = random.Random(0), []
    longest = max(map(len, texts))
    while len(made) < count:
        text = draw.choice(following["\n"])
        while text[-1] != "\n" and len(text) <= longest:
            text += draw.choice(following[text[-1]])
        made.append(text.strip("\n")[:longest])
    return made


def rows(game: Entry, twin: Entry) -> list[str]:
    """The rows of the table."""
    grammar = Expressions()
    found = []
    for method, entry, name in (
        ("`text`", game, "generator"),
        ("`text`, before the game", game, "pretrained"),
        ("maximum likelihood", twin, "pretrained"),
    ):
        generator, spent = load(entry.folder / "run", generator=name), f"{entry.time['cpu_seconds']:,.0f}"
        for t in TEMPERATURES:
            found.append(
                _row(method, f"{t:g}", scores(sample_texts(at_temperature(generator, t), COUNT), grammar), spent)
            )
    real = replace(grammar, seed=1, count=COUNT).texts()
    found.append(_row("*Markov chain of characters*", "", scores(chained(grammar.texts(), COUNT), grammar), ""))
    return [*found, _row("*new strings of the grammar*", "", scores(real, grammar), "")]


def _row(method: str, temperature: str, found: StringScores, spent: str) -> str:
    shares = (found.valid, found.covered, found.novel, found.distinct)
    cells = [f"{share:.1%}" for share in shares if share is not None]
    return f"| {method} | {temperature} | {' | '.join(cells)} | {found.ngrams:.3f} | {spent} |"


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs, score both, and write the table; exit status 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs, that of the gallery")
    chosen = parser.parse_args(arguments)
    (game,), (twin,) = plan(["text"], (), chosen.out), plan(["text"], TWIN, chosen.out)
    try:
        failures = play([game, twin], chosen.jobs, keep=False)
    except (Interrupted, Terminated):
        return 1
    if failures:
        return 1
    marked.write(PAGE, "text", "benchmarks.quality.text", "\n".join([HEAD, *rows(game, twin), "", f"On {machine()}."]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
