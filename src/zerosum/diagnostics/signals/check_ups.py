"""Check-ups: signals that cost more than an update, at positions that follow from the recipe."""

__all__ = ()

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.diagnostics.signals.arbiter import arbiter
from zerosum.diagnostics.signals.conditions import conditional, labelled
from zerosum.diagnostics.signals.discriminator import discriminator
from zerosum.diagnostics.signals.diversity import diversity
from zerosum.diagnostics.signals.memory import data, memory
from zerosum.diagnostics.signals.movement import average, movement, response
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.diagnostics.signals.pace import positions
from zerosum.diagnostics.signals.real_samples import RealSamples, read_real
from zerosum.diagnostics.signals.subject import Subject
from zerosum.diagnostics.signals.updates import Updates
from zerosum.diagnostics.signals.weights import dead_units, spectra
from zerosum.game.buffers import saved_buffers
from zerosum.game.random import derived_seed
from zerosum.game.trainable import TrainableGame
from zerosum.recipes.recipe import Recipe

Signals = Callable[[Subject], dict[str, Tensor]]
GROUPS: tuple[Signals, ...] = (
    diversity,
    arbiter,
    movement,
    average,
    response,
    discriminator,
    conditional,
    labelled,
    memory,
    spectra,
    dead_units,
)


class CheckUps:
    """The check-ups of a run. Every process takes each of them, on the same samples.

    They change nothing in the game: buffers are restored, and random numbers are of streams of their own. From one
    check-up to the next they keep the features of the samples, a part of the run's checkpoints.

    Args:
        recipe: the recipe.
        dataset: the opened data.
        device: the device of the networks.
        images: images seen at the start.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, device: torch.device, images: int = 0) -> None:
        self.recipe, self.dataset, self.device = recipe, dataset, device
        self._positions = positions(recipe, images)
        self._next = next(self._positions)
        self._real: RealSamples | None = None
        self._is_first = self._next == next(positions(recipe))
        self._features: dict[str, Tensor] = {}
        self.updates = Updates()

    def is_due(self, images: int) -> bool:
        """Whether a check-up is due at this number of images; once for each position."""
        due = images >= self._next
        while images >= self._next:
            self._next = next(self._positions)
        return due

    def read(self) -> None:
        """Read the real samples, at the first check-up of a start; raises what the data raises."""
        if self._real is None:
            self._real = read_real(self.recipe, self.dataset, self.device)

    def take(self, game: TrainableGame) -> dict[str, float]:
        """The signals of the game now, by their names in a log; empty where the data has too few samples."""
        self.updates.begin(game.networks)
        if self._real is None:
            return {}
        subject = Subject(self.recipe, self._real, game, self._features, game.images)
        buffers = saved_buffers(*subject.kept)
        cuda = [self.device.index or 0] if self.device.type == "cuda" else []
        groups = (*GROUPS, data) if self._is_first else GROUPS
        found: dict[str, Tensor] = {}
        with torch.random.fork_rng(devices=cuda):
            torch.manual_seed(derived_seed(self.recipe.seed, "check-up", game.images))
            try:
                for signals in groups:
                    found |= signals(subject)
            finally:
                for buffer in buffers:
                    buffer.restore()
        self._features, self._is_first = subject.after, False
        return _numbers(found, self.device)

    def state_dict(self) -> dict[str, Tensor]:
        """The features of the last check-ups, and between the two iterations after one the weights."""
        return {**self._features, **self.updates.kept}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Load what `state_dict` returned; empty for a run that had no check-up."""
        state = {name: tensor.to(self.device) for name, tensor in state.items()}
        self.updates.kept = {name: t for name, t in state.items() if name.startswith(("weights.", "update."))}
        self._features = {name: t for name, t in state.items() if name not in self.updates.kept}


def _numbers(found: Mapping[str, Tensor], device: torch.device) -> dict[str, float]:
    """Finite values by their names in a log, read from the device at once."""
    if not found:
        return {}
    values = torch.stack([value.detach().to(device, torch.float32) for value in found.values()]).tolist()
    return {
        f"{SIGNAL}{name}": round(value, 6)
        for name, value in zip(found, values, strict=True)
        if abs(value) < float("inf")
    }
