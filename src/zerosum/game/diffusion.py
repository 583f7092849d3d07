"""A game at each step of a diffusion: G undoes a step, and D compares what it gives with the diffused sample."""

__all__ = ()

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from zerosum.conditions.components import Vector
from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.game.batch import Batch
from zerosum.game.game import Game, Log
from zerosum.game.precision import at_least_float32
from zerosum.game.state import State
from zerosum.game.trainable import Groups


class Diffusion(nn.Module):
    """A diffusion of a few large steps: q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I), x_0 a sample.

    Its betas are those of the variance preserving process (Song et al. 2021, arXiv 2011.13456) between times
    (t - 1) / steps and t / steps, as in Xiao et al. 2022 (arXiv 2112.07804). Steps here count from 0: step t leads from
    x_t to x_{t+1} and back. They are given as rows of one 1 and zeros, `(B, steps)`.

    Args:
        steps: number of steps (>= 1).
        beta_min: rate of the process at its start (>= 0).
        beta_max: rate at its end (> beta_min).
    """

    def __init__(self, steps: int, beta_min: float, beta_max: float) -> None:
        super().__init__()
        self.steps = steps
        times = [step / steps for step in range(steps + 1)]
        logs = [-beta_min * time - (beta_max - beta_min) * time**2 / 2 for time in times]
        signal = [math.exp(log) for log in logs]  # the share of the variance of x_t that is from x_0
        noise = [-math.expm1(log) for log in logs]
        betas = [-math.expm1(after - before) for before, after in pairwise(logs)]
        tables = {
            "to_signal": [math.sqrt(value) for value in signal[:-1]],
            "to_noise": [math.sqrt(value) for value in noise[:-1]],
            "keep": [math.sqrt(1 - beta) for beta in betas],
            "add": [math.sqrt(beta) for beta in betas],
            "of_start": [math.sqrt(signal[t]) * beta / noise[t + 1] for t, beta in enumerate(betas)],
            "of_noisy": [math.sqrt(1 - beta) * noise[t] / noise[t + 1] for t, beta in enumerate(betas)],
            "std": [math.sqrt(beta * noise[t] / noise[t + 1]) for t, beta in enumerate(betas)],
        }
        for name, values in tables.items():
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def at(self, name: str, step: Tensor, x: Tensor) -> Tensor:
        """The coefficient of that name at the step of each sample, to multiply x `(B, ...)`."""
        chosen = (step.to(x) * self.get_buffer(name).to(x)).sum(1)  # of which only one is not 0
        return chosen.view(-1, *(1,) * (x.dim() - 1))

    def pair(self, x: Tensor, step: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """x_t and x_{t+1} of samples x_0, from two independent standard normal noises; all `(B, ...)`."""
        before = self.at("to_signal", step, x) * x + self.at("to_noise", step, x) * first
        return before, self.at("keep", step, x) * before + self.at("add", step, x) * second

    def undone(self, x: Tensor, noisy: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """x_t from q(x_t | x_{t+1}, x_0), normal: Ho et al. 2020 (arXiv 2006.11239), equations 6 and 7.

        Step 0 returns x itself.

        Args:
            x: x_0, `(B, ...)`.
            noisy: x_{t+1}.
            step: t.
            noise: standard normal noise of the shape of x.
        """
        mean = self.at("of_start", step, x) * x + self.at("of_noisy", step, x) * noisy
        return mean + self.at("std", step, x) * noise


def noisy_condition(shape: tuple[int, ...], steps: int) -> Condition:
    """The condition of networks that undo a step: x_{t+1} beside the step, as further components or constant planes."""
    first, *sides = shape
    return Image((first + steps, sides[0], sides[1])) if sides else Vector(first + steps)


def noisy(x: Tensor, step: Tensor) -> Tensor:
    """The c of `noisy_condition` of x_{t+1} `(B, C, ...)` and steps `(B, steps)`."""
    planes = step.to(x)[(...,) + (None,) * (x.dim() - 2)].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


class Denoiser(nn.Module):
    """Undoes one step of a diffusion, `G(z, c) -> x_t`, or all of them, `G(z) -> x_0`.

    A network predicts x_0 from noise of its own and from c, that is x_{t+1} and the step; then x_t is drawn from
    q(x_t | x_{t+1}, x_0). All random numbers are in z: for one step those of the draw and then those of the network,
    for all steps as many for each. Step 0 draws nothing, so its first numbers are the noise that a sample starts from.

    Args:
        network: predicts x_0.
        diffusion: the steps.
        shape: of a sample.
    """

    def __init__(self, network: nn.Module, diffusion: Diffusion, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network, self.diffusion, self.shape = network, diffusion, shape

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        if c is not None:
            return self.undone(z, c)
        parts = z.reshape(len(z), self.diffusion.steps, -1)
        x = self._split(parts[:, 0])[0]
        every = torch.eye(self.diffusion.steps, dtype=x.dtype, device=x.device)
        for t in reversed(range(self.diffusion.steps)):
            x = self.undone(parts[:, t], noisy(x, every[t].expand(len(x), -1)))
        return x

    def undone(self, z: Tensor, c: Tensor) -> Tensor:
        """x_t `(B, *shape)` from the random numbers z of one step and c."""
        noise, own = self._split(z)
        before, planes = torch.split(c, [self.shape[0], self.diffusion.steps], dim=1)
        step = planes.reshape(len(c), self.diffusion.steps, -1)[:, :, 0]
        x = at_least_float32(self.network(own, c))
        return self.diffusion.undone(x, before.to(x), step, noise.to(x))

    def _split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        count = math.prod(self.shape)
        return z[:, :count].reshape(-1, *self.shape), z[:, count:]


@dataclass(eq=False)
class DenoisingGame:
    """A game whose real samples are x_t and whose condition is x_{t+1} with t: diffused samples at random steps.

    Steps and noises of a batch follow from the seed and its position, as all random numbers do.

    Attributes:
        game: the game of a `Denoiser` and a discriminator, both under `noisy_condition`.
    """

    game: Game

    @property
    def images(self) -> int:
        """Real samples that the discriminator has seen, at one step each."""
        return self.game.images

    @property
    def steps(self) -> int:
        """Updates of G."""
        return self.game.steps

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """G and D."""
        return self.game.networks

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The moving average of G, which without a condition undoes all steps."""
        return self.game.generators

    def step(self, batches: Iterator[Batch]) -> Log:
        """A step of the game, on diffused samples."""
        return self.game.step(map(self.diffused, batches))

    def diffused(self, batch: Batch) -> Batch:
        """The batch at a random step for each sample: x_t under x_{t+1} and t."""
        G, x, draws = self.game.G.network, batch.x, self.game.draws(batch)
        assert isinstance(G, Denoiser)
        steps = G.diffusion.steps
        step = one_hot((draws.uniform("step", (len(x),)) * steps).long(), steps)
        noises = (draws.normal(purpose, tuple(x.shape)).to(x) for purpose in ("noise", "further noise"))
        before, after = G.diffusion.pair(x, step, *noises)
        return Batch(before, noisy(after, step), batch.position)

    def check_finite(self) -> None:
        """Raise `NonFiniteError` where an update met NaN or Inf."""
        self.game.check_finite()

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of both players."""
        self.game.slow_down(factor)

    def state_dict(self) -> Groups:
        """The state of the game."""
        return self.game.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Load a state; raises `ValueError` where it is of another game."""
        self.game.load_state_dict(state)

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run of such a game."""
        self.game.load_weights(state, images)
