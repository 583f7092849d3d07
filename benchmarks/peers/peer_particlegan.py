"""Train PyPI `particlegan` by its default recipe on given points, for a given processor time.

    .venv-peers/bin/python benchmarks/peers/peer_particlegan.py points.npy samples.npz --cpu 90 --seed 0

Run by benchmarks/peers/peers.py with the Python of `make peers`; it does not import zerosum. Networks are left to the
caller: MLPs of the widths of our tasks, initialised as in the library's README. The length of the recipe is chosen by
the speed of a few discarded steps.
"""

import argparse
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PROBES = 5
"""Discarded steps to measure the speed; the first is not counted."""


def mlp(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with leaky ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def trainer(library: ModuleType, recipe: Any, dimensions: int, seed: int) -> Any:
    """The library's trainer of its recipe, with networks and prior initialised as in its README."""
    G = mlp((recipe.z_dim, 192, 192, 192, dimensions))
    D = mlp((dimensions, 128, 128, 1))
    library.init.deterministic_orthogonal_(G, seed=2 * seed)
    library.init.deterministic_orthogonal_(D, seed=2 * seed + 1)
    prior = library.init.deterministic_orthogonal_(recipe.make_prior())
    return library.GANTrainer(recipe, G, D, prior=prior, seed=seed)


def play(library: ModuleType, points: Tensor, cpu: float, seed: int, samples: int) -> tuple[Tensor, int]:
    """Train until the process has spent `cpu` seconds; return samples `(n, d)` and the number of steps."""
    draw = torch.Generator().manual_seed(seed)

    def step(machine: Any, batch: int) -> None:
        machine.step(points[torch.randint(len(points), (batch,), generator=draw)])

    probed = library.get_recipe(total_steps=PROBES)
    machine = trainer(library, probed, points.shape[1], seed)
    step(machine, probed.batch_size)
    started = time.process_time()
    for _ in range(PROBES - 1):
        step(machine, probed.batch_size)
    speed = (time.process_time() - started) / (PROBES - 1)
    steps = max(int((cpu - time.process_time()) / max(speed, 1e-6)), 1)
    recipe = library.get_recipe(total_steps=steps)
    machine = trainer(library, recipe, points.shape[1], seed)
    done = 0
    while done < steps and (time.process_time() < cpu or not done):
        step(machine, recipe.batch_size)
        done += 1
    return machine.sample(samples).detach().float(), done


def main() -> None:
    """Train, and write `samples`, `steps`, `cpu_seconds` and `version` into an archive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cpu", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=2_500)
    chosen = parser.parse_args()
    import particlegan

    torch.manual_seed(chosen.seed)
    points = torch.from_numpy(np.load(chosen.points))
    samples, steps = play(particlegan, points, chosen.cpu, chosen.seed, chosen.samples)
    facts = {"steps": steps, "cpu_seconds": time.process_time(), "version": version("particlegan")}
    np.savez(chosen.out, samples=samples.numpy(), **facts)


if __name__ == "__main__":
    main()
