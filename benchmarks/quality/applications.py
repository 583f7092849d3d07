"""Score applications on images held out of training, beside trivial methods.

    python -m benchmarks.quality.applications [NAME ...] [--jobs 2] [--out runs/applications]

Each is a recipe trained by its own command with one thread; an interrupted run is resumed, and a finished one is only
scored. Names that end in `-flowers` take the photographs of `../shared/data/flowers128.npz`, and `pix2pix-openmoji` the
drawings of `../shared/data/openmoji_pairs64.npz`; they are left out, with a message, where that file is absent. The
table is written to `benchmarks/results/applications.md`; rows of other names are kept.
"""

import argparse
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS
from benchmarks.quality import captions, drawings, enlarging, inpainting, translation
from benchmarks.quality.baselines import NEAREST, RESIZES, Baseline, condition, neighbour
from benchmarks.quality.flowers import FLOWERS, flowers
from benchmarks.quality.gallery import add_time, time_of
from zerosum.bench.subprocesses import Command, run_commands
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import held_out
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.evaluation.measures.consistency import ConditionConsistency
from zerosum.evaluation.measures.mae import MAE
from zerosum.evaluation.measures.perceptual import PerceptualScore
from zerosum.evaluation.measures.psnr import PSNR
from zerosum.evaluation.measures.sharpness import Sharpness
from zerosum.evaluation.measures.ssim import SSIM
from zerosum.game.two_games import BACKWARD
from zerosum.recipes.translation import Cycle
from zerosum.runs.applied import continued
from zerosum.runs.generator import TrainedGenerator
from zerosum.training.signals import Interrupted, Terminated

OUT = Path("runs/applications")
PAGE = RESULTS / "applications.md"
SCORES = {
    "applications": {"psnr": 2, "ssim": 3, "mae": 4, "sharpness": 3},
    "enlarging": {"psnr": 2, "ssim": 3, "sharpness": 2, "perceptual": 3, "consistency": 1},
}  # by table, and their digits
HEAD = "| application | method | PSNR, dB | SSIM | mean error | sharpness | processor s |\n" + "| --- " * 7 + "|"
TABLES = {
    "applications": HEAD,
    "enlarging": enlarging.HEAD,
    "inpainting": inpainting.HEAD,
    "drawings": drawings.HEAD,
    "translation": translation.HEAD,
    "captions": captions.HEAD,
}
CONFIG = EvaluationConfig(device="cpu")
STEP = 5  # of a continued clip
Pixels = np.ndarray  # uint8 (N, H, W, C)


@dataclass(frozen=True)
class Application:
    """A recipe, the arguments of its command, and the methods beside it.

    `flowers` is the size of the photographs, which enter mirrored as well, and `pairs` derives the conditions, in
    training with these `options`; `cropped` is the border that PSNR and SSIM leave out. Photographs, coloured drawings,
    translations and images of captions have tables of their own.
    """

    recipe: str
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    flowers: int = 0
    pairs: str = "Downscaled"
    options: str = ""
    cropped: int = 0
    table: str = "applications"

    @property
    def absent(self) -> Path | None:
        """The file that it takes, where that is absent."""
        needed = FLOWERS if self.flowers else drawings.PACK if self.table == "drawings" else None
        return None if needed is None or needed.is_file() else needed


APPLICATIONS = {
    "super-resolution": Application("super-resolution", RESIZES),
    "colorize": Application("colorize", {"grey": condition, **NEAREST}),
    "inpaint": Application("inpaint", {"border": inpainting.border}),
    "sketch": Application("sketch", {"the drawing": condition, **NEAREST}),
    "pix2pix": Application("pix2pix", {"the edges": condition, **NEAREST}),
    "next-frame": Application("next-frame", {"the last frame": condition}),
    "text-to-image": Application("text-to-image", table="captions"),
    "super-resolution-flowers": Application(
        "super-resolution", RESIZES, enlarging.ARGUMENTS, flowers=128, cropped=4, table="enlarging"
    ),
    "inpaint-flowers": Application("inpaint", {}, inpainting.ARGUMENTS, 64, "Masked", ", masks=16", table="inpainting"),
    "pix2pix-openmoji": Application("pix2pix", arguments=drawings.ARGUMENTS, table="drawings"),
    "cyclegan": Application("cyclegan", table="translation"),
    "cut": Application("cut", table="translation"),
}
"""What `zerosum` is used for, on the embedded digits, on photographs and on drawings."""


@dataclass(frozen=True)
class Entry:
    """An application and its folder."""

    name: str
    out: Path

    @property
    def about(self) -> Application:
        """The application."""
        return APPLICATIONS[self.name]

    @property
    def folder(self) -> Path:
        """Folder of the run and its time."""
        return self.out / self.name

    @property
    def command(self) -> Command:
        """The command that trains or resumes it."""
        words = [sys.executable, "-m", "zerosum", "train", self.about.recipe, *self.about.arguments]
        if self.about.flowers:
            source = f"Arrays({str(self.flowers('train'))!r}, flip=True)"
            words += ["--data", f"{self.about.pairs}({source}, part='all'{self.about.options})"]
        if self.about.table == "drawings":
            words += ["--data", drawings.source(self.out)]
        return Command((*words, "--out", str(self.folder / "run")), self.folder / "command.log")

    def held_out(self) -> Dataset:
        """The pairs that it is scored on."""
        if self.about.flowers:
            pairs = getattr(zerosum.data, self.about.pairs)
            return pairs(zerosum.data.Arrays(str(self.flowers("val"))), part="all").open()
        return held_out(zerosum.Run(self.folder / "run").recipe.data).open()

    def flowers(self, part: str) -> Path:
        """The file of the photographs of a part."""
        return flowers(self.out, part, self.about.flowers)


