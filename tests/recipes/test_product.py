"""The whole product: any objective with any term, any networks and any conditioning, two steps each, at tiny size.

Parts are discovered as by the library, so new ones are included automatically. A setup is two networks under one
conditioning (an image: `test_image_product.py`); in each, every objective is combined with every term, in D's and in
G's loss. A loss is a sum, and terms do not depend on the objective, which saves time where all pairs would take long:

- MLPs on points train with every objective and each term separately;
- all other families train with every objective, and with one of them and all terms, each part's gradient checked;
- under every way of conditioning and kind of condition, and with a family's options (norms, attention, comparison
  within a batch, another network inside), a twelfth of the objectives, the next one each time, trains without terms and
  one with all together, each checked; where ways on images meet options or further kinds, terms are only computed;
- a slow test takes all objectives in all setups, in every family and under every way of conditioning with all terms.

Impossible combinations raise an error in the library, and the test verifies that it is justified. So in each setup the
tested combinations, the refused ones and those left to the slow test add up to all objectives x terms x players.
"""

import inspect
import itertools
import re
import sys
import typing
from dataclasses import dataclass, fields, is_dataclass, replace

import pytest
import torch

from zerosum._rooms import public
from zerosum.augment import Noise
from zerosum.conditions import Attributes, Condition, Image, Labels, Text, Vector
from zerosum.game import InfoGANLatent, Normal
from zerosum.game.batch import Batch
from zerosum.game.player import Term
from zerosum.game.turn import Transformation
from zerosum.networks import DCGANDiscriminator, MinibatchDiscrimination, MinibatchStddev, MLPDiscriminator
from zerosum.networks.conditioning import Auxiliary, Concatenate, ConditionalNorm, Discriminative, Style, Way
from zerosum.networks.layers.basic import Norm
from zerosum.networks.spec import DiscriminatorSpec
from zerosum.objectives import NonSaturating, RationalQuadraticKernel, Relativistic
from zerosum.protocols import Objective, Schedule
from zerosum.recipes.reader import read, vocabulary
from zerosum.recipes.settings import with_setting
from zerosum.terms import Cosine, MutualInformation, WeightDecay

BATCH, CLASSES, POINTS, IMAGES = 4, 3, (2,), (2, 8, 8)
LATENT = InfoGANLatent(Normal(2), (2,), 1)
CODE = MutualInformation(LATENT.categories, LATENT.continuous).outputs
EXAMPLES = {  # for fields without a default
    Term: WeightDecay(), Schedule: Cosine(), Transformation: Noise(0.1), Objective: NonSaturating(), int: 2,
    DiscriminatorSpec: MLPDiscriminator(hidden=(8, 8), activation="silu"),
}  # fmt: skip
# Small, with everything that terms read, and with shares that decrease in the second step.
TINY = {"size": 4, "hidden": (8, 8), "activation": "silu", "code": 4, "embedding": 3, "blocks": 0, "smallest": 4}
TINY |= {"auxiliary": CODE, "tokens": 4, "decoders": True, "conditioning": Concatenate(3), "share": 0.5, "until": 0.5}
TINY |= {"categories": (2,), "continuous": 1, "others": CODE, "one_sided": False, "features": "random-conv"}
TINY |= {"layers": 1, "side": 8, "taps": 1, "shrink": 2, "aid": read("FeatureDiscriminator('random-conv', 8, 1, 2)")}
# Choices that the type of a field does not list.
OTHER = {"discriminator": DCGANDiscriminator(4), "objective": Relativistic(), "kernel": RationalQuadraticKernel()}
OTHER |= {"ResNetDiscriminator.attention": 4, "attention": 8, "dropout": 0.3, "fourier": 2, "scores": 3, "levels": 4}
OTHER |= {"blocks": 1, "doublings": 1, "scales": 2, "minibatch": (MinibatchDiscrimination(2, 2), MinibatchStddev(2))}


def example(kind):
    """Return a value of a public dataclass, with its defaults and examples for required fields."""
    hints = typing.get_type_hints(kind)
    needed = inspect.signature(kind).parameters.values()
    return kind(**{p.name: EXAMPLES[hints[p.name]] for p in needed if p.default is p.empty})


