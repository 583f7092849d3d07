"""Where games are compared: sets whose modes are known, each with networks and a budget that all games share."""

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
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import GradientPenalty
from zerosum.terms.schedules import Cosine

OF_THE_BOARD = (
    *("data", "latent", "conditional", "batch", "images", "ema", "ema_rampup"),
    *("seed", "precision", "tick", "snapshot"),
)
"""The fields of a recipe that belong to the board. Its networks do but for `fitted`; all the rest is the game."""
OF_SIZE = ("size", "width", "hidden", "code", "embedding", "activation", "conditioning")
"""The fields of a network that say how large it is and what it takes in: the board's, as the network's kind is."""


@dataclass(frozen=True)
class Task:
    """A set with known modes, with the networks and the budget that every game on it shares.

    Attributes:
        name: of the set.
        own: a recipe made for the set: it gives the data, the budget, and the board's own game.
        generator: the generator of every game.
        discriminator: the discriminator of every game, but for what a game builds into it.
        samples: how many are drawn to be scored.
        games: how games that were tuned on data of another kind are played here, each in place of the recipe that it
            was made from, whose name it has.
    """

    name: str
    own: Recipe
    generator: GeneratorSpec
    discriminator: DiscriminatorSpec
    samples: int = 2_500
    games: tuple[Recipe, ...] = ()

    def own_form(self, game: Recipe) -> Recipe:
        """The game as it is played here: a recipe of the catalogue may have a form of its own on this board."""
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

    Stacked digits are read from 25,600 samples (Metz et al. 2017, arXiv 1611.02163), the others from 2,500 (Srivastava
    et al. 2017, arXiv 1705.07761). `archive` holds other digits to stack than the embedded ones.
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
    plain = MLPDiscriminator(hidden=(128, 128))  # the board's own games see Fourier features beside
    return (
        Task("ring-8", ring(), ring().generator, plain, games=points()),
        Task("grid-25", grid(), grid().generator, plain, games=(*points(), pairs())),
        Task("mixture-64d", mixture, mixture.generator, mixture.discriminator, games=points()),
        Task("stacked-digits", stacked, stacked.generator, DCGANDiscriminator(32), samples=25_600),
    )


def points() -> tuple[Recipe, ...]:
    """Games of pictures as they are played on points, whose scale and networks ask for other rates and penalties."""
    slow, fast = (Adam(lr=lr, betas=(0.0, 0.99), schedule=Cosine()) for lr in (1e-3, 5e-3))
    plain = minimax()
    return (
        replace(wgan_gp(), d_terms=(GradientPenalty(weight=0.1),), G_opt=slow, D_opt=fast),
        replace(minibatch_discrimination(), G_opt=plain.G_opt, D_opt=plain.D_opt),
    )


def pairs() -> Recipe:
    """PacGAN2, by a faster D: at the rates of the ring, packs of four hide the peaks of the grid from it."""
    slow, fast = (Adam(lr=lr, betas=(0.0, 0.99)) for lr in (5e-4, 2e-3))
    return replace(pacgan(), discriminator=Packed(MLPDiscriminator(), samples=2), G_opt=slow, D_opt=fast)


def on_task(game: Recipe, task: Task) -> tuple[Recipe, list[str]]:
    """The game of a recipe on a board: the same data, networks and budget as every other game there.

    From the board come the data, latent, batch, length and average, and the networks by kind and size. From the recipe
    comes what makes its game: objective, terms, optimisers, moves, what G is shown, what D sees, and whatever it builds
    into its networks (see `fitted`). Second comes a sentence for each part of it that the board's networks cannot hold.
    """
    generator, left = fitted(task.generator, game.generator)
    discriminator, left_too = fitted(task.discriminator, game.discriminator)
    shared = {name: getattr(task.own, name) for name in OF_THE_BOARD}
    composed = replace(game, generator=generator, discriminator=discriminator, **shared)
    return composed, [f"{game.name} on {task.name} goes without {part}" for part in (*left, *left_too)]


def fitted(network: Any, game: Any) -> tuple[Any, list[str]]:
    """A board's network, with what a game builds into its own; and the parts of that for which there is no place.

    A game's network that holds another, as packing does, is kept, and the board's takes the place of the inner one.
    Else a field of the game's network that is not `OF_SIZE`, and that its recipe sets, is set in the board's as well,
    if that has such a field, leaves it open, and knows the value: a perceptron has norms, but not all of a picture's.
    """
    inner = [f.name for f in fields(game) if _is_network(getattr(game, f.name))]
    if inner:
        found, left = fitted(network, getattr(game, inner[0]))
        return replace(game, **{inner[0]: found}), left
    wanted = {name: value for name, value in _set_fields(game).items() if name not in OF_SIZE}
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
