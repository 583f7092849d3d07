"""The part of the product whose condition is an image: objectives, and all terms together, two steps each.

Every discriminator of images is played under an image, with the generator of its own family or else a plain one; and
every choice within the generators that translate an image, with the patch discriminator. Each meets a third of the
objectives, the next one each time.
"""

import runpy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from zerosum.conditions import Image
from zerosum.game.batch import Batch
from zerosum.networks import Concatenate, Projection

parts = runpy.run_path(str(Path(__file__).with_name("ranks_product.py")))["product"]()


@dataclass(frozen=True)
class ImageSetup(parts.Setup):
    """Two networks, and an image as the condition: of the sample's size, or of half its sides to be enlarged."""

    @property
    def condition(self):
        channels, height, width = self.shape
        smaller = parts.family(self.G) == "SuperResolution"
        return Image((channels, height // 2, width // 2) if smaller else self.shape)

    def networks(self):
        return self.D.build(self.shape, self.condition), self.G.build(parts.LATENT.size, self.shape, self.condition)

    def batches(self):
        random = torch.Generator().manual_seed(0)
        position = 0
        while True:
            x, c = (torch.randn(parts.BATCH, *s, generator=random) for s in (self.shape, self.condition.shape))
            yield Batch(x, c.tanh(), position)
            position += parts.BATCH


@dataclass(frozen=True)
class MaskedSetup(ImageSetup):
    """Two networks, and a masked image as the condition."""

    @property
    def condition(self):
        channels, height, width = self.shape
        return Image((channels + 1, height, width), content="masked")


def setup(D, G, choice=0):
    return ImageSetup(parts.IMAGES, choice, False, D, G, kind=Image)


def plain():
    """Every discriminator that is given the condition."""
    for D in parts.DISCRIMINATORS:
        ways = [way for way in (Projection(), Concatenate(3)) if type(way) in parts.ways_of(type(D))]
        if ways:
            G = parts.GENERATORS.get(parts.family(D), parts.GENERATORS["DCGAN"])
            yield setup(replace(D, conditioning=ways[0]), G)


def translations():
    """Every choice within the generators that translate an image."""
    patches = parts.variants(next(D for D in parts.DISCRIMINATORS if parts.family(D) == "Patch"))
    for name in sorted({"UNet"} | (parts.GENERATORS.keys() & parts.OF_IMAGES)):
        for i, G in enumerate(parts.variants(parts.GENERATORS[name])):
            G = replace(G, contrast=False) if name == "Translator" else G  # whose heads need PatchNCE
            yield setup(patches[i % len(patches)], G, i + 1)


SETUPS = [*plain(), *translations()]


@pytest.mark.parametrize("setup", SETUPS, ids=lambda s: f"{parts.family(s.D)}-{parts.family(s.G)}{s.choice}")
def test_every_objective_and_all_terms_train_networks_of_an_image(setup, open_session):
    session = open_session(setup, parts.LATENT, parts.TERMS)
    for (role, term), sentence in session.refusals.items():
        assert setup.refuses_correctly(sentence, role, session), (role, term, sentence)
    z, c = torch.randn(parts.BATCH, parts.LATENT.size), next(setup.batches()).c
    with torch.no_grad():
        moved = not torch.equal(session.G.eval()(z, c), session.G(-z, c))
    session.G.train()
    checked_at = SETUPS.index(setup) % len(parts.OBJECTIVES)
    for i, objective in [*enumerate(parts.OBJECTIVES)][checked_at % 3 :: 3]:
        # A sample that is a function of its image alone has no gradient by z, of which several terms are made.
        terms = session.accepted if moved and i == checked_at else []
        session.play(objective, terms, every=True).check(all_terms=bool(terms))


def test_the_setups_are_all_networks_that_an_image_enters():
    assert {parts.family(one.G) for one in SETUPS} >= {"UNet", "Translator", "SuperResolution", "DCGAN", "StyleGAN2"}
    unets = [one.G for one in SETUPS if parts.family(one.G) == "UNet"]
    for name, choices in {"noise": 2, "spade": 2, "residual": 2, "norm": 4}.items():
        assert len({getattr(G, name) for G in unets}) == choices
    assert {type(D) for D in parts.DISCRIMINATORS} - {type(one.D) for one in SETUPS} == {
        type(D) for D in parts.DISCRIMINATORS if parts.family(D) in ("Aided", "Identity", "Blind")
    }


def test_terms_of_translation_are_supported(open_session):
    terms = [term for term in parts.TERMS if type(term).__name__ in ("PatchNCE", "IdentityMapping")]
    one = next(one for one in SETUPS if parts.family(one.G) == "Translator")
    session = open_session(replace(one, G=replace(one.G, contrast=True)), parts.LATENT, terms)
    assert len(terms) == 2 and {term for _, term in session.accepted} == {*terms}


def test_the_term_of_inpainting_is_supported(open_session):
    terms = [term for term in parts.TERMS if type(term).__name__ == "KnownPatches"]
    one = next(one for one in SETUPS if parts.family(one.D) == "Patch" and parts.family(one.G) == "UNet")
    masked = MaskedSetup(one.shape, one.choice, False, one.D, one.G, kind=Image)
    session = open_session(masked, parts.LATENT, terms)
    assert len(terms) == 1 and set(session.accepted) == {("D", terms[0])}
    for objective in parts.OBJECTIVES:
        session.play(objective, session.accepted, True).check(all_terms=True)
