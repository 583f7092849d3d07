"""The texts of a trained generator."""

__all__ = ["sample_texts"]

from collections.abc import Iterator

from zerosum.data.texts import TextCoding
from zerosum.runs.facts import check_count
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.latents import latents_of


def sample_texts(generator: TrainedGenerator, n: int, seed: int = 0) -> list[str]:
    """Generate n texts: those whose images `generator.sample(n, seed)` returns.

    Raises `ValueError` for n < 1, and for a generator of other samples.
    """
    return [text for batch in text_batches(generator, n, seed) for text in batch]


def text_batches(generator: TrainedGenerator, n: int, seed: int) -> Iterator[list[str]]:
    """Yield the texts of `sample_texts` in batches, to save memory."""
    check_count(n)
    if not isinstance(generator.coding, TextCoding):
        raise ValueError(f"the samples of this {generator.recipe.name} generator are not texts")
    for z in latents_of(generator.recipe.latent, n, seed):
        yield generator.coding.texts(generator.map(z))
