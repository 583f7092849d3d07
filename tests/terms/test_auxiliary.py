"""What D reads off samples: classes and codes."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import (
    Batch,
    Clock,
    Draws,
    ExponentialMovingAverage,
    Game,
    InfoGANLatent,
    Judgement,
    Normal,
    Player,
    Turn,
)
from zerosum.objectives import NonSaturating
from zerosum.terms import AuxiliaryClass, MutualInformation


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


def showing(logits):
    return lambda x, *c: Judgement(x.flatten(1).sum(1), None, logits(x))


def log_softmax(a):
    return a - np.log(np.exp(a).sum(1, keepdims=True))


def unread(logits, classes):
    return -log_softmax(logits)[np.arange(len(classes)), classes].mean()


@pytest.mark.parametrize("player", ["G", "D"])
def test_d_reads_the_class_of_both_sides_and_g_of_its_own(build_turn, player):
    x, x_fake, c = samples(0, 5, 4), samples(1, 5, 4), np.array([0, 3, 1, 2, 2])
    turn = build_turn(player, showing(lambda x: 3 * x), x=x, x_fake=x_fake, c=c)
    wanted = unread(3 * x_fake, c) + (unread(3 * x, c) if player == "D" else 0)
    assert AuxiliaryClass(0.5)(turn).item() == pytest.approx(0.5 * wanted, rel=1e-12)


@pytest.mark.parametrize(("player", "side"), [("G", "fake"), ("D", "real")])
def test_a_discriminator_may_learn_to_read_from_real_samples_alone(build_turn, player, side):
    x, c = {"real": samples(0, 5, 4), "fake": samples(1, 5, 4)}, np.array([0, 3, 1, 2, 2])
    turn = build_turn(player, showing(lambda x: 3 * x), x=x["real"], x_fake=x["fake"], c=c)
    read = AuxiliaryClass(generated=False)(turn).item()
    assert read == pytest.approx(unread(3 * x[side], c), rel=1e-12)


def test_a_class_that_is_read_for_sure_costs_nothing_and_an_unreadable_one_its_entropy(build_turn):
    c = np.array([0, 1, 2])
    sure, blind = (showing(lambda x, k=k: k * torch.eye(3, dtype=torch.float64)) for k in (1e3, 0.0))
    x = samples(0, 3, 2)
    assert AuxiliaryClass()(build_turn("G", sure, x=x, x_fake=x, c=c)) == 0
    assert AuxiliaryClass()(build_turn("D", blind, x=x, x_fake=x, c=c)).item() == pytest.approx(2 * np.log(3))


def test_logits_after_those_of_the_classes_are_left_to_others(build_turn):
    x, x_fake, c = samples(0, 5, 7), samples(1, 5, 7), np.array([0, 3, 1, 2, 2])
    turn = build_turn("D", showing(lambda x: x), x=x, x_fake=x_fake, c=c, z=samples(2, 5, 4))
    wanted = unread(x_fake[:, :4], c) + unread(x[:, :4], c)
    assert AuxiliaryClass(others=3)(turn).item() == pytest.approx(wanted, rel=1e-12)
    numbers = MutualInformation((), 3, continuous_weight=1.0)(turn).item()
    assert numbers == pytest.approx(surprise(turn.z[:, 1:].numpy(), x_fake[:, 4:], np.ones((5, 3))), rel=1e-10)


def test_of_a_sample_without_a_class_nothing_is_read(build_turn):
    x, c = samples(0, 4, 3), np.array([0, 3, 2, 3])
    turn = build_turn("G", showing(lambda x: x), x=x, x_fake=x, c=c)
    assert AuxiliaryClass()(turn).item() == pytest.approx(unread(x[[0, 2]], c[[0, 2]]), rel=1e-12)
    nothing = build_turn("G", showing(lambda x: x), x=x, x_fake=x, c=np.full(4, 3))
    assert AuxiliaryClass()(nothing) == 0


def test_class_logits_keep_their_digits_under_autocast(build_turn):
    turn = build_turn(
        "G", showing(lambda x: x.bfloat16()), x=samples(0, 4, 3), x_fake=samples(1, 4, 3), c=np.arange(4) % 3
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert AuxiliaryClass()(turn).dtype == torch.float32


def cross(logits, c):
    """-log P(c) where P(yes) = sigmoid(logit)."""
    return np.log1p(np.exp(-logits)) * c + np.log1p(np.exp(logits)) * (1 - c)


@pytest.mark.parametrize("player", ["G", "D"])
def test_attributes_are_read_one_by_one(build_turn, player):
    x, x_fake, c = samples(0, 5, 4), samples(1, 5, 4), (samples(2, 5, 3) > 0).astype(float)
    turn = build_turn(player, showing(lambda x: 3 * x), x=x, x_fake=x_fake, c=c)
    term = AuxiliaryClass(0.5, others=1, kind="attributes")
    wanted = cross(3 * x_fake[:, :3], c).mean() + (cross(3 * x[:, :3], c).mean() if player == "D" else 0)
    assert term(turn).item() == pytest.approx(0.5 * wanted, rel=1e-12)


def test_unknown_attributes_are_not_predicted(build_turn):
    x, c = samples(0, 4, 3), np.array([[1, 0.5, 0], [0.5, 0.5, 0.5], [0, 1, 1], [0.5, 0.5, 0.5]])
    turn = build_turn("G", showing(lambda x: x), x=x, x_fake=x, c=c)
    assert AuxiliaryClass(kind="attributes")(turn).item() == pytest.approx(cross(x, c)[c != 0.5].mean(), rel=1e-12)
    nothing = build_turn("G", showing(lambda x: x), x=x, x_fake=x, c=np.full((4, 3), 0.5))
    assert AuxiliaryClass(kind="attributes")(nothing) == 0


@pytest.mark.parametrize("player", ["G", "D"])
def test_numbers_are_guessed(build_turn, player):
    x, x_fake, c = samples(0, 5, 4), samples(1, 5, 4), samples(2, 5, 3)
    turn = build_turn(player, showing(lambda x: 3 * x), x=x, x_fake=x_fake, c=c)
    term = AuxiliaryClass(0.5, others=1, kind="numbers")
    wanted = ((3 * x_fake[:, :3] - c) ** 2).mean() + (((3 * x[:, :3] - c) ** 2).mean() if player == "D" else 0)
    assert term(turn).item() == pytest.approx(0.5 * wanted, rel=1e-12)


@pytest.mark.parametrize("kind", ["attributes", "numbers"])
def test_rows_of_another_kind_or_length_are_refused(build_turn, kind):
    x, term = samples(0, 2, 3), AuxiliaryClass(kind=kind)
    for c in (None, np.array([0, 1]), np.array([[0, 1], [1, 0]])):
        with pytest.raises(ValueError, match=f"AuxiliaryClass predicts {kind}: use data with {kind}, and con"):
            term(build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=c))
    with pytest.raises(ValueError, match="AuxiliaryClass needs 2 logits, one for each attribute; found 3: choose a D"):
        term(build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=np.array([[0.0, 1.0], [1.0, 0.0]])))
    turn = build_turn("G", showing(lambda x: x.bfloat16()), x=x, x_fake=x, c=samples(1, 2, 3) * 0 + 1.0)
    turn.c = turn.c.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert term(turn).dtype == torch.float32


@pytest.mark.parametrize("c", [None, np.array([0.5, 1.5]), np.array([[0, 1], [1, 0]])])
def test_without_labels_there_is_no_class_to_read(build_turn, c):
    x = samples(0, 2, 3)
    with pytest.raises(ValueError, match="AuxiliaryClass predicts labels: use data with labels, and"):
        AuxiliaryClass()(build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=c))


@pytest.mark.parametrize("others", [3, 4])
def test_a_d_whose_logits_are_all_for_others_is_refused(build_turn, others):
    x = samples(0, 2, 3)
    turn = build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=np.array([0, 1]))
    sentence = (
        rf"AuxiliaryClass needs a logit for each class before {others} others; found 3 logits in all: "
        r"choose conditioning=Auxiliary\(\)"
    )
    with pytest.raises(ValueError, match=sentence):
        AuxiliaryClass(others=others)(turn)
    with pytest.raises(ValueError, match="AuxiliaryClass needs 2 logits, one for each attribute; found 0"):
        AuxiliaryClass(others=others, kind="numbers")(build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=x[:, :2]))


def test_a_d_without_such_a_head_is_refused(build_turn):
    x = samples(0, 2, 3)
    turn = build_turn("D", lambda x, *c: Judgement(x.sum(1), x), x=x, x_fake=x, z=samples(1, 2, 14), c=np.array([0, 1]))
    for term in (AuxiliaryClass(), MutualInformation()):
        with pytest.raises(ValueError, match=f"{type(term).__name__} needs a discriminator that returns .*logits"):
            term(turn)


def surprise(numbers, means, stds):
    density = np.exp(-0.5 * ((numbers - means) / stds) ** 2) / (stds * np.sqrt(2 * np.pi))
    return -np.log(density).sum(1).mean()


@pytest.mark.parametrize("stds", [False, True])
@pytest.mark.parametrize(("categories", "continuous"), [((3,), 2), ((3, 2), 0), ((), 2), ((2, 4), 1)])
@pytest.mark.parametrize("player", ["G", "D"])
def test_information_is_the_likelihood_of_the_code_for_both_players(build_turn, player, categories, continuous, stds):
    latent = InfoGANLatent(Normal(3), categories, continuous)
    term = MutualInformation(categories, continuous, 0.7, 0.2, stds)
    z = latent.draw(6, torch.Generator().manual_seed(0)).double()
    logits = samples(1, 6, term.outputs)
    turn = build_turn(player, showing(lambda x: torch.tensor(logits)), x_fake=samples(2, 6, 2), z=z)
    wanted, place, code = 0.0, 0, z[:, 3:].numpy()
    for values in categories:
        part = slice(place, place + values)
        wanted += 0.7 * unread(logits[:, part], code[:, part].argmax(1))
        place += values
    if continuous:
        means = logits[:, place : place + continuous]
        spread = np.exp(logits[:, place + continuous :]) if stds else np.ones_like(means)
        wanted += 0.2 * surprise(code[:, place:], means, spread)
    assert term(turn).item() == pytest.approx(wanted, rel=1e-6)


class Reader(nn.Module):
    """A discriminator with a head that reads codes."""

    def __init__(self, outputs):
        super().__init__()
        self.body, self.head, self.read = nn.Linear(2, 6), nn.Linear(6, 1), nn.Linear(6, outputs)

    def forward(self, x):
        features = self.body(x).tanh()
        return Judgement(self.head(features).squeeze(1), features, self.read(features))


def played(G_terms=(), D_terms=()):
    """A game of a coded latent after a step, and the gradients of G and of the auxiliary head."""
    torch.manual_seed(0)
    latent = InfoGANLatent(Normal(2), (3,), 1)
    G, D = nn.Linear(latent.size, 2), Reader(4)
    players = [
        Player(name, network, torch.optim.SGD(network.parameters(), 0.1), terms)
        for name, network, terms in (("G", G, G_terms), ("D", D, D_terms))
    ]
    game = Game(*players, NonSaturating(), latent, ExponentialMovingAverage(G, 100))
    log = game.step(iter(Batch(torch.zeros(5, 2), None, 5 * i) for i in range(2)))
    return log, G.weight.grad.clone(), D.read.weight.grad.clone()


def test_information_is_attached_for_both_players():
    """The code reaches G's weights through the head in G's update, and the head's in D's."""
    term = MutualInformation((3,), 1)
    _, plain, idle = played()
    assert not idle.any()
    log, alone, reading = played(D_terms=(term,))
    assert reading.any()
    assert not torch.equal(alone, plain), "G meets a D that has learned to read"
    log, taught, _ = played((term,), (term,))
    assert not torch.equal(taught, alone)
    assert {"G/MutualInformation", "D/MutualInformation"} <= set(log)


def test_the_code_can_be_learned_by_both():
    """A linear generator and its reader find a code that can be read: the term falls below its entropy."""
    torch.manual_seed(0)
    latent, term = InfoGANLatent(Normal(1), (4,), 0), MutualInformation((4,), 0)
    G, D = nn.Linear(latent.size, 2), Reader(4)
    optimiser = torch.optim.Adam([*G.parameters(), *D.parameters()], 0.05)
    for step in range(60):
        z = latent.draw(32, torch.Generator().manual_seed(step))
        x = G(z)
        value = term(Turn("G", D, G, x.detach(), x, z, None, Clock(), Draws(0, 0)))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert value < 0.3 * np.log(4)


def test_codes_and_heads_of_other_sizes_are_refused(build_turn):
    x = samples(0, 2, 3)
    with pytest.raises(
        ValueError, match="the code is the last 12 dimensions of z: use the latent InfoGANLatent; z has 3"
    ):
        MutualInformation()(build_turn("G", showing(lambda x: x), x_fake=x, z=samples(1, 2, 3)))
    with pytest.raises(ValueError, match="this code needs 12 logits per sample; found 3"):
        MutualInformation()(build_turn("G", showing(lambda x: x), x_fake=x, z=samples(1, 2, 14)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AuxiliaryClass(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: AuxiliaryClass(kind="tags"), "kind is labels, attributes, numbers; found 'tags'"),
        (lambda: AuxiliaryClass(others=-1), "others counts logits that are not the class's, at least 0; found -1"),
        (lambda: MutualInformation(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: MutualInformation(continuous_weight=-1.0), "continuous_weight weighs a penalty and is at least 0"),
        (lambda: MutualInformation((1,)), r"a code has categorical variables of at least 2 values, .* found .*\(1,\)"),
        (lambda: MutualInformation((), 0), r"a code has categorical variables .*; found categories=\(\), continuous=0"),
        (lambda: MutualInformation((3,), -1), "a code has categorical variables .* continuous=-1"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
