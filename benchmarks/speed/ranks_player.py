"""A rank of `benchmarks.speed.ranks`.

    python -m benchmarks.speed.ranks_player NAME BATCH RANK RANKS MEETING_POINT

reads words from standard input and answers each with a line of JSON: `flat`, a step of the game; `overlapped`, a step
in which gradients are sent in buckets during the backward pass; `bytes`, only the sums of a step's gradients; `one`,
the sum of a single number; `facts`.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor

from benchmarks.speed.full_size_games import GAMES, noise
from zerosum.game.distributed import average, rank, ranks
from zerosum.game.game import Batch, Game, Log
from zerosum.game.player import Player
from zerosum.game.turn import Turn
from zerosum.recipes.named_recipes import named
from zerosum.training.build import build_game

BUCKET = 25 * 2**20  # bytes, the default of DDP


class Buckets:
    """Gradients of a player, sent in buckets while others are computed."""

    def __init__(self, parameters: list[torch.nn.Parameter]) -> None:
        self.found: dict[int, Tensor] = {}
        self.sent: list[tuple[list[int], Tensor, dist.Work]] = []
        self.waiting: list[int] = []
        self.hooks = [p.register_hook(partial(self.take, i)) for i, p in enumerate(parameters)]

    def take(self, index: int, gradient: Tensor) -> None:
        """Add a gradient, and send the bucket if it is full."""
        self.found[index] = gradient
        self.waiting.append(index)
        if sum(self.found[i].numel() * 4 for i in self.waiting) >= BUCKET:
            self.send()

    def send(self) -> None:
        """Send the waiting gradients."""
        flat = torch.cat([self.found[i].flatten() for i in self.waiting])
        work = dist.all_reduce(flat, async_op=True)
        assert work is not None
        self.sent.append((self.waiting, flat, work))
        self.waiting = []

    def averaged(self, parameters: list[torch.nn.Parameter]) -> list[Tensor]:
        """The means over the ranks for each parameter; zeros for parameters that no loss depends on."""
        for hook in self.hooks:
            hook.remove()
        if self.waiting:
            self.send()
        means = {}
        for indices, flat, work in self.sent:
            work.wait()
            flat /= ranks()
            for i, part in zip(indices, flat.split([parameters[i].numel() for i in indices]), strict=True):
                means[i] = part.view_as(parameters[i])
        return [means[i] if i in means else torch.zeros_like(p) for i, p in enumerate(parameters)]


def overlapped(game: Game, player: Player, turns: Iterable[Turn]) -> Log:
    """`Game.accumulate` with communication during the backward pass."""
    (turn,) = turns
    parts = game.parts(player, turn)
    values = torch.stack([*parts.values()])
    buckets = Buckets(player.parameters)
    torch.autograd.grad(values.sum(), player.parameters, materialize_grads=True)
    gradients = buckets.averaged(player.parameters)
    (means,) = average([values.detach()])
    player.step(gradients, turn.clock.progress)
    return dict(zip(parts, means.unbind(), strict=True))


class Played:
    """A game on noise, of which this process is a rank."""

    def __init__(self, name: str, batch: int) -> None:
        if name == "digits":
            recipe = named(name)
            data = recipe.data.open()
        else:
            recipe, data = GAMES[name]().recipe, noise(GAMES[name]())
        self.game = build_game(recipe, data, torch.device("cpu"), "float32")
        self.x = torch.rand(batch, *data.shape).mul(2).sub(1).contiguous(memory_format=torch.channels_last)
        self.c = torch.arange(batch) % len(data.classes) if recipe.conditional else None
        self.position, self.accumulate = 0, self.game.accumulate
        self.sums = [torch.zeros(sum(p.numel() for p in player.parameters)) for player in (self.game.D, self.game.G)]

    def batches(self) -> Iterator[Batch]:
        """The same samples at every position."""
        while True:
            yield Batch(self.x, self.c, self.position)
            self.position += len(self.x) * ranks()

    def answer(self, word: str) -> dict[str, float]:
        """Answer a word."""
        if word == "facts":
            return {"bytes": 4 * sum(flat.numel() for flat in self.sums), "sums": self.counted()}
        self.game.accumulate = partial(overlapped, self.game) if word == "overlapped" else self.accumulate  # type: ignore[method-assign]
        started = time.perf_counter()
        if word in ("flat", "overlapped"):
            self.game.step(self.batches())
        else:
            for flat in self.sums if word == "bytes" else [torch.zeros(1)]:
                dist.all_reduce(flat)
        return {"seconds": time.perf_counter() - started}

    def counted(self) -> int:
        """Number of sums over the ranks in a step."""
        usual, calls = dist.all_reduce, []
        dist.all_reduce = lambda *given, **named: calls.append(1) or usual(*given, **named)  # type: ignore[func-returns-value]
        self.game.step(self.batches())
        dist.all_reduce = usual
        return len(calls)


def main(name: str, batch: str, number: str, count: str, meeting_point: str) -> None:
    """Answer each line of the input."""
    torch.set_num_threads(1)
    if int(count) > 1:
        store = dist.FileStore(meeting_point, int(count))
        wait = timedelta(minutes=10)
        dist.init_process_group("gloo", store=store, rank=int(number), world_size=int(count), timeout=wait)
    played = Played(name, int(batch))
    for line in sys.stdin:
        print(json.dumps(played.answer(line.strip()) | {"rank": rank()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