def examples(room, method, *parameters):
    """Return one of each dataclass of a room that has a method of these parameters, as small as possible."""
    found = []
    for kind in public(f"zerosum.{room}").values():
        is_part = inspect.isclass(kind) and is_dataclass(kind) and inspect.isfunction(getattr(kind, method, None))
        if is_part and tuple(inspect.signature(getattr(kind, method)).parameters)[1:] == parameters:
            tiny = {f.name: TINY[f.name] for f in fields(kind) if f.name in TINY}
            if Concatenate not in ways_of(kind):
                tiny.pop("conditioning", None)
            found.append(replace(example(kind), **tiny))
    return found


def choices(value, name, hint):
    """Return the options of a field of a value, its current one first."""
    options = OTHER.get(f"{type(value).__name__}.{name}", OTHER.get(name, ()))
    options = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else options
    options = (True, False) if hint is bool else options if isinstance(options, tuple) else (options,)
    now = getattr(value, name)
    return [now, *(option for option in options if option != now)]


def variants(value, *names):
    """Return the value, and variants in which each field, or each of those names, cycles through its options."""
    hints = typing.get_type_hints(type(value))
    varied = [f.name for f in fields(value) if f.init and (not names or f.name in names)]
    found = {name: choices(value, name, hints[name]) for name in varied}
    count = max(map(len, found.values()), default=1)
    return [replace(value, **{name: some[i % len(some)] for name, some in found.items()}) for i in range(count)]


def ways_of(kind):
    """Return the ways of conditioning of a kind of network, from the type of its field; empty without a field."""
    hint = typing.get_type_hints(kind).get("conditioning")
    return set(typing.get_args(hint) or ([] if hint is None else [hint]))


def family(network):
    return type(network).__name__.removesuffix("Generator").removesuffix("Discriminator")


OBJECTIVES = examples("objectives", "d_loss", "real", "fake")
TERMS = [variant for one in examples("terms", "__call__", "turn") for variant in variants(one, "kind")]
GENERATORS = {family(G): G for G in examples("networks", "build", "latent", "shape", "condition")}
DISCRIMINATORS = examples("networks", "build", "shape", "condition")
ALL = [*GENERATORS.values(), *DISCRIMINATORS]
WAYS = sorted(set().union(*(ways_of(type(one)) for one in ALL)), key=lambda way: way.__name__)
KINDS, OF_IMAGES = (Labels, Attributes, Vector), {"SuperResolution", "Translator", "spade", "residual"}


