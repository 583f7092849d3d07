"""Recipes with their networks as published, for `benchmarks.speed.full_size`, and the process that measures one.

    python -m benchmarks.speed.full_size_games NAME PRECISION DEVICE [SIZE]

reads words from standard input, `facts` or one of `MEASURED`, and answers each with a line of JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zerosum.data.dataset import Dataset, in_memory
from zerosum.game.batch import Batch
from zerosum.game.game import Game
from zerosum.game.latents import Normal, Uniform
from zerosum.game.player import Term, unwrapped
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.training.build import build_game

MEASURED = ("sample", "D", "D with terms", "G", "G with terms")
"""In the order of measurement: the peak memory of each includes that of the previous ones."""
STATUS = Path("/proc/self/status")
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Full:
    """A recipe with networks of the published size.

    Attributes:
        name: of the recipe.
        words: the configuration of the paper.
        recipe: the recipe, with its networks at that size.
        shape: of the images.
        batch: batch size; small, since large networks are slow.
        classes: number of classes; 0 for unconditional games.
    """

    name: str
    words: str
    recipe: Recipe
    shape: Shape
    batch: int
    classes: int = 0


def published(name: str, G: dict[str, Any], D: dict[str, Any], latent: int) -> Recipe:
    """A recipe with other fields of its networks, and a normal latent of a size."""
    recipe = named(name)
    networks = {"generator": replace(recipe.generator, **G), "discriminator": replace(recipe.discriminator, **D)}
    return replace(recipe, latent=Normal(latent), **networks)


def stylegan2() -> Full:
    """Karras et al. 2020."""
    wide = {"size": 512, "full": 5}
    recipe = replace(published("stylegan2", wide | {"mixing": 0.9}, wide, 512), conditional=False)
    return Full("stylegan2", "configuration F at 256x256 (size 512)", recipe, (3, 256, 256), 2)


def r3gan() -> Full:
    """Huang et al. 2024."""
    recipe = published("r3gan", {"size": 768}, {"size": 768}, 64)
    return Full("r3gan", "the networks for CIFAR-10 at 32x32 (size 768)", recipe, (3, 32, 32), 4)


def gat() -> Full:
    """Hyun et al. 2025."""
    recipe = published("gat", {"size": 12, "tokens": 256}, {"size": 12, "tokens": 256}, 64)
    words = "GAT-B (size 12) on latents of four channels of 32x32, 1,000 classes"
    return Full("gat", words, replace(recipe, conditional=True), (4, 32, 32), 2, 1000)


def sagan() -> Full:
    """Zhang et al. 2019."""
    G = {"size": 64, "doublings": 4, "attention": 32}
    recipe = published("sagan", G, {**G, "smallest": 4, "blocks": 1}, 128)
    return Full("sagan", "the networks for ImageNet at 128x128 (size 64, 4 doublings)", recipe, (3, 128, 128), 4, 1000)


def sngan() -> Full:
    """Miyato et al. 2018."""
    recipe = published("sngan", {"size": 256}, {"size": 128}, 128)
    return Full("sngan", "the residual networks for CIFAR-10 at 32x32 (size 256 and 128)", recipe, (3, 32, 32), 8)


def fastgan() -> Full:
    """Liu et al. 2021."""
    recipe = published("fastgan", {"size": 64}, {"size": 64}, 256)
    return Full("fastgan", "the networks at 256x256 (size 64)", recipe, (3, 256, 256), 4)


def dcgan() -> Full:
    """Radford et al. 2016."""
    recipe = replace(published("dcgan", {"size": 64}, {"size": 64}, 100), latent=Uniform(100))
    return Full("dcgan", "the networks at 64x64 (size 64)", recipe, (3, 64, 64), 16)


GAMES = {make.__name__: make for make in (stylegan2, r3gan, gat, sagan, sngan, fastgan, dcgan)}


def games(names: list[str], size: int | None = None) -> list[Full]:
    """Return the games of the names, or all; with a size, small ones. Raises `ValueError` for an unknown name."""
    strange = [name for name in names if name not in GAMES]
    if strange:
        raise ValueError(f"{strange[0]!r} is not measured at full size; available are {', '.join(GAMES)}")
    return [shrunk(GAMES[name](), size) for name in names or GAMES]


def shrunk(full: Full, size: int | None) -> Full:
    """The same game with networks of a size on images of 16 pixels, for a trial."""
    if size is None:
        return full
    recipe = published(full.name, {"size": size}, {"size": size}, 8)
    attention = {"attention": 8} if full.name == "sagan" else {}
    networks = {name: replace(getattr(recipe, name), **attention) for name in ("generator", "discriminator")}
    recipe = replace(recipe, conditional=full.recipe.conditional, **networks)
    return replace(full, recipe=recipe, shape=(full.shape[0], 16, 16), words=f"{full.words}, shrunk")


def noise(full: Full) -> Dataset:
    """One batch of images of noise, with labels if the game is conditional."""
    random = torch.Generator().manual_seed(0)
    x = torch.randint(256, (full.batch, *full.shape), dtype=torch.uint8, generator=random)
    labels = torch.arange(full.batch) % full.classes if full.classes else None
    return in_memory("noise", x, labels, tuple(map(str, range(full.classes))))


class Play:
    """A game to be measured."""

    def __init__(self, full: Full, precision: str, device: torch.device) -> None:
        self.full, self.device = full, device
        self.idle = high_water(device)
        data = noise(full)
        self.game: Game = build_game(full.recipe, data, device, precision)
        x = data.read(torch.arange(full.batch)).float().div(127.5).sub(1).to(device)
        self.x = x.contiguous(memory_format=torch.channels_last)
        self.c = None if data.labels is None or not full.recipe.conditional else data.labels.to(device)
        self.terms = {p.name: tuple(map(unwrapped, p.terms)) for p in (self.game.D, self.game.G)}
        self.updates = 0

    def facts(self) -> dict[str, Any]:
        """Facts of the game, and its measurements: those with terms only if it has any."""
        words = {name: " + ".join(type(term).__name__ for term in terms) for name, terms in self.terms.items()}
        listed = ", ".join(f"{name} {terms}" for name, terms in words.items() if terms) or "none"
        counts = {f"parameters {p.name}": sum(w.numel() for w in p.parameters) for p in (self.game.G, self.game.D)}
        measured = [word for word in MEASURED if not word.endswith("with terms") or self.terms[word[0]]]
        return {"batch": self.full.batch, "terms": listed, "measured": measured, **counts}

    def measure(self, word: str) -> dict[str, float]:
        """Time one action; also return the peak memory so far above that of the idle process, in megabytes."""
        do = self.action(word)
        wait(self.device)
        started = time.perf_counter()
        do()
        wait(self.device)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "megabytes": round(max(0, high_water(self.device) - self.idle) / 2**20, 1)}

    def action(self, word: str) -> Callable[[], Any]:
        """The action of a word of `MEASURED`."""
        batch = Batch(self.x, self.c, position=self.updates * self.full.batch)
        self.updates += 1
        if word == "sample":
            return lambda: self.sample(batch)
        name, _, terms = word.partition(" ")
        player = self.game.D if name == "D" else self.game.G
        player.terms: tuple[Term, ...] = self.terms[name] if terms else ()
        return lambda: self.game.update_D(batch) if name == "D" else self.game.update_G(batch)

    def sample(self, batch: Batch) -> None:
        """A batch of samples, in evaluation mode and the precision of the game."""
        network = self.game.G.network.eval()
        with torch.no_grad(), self.game.precision():
            self.game.generate(batch)
        network.train()


def high_water(device: torch.device) -> int:
    """Peak memory of this process in bytes: resident, or on the GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS.is_file():  # on Linux `ru_maxrss` would begin with that of the parent
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def wait(device: torch.device) -> None:
    """Wait until the device is idle."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main(arguments: list[str]) -> None:
    """Answer each line of the input for the game of the arguments."""
    name, precision, device, *size = arguments
    (full,) = games([name], int(size[0]) if size and size[0] else None)
    play = Play(full, precision, torch.device(device))
    for line in sys.stdin:
        word = line.strip()
        print(json.dumps(play.facts() if word == "facts" else play.measure(word)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