def pairs_of(dataset: Dataset) -> tuple[Pixels, Pixels]:
    """All conditions and samples."""
    index = torch.arange(len(dataset))
    x = dataset.read(index)
    assert dataset.conditions is not None
    return tuple(images.permute(0, 2, 3, 1).contiguous().numpy() for images in (dataset.conditions.of(index, x), x))


def rows(entry: Entry) -> list[str]:
    """The rows of an application: its generators, and the methods beside them."""
    run = zerosum.Run(entry.folder / "run")
    spent = f"{time_of(entry.folder)['cpu_seconds']:,.0f}"
    if entry.about.table == "translation":
        return _translations(entry, run, spent)
    if entry.about.table == "captions":
        return captions.rows(entry.name, run, spent)
    if entry.about.table == "drawings":
        return drawings.rows(entry.name, _generators(entry, run), spent)
    dataset, about, made = entry.held_out(), entry.about, _generators(entry, run)
    if about.table == "inpainting":
        return inpainting.rows(entry.name, made, *pairs_of(dataset), spent)
    known = (PSNR(about.cropped), SSIM(about.cropped), MAE(), Sharpness(), PerceptualScore(), ConditionConsistency())
    metrics = [measure for measure in known if {*measure.gives} <= {*SCORES[about.table]}]
    found = {method: evaluate(dataset, generator, metrics, CONFIG) for method, generator in made.items()}
    lines = [_row(entry.name, method, scores, spent) for method, scores in found.items()]
    (c, x), (train_c, train_x) = pairs_of(dataset), ((), ())
    if neighbour in about.baselines.values():
        train_c, train_x = pairs_of(run.recipe.data.open())
    for name, make in about.baselines.items():
        lines.append(_row(entry.name, name, evaluate(dataset, make(c, x, train_c, train_x), metrics, CONFIG), ""))
    return lines + (_later(run, metrics) if entry.name == "next-frame" else [])


def _generators(entry: Entry, run: "zerosum.Run") -> dict[str, TrainedGenerator]:
    """The generators of a run by the name of their method: the last one, and that before the game if there is one."""
    names = {"generator": "", "pretrained": ", pretrained"} if run.recipe.pretrain else {"generator": ""}
    return {f"`{entry.about.recipe}`{suffix}": zerosum.load(run, generator=name) for name, suffix in names.items()}


def _translations(entry: Entry, run: "zerosum.Run", spent: str) -> list[str]:
    """The rows of a translation without pairs, there and, if its game has a way back, back."""
    there = translation.domains(run.recipe.data)
    made = {f"`{entry.name}`": translation.translated(run.generator, there.a)}
    lines = translation.rows(entry.name, made, there, spent)
    if isinstance(run.recipe.game, Cycle):
        made = {f"`{entry.name}`, back": translation.translated(zerosum.load(run.path, generator=BACKWARD), there.b)}
        lines += translation.rows(entry.name, made, there.back, spent)
    return lines


def _later(run: "zerosum.Run", metrics: Any) -> list[str]:
    """The rows of the fifth frame, each generated from those before it, and of the last frame that was given."""
    clips = replace(held_out(run.recipe.data), future=STEP).open()
    c, x = pairs_of(clips)
    made = [[*continued(run.generator, list(np.moveaxis(one[..., None], 2, 0)), STEP)][-1] for one in c]
    methods = {f"`next-frame`, step {STEP}": np.stack(made), f"the last frame, step {STEP}": c[..., -1:].copy()}
    return [_row("next-frame", n, evaluate(x[..., -1:].copy(), one, metrics, CONFIG), "") for n, one in methods.items()]


def _row(name: str, method: str, scores: Any, spent: str) -> str:
    digits = SCORES[APPLICATIONS[name].table]
    values = [f"{scores.values[s]:.{d}f} ± {scores.errors.get(s, 0):.{d}f}" for s, d in digits.items()]
    return f"| {name} | {method} | {' | '.join(values)} | {spent} |"


def _entries(names: Collection[str], out: Path) -> list[Entry]:
    """The applications of some names whose data are here; a message names each other one."""
    entries = [Entry(name, out) for name in APPLICATIONS if name in names]
    for entry in entries:
        if entry.about.absent is not None:
            sys.stderr.write(f"{entry.name} is left out: {entry.about.absent} is absent\n")
    return [entry for entry in entries if entry.about.absent is None]


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs, score all, and write the page; exit status 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(APPLICATIONS)}; by default all")
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in APPLICATIONS]
    if unknown:
        parser.error(f"unknown application {unknown[0]!r}")
    entries = _entries(chosen.names or APPLICATIONS, chosen.out)
    todo = [entry for entry in entries if not time_of(entry.folder)["ended"]]
    failed = []
    try:
        for number, ended in run_commands([entry.command for entry in todo], chosen.jobs, threads=1):
            add_time(todo[number].folder, ended)
            if ended.code and not ended.stopped:
                failed.append(todo[number].name)
    except (Interrupted, Terminated):
        return 1
    ready = [entry for entry in entries if time_of(entry.folder)["ended"]]
    kept = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    fresh = {entry.name: rows(entry) for entry in ready}
    for mark, head in TABLES.items():
        table = [head]
        for name in (name for name, about in APPLICATIONS.items() if about.table == mark):
            table += fresh.get(name) or [line for line in kept if line.startswith(f"| {name} |")]
        marked.write(PAGE, mark, "benchmarks.quality.applications", "\n".join([*table, "", f"On {machine()}."]))
    for name in failed:
        sys.stderr.write(f"{name} failed: see {chosen.out / name / 'command.log'}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