@dataclass(frozen=True)
class Setup:
    """Two networks for samples of a shape, and the way in which a condition of a kind enters; None for none.

    `choice` counts the choices within the networks, 0 the default. `whole` ones are for the slow test, too.
    """

    shape: tuple
    choice: int
    whole: bool
    D: object
    G: object
    way: type | None = None
    kind: type | None = None

    def __str__(self):
        condition = "none" if self.way is None else f"{self.way.__name__}-{self.kind.__name__}"
        return f"{family(self.D)}{self.choice}-{family(self.G)}-{len(self.shape)}d-{condition}"

    @property
    def is_simplest(self):
        """Whether the networks are MLPs on points."""
        return self.shape == POINTS and family(self.D) == "MLP"

    def networks(self):
        """The modules D and G; raises `ValueError` where one refuses, or neither knows of the way of conditioning."""
        specs, refusals = [self.D, self.G], []
        for i, spec in enumerate(specs if self.way else ()):
            try:
                specs[i] = with_setting(spec, f"conditioning={self.way()}")
            except ValueError as error:
                refusals.append(str(error))
        if len(refusals) == 2:
            raise ValueError(" and ".join(refusals))
        condition = None if self.kind is None else self.kind(CLASSES)
        return specs[0].build(self.shape, condition), specs[1].build(LATENT.size, self.shape, condition)

    def batches(self):
        """Normal samples and conditions, the same in every game."""
        random = torch.Generator().manual_seed(0)
        for position in itertools.count(step=BATCH):
            x, rows = (torch.randn(BATCH, *shape, generator=random) for shape in (self.shape, (CLASSES,)))
            kinds = {None: None, "Labels": rows.argmax(1), "Attributes": (rows > 0).float(), "Vector": rows}
            yield Batch(x, kinds[self.kind and self.kind.__name__], position)

    def reasons(self):
        """Return the patterns of the error messages that building this setup should raise."""
        norm, known = getattr(self.G, "norm", "batch"), {None} | ways_of(type(self.D)) | ways_of(type(self.G))
        found = {
            "has no field 'conditioning'|conditioning takes ": self.way not in known,
            "a conditional norm is a batch norm": self.way in {ConditionalNorm, Style} and "batch" not in norm,
            "cannot see labels": family(self.D) == "Identity" and self.way is not None,
            "predicts class labels": self.way is Discriminative and self.kind is not Labels,
        }
        return [pattern for pattern, true in found.items() if true]

    def refuses_correctly(self, sentence, role, session):
        """Return whether the error message of a term in a role is justified."""
        if found := re.search(r"needs a [DG] .*?, as (\w+)(?:\((\w+)=(\w+)\))?", sentence):
            kind, field, value = found.groups()
            fit = [n for n in (self.D, self.G) if type(n).__name__ == kind]
            return not any(field is None or repr(getattr(n, field)) == value for n in fit)
        judgement = session.turns["G"].fake
        truths = {
            f"put (it|them) among [dg]_terms, not {role.lower()}_terms": True,
            "that returns features": judgement.features is None,
            r"that returns (class )?logits( \(|$)": judgement.logits is None,
            "that returns logits of real and generated classes": judgement.sides is None,
            "that returns an embedding|of one size": judgement.embedding is None or getattr(self.D, "minibatch", None),
            "that returns maps": not judgement.maps,
            r"takes images \(B, C, H, W\)": self.shape == POINTS,
            "predicts labels: use data with labels": self.kind is not Labels,
            "predicts attributes: use data with attributes": self.kind is not Attributes,
            "predicts numbers: use data with numbers": self.kind is not Vector,
            r"choose .*conditioning=Auxiliary\(\)": self.way is not Auxiliary,
            "needs conditions to mismatch; found none": self.kind is None,
            "needs conditions that are images": getattr(getattr(self, "condition", 0), "shape", 0) != self.shape,
            "needs masked images": getattr(getattr(self, "condition", None), "content", "") != "masked",
            "need a score of D for each sample": family(self.D) == "Packed",
            "build it with decoders=True": not getattr(self.D, "decoders", False),
            "leave d_terms and d_after": role == "D" and not session.learns,
        }
        return any(re.search(pattern, sentence) and true for pattern, true in truths.items())


def setups(D, shape):
    """Return all setups of a discriminator, with a generator of its own family or else a plain one.

    Default options are combined with each way of conditioning and kind of condition, others, on images, with one kind.
    """
    G = GENERATORS.get(family(D), GENERATORS["MLP" if shape == POINTS else "DCGAN"])
    all_D, all_G = variants(D), variants(G, *({f.name for f in fields(G)} - OF_IMAGES))
    for i in range(1 if shape == POINTS else max(len(all_D), len(all_G))):
        plain = Setup(shape, i, not i, all_D[i % len(all_D)], all_G[i % len(all_G)])
        yield plain
        for j, way in enumerate(WAYS):
            current = KINDS[(i + j) % len(KINDS)]
            for kind in [current] if i else KINDS:
                yield replace(plain, way=way, kind=kind, whole=not i and kind is current)


SETUPS = [setup for shape in (POINTS, IMAGES) for D in DISCRIMINATORS for setup in setups(D, shape)]
ELSEWHERE = ("PatchNCE", "IdentityMapping", "KnownPatches", "MaximumLikelihood")  # for images as conditions, or texts


def play_all(setup, session, whole, step=1, terms_play=True):
    """Play one objective in `step`; each pair of it and a term is played, covered by sums, left, or justly refused."""
    assert setup.reasons() == []
    for role, sentence in {(role, sentence) for (role, _), sentence in session.refusals.items()}:
        assert setup.refuses_correctly(sentence, role, session), (role, sentence)
    alone, checked_at = whole and setup.is_simplest, SETUPS.index(setup) % len(OBJECTIVES)
    met, left = set(), 0 if terms_play else len(OBJECTIVES) * len(session.accepted)
    for i, objective in [*enumerate(OBJECTIVES)][checked_at % step :: step]:
        every = alone or i == checked_at
        together = [session.accepted] if whole or (every and terms_play) else [[]]
        for terms in [[], *([pair] for pair in session.accepted)] if alone else together:
            session.play(objective, terms, every).check(all_terms=every and terms == session.accepted)
            met |= {(i, pair) for pair in terms}
    played, refused = len(met) * (1 if whole else len(OBJECTIVES)), len(OBJECTIVES) * len(session.refusals)
    sys.stdout.write(f"{setup}: {played} played, {refused} refused, {left} left to the slow test\n")
    assert played + refused + left == len(OBJECTIVES) * len(TERMS) * len("DG")


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_every_objective_meets_every_term(setup, open_session):
    try:
        session = open_session(setup, LATENT, TERMS)
    except ValueError as error:
        assert re.search("|".join([*setup.reasons(), "take images"]), str(error)), error
        return
    step, terms_play = 12 if setup.choice or setup.way else 1, not setup.way or setup.whole or setup.shape == POINTS
    play_all(setup, session, setup.is_simplest and not setup.way, step, terms_play)


