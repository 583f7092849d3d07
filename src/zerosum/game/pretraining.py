"""A game whose generator is first trained by its terms alone."""

__all__ = ()

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from zerosum.game.batch import Batch
from zerosum.game.copies import copied
from zerosum.game.distributed import ranks
from zerosum.game.game import Game, Log
from zerosum.game.player import Player
from zerosum.game.state import State
from zerosum.game.trainable import MAIN
from zerosum.game.turn import Turn

PRETRAINED = "pretrained"


@dataclass(eq=False)
class PretrainedGame(Game):
    """A game in which, for its first images, only G is updated, and by its terms alone: without objective and D.

    So super-resolution begins from the network of the least absolute error (SRGAN, Ledig et al. 2017, arXiv 1609.04802,
    section 3.2). The moving average of G at the end of that stage is kept as the generator `pretrained`.

    Attributes:
        pretrain: length of that stage, in images.
    """

    pretrain: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pretrained = copied(self.ema.module)

    @property
    def is_pretraining(self) -> bool:
        """Whether only the terms of G are minimised."""
        return self.images < self.pretrain

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The moving average of G, and as it was at the end of pretraining."""
        return {**super().generators, PRETRAINED: self.pretrained}

    def step(self, batches: Iterator[Batch]) -> Log:
        """One update of G by its terms, or a step of the game."""
        if not self.is_pretraining:
            return super().step(batches)
        batch = next(batches)
        log, seen = self.update_G(batch), len(batch.x) * ranks()
        self.images += seen if self.n_critic else 0  # without updates of D, an update of G has counted them
        self.ema.update(seen, self.images, None if self.deferred is None else self.deferred.bad)
        if not self.is_pretraining:
            self.pretrained.load_state_dict(self.ema.module.state_dict())
        return log

    def parts(self, player: Player, turn: Turn) -> Log:
        """The parts of a player's loss; while pretraining, without the objective."""
        if not self.is_pretraining:
            return super().parts(player, turn)
        parts = player.term_parts(turn)
        # Where all terms are inactive, the gradient of G is 0.
        return {name: part if part.requires_grad else part.detach().requires_grad_() for name, part in parts.items()}

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run; of one without pretraining, its generator counts as pretrained."""
        super().load_weights({PRETRAINED: state.get(MAIN, {}), **state}, images)
