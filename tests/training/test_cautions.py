"""What a run says of a game that is known not to go well, each once; and that it is silent about others."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum.data.dataset import in_memory
from zerosum.networks import (
    Aided,
    DCGANDiscriminator,
    DCGANGenerator,
    FeatureDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
)
from zerosum.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, TopK, Wasserstein
from zerosum.recipes import Evaluation, cgan, ring
from zerosum.recipes.named_recipes import catalogue
from zerosum.terms import R1, Every, GradientPenalty
from zerosum.training.build import build_game
from zerosum.training.cautions import cautions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")

POINTS = in_memory("points", torch.randn(64, 2, generator=torch.Generator().manual_seed(0)))


class Critic(nn.Module):
    """A discriminator of points, `outputs` wide, with something at its end."""

    def __init__(self, end=lambda x: x, outputs=1, norm=None):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 8), norm or nn.Identity(), nn.ReLU(), nn.Linear(8, outputs))
        self.end = end
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes = self.passes + 1
        return self.end(self.body(x))


def found(dataset=POINTS, **fields):
    recipe = replace(ring(), **fields)
    game = build_game(recipe, dataset, torch.device("cpu"), "float32")
    return [*cautions(recipe, dataset, game)]


SIGMOID = "D ends in a sigmoid or softmax, and {} takes scores, not probabilities: leave that last layer out, or "
TWO = "D returns two scores for each sample, and {} takes each as high for real samples: "


@pytest.mark.parametrize("end", [nn.Sigmoid(), torch.sigmoid, lambda x: x.sigmoid().squeeze(1)[:, None].mean(1)])
@pytest.mark.parametrize("objective", [NonSaturating(), Hinge(), Wasserstein(), Relativistic(), TopK(Hinge())])
def test_a_sigmoid_at_the_end_of_d_is_said(end, objective):
    (said,) = found(discriminator=Critic(end), objective=objective)
    assert said.startswith(SIGMOID.format(type(objective).__name__))


def test_scores_and_labels_of_0_and_1_pass():
    assert found(discriminator=Critic()) == found(discriminator=Critic(nn.Tanh())) == []
    assert found(discriminator=Critic(nn.Sigmoid()), objective=LeastSquares()) == []
    assert len(found(discriminator=Critic(nn.Sigmoid()), objective=LeastSquares(a=-1.0))) == 1
    inner = nn.Sequential(nn.Linear(2, 8), nn.Sigmoid(), nn.Linear(8, 1))
    assert found(discriminator=inner) == []


def test_two_outputs_of_d_are_said():
    (said,) = found(discriminator=Critic(outputs=2), objective=Hinge())
    assert said.startswith(TWO.format("Hinge"))
    both = found(discriminator=Critic(nn.Softmax(1), outputs=2))
    assert len(both) == 2 and both[1].startswith(SIGMOID.format("Relativistic"))


def test_batch_norm_under_a_gradient_penalty_is_said():
    penalised = {"d_terms": (Every(4, R1(1.0)),), "discriminator": MLPDiscriminator(norm="batch")}
    (said,) = found(**penalised)
    assert said.startswith("D has batch norm, so its score of a sample depends on the whole batch, and R1 penalises ")
    own = found(d_terms=(GradientPenalty(),), discriminator=Critic(norm=nn.BatchNorm1d(8)))
    assert [sentence[:16] for sentence in own] == ["D has batch norm"]
    assert found(**penalised | {"d_terms": ()}) == found(**penalised | {"discriminator": MLPDiscriminator()}) == []


def test_one_sample_and_an_mlp_for_photographs_are_said():
    assert found(in_memory("a point", torch.zeros(1, 2))) == ["a point is a single sample: G can only learn to copy it"]
    photographs = in_memory("pets", torch.zeros(4, 3, 48, 40, dtype=torch.uint8))
    assert found(photographs, discriminator=DCGANDiscriminator(8), d_terms=()) == [
        "ring is a recipe for points or small grey images: its generator is an MLP, and these images are 48x40x3; "
        "convolutional recipes, such as r3gan and fastgan, suit them better"
    ]
    assert found(photographs, generator=DCGANGenerator(8), discriminator=DCGANDiscriminator(8), d_terms=()) == []
    grey = in_memory("digits", torch.zeros(4, 1, 28, 28, dtype=torch.uint8))
    assert found(grey, generator=MLPGenerator(hidden=(8,)), discriminator=MLPDiscriminator(hidden=(8,))) == []


def test_scores_by_the_features_that_d_is_trained_on_are_said():
    photographs = in_memory("pets", torch.zeros(4, 3, 16, 16, dtype=torch.uint8))
    frozen = FeatureDiscriminator("random-conv:3", side=8, size=2)
    for D in (frozen, Aided(DCGANDiscriminator(4, norm="none"), frozen)):
        game = {"generator": DCGANGenerator(4), "discriminator": D, "d_terms": ()}
        (said,) = found(photographs, **game, evaluation=Evaluation(("kid",), features="random-conv"))
        assert said.startswith(
            "D is trained on the features of random-conv, so scores by them say little about samples"
        )
        assert found(photographs, **game, evaluation=Evaluation(("kid",), features="pixels")) == []
        assert found(photographs, **game) == []


def test_the_recipes_of_the_library_are_silent():
    for name, make in catalogue().items():
        recipe = make()
        if recipe.d_terms and recipe.game is None:
            dataset = recipe.data.open()
            game = build_game(recipe, dataset, torch.device("cpu"), "float32")
            assert [*cautions(recipe, dataset, game)] == [], name


def test_a_condition_is_given_and_nothing_is_changed():
    class Conditional(Critic):
        def forward(self, x, c):
            return super().forward(x.flatten(1)[:, :2] + c.float().view(-1, 1))

    labelled = in_memory("digits", torch.zeros(8, 1, 8, 8, dtype=torch.uint8), torch.arange(8) % 2, ("a", "b"))
    recipe = replace(cgan(), discriminator=Conditional(nn.Sigmoid()))
    game = build_game(recipe, labelled, torch.device("cpu"), "float32")
    before = torch.get_rng_state()
    assert len([*cautions(recipe, labelled, game)]) == 1
    assert game.D.network.passes == 0 and torch.equal(torch.get_rng_state(), before)


def test_a_run_says_it_once(tmp_path, capsys):
    sizes = {"batch": 16, "images": 64, "tick": 32, "snapshot": 32}
    train(replace(ring(), discriminator=Critic(nn.Sigmoid()), **sizes), tmp_path / "run", quiet=False)
    assert capsys.readouterr().err.count("D ends in a sigmoid or softmax") == 1
