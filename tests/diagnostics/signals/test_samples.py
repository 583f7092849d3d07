"""Signals of generators of which the illness is known: collapsed, copying, deaf to the condition, and real samples."""

from dataclasses import dataclass, field, replace

import pytest
import torch

from zerosum.data import FewLabels
from zerosum.data.dataset import in_memory
from zerosum.diagnostics.signals.arbiter import arbiter
from zerosum.diagnostics.signals.conditions import conditional, labelled
from zerosum.diagnostics.signals.diversity import diversity
from zerosum.diagnostics.signals.memory import data, memory
from zerosum.diagnostics.signals.movement import average, movement, response
from zerosum.diagnostics.signals.real_samples import read_real
from zerosum.diagnostics.signals.subject import Subject
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.probes import Scenes
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe

COUNT, CLASSES, SIZE = 600, 4, 12
CPU = torch.device("cpu")


def images():
    """Stripes of random phase, a direction and a frequency for each class, uint8 `(n, 1, 12, 12)`, and labels."""
    draw = torch.Generator().manual_seed(1)
    labels = torch.randint(CLASSES, (COUNT,), generator=draw)
    return striped(torch.rand(COUNT, generator=draw) * 6.28, labels), labels


def striped(phase, labels):
    line = torch.arange(SIZE) / SIZE * 6.28
    wave = torch.sin((1 + labels // 2)[:, None] * line + phase[:, None])
    square = wave[:, :, None].expand(-1, -1, SIZE)
    square = torch.where((labels % 2 == 1)[:, None, None], square.transpose(1, 2), square)
    return ((square[:, None] + 1) * 127.5).byte()


X, LABELS = images()
DATASET = in_memory("stripes", X, LABELS, tuple("abcd"))
RECIPE = Recipe(
    name="stripes",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(3),
    batch=64,
)


class Drawing(torch.nn.Module):
    """A generator written by hand."""

    def __init__(self, make):
        super().__init__()
        self.make = make
        self.weight = torch.nn.Parameter(torch.ones(2))

    def forward(self, z, c):
        return self.make(z, c).float() / 127.5 - 1


@dataclass
class Made:
    """A game of two generators that are not trained."""

    averaged: torch.nn.Module
    live: torch.nn.Module
    images: int = 1200
    generators: dict = field(init=False)
    networks: dict = field(init=False)

    def __post_init__(self):
        self.generators, self.networks = {"generator": self.averaged}, {"G": self.live}


def phase(z):
    return torch.special.ndtr(z[:, 0]) * 6.28


GOOD = Drawing(lambda z, c: striped(phase(z), c))
DEAF = Drawing(lambda z, c: striped(phase(z), (z[:, 1] > 0) * 2 + (z[:, 2] > 0)))
ONE = Drawing(lambda z, c: striped(phase(z) * 0, c * 0))
COPIES = Drawing(lambda z, c: X[(torch.special.ndtr(z[:, 0]) * COUNT).long() % COUNT])
BLIND = Drawing(lambda z, c: striped(phase(z) * 0, c))
GREY = Drawing(lambda z, c: torch.full((len(z), 1, SIZE, SIZE), 127.5))


@pytest.fixture(scope="module")
def real():
    return read_real(RECIPE, DATASET, CPU)


def subject(real, averaged, live=None, before=None):
    return Subject(RECIPE, real, Made(averaged, averaged if live is None else live), before or {}, 1200)


def test_a_generator_of_the_data_looks_like_the_data(real):
    found = diversity(subject(real, GOOD))
    for name in ("spread", "spread_pixels", "coverage", "clusters", "mean_distance"):
        assert found[name].item() == pytest.approx(1, abs=0.15), name
    assert found["offset"] < 0.2
    assert arbiter(subject(real, GOOD))["arbiter"] < 0.65


def test_one_image_has_no_spread_and_the_live_generator_is_seen_beside_the_average(real):
    found = diversity(subject(real, GOOD, ONE))
    assert found["spread"] > 0.85 and found["spread_live"] < 1e-4
    assert found["clusters_live"] < 0.1 and found["coverage_live"] < 0.2
    found = arbiter(subject(real, GOOD, ONE))
    assert found["arbiter_live"] > 0.95 > found["arbiter"] + 0.2


def test_the_mean_image_is_near_the_mean(real):
    grey = diversity(subject(real, GREY))
    assert grey["mean_distance"] < 0.3


def test_conditions_and_latents_that_change_nothing_are_seen(real):
    good, deaf, blind = (conditional(subject(real, G)) for G in (GOOD, DEAF, BLIND))
    assert good["condition_response"] > 0.7 and good["latent_response"] > 0.3
    assert deaf["condition_response"] < 1e-6 < 0.7 < deaf["latent_response"]
    assert blind["latent_response"] < 1e-6 < 0.9 < blind["condition_response"]
    classes = [labelled(subject(real, G)) for G in (GOOD, DEAF, ONE)]
    assert classes[0]["class_accuracy"] > 0.9 and abs(classes[1]["class_accuracy"]) < 0.2
    assert classes[0]["class_shift"] < 0.1 and classes[2]["class_shift"] > 0.5
    assert classes[0]["class_spread"] > 0.8 and labelled(subject(real, BLIND))["class_spread"] < 1e-2


def test_copies_of_training_samples_are_counted(real):
    found = memory(subject(real, COPIES))
    assert found["copies"] == 1 and found["nearest"] < 1e-3 and found["epochs"] == 2
    assert memory(subject(real, GOOD))["nearest"] > 0.3


def test_movement_is_from_check_up_to_check_up(real):
    first = subject(real, GOOD)
    assert movement(first) == {}
    second = subject(real, DEAF, before=first.after)
    moved = movement(second)
    assert moved["shift"] > 0.5 and "return" not in moved
    third = subject(real, GOOD, before=second.after)
    assert movement(third)["return"] < 1e-6, "it is back where it was"
    same = movement(subject(real, GOOD, before=first.after))
    assert same["shift"] == 0


def test_the_distance_of_the_average_and_the_response_to_a_latent(real):
    assert average(subject(real, GOOD))["average_gap"] == 0
    assert average(subject(real, GOOD, DEAF))["average_gap"] > 0.5
    renamed = Drawing(GOOD.make)
    renamed.other = renamed._parameters.pop("weight")
    assert "average_lag" in average(subject(real, GOOD)) and "average_lag" not in average(subject(real, renamed, GOOD))
    linear = Drawing(lambda z, c: (z @ torch.eye(3, SIZE * SIZE) + 1).reshape(-1, 1, SIZE, SIZE) * 12.75)
    assert response(subject(real, linear))["response"].item() == pytest.approx(1, abs=0.2)
    assert response(subject(real, ONE))["response"] == 0


def test_data_of_copies_of_one_class_or_of_constant_images_is_noticed():
    clean = data(subject(read_real(RECIPE, DATASET, CPU), GOOD))
    assert clean["data_copies"] < 0.1 and clean["data_constant"] == 0 and clean["data_balance"] > 0.95
    doubled = torch.cat([X[:150], X[:150]])
    labels = torch.cat([LABELS[:150], LABELS[:150]]) * 0
    doubled[:30] = 7  # equal to each other, so copies as well
    odd = data(subject(read_real(RECIPE, in_memory("odd", doubled, labels, tuple("abcd")), CPU), GOOD))
    assert odd["data_copies"] > 0.85 and odd["data_constant"].item() == pytest.approx(0.1, abs=0.01)
    assert odd["data_balance"].item() == pytest.approx(0.25)
    assert read_real(RECIPE, in_memory("few", X[:15]), CPU) is None


def test_equal_texts_and_many_classes_are_no_trouble():
    texts = in_memory("texts", torch.zeros(300, 7, 1, 11, dtype=torch.uint8))  # images of one row, all of them equal
    assert not {"data_copies", "data_constant"} & data(subject(read_real(RECIPE, texts, CPU), GOOD)).keys()
    for classes, measured in ((30, True), (300, False)):
        labels = torch.arange(300) % classes
        many = in_memory("many", X[:300], labels, tuple(map(str, range(classes))))
        found = data(subject(read_real(RECIPE, many, CPU), GOOD))
        assert ("data_balance" in found) is measured and found.get("data_balance", 1) > 0.9, classes


def test_d_is_not_asked_about_held_out_samples_of_another_kind():
    """Scenes hold pairs of words out, so that a D that scores their images lower has not memorised the others."""
    kinds = {Scenes(count=600, size=20, shapes=1, cells=2): False, FewLabels(per_class=30): True}
    for source, has in kinds.items():
        real = read_real(replace(named("text-to-image"), data=source), source.open(), CPU)
        assert (real.held is not None) is has, source
