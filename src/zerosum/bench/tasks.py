"""Benchmark tasks: data with known modes, and the networks and budget that all games share."""

__all__ = ["Task", "on_task", "tasks"]

from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, runtime_checkable

from zerosum.data.toys.gaussians import GaussianMixture
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.networks.packed import Packed
from zerosum.networks.spec import DiscriminatorSpec, GeneratorSpec
from zerosum.recipes.fit import fits
from zerosum.recipes.library.classics import wgan_gp
from zerosum.recipes.library.modern import stacked_mnist
from zerosum.recipes.library.plain import minimax
from zerosum.recipes.library.techniques import minibatch_discrimination, pacgan
from zerosum.recipes.library.toys import grid, ring
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.own_networks import Provided
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import GradientPenalty
from zerosum.terms.schedules import Cosine

TASK_FIELDS = (
    *("data", "latent", "conditional", "batch", "images", "ema", "ema_rampup"),
    *("seed", "precision", "tick", "snapshot"),
)
"""The fields of a recipe that the task sets, besides the networks (see `fitted`); all others belong to the game."""
SIZE_FIELDS = ("size", "width", "hidden", "code", "embedding", "activation", "conditioning")
"""The fields of a network for its size and inputs, which the task sets, as it does the kind of network."""


@dataclass(frozen=True)
class Task:
    """Data with known modes, and the networks and budget that all games share.

    Attributes:
        name: of the task.
        default: the default recipe, which sets the data, the budget, and the default game.
        generator: the generator of every game.
        discriminator: the discriminator of every game, except for what a game adds to it.
        samples: number of samples to evaluate.
        games: adapted versions of games tuned for another kind of data; each replaces the recipe of the same name.
    """

    name: str
    default: Recipe
    generator: GeneratorSpec | Provided
    discriminator: DiscriminatorSpec | Provided
    samples: int = 2_500
    games: tuple[Recipe, ...] = ()

    def adapted(self, game: Recipe) -> Recipe:
        """The game on this task: an unchanged recipe of the catalogue may have an adapted version."""
        known = catalogue()
        forms = {form.name: form for form in self.games}
        unchanged = game.name in known and game == known[game.name]()
        return forms.get(game.name, game) if unchanged else game


@runtime_checkable
class _Network(Protocol):
    @property
    def build(self) -> Any: ...


def tasks(archive: str | None = None) -> tuple[Task, ...]:
    """The ring of 8, the grid of 25, ten Gaussians in 64 dimensions, and stacked digits.

    Stacked digits use 25,600 samples (Metz et al. 2017, arXiv 1611.02163), the others 2,500 (Srivastava et al. 2017,
    arXiv 1705.07761). `archive` is a file of other digits to stack than the embedded ones.
    """
    mixture = replace(
        ring(),
        name="mixture",
        data=GaussianMixture(),
        generator=MLPGenerator(hidden=(256, 256, 256)),
        discriminator=MLPDiscriminator(hidden=(256, 256)),
        latent=Normal(32),
    )
    stacked = replace(stacked_mnist(), data=StackedDigits(archive))
    plain = MLPDiscriminator(hidden=(128, 128))  # the default games also use Fourier features
    return (
        Task("ring-8", ring(), ring().generator, plain, games=points()),
        Task("grid-25", grid(), grid().generator, plain, games=(*points(), pairs())),
        Task("mixture-64d", mixture, mixture.generator, mixture.discriminator, games=points()),
        Task("stacked-digits", stacked, stacked.generator, DCGANDiscriminator(32), samples=25_600),
    )


def points() -> tuple[Recipe, ...]:
    """Image games adapted to points, whose scale and networks need other learning rates and penalties."""
    slow, fast = (Adam(lr=lr, betas=(0.0, 0.99), schedule=Cosine()) for lr in (1e-3, 5e-3))
    plain = minimax()
    return (
        replace(wgan_gp(), d_terms=(GradientPenalty(weight=0.1),), G_opt=slow, D_opt=fast),
        replace(minibatch_discrimination(), G_opt=plain.G_opt, D_opt=plain.D_opt),
    )


def pairs() -> Recipe:
    """PacGAN2 with a faster D: at the learning rates of the ring, D misses the peaks of the grid in packs of 4."""
    slow, fast = (Adam(lr=lr, betas=(0.0, 0.99)) for lr in (5e-4, 2e-3))
    return replace(pacgan(), discriminator=Packed(MLPDiscriminator(), samples=2), G_opt=slow, D_opt=fast)


def on_task(game: Recipe, task: Task) -> tuple[Recipe, list[str]]:
    """The game of a recipe on a task, with the same data, networks and budget as every other game.

    The task sets data, latent, batch size, length, EMA, and kind and size of the networks. The recipe sets the game:
    objective, terms, optimisers, updates, opponent, augmentation, and what it adds to its networks (see `fitted`). Also
    returns a message for each part that the networks of the task do not support.
    """
    generator, left = fitted(task.generator, game.generator)
    discriminator, left_too = fitted(task.discriminator, game.discriminator)
    shared = {name: getattr(task.default, name) for name in TASK_FIELDS}
    composed = replace(game, generator=generator, discriminator=discriminator, **shared)
    return composed, [f"{game.name} on {task.name} is run without {part}" for part in (*left, *left_too)]


def fitted(network: Any, game: Any) -> tuple[Any, list[str]]:
    """The network of a task with the additions of a game; also returns the additions that it does not support.

    A network of the game that wraps another, such as `Packed`, is kept around the network of the task. Otherwise a
    field that the game sets and that is not in `SIZE_FIELDS` is also set in the network of the task, if that has the
    field at its default and supports the value: an MLP has norms, but not all of those for images.
    """
    inner = [f.name for f in fields(game) if _is_network(getattr(game, f.name))]
    if inner:
        found, left = fitted(network, getattr(game, inner[0]))
        return replace(game, **{inner[0]: found}), left
    wanted = {name: value for name, value in _set_fields(game).items() if name not in SIZE_FIELDS}
    there, taken = {f.name for f in fields(network)}, _set_fields(network)
    known = [n for n, value in wanted.items() if n in taken or (n in there and fits(type(network), n, value))]
    left = [f"{name}={value!r}" for name, value in wanted.items() if name not in known and value not in ("none", None)]
    return replace(network, **{n: v for n, v in wanted.items() if n in known and n not in taken}), left


def _is_network(value: object) -> bool:
    return is_dataclass(value) and isinstance(value, _Network)


def _set_fields(network: Any) -> dict[str, Any]:
    """The fields of a value that differ from their defaults."""
    found = {}
    for field in fields(network):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if getattr(network, field.name) != default:
            found[field.name] = getattr(network, field.name)
    return found
