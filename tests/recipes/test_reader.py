"""Recipe text: what is written is read back, whatever the value."""

import inspect
import math
import typing
from dataclasses import MISSING, dataclass, fields
from functools import cache

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from zerosum import read
from zerosum.augment import AdaptiveAugment, Brightness, Cutout, DiffAugment, InstanceNoise, Line, Scale
from zerosum.data import Digits, DistributionSamples, Ring
from zerosum.distributions import NormalDistribution, ParetoDistribution
from zerosum.game import InfoGANLatent, Normal, Sphere, Uniform, Unrolled
from zerosum.networks import (
    AutoEncoderDiscriminator,
    DCGANDiscriminator,
    DCGANGenerator,
    IdentityDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
)
from zerosum.objectives import (
    MMD,
    BoundaryEquilibrium,
    GaussianKernel,
    Hinge,
    LeastSquares,
    RationalQuadraticKernel,
    TopK,
)
from zerosum.recipes import Adam, RMSprop, catalogue, named, pretty, read_recipe
from zerosum.recipes.fit import BECOMES
from zerosum.recipes.reader import vocabulary
from zerosum.terms import (
    R1,
    Consistency,
    Constant,
    Cosine,
    Every,
    Geometric,
    GradientPenalty,
    LeCam,
    PathLength,
    Ramp,
    Scheduled,
    WeightClip,
)

# Which constructors may stand for a protocol, by its name.
PLAYERS = {
    "Objective": (Hinge, LeastSquares, BoundaryEquilibrium, MMD, TopK),
    "Kernel": (GaussianKernel, RationalQuadraticKernel),
    "Term": (R1, GradientPenalty, Every, Scheduled, LeCam, PathLength, Consistency),
    "Schedule": (Constant, Cosine, Geometric, Ramp, Line),
    "Opponent": (Unrolled,),
    "Augmentation": (DiffAugment, AdaptiveAugment, InstanceNoise),
    "Transformation": (Brightness, Cutout, Scale),
    "WeightProjection": (WeightClip,),
    "Source": (Digits, Ring, DistributionSamples),
    "Autoencoder": (),  # text holds the folder of one
    "GameSpec": (),  # games other than the two-player one are the users' own
    "Watcher": (),  # and so are watchers
    "Distribution": (NormalDistribution, ParetoDistribution),
    "Latent": (Normal, Uniform, Sphere, InfoGANLatent),
    "GeneratorSpec": (MLPGenerator, DCGANGenerator),
    "DiscriminatorSpec": (MLPDiscriminator, DCGANDiscriminator, AutoEncoderDiscriminator, IdentityDiscriminator),
    "OptimiserSpec": (Adam, RMSprop),
}
TRIES = 20  # at the values of a part, before what holds it is given up too
NUMBERS = st.floats(0.51, 0.99) | st.sampled_from([1e-8, 1.0, 3.0, 1e6])


@cache
def literals(annotation):
    """Values of an annotation that fit most fields; what a field refuses is drawn again."""
    plain = {int: st.integers(1, 9) | st.just(32), float: NUMBERS, bool: st.booleans(), str: st.text(max_size=9)}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in plain:
        return plain[annotation]
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            one = literals(arguments[0])
            return st.just(()) if one.is_empty else st.tuples(one, one)
        return st.tuples(*map(literals, arguments))
    if arguments:
        return st.one_of(*map(literals, arguments))
    if annotation is type(None):
        return st.none()
    return st.one_of(*map(built, PLAYERS.get(annotation.__name__, (annotation,))))


def takes_words(annotation):
    return annotation is str or any(map(takes_words, typing.get_args(annotation)))


@st.composite
def built(draw, kind):
    """Values of a dataclass; words with a default keep it.

    Composite, so that its name stays short: Hypothesis prints the strategy of a draw that is refused, and one of terms
    that hold terms would print as long as it is deep, with a warning.
    """
    hints = typing.get_type_hints(kind) | {f.name: f.metadata[BECOMES] for f in fields(kind) if BECOMES in f.metadata}

    def drawn(field):
        return field.init and field.repr and not (takes_words(hints[field.name]) and field.default is not MISSING)

    for _ in range(TRIES):
        try:
            return kind(**{f.name: draw(literals(hints[f.name])) for f in fields(kind) if drawn(f)})
        except ValueError:
            continue
    return reject()


