"""A whole run as one frozen value."""

from dataclasses import dataclass, field, fields, is_dataclass

from zerosum.data.dataset import Source
from zerosum.data.sources.digits import Digits
from zerosum.game.game import Opponent, Watcher
from zerosum.game.latents import Normal
from zerosum.game.player import Term
from zerosum.game.turn import Augmentation
from zerosum.networks.spec import DiscriminatorSpec, GeneratorSpec
from zerosum.protocols import Latent, Objective, WeightProjection
from zerosum.recipes._opaque import Opaque
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.fit import changes
from zerosum.recipes.game_spec import GameSpec
from zerosum.recipes.optimisers import Adam, OptimiserSpec
from zerosum.recipes.own_networks import OwnDiscriminator, OwnGenerator, wrapped

# Fields that a game of one generator and one discriminator reads, and another one need not.
OF_THE_GAME = (
    "d_terms", "g_terms", "d_after", "G_opt", "D_opt", "n_critic", "n_generator", "opponent", "augment", "ema",
    "ema_rampup", "compile", "micro_batch",
)  # fmt: skip
_WRITTEN = "written"  # metadata of a field that recipe text leaves out at its default: it decides nothing of the run


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a run learns; its `repr` is the config file and `read` takes it back.

    Time is counted in images: samples that the discriminator's real side has seen (for a game whose discriminator
    never moves, that the generator has been matched with).

    Attributes:
        name: a word for the run.
        generator: builds G; or a module `G(z[, c]) -> x`, which is copied, or a class or function that makes one.
        discriminator: builds D; or a module `D(x[, c]) -> score`, copied as well, or what makes one.
        objective: what the two want.
        data: where real samples come from.
        conditional: play under the condition that the data carry: labels, attributes or numbers.
        label_dropout: share of samples, in [0, 1), that both players see without their label or attributes; a generator
            that met some can be asked for a sample of any kind (`zerosum sample --class none`, `--condition none`).
        latent: the law of z.
        d_terms: additions to D's loss.
        g_terms: additions to G's loss.
        d_after: projection of D's weights after each of its moves.
        G_opt: G's optimiser.
        D_opt: D's optimiser.
        batch: samples per move, over all ranks together.
        images: length of the run.
        n_critic: moves of D in a round; 0 where D has no parameters.
        n_generator: moves of G in a round.
        opponent: the discriminator that G trains against, such as `Unrolled(k=5)`; None for D as it is.
        augment: what is done to samples, real and generated alike, before D sees them; None for nothing.
        ema: half-life of the generator's average, in images; 0 for none.
        ema_rampup: largest half-life of that average as a share of the images seen.
        seed: from which all randomness derives.
        precision: `auto`, `float32` or `bfloat16`.
        tick: images from one line of the log to the next.
        snapshot: images from one sample grid and checkpoint to the next.
        evaluation: what to score from time to time, such as `Evaluation(('fid', 'kid'))`; None for nothing.
        compile: play moves in a compiled form, which needs a C++ compiler and takes a while at first. Numbers differ by
            rounding. A part that cannot be compiled is refused.
        micro_batch: samples of a process that gradients are taken of at a time, which takes less memory and learns the
            same; None for all of a move. What compares the samples of a batch is refused. Layers that draw by
            themselves, as dropout, draw anew for each micro-batch.
        game: which game is played with these parts; None for the usual one, of a generator and a discriminator.
        watchers: observers of every update of either network, which may add readings to the log and learn nothing.
    """

    name: str
    generator: GeneratorSpec
    discriminator: DiscriminatorSpec
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
    game: GameSpec | None = field(default=None, metadata={_WRITTEN: "where set"})
    watchers: tuple[Watcher, ...] = field(default=(), metadata={_WRITTEN: "where set"})

    def __post_init__(self) -> None:
        for name in ("d_terms", "g_terms"):
            if not isinstance(getattr(self, name), tuple | list):
                raise ValueError(f"{name} is a tuple of terms, like (R1(gamma=1.0),); found {getattr(self, name)!r}")
        if not isinstance(self.watchers, tuple | list):
            raise ValueError(f"watchers is a tuple, like (Probe(),); found {self.watchers!r}")
        for name, kind in (("generator", OwnGenerator), ("discriminator", OwnDiscriminator)):
            object.__setattr__(self, name, wrapped(kind, getattr(self, name)))
        for name, value in changes(self).items():
            object.__setattr__(self, name, value)
        for name in ("batch", "images", "tick", "snapshot"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} counts images and is at least 1; found {getattr(self, name)}")
        if self.micro_batch is not None and (self.micro_batch < 1 or self.batch % self.micro_batch):
            raise ValueError(
                f"micro_batch counts samples and divides the batch, {self.batch}; found {self.micro_batch}"
            )
        if not 0 <= self.label_dropout < 1 or (self.label_dropout and not self.conditional):
            raise ValueError(f"label_dropout is a share of a conditional game, in [0, 1); found {self.label_dropout}")
        if self.n_generator < 1:
            raise ValueError(f"n_generator counts G's moves in a round, at least 1; found {self.n_generator}")
        if self.n_critic < 0:
            raise ValueError(f"n_critic counts D's moves in a round, at least 0; found {self.n_critic}")
        if not self.n_critic and (self.d_terms or self.d_after is not None):
            raise ValueError("with n_critic=0 D never moves, and d_terms would count for nothing, as d_after would")
        if not self.ema >= 0:
            raise ValueError(f"ema is a half-life in images, at least 0; found {self.ema}")
        if not self.ema_rampup > 0:
            raise ValueError(f"ema_rampup is a share of the images seen, above 0; found {self.ema_rampup}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision is auto, float32 or bfloat16; found {self.precision!r}")
        self._check_game()

    def _check_game(self) -> None:
        """Raise `ValueError` where a field is set that the recipe's game does not use."""
        if self.game is None or isinstance(self.game, Opaque):
            return
        for f in fields(self):
            if f.name in {*OF_THE_GAME} - {*self.game.reads} and getattr(self, f.name) != f.default:
                raise ValueError(f"{type(self.game).__name__} does not use {f.name}: leave it at {f.default!r}")


def flat(value: object) -> str:
    """A value as recipe text on one line: like `repr`, but for classes that were defined within a function or class."""
    if is_dataclass(value) and not isinstance(value, type):
        told = ", ".join(f"{f.name}={flat(getattr(value, f.name))}" for f in fields(value) if f.repr)
        return f"{type(value).__name__}({told})"
    if type(value) is tuple:
        return f"({', '.join(map(flat, value))}{',' * (len(value) == 1)})"
    return repr(value)


def pretty(value: object, indent: int = 0) -> str:
    """A value as recipe text over several lines: like `flat`, with one line for each field of a dataclass."""
    line = flat(value)
    if not is_dataclass(value) or len(line) + indent <= 100:
        return line
    inner = " " * (indent + 4)
    shown = [
        f for f in fields(value) if f.repr and not (_WRITTEN in f.metadata and getattr(value, f.name) == f.default)
    ]
    lines = [f"{inner}{f.name}={pretty(getattr(value, f.name), indent + 4)},\n" for f in shown]
    return f"{type(value).__name__}(\n{''.join(lines)}{' ' * indent})"
