"""A recipe: the definition of a whole run as one frozen value."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Protocol

import torch
from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset, Source
from zerosum.data.sources.digits import Digits
from zerosum.game.game import Opponent, Watcher
from zerosum.game.latents import Normal
from zerosum.game.player import Term
from zerosum.game.pretraining import PRETRAINED
from zerosum.game.trainable import MAIN, TrainableGame
from zerosum.game.turn import Augmentation
from zerosum.networks.spec import DiscriminatorSpec, GeneratorSpec
from zerosum.protocols import Latent, Objective, WeightProjection
from zerosum.recipes._opaque import Opaque
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.fit import BECOMES, convert_fields
from zerosum.recipes.optimisers import Adam, OptimiserSpec
from zerosum.recipes.own_networks import Provided, discriminator_spec, generator_spec

# Fields that a game of one generator and one discriminator uses; other games may not.
OF_THE_GAME = (
    "d_terms", "g_terms", "d_after", "G_opt", "D_opt", "n_critic", "n_generator", "opponent", "augment", "ema",
    "ema_rampup", "compile", "micro_batch", "pretrain",
)  # fmt: skip
_LARGEST = 2**63 - 1  # that recipe text takes, and torch
_MOST = dict.fromkeys(("images", "tick", "snapshot"), _LARGEST) | {"batch": 1 << 20}
_MOST |= {"n_critic": 10_000, "n_generator": 10_000}  # a step that takes longer cannot be stopped
_WRITTEN = "written"  # metadata of a field that recipe text omits at its default


class GameSpec(Protocol):
    """Builds a game from a recipe's parts, other than the default of one generator and one discriminator.

    The game decides how to use `Recipe.generator`, `.discriminator`, `.objective`, `.latent` and the optimisers, for
    example one generator spec for both directions of a translation; anything else it needs is a field of its own.
    `generator_spec(recipe.generator)` has the type that builds one, for type checkers; at run time it is the field. A
    second data set is passed as the condition of the first: a source with samples x and conditions from the other.
    """

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields among `recipes.recipe.OF_THE_GAME` that this game uses; setting another raises an error."""

    def build(
        self,
        recipe: "Recipe",
        dataset: Dataset,
        device: torch.device,
        precision: Callable[[], AbstractContextManager[None]],
        watchers: Sequence[Watcher],
    ) -> TrainableGame:
        """Return the initial game on a device, the same on every rank (`networks.place` broadcasts the weights).

        `precision` returns the autocast context of networks and losses. Every watcher is called after each update, see
        `Watcher.watch`.
        """

    def generator(self, name: str, recipe: "Recipe", shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """Return the module of `TrainableGame.generators` of this name, `G(z[, c]) -> x`, before loading its weights.

        Used to load a file or run folder without data. Raises `ValueError` for an unknown name.
        """


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that determines the result of a run; its `repr` is the config file, which `read` parses.

    Time is counted in images: real samples that D has been trained on (without updates of D, real samples that G has
    been matched with).

    Attributes:
        name: name of the run.
        generator: builds G; or a module `G(z[, c]) -> x`, copied; or a class or function that makes one.
        discriminator: builds D; or a module `D(x[, c]) -> score`, copied; or a class or function that makes one.
        objective: the losses of D and G.
        data: source of the real samples.
        conditional: whether to train a conditional GAN, on the labels, binary or continuous attributes of the data.
        label_dropout: share of samples, in [0, 1), whose label or attributes are hidden from both players; then G can
            also sample unconditionally (`zerosum sample --class none`, `--condition none`).
        latent: the distribution of z (prior).
        d_terms: terms added to D's loss.
        g_terms: terms added to G's loss.
        d_after: projection of D's weights after each of its updates.
        G_opt: optimiser of G.
        D_opt: optimiser of D.
        batch: batch size, over all ranks together.
        images: length of the run, in training images.
        n_critic: updates of D per step; 0 if D has no parameters.
        n_generator: updates of G per step.
        opponent: the discriminator that G trains against, such as `Unrolled(k=5)`; None for D as it is.
        augment: augmentation of D's inputs, real and generated; None for none.
        ema: half-life of G's exponential moving average, in images; 0 for none.
        ema_rampup: largest half-life of that average, as a share of the images seen.
        seed: random seed.
        precision: `auto`, `float32` or `bfloat16`.
        tick: log interval, in images.
        snapshot: interval of sample grids and checkpoints, in images.
        evaluation: periodic evaluation, such as `Evaluation(('fid', 'kid'))`; None for none.
        compile: compile updates with `torch.compile`, which needs a C++ compiler and some time at the start. Results
            differ by rounding. Parts that cannot be compiled raise an error.
        micro_batch: samples per gradient accumulation step of a process, for less memory at the same result; None for
            the whole batch. Parts that compare samples of a batch raise an error. Layers with randomness of their own,
            such as dropout, draw for each micro-batch.
        pretrain: share of the run, in [0, 1), in which G is trained by its terms alone, before the game begins.
        game: a game of other networks; None for the default, one generator and one discriminator.
        watchers: observers of every update of either network, which may add values to the log and change nothing.
    """

    name: str
    generator: GeneratorSpec | Provided = field(metadata={BECOMES: GeneratorSpec})
    discriminator: DiscriminatorSpec | Provided = field(metadata={BECOMES: DiscriminatorSpec})
    objective: Objective
    data: Source = field(default_factory=Digits)
    conditional: bool = False
    label_dropout: float = 0.0
    latent: Latent = Normal(64)
    d_terms: tuple[Term, ...] = ()
    g_terms: tuple[Term, ...] = ()
    d_after: WeightProjection | None = None
    G_opt: OptimiserSpec = Adam()
    D_opt: OptimiserSpec = Adam()
    batch: int = 64
    images: int = 500_000
    n_critic: int = 1
    n_generator: int = 1
    opponent: Opponent | None = None
    augment: Augmentation | None = None
    ema: float = 10_000.0
    ema_rampup: float = 0.05
    seed: int = 0
    precision: str = "auto"
    tick: int = 5_000
    snapshot: int = 50_000
    evaluation: Evaluation | None = field(default=None, metadata={_WRITTEN: "where set"})
    compile: bool = field(default=False, metadata={_WRITTEN: "where set"})
    micro_batch: int | None = field(default=None, metadata={_WRITTEN: "where set"})
    pretrain: float = field(default=0.0, metadata={_WRITTEN: "where set"})
    game: GameSpec | None = field(default=None, metadata={_WRITTEN: "where set"})
    watchers: tuple[Watcher, ...] = field(default=(), metadata={_WRITTEN: "where set"})

    def __repr__(self) -> str:
        return pretty(self)

    def __post_init__(self) -> None:
        for name in ("d_terms", "g_terms"):
            if not isinstance(getattr(self, name), tuple | list):
                raise ValueError(f"{name} is a tuple of terms, like (R1(gamma=1.0),); found {getattr(self, name)!r}")
        if not isinstance(self.watchers, tuple | list):
            raise ValueError(f"watchers is a tuple, like (Probe(),); found {self.watchers!r}")
        object.__setattr__(self, "generator", generator_spec(self.generator))
        object.__setattr__(self, "discriminator", discriminator_spec(self.discriminator))
        convert_fields(self)
        for name in ("batch", "images", "tick", "snapshot"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is a number of images, at least 1; found {getattr(self, name)}")
        for name, most in _MOST.items():
            if getattr(self, name) > most:
                raise ValueError(f"{name} is at most {most:,}; found {getattr(self, name)}")
        if self.micro_batch is not None and (self.micro_batch < 1 or self.batch % self.micro_batch):
            raise ValueError(f"micro_batch must divide the batch size, {self.batch}; found {self.micro_batch}")
        if not 0 <= self.label_dropout < 1 or (self.label_dropout and not self.conditional):
            raise ValueError(f"label_dropout must be in [0, 1), or 0 if not conditional; found {self.label_dropout}")
        if self.n_generator < 1:
            raise ValueError(f"n_generator is the number of G updates per step, at least 1; found {self.n_generator}")
        if self.n_critic < 0:
            raise ValueError(f"n_critic is the number of D updates per step, at least 0; found {self.n_critic}")
        if not self.n_critic and (self.d_terms or self.d_after is not None):
            raise ValueError("with n_critic=0 D is never updated: leave d_terms and d_after at their defaults")
        if not 0 <= self.pretrain < 1:
            raise ValueError(f"pretrain is a share of the run, in [0, 1); found {self.pretrain}")
        if self.pretrain and (not self.g_terms or self.compile):
            raise ValueError("pretrain trains G by its terms alone: give g_terms, and leave out compile")
        if not self.ema >= 0:
            raise ValueError(f"ema is a half-life in images, at least 0; found {self.ema}")
        if not self.ema_rampup > 0:
            raise ValueError(f"ema_rampup is a share of the images seen, above 0; found {self.ema_rampup}")
        if not -_LARGEST <= self.seed <= _LARGEST:
            raise ValueError(f"seed is an integer of 64 bits, above -2^63 and below 2^63; found {self.seed}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision is auto, float32 or bfloat16; found {self.precision!r}")
        self._check_game()

    def _check_game(self) -> None:
        """Raise `ValueError` if a field is set that the recipe's game does not use."""
        if self.game is None or isinstance(self.game, Opaque):
            return
        for f in fields(self):
            if f.name in {*OF_THE_GAME} - {*self.game.reads} and getattr(self, f.name) != f.default:
                raise ValueError(f"{type(self.game).__name__} does not use {f.name}: leave it at {f.default!r}")


def flat(value: object) -> str:
    """Return a value as recipe text on one line: its `repr`, also for classes defined within a function or class."""
    if is_dataclass(value) and not isinstance(value, type):
        given = ", ".join(f"{f.name}={flat(getattr(value, f.name))}" for f in fields(value) if f.repr)
        return f"{type(value).__name__}({given})"
    if type(value) is tuple:
        return f"({', '.join(map(flat, value))}{',' * (len(value) == 1)})"
    return repr(value)


def pretty(value: object, indent: int = 0) -> str:
    """Return a value as recipe text over several lines: like `flat`, with one line per field of a dataclass."""
    line = flat(value)
    if not is_dataclass(value) or len(line) + indent <= 100:
        return line
    inner = " " * (indent + 4)
    written = [
        f for f in fields(value) if f.repr and not (_WRITTEN in f.metadata and getattr(value, f.name) == f.default)
    ]
    lines = [f"{inner}{f.name}={pretty(getattr(value, f.name), indent + 4)},\n" for f in written]
    return f"{type(value).__name__}(\n{''.join(lines)}{' ' * indent})"


def generator_network(recipe: Recipe, name: str, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
    """Return a generator of a recipe's game by name, for samples of a shape; raise `ValueError` if there is none."""
    if recipe.game is not None:
        return recipe.game.generator(name, recipe, shape, condition)
    if name != MAIN and not (name == PRETRAINED and recipe.pretrain):
        raise ValueError(f"the game of {recipe.name} has one generator, called {MAIN!r}; found {name!a:.40}")
    return generator_spec(recipe.generator).build(recipe.latent.size, shape, condition)
