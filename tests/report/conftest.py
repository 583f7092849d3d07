"""A synthetic run folder, generators with known samples, and a parser of the page."""

import json
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.report.write import write_report
from zerosum.runs.generator import TrainedGenerator

VOID = {"meta", "img", "input"}


@dataclass(frozen=True)
class Few:
    """Eight grey images of 4 x 4 pixels, each of constant value."""

    count: int = 8

    def open(self):
        values = torch.arange(self.count, dtype=torch.uint8) * 20
        return in_memory("few", values[:, None, None, None].expand(-1, 1, 4, 4).contiguous())


class Made(nn.Module):
    """A generator that is a function of z and c."""

    def __init__(self, function):
        super().__init__()
        self.function, self.nothing = function, nn.Parameter(torch.zeros(()))

    def forward(self, *inputs):
        return self.function(*inputs)


def recipe(**changes):
    plain = Recipe(
        name="plain",
        generator=MLPGenerator(),
        discriminator=MLPDiscriminator(),
        objective=NonSaturating(),
        data=Few(),
        latent=Normal(4),
        images=1000,
    )
    return replace(plain, **changes)


def generator(function, shape=(1, 4, 4), classes=(), kind=None, **changes):
    kind = Labels(len(classes), classes=tuple(classes)) if classes else kind
    value = recipe(conditional=kind is not None, **changes)
    return TrainedGenerator(value, Made(function).eval(), shape, value.images, kind)


def grey(z):
    """Samples of constant grey value, from z."""
    return z[:, :1, None, None].clamp(-1, 1).expand(-1, 1, 4, 4)


def line(images=500, **readings):
    return {"images": images, "steps": images // 10, "seconds": images / 100, "images_per_second": 100.0} | readings


class Page(HTMLParser):
    """The tags of a page in order with their attributes, and its text; fails on unbalanced tags."""

    def __init__(self, text):
        super().__init__()
        self.source, self.tags, self.texts, self.open = text, [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def count(self, tag, **attributes):
        return len(self.all(tag, **attributes))

    def all(self, tag, **attributes):
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [found for name, found in self.tags if name == tag and wanted.items() <= found.items()]


@dataclass
class Run:
    """A run folder to be filled."""

    path: object
    log: list = field(default_factory=lambda: [line()])

    def report(self, maker=None, dataset=None):
        self.path.mkdir(exist_ok=True)
        if not (self.path / "recipe.txt").exists():
            (self.path / "recipe.txt").write_text(pretty(recipe() if maker is None else maker.recipe) + "\n")
        (self.path / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in self.log))
        return Page(write_report(self.path, maker, dataset).read_text())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "some-run")


@pytest.fixture
def make():
    """The helper functions of this file, by name."""
    return SimpleNamespace(generator=generator, recipe=recipe, grey=grey, line=line, Page=Page)