@pytest.mark.parametrize("name", vocabulary())
def test_what_is_written_is_read_back(name):
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(built(vocabulary()[name]))
    def check(value):
        assert read(repr(value)) == value
        assert read(pretty(value)) == value
        assert repr(read(pretty(value))) == repr(value)

    check()


@pytest.mark.parametrize("name", catalogue())
def test_every_named_recipe_is_read_back(name):
    recipe = catalogue()[name]()
    assert recipe.name == name
    assert read_recipe(repr(recipe)) == recipe
    assert read_recipe(pretty(recipe)) == recipe
    written = [field for field in fields(recipe) if "written" not in field.metadata]  # others only where they are set
    assert len(pretty(recipe).splitlines()) >= len(written) + 2
    assert inspect.getdoc(catalogue()[name]), "the list of recipes shows the docstring"


def test_a_long_value_takes_a_line_for_each_field_and_a_short_one_its_own():
    assert pretty(Every(8, R1())) == "Every(n=8, term=R1(gamma=1.0))"
    long = Every(8, Scheduled(Cosine(end=0.125, begin=0.25), GradientPenalty(weight=10.0, target=1.0, one_sided=True)))
    assert pretty(long).splitlines() == [
        "Every(",
        "    n=8,",
        "    term=Scheduled(",
        "        schedule=Cosine(end=0.125, begin=0.25, until=1.0, start=1.0),",
        "        term=GradientPenalty(weight=10.0, target=1.0, one_sided=True),",
        "    ),",
        ")",
    ]


def test_an_unknown_recipe_name_raises_with_similar_names():
    with pytest.raises(ValueError, match=r"no recipe is called 'dcgam'; did you mean .*dcgan.* \(see zerosum"):
        named("dcgam")
    assert named("dcgan") == catalogue()["dcgan"]()


LITERALS = [
    None, True, 0, -7, 0.5, -0.5, 1e-300, 1.7976931348623157e308, math.inf, -math.inf, "", "a'b\"c\n\\", "é\U0001f600",
    (), (1,), (1, (2.0, ("x",))),
]  # fmt: skip


@pytest.mark.parametrize("value", LITERALS, ids=repr)
def test_literals_are_read_back(value):
    found = read(repr(value))
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number_too():
    assert math.isnan(read("nan"))


def test_an_int_serves_as_a_float_and_comes_out_as_one():
    assert repr(read("R1(gamma=2)")) == "R1(gamma=2.0)"
    assert repr(read("Adam(betas=(0, 0.99))").betas) == "(0.0, 0.99)"


def test_fields_may_be_given_by_place_and_space_means_nothing():
    assert read("Every(8, R1(0.5))") == Every(n=8, term=R1(gamma=0.5))
    assert read(" \n Every( n = 8 ,\n\tterm = R1( ) , ) \n") == Every(8, R1())


def test_reading_twice_gives_separate_values():
    """State that hangs on a value, as BEGAN's balance, is not shared between two readings."""
    text = "BoundaryEquilibrium()"
    assert read(text).balance is not read(text).balance


@dataclass(frozen=True)
class Mine:
    """A term of somebody else's."""

    weight: float = 1.0

    def __call__(self, turn):
        return turn.zero()


def test_own_constructors_can_be_made_known():
    assert read("Every(2, Mine(weight=3))", {"Mine": Mine}) == Every(2, Mine(3.0))
    with pytest.raises(ValueError, match="unknown class 'Mine'"):
        read("Mine()")


def test_the_vocabulary_holds_values_only():
    """Batches, turns, games and opened data compare by identity and cannot be written down."""
    assert {"R1", "Hinge", "MLPGenerator", "Ring", "Normal", "Adam", "Recipe"} <= set(vocabulary())
    assert not {"Batch", "Turn", "Game", "Player", "Dataset", "Judgement", "Draws"} & set(vocabulary())
    with pytest.raises(TypeError):
        vocabulary()["R1"] = R1


def test_only_the_text_of_a_recipe_is_a_recipe():
    with pytest.raises(ValueError, match=r"expected the text of a Recipe\(...\); found R1\(\)"):
        read_recipe("R1()")
