"""The probability that follows how much D overfits, by itself and in the two augmentations that have one."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zerosum.augment import AdaptiveAugment, AdaptivePseudo, Chain, FixedAugment, InstanceNoise
from zerosum.data.dataset import in_memory
from zerosum.game import Draws, Judgement
from zerosum.networks import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives import Hinge, Relativistic
from zerosum.recipes.named_recipes import named
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BOTH = {"ADA": AdaptiveAugment, "APA": AdaptivePseudo}
each = pytest.mark.parametrize(("name", "kind"), BOTH.items())


def d_turn(scores, ranks=1, average=lambda value: value, against=None):
    """An update of D over real samples with these scores, and generated ones `against` them."""
    scores, others = torch.as_tensor(scores), torch.as_tensor(scores if against is None else against)
    real, fake, x = SimpleNamespace(score=scores), SimpleNamespace(score=others), torch.zeros(len(scores), 1)
    return SimpleNamespace(real=real, fake=fake, x=x, draws=Draws(0, 0, 0, ranks), average=average)


def scores(r, batch=10):
    """Scores of which the mean sign is r."""
    positive = round((1 + r) / 2 * batch)
    return [3.0] * positive + [-0.1] * (batch - positive)


def play(augment, *rs, batch=10):
    """p after each update of D with these mean signs."""
    log, found = {}, []
    for r in rs:
        augment.watch("D", d_turn(scores(r, batch)), log)
        found.append(next(value.item() for name, value in log.items() if name.endswith("/p")))
    return found


@each
def test_p_follows_the_signs_and_stays_in_its_range(name, kind):
    augment = kind(target=0.5, every=3, images=100, limit=0.7)
    signs = np.random.default_rng(0).choice([-0.2, 0.4, 0.6, 0.8, 1.0], size=90, p=[0.1, 0.1, 0.2, 0.3, 0.3])
    p, expected = 0.0, []
    for i in range(0, 90, 3):
        expected += [p] * 2
        p = min(max(p + 30 / 100 * np.sign(signs[i : i + 3].mean() - 0.5), 0.0), 0.7)
        expected += [p]
    assert play(augment, *signs) == pytest.approx(expected, abs=1e-6)
    assert {0.0, 0.7} <= set(expected) and len(set(np.round(expected, 6))) > 3


@each
def test_p_converges_where_r_is_the_target(name, kind):
    """A D that overfits less the more it is augmented stays where r is the target."""
    augment, log = kind(every=1, images=2_000), {}
    for _ in range(600):
        augment.watch("D", d_turn(scores(1.0 - 0.8 * augment.adaptation.p.item(), 100)), log)
    assert log[f"{name}/p"].item() == pytest.approx(0.5, abs=0.06)
    assert log[f"{name}/r"].item() == pytest.approx(0.6, abs=0.05)


@each
def test_p_rises_from_0_to_1_in_the_images_given_at_every_batch_size_and_pace(name, kind):
    for batch, every in ((10, 4), (20, 2), (40, 1), (5, 8), (5, 1)):
        augment = kind(every=every, images=1_000)
        found = play(augment, *[1.0] * (800 // batch), batch=batch)
        assert found[-1] == pytest.approx(0.8, abs=1e-6)
        assert play(augment, *[1.0] * (200 // batch), batch=batch)[-1] == pytest.approx(1.0, abs=1e-6)


def test_the_papers_numbers_are_the_defaults():
    for augment in (AdaptiveAugment(), AdaptivePseudo()):
        assert (augment.target, augment.every, augment.images) == (0.6, 4, 500_000)
        log = {}
        for _ in range(8):
            augment.watch("D", d_turn(scores(1.0, 64)), log)
        assert augment.adaptation.p.item() == pytest.approx(8 * 64 / 500_000, rel=1e-12)
    assert AdaptiveAugment().pipeline == "bgc"


@each
def test_signs_count_by_samples_and_score_maps_by_their_elements(name, kind):
    augment, log = kind(target=0.0, every=2, images=100), {}
    augment.watch("D", d_turn([1.0]), log)
    augment.watch("D", d_turn([-1.0, -1.0, 1.0, -1.0, -1.0]), log)  # 2 of 6 above 0
    assert augment.adaptation.p == 0
    augment.watch("D", d_turn([1.0]), log)
    augment.watch("D", d_turn([-1.0, 1.0, 1.0]), log)
    assert augment.adaptation.p.item() == pytest.approx(0.04)
    augment.watch("D", d_turn(torch.tensor([[[1.0, -2.0], [3.0, 0.0]]])), log)
    assert log[f"{name}/r"].item() == 0.25


@each
def test_in_a_game_of_pairs_the_higher_score_of_a_pair_counts(name, kind):
    augment, log = kind(every=1, images=100), {}
    Chain((InstanceNoise(), augment)).meet(Relativistic())
    augment.watch("D", d_turn([-9.0, -8.0, -7.0, -6.0], against=[-9.5, -8.5, -7.5, -5.5]), log)
    assert log[f"{name}/r"].item() == 0.5 and augment.adaptation.p == 0
    augment.watch("D", d_turn([5.0, 4.0], against=[7.0, 6.0]), log)
    assert log[f"{name}/r"].item() == -1
    augment.watch("D", d_turn([-9.0, -8.0], against=[-9.5, -9.5]), log)
    assert log[f"{name}/r"].item() == 1 and augment.adaptation.p.item() == pytest.approx(0.02)


@pytest.mark.parametrize(("objective", "invariant"), [(Relativistic(), True), (Hinge(), False)])
def test_a_relativistic_d_is_read_alike_wherever_its_scores_lie(objective, invariant):
    """Nothing in such a game holds the scores near 0: p led by their signs would stay at 0, or rise to 1."""
    pixels = torch.randint(256, (40, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    dataset, device = in_memory("tiny", pixels), torch.device("cpu")
    recipe = replace(
        named("ada"),
        generator=DCGANGenerator(size=4),
        discriminator=DCGANDiscriminator(size=4, norm="none"),
        objective=objective,
        conditional=False,
        batch=8,
    )
    found = []
    for shift in (-50.0, 50.0):
        game = build_game(recipe, dataset, device, "float32")
        with torch.no_grad():
            list(game.D.network.parameters())[-1].add_(shift)
        found.append(game.update_D(next(Batches(dataset, 8, False, seed=0, device=device)))["ADA/r"].item())
    assert found[0] == found[1] if invariant else found == [-1, 1]


@each
def test_p_is_led_by_all_ranks(name, kind):
    augment, log = kind(every=1, images=100), {}
    augment.watch("D", d_turn(scores(1.0), ranks=3, average=lambda value: value - 0.1), log)
    assert log[f"{name}/r"].item() == pytest.approx(0.9)
    assert log[f"{name}/p"].item() == pytest.approx(0.3)
    augment.watch("D", d_turn(scores(1.0), ranks=3, average=lambda value: value - 0.6), log)
    assert log[f"{name}/p"].item() == pytest.approx(0.0)


@each
def test_updates_of_g_change_nothing(name, kind):
    augment, log = kind(every=1), {}
    augment.watch("G", d_turn(scores(1.0)), log)
    assert log == {} and not any(augment.state_dict().values())


@each
def test_memory_is_saved_and_restored_between_two_changes_of_p(name, kind):
    signs = np.random.default_rng(1).choice([0.2, 0.6, 0.8, 1.0], size=40)
    straight, first, second = (kind(images=300) for _ in range(3))
    whole = play(straight, *signs)
    begun = play(first, *signs[:22])
    state = first.state_dict()
    play(first, 1.0, 1.0)
    second.load_state_dict(state)
    assert begun + play(second, *signs[22:]) == whole
    assert all(torch.equal(value, straight.state_dict()[name]) for name, value in second.state_dict().items())


@each
def test_the_memory_belongs_to_a_run_and_not_to_the_value(name, kind):
    augment = kind(every=1, images=100)
    as_written = copy.deepcopy(augment)
    play(augment, 1.0)
    assert augment == as_written and hash(augment) == hash(as_written) and "adaptation" not in repr(augment)
    assert as_written.adaptation.p == 0


@each
def test_what_is_logged_is_detached_and_does_not_change_afterwards(name, kind):
    augment, first = kind(every=1, images=100), {}
    learned = torch.ones(10, requires_grad=True)
    augment.watch("D", d_turn(learned * 2), first)
    play(augment, 1.0)
    assert first[f"{name}/p"].item() == pytest.approx(0.1)
    assert not any(value.requires_grad for value in first.values())
    assert all(value.dtype == torch.float32 for value in first.values())


def test_ada_is_the_fixed_pipeline_of_its_p(images, turn):
    x = images(8, 3, 8, 8)
    augment = AdaptiveAugment()
    assert augment(x, "real", turn(x)) is x, "nothing to begin with"
    augment.adaptation.p.fill_(0.4)
    for role in ("real", "fake"):
        assert torch.equal(augment(x, role, turn(x)), FixedAugment(0.4)(x, role, turn(x)))
    blits = AdaptiveAugment(pipeline="b")
    blits.adaptation.p.fill_(0.4)
    assert torch.equal(blits(x, "real", turn(x)), FixedAugment(0.4, "b")(x, "real", turn(x)))


def test_in_a_game_d_sees_the_pipeline_of_the_p_that_its_own_signs_have_led_to():
    """p is simulated beside the game from r_t, the mean sign of what D says of real samples as it sees them."""
    pixels = torch.randint(256, (40, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    dataset, device = in_memory("tiny", pixels), torch.device("cpu")
    signs, led = [], [0.0]

    def spy(turn):
        seen = FixedAugment(led[-1])(turn.x, "real", turn)
        assert torch.equal(turn.real.score, Judgement.of(turn.D(seen)).score), f"another p in update {len(signs)}"
        signs.append(np.sign(turn.real.score.detach().double().numpy()).mean())
        change = 16 / 64 * np.sign(np.mean(signs[-2:]) - 0.1) if len(signs) % 2 == 0 else 0.0
        led.append(min(max(led[-1] + change, 0.0), 0.8))
        return turn.zero()

    recipe = replace(
        named("ada"),
        generator=DCGANGenerator(size=4),
        discriminator=DCGANDiscriminator(size=4, norm="none"),
        augment=AdaptiveAugment(target=0.1, every=2, images=64, limit=0.8),
        conditional=False,
        batch=8,
    )
    game = build_game(recipe, dataset, device, "float32")
    game.D.terms = (spy,)
    batches = Batches(dataset, 8, False, seed=0, device=device)
    logged = [game.update_D(next(batches))["ADA/p"].item() for _ in range(20)]
    assert logged == pytest.approx(led[1:]) and len(set(led)) > 3


@pytest.mark.parametrize("shape", [(3, 4, 4), (2,)], ids=str)
def test_pseudo_replaces_a_share_p_of_the_real_samples_by_generated_ones(shape, turn):
    x, x_fake = torch.zeros(3000, *shape), torch.ones(3000, *shape)
    augment = AdaptivePseudo()
    table = turn(x, x_fake)
    assert augment(x, "real", table) is x, "nothing to begin with"
    augment.adaptation.p.fill_(0.3)
    seen = augment(x, "real", table).flatten(1)
    assert ((seen == 0).all(1) | (seen == 1).all(1)).all()
    assert seen.mean().item() == pytest.approx(0.3, abs=0.03)
    assert augment(x_fake, "fake", table) is x_fake
    assert augment(x, "other", table) is x
    assert torch.equal(augment(x, "real", table).flatten(1), seen)
    assert not torch.equal(augment(x, "real", turn(x, x_fake, position=3000)).flatten(1), seen)


def test_pseudo_passes_no_gradient_to_the_generator(turn):
    latent = torch.ones(100, 2, requires_grad=True)
    x = torch.zeros(100, 2, requires_grad=True)
    augment = AdaptivePseudo()
    augment.adaptation.p.fill_(0.5)
    seen = augment(x, "real", turn(x, latent * 2))
    to_x, to_latent = torch.autograd.grad(seen.sum(), (x, latent), allow_unused=True)
    assert to_latent is None
    assert torch.equal(to_x, (seen == 0).float())


def test_pseudo_refuses_samples_of_unlike_shapes(turn):
    augment = AdaptivePseudo()
    augment.adaptation.p.fill_(0.5)
    with pytest.raises(ValueError, match=r"differ in shape and cannot stand for each other: \(4, 2\), \(3, 2\)"):
        augment(torch.zeros(4, 2), "real", turn(torch.zeros(4, 2), torch.zeros(3, 2)))


@each
def test_numbers_that_cannot_lead_p_are_refused(name, kind):
    for options, message in (
        ({"target": 1.0}, r"target is a mean of signs, in \(-1, 1\); found 1.0"),
        ({"target": float("nan")}, "target is a mean of signs"),
        ({"every": 0}, "every counts updates of D between two changes of p, at least 1; found 0"),
        ({"images": 0}, "images counts those in which p can rise from 0 to 1, at least 1; found 0"),
        ({"limit": 1.5}, r"limit is a share in \[0, 1\]; found 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            kind(**options)


def test_an_unknown_pipeline_is_refused():
    with pytest.raises(ValueError, match="pipeline is b, bg"):
        AdaptiveAugment(pipeline="all")
