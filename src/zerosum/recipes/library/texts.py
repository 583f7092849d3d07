"""Games on texts."""

from zerosum.data.toys.expressions import Expressions
from zerosum.game.latents import Gumbel
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.text import TextGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.maximum_likelihood import MaximumLikelihood
from zerosum.terms.schedules import Cosine, Scheduled


def text() -> Recipe:
    """Texts by straight-through Gumbel-softmax, after maximum likelihood (Jang et al. 2017); 1 minute on one core.

    The first half is maximum likelihood, which then fades out as the game begins. For the lines of a file, `--data
    lines.txt`, the latent has to fit: the error says which.
    """
    return Recipe(
        name="text",
        data=Expressions(),
        generator=TextGenerator(size=64),
        discriminator=MLPDiscriminator(hidden=(256, 256)),
        objective=NonSaturating(),
        latent=Gumbel(77),
        d_terms=(R1(gamma=0.1),),
        g_terms=(Scheduled(Cosine(begin=0.5, until=0.6), MaximumLikelihood()),),
        pretrain=0.5,
        G_opt=Adam(lr=5e-3, betas=(0.5, 0.99), schedule=Cosine(end=0.1, begin=0.3, until=0.5)),
        D_opt=Adam(lr=2e-3, betas=(0.0, 0.99)),
        batch=128,
        images=100_000,
        ema=2_000.0,
    )