@pytest.mark.slow
@pytest.mark.parametrize("setup", [s for s in SETUPS if (s.way or not s.is_simplest) and not s.reasons()], ids=str)
def test_every_objective_meets_every_family_condition_and_choice(setup, open_session):
    """In every family, and once under every way of conditioning, with all terms."""
    try:
        session = open_session(setup, LATENT, TERMS)
    except ValueError as error:
        assert "take images" in str(error)
        return
    play_all(setup, session, whole=setup.whole)


def test_choices_within_an_objective_play_with_all_terms(open_session):
    chosen = [variant for objective in OBJECTIVES for variant in variants(objective)[1:]]
    assert {type(objective).__name__ for objective in chosen} >= {"MMD", "TopK"}
    session = open_session(next(setup for setup in SETUPS if setup.is_simplest), LATENT, TERMS)
    for objective in chosen:
        session.play(objective, session.accepted, every=True).check(all_terms=True)


def test_the_setups_are_all_known_networks_under_all_conditionings():
    conditions = [(None, None), *((way, kind) for way in WAYS for kind in KINDS)]
    for shape in (POINTS, IMAGES):
        for D in DISCRIMINATORS:
            mine = [setup for setup in SETUPS if setup.shape == shape and type(setup.D) is type(D)]
            assert [(setup.way, setup.kind) for setup in mine if not setup.choice] == conditions
            assert len(mine) == len(conditions) + max(setup.choice for setup in mine) * (1 + len(WAYS))
    both = {"MLP", "DCGAN", "ResNet", "R3GAN", "StyleGAN2", "Transformer", "FastGAN", "UNet"}
    assert both <= {family(setup.G) for setup in SETUPS} == {*GENERATORS} - OF_IMAGES - {"Text"}
    assert both | {"AutoEncoder", "Packed", "Identity", "Patch"} <= {*map(family, DISCRIMINATORS)}
    assert {*WAYS} == {*typing.get_args(Way)}
    assert {*KINDS, Image, Text} == {kind for kind in vocabulary().values() if Condition in kind.__mro__}
    residual = [setup for setup in SETUPS if family(setup.D) == "ResNet" and setup.shape == IMAGES]
    assert {setup.D.norm for setup in residual} == {setup.G.norm for setup in residual} == {*typing.get_args(Norm)}
    assert {(bool(t.D.attention), bool(t.G.attention)) for t in residual} == {(False, False), (True, True)}
    assert {type(setup.D.minibatch) for setup in residual} == {type(None), MinibatchDiscrimination, MinibatchStddev}
    assert {"Minimax", "MMD", "BoundaryEquilibrium", "TopK", "Softmax"} <= {type(part).__name__ for part in OBJECTIVES}
    assert {"R1", "LeCam", "PathLength", "Every", "Scheduled", "MaxGradientPenalty"} <= {*map(family, TERMS)}


def test_every_term_is_supported_somewhere(open_session):
    rejected = {t for t in TERMS if type(t).__name__ not in ELSEWHERE}
    eligible = [t for t in SETUPS if family(t.D) in ("DCGAN", "FastGAN", "Transformer", "Aided")]
    for setup in (t for t in eligible if t.shape == IMAGES and t.way in {None, *ways_of(type(t.D))}):
        if rejected and setup.way not in {Concatenate, ConditionalNorm, Style} and not setup.reasons():
            rejected -= {term for _, term in open_session(setup, LATENT, [*rejected]).accepted}
    assert rejected == set()
