"""Several transformations together: who is taken, what is done at once, DiffAugment and ADA's pipeline."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from zerosum.augment import (
    Brightness,
    Contrast,
    Cutout,
    DiffAugment,
    Filter,
    FixedAugment,
    Flip,
    FractionalTranslate,
    Group,
    Hue,
    IntegerTranslate,
    Line,
    LumaFlip,
    Noise,
    Rotate,
    Rotate90,
    Saturation,
    Scale,
    Translate,
)
from zerosum.augment import _applying as applying
from zerosum.augment._applying import applied
from zerosum.augment._bands import amplified
from zerosum.augment.pipelines import transformations
from zerosum.game import Draws

ALL = transformations("bgcfnc")


@dataclass(frozen=True)
class Mark:
    """A transformation that shows where it was."""

    value: float

    def __call__(self, x, draws, purpose):
        return x + self.value


def taken(parts, p, count=4000):
    """Whether each mark is on each sample."""
    x = applied(parts, torch.zeros(count, 1), Draws(0, 0), "a", p)[:, 0].long()
    return torch.stack([x // int(part.value) % 2 for part in parts]).bool()


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.85, 1.0])
def test_each_part_is_done_with_probability_p_by_itself(p):
    marks = taken((Mark(1.0), Mark(2.0), Mark(4.0)), p).double()
    assert marks.mean(1).tolist() == pytest.approx([p] * 3, abs=0.03)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (marks[one] * marks[other]).mean().item() == pytest.approx(p * p, abs=0.03)


@pytest.mark.parametrize("p", [0.2, 0.6, 1.0])
def test_a_part_that_stands_twice_is_done_at_all_with_probability_p(p):
    x = applied((Mark(1.0), Mark(4.0), Mark(1.0)), torch.zeros(4000, 1), Draws(0, 0), "a", p)[:, 0] % 4
    assert (x > 0).double().mean().item() == pytest.approx(p, abs=0.03)
    both = (1 - (1 - p) ** 0.5) ** 2
    assert (x == 2).double().mean().item() == pytest.approx(both, abs=0.03)


@pytest.mark.parametrize("p", [0.2, 0.6, 1.0])
def test_a_group_is_done_with_p_times_its_factor(p):
    parts = (Mark(1.0), Group(0.5, (Mark(2.0), Group(0.5, (Mark(4.0),)))), Group(3.0, (Mark(8.0),)))
    x = applied(parts, torch.zeros(4000, 1), Draws(0, 0), "a", p)[:, 0].long()
    marks = torch.stack([x // value % 2 for value in (1, 2, 4, 8)]).double()
    assert marks.mean(1).tolist() == pytest.approx([p, p / 2, p / 4, min(3 * p, 1)], abs=0.03)
    assert (marks[0] * marks[1]).mean().item() == pytest.approx(p * p / 2, abs=0.03)


def test_a_group_alone_is_done_with_its_factor():
    x = Group(0.3, (Mark(1.0),))(torch.zeros(4000, 1), Draws(0, 0), "a")
    assert x.mean().item() == pytest.approx(0.3, abs=0.03)
    with pytest.raises(ValueError, match=r"factor is a strength of at least 0; found -1\.0"):
        Group(-1.0, (Mark(1.0),))


def test_groups_are_merged_with_the_transformations_beside_them(images, turn, monkeypatch):
    calls = Counter()
    plain = applying.resampled
    monkeypatch.setattr(applying, "resampled", lambda *a: calls.update(["resampled"]) or plain(*a))
    x = images(4, 3, 8, 8)
    FixedAugment(0.5, (Flip(), Group(0.5, (Rotate(), Scale())), Rotate90()))(x, "real", turn(x))
    assert calls == {"resampled": 1}


def test_r3gan_moves_samples_twice_as_often_as_it_changes_colours_and_cuts_out():
    bgc, (*moved, colours, cutout) = transformations("bgc"), transformations("r3gan")
    assert (*moved, *colours.parts) == bgc
    assert (colours.factor, len(colours.parts), cutout) == (0.5, 5, Cutout())


CHANGING = {"Flip": 0.5, "LumaFlip": 0.5, "Rotate90": 0.75, "IntegerTranslate": 15 / 16}  # both shifts 0: (1/4)^2


@pytest.mark.parametrize("part", sorted(set(ALL), key=repr), ids=repr)
def test_each_part_of_the_pipeline_changes_a_share_p_of_the_samples(part, images):
    x = images(1, 3, 16, 16).expand(1500, -1, -1, -1)
    y = applied((part,), x, Draws(1, 0), "a", 0.4)
    changed = (y - x).abs().amax((1, 2, 3)) > 1e-4
    share = 0.4 * CHANGING.get(type(part).__name__, 1.0)
    assert changed.double().mean().item() == pytest.approx(share, abs=0.05)  # 4 standard deviations


def test_samples_not_taken_are_untouched_to_the_last_bit(images):
    x = images(64, 3, 9, 7)
    parts = transformations("bg")
    untouched = (applied(parts, x, Draws(0, 0), "a", 0.1) == x).all(3).all(2).all(1)
    assert 15 < untouched.sum() < 50  # 0.9^6 0.95^... of them: 7 parts and two turns


ORDERS = {
    "whole motions": (Flip(), Rotate90(), IntegerTranslate(0.5), Rotate90()),
    "colours": (Brightness(), Contrast(), Saturation(), Hue(), Contrast(0.9), LumaFlip(), Brightness(0.2, "normal")),
    "a mixture": (Flip(), Contrast(), Cutout(), Brightness(), Rotate90(), Noise(), Filter((1,)), Translate(), Hue()),
}


@pytest.mark.parametrize("p", [0.5, 1.0])
@pytest.mark.parametrize("name", ORDERS)
def test_what_is_done_at_once_is_what_would_be_done_one_after_another(name, p, images, monkeypatch):
    x, draws = images(8, 3, 32, 32), Draws(3, 0)
    at_once = applied(ORDERS[name], x, draws, "a", p)
    monkeypatch.setattr(applying, "_kind", lambda part: -1)
    monkeypatch.setattr(applying, "_at_once", one_by_one)
    assert torch.allclose(at_once, applied(ORDERS[name], x, draws, "a", p), atol=2e-5)


def one_by_one(run, x, draws):
    for step in run:
        x = step.on(step.part(x, draws, step.purpose), x)
    return x


def test_amplifications_multiply(images):
    """As in the paper; neighbouring bands overlap, so that one filter after another would be another filter."""
    x, draws, parts = images(8, 1, 12, 12), Draws(3, 0), (Filter((0,)), Filter((3,)))
    gains = [part.gains(8, draws, f"a: {i} Filter") for i, part in enumerate(parts)]
    assert torch.equal(applied(parts, x, draws, "a"), amplified(x, gains[0] * gains[1]))
    for chosen in applied(parts, x, draws, "a", 0.5):
        ways = [torch.ones(8, 4), *gains, gains[0] * gains[1]]
        assert any(torch.equal(chosen, sample) for way in ways for sample in amplified(x, way))


def test_motions_make_one_resampling_and_colours_one_map(images, turn, monkeypatch):
    calls = Counter()
    for name in ("resampled", "mixed", "amplified"):
        plain = getattr(applying, name)
        monkeypatch.setattr(applying, name, lambda *a, plain=plain, name=name: calls.update([name]) or plain(*a))
    x = images(4, 3, 8, 8)
    FixedAugment(0.5, "bgcfnc")(x, "real", turn(x))
    assert calls == {"resampled": 1, "mixed": 1, "amplified": 1}


def test_a_shift_after_a_turn_is_along_the_new_axes(images, given):
    x = images(1, 1, 8, 8)
    parts, draws = (Rotate(), FractionalTranslate(0.125)), Draws(0, 0)
    angle, shift = (part.motion(x.shape, draws, f"a: {i} {type(part).__name__}") for i, part in enumerate(parts))
    whole = applied(parts, x, draws, "a")
    both = angle[0, :, :2] @ shift[0, :, 2] + angle[0, :, 2]
    expected = applying.resampled(x, torch.cat((angle[:, :, :2], both.view(1, 2, 1)), 2))
    assert torch.allclose(whole, expected, atol=1e-5)


def test_the_pipeline_is_the_papers():
    names = [type(part).__name__ for part in ALL]
    assert names[:3] == ["Flip", "Rotate90", "IntegerTranslate"]
    assert names[3:8] == ["Scale", "Rotate", "Anisotropy", "Rotate", "FractionalTranslate"]
    assert names[8:13] == ["Brightness", "Contrast", "LumaFlip", "Hue", "Saturation"]
    assert names[13:] == ["Filter"] * 4 + ["Noise", "Cutout"]
    assert len(set(ALL)) == 18
    assert [len(transformations(name)) for name in ("b", "bg", "bgc", "bgcf", "bgcfn")] == [3, 8, 13, 17, 18]
    assert ALL[8:13] == (
        *(Brightness(0.2, "normal"), Contrast(0.5, "normal"), LumaFlip(0.5)),
        *(Hue(1.0), Saturation(1.0, "normal")),
    )
    assert ALL[3:8] == (*(Scale(0.2), Rotate(1.0)), ALL[5], Rotate(1.0), FractionalTranslate(0.125))


def test_an_unknown_pipeline_is_refused():
    with pytest.raises(
        ValueError, match=r"pipeline is b, bg, bgc, bgcf, .* or a tuple of transformations; found 'cgb'"
    ):
        FixedAugment(pipeline="cgb")
    assert transformations((Flip(),)) == (Flip(),)


def test_diff_augment_is_the_papers(images, turn):
    """Colour, translation and cutout as the authors write them, in float64 and one sample after another."""
    x = images(5, 3, 16, 24)
    found = DiffAugment()(x, "real", turn(x)).double().numpy()
    draws = turn(x).draws
    names = ("Brightness", "Saturation", "Contrast", "Translate", "Cutout")
    shapes = ((5,), (5,), (5,), (5, 2), (5, 2))
    numbers = [
        draws.uniform(f"augment real: {i} {name}", shape).double().numpy()
        for i, (name, shape) in enumerate(zip(names, shapes, strict=True))
    ]
    for y, image, brightness, saturation, contrast, shift, hole in zip(
        found, x.double().numpy(), *numbers, strict=True
    ):
        image = image + (brightness - 0.5)
        image = (image - image.mean(0)) * (saturation * 2) + image.mean(0)
        image = (image - image.mean()) * (contrast + 0.5) + image.mean()
        down, across = (int(u * (2 * most + 1)) - most for u, most in zip(shift, (2, 3), strict=True))
        padded = np.pad(image, ((0, 0), (3, 3), (3, 3)))
        image = padded[:, 3 - down : 19 - down, 3 - across : 27 - across].copy()
        top, left = int(hole[0] * 17) - 4, int(hole[1] * 25) - 6
        image[:, max(top, 0) : top + 8, max(left, 0) : left + 12] = 0
        assert np.abs(y - image).max() < 1e-5


def test_real_and_generated_samples_and_updates_draw_different_numbers(images, turn):
    x = images(4, 3, 8, 8)
    for augment in (DiffAugment(), FixedAugment(0.8)):
        seen = [augment(x, role, turn(x)) for role in ("real", "fake", "other 0", "other 1")]
        seen.append(augment(x, "real", turn(x, position=4)))
        assert not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])
        assert torch.equal(seen[0], augment(x, "real", turn(x, player="G")))


def test_a_part_that_stands_twice_draws_apart(images):
    x = torch.zeros(500, 1, 2, 2)
    twice = applied((Brightness(), Brightness()), x, Draws(0, 0), "a")[:, 0, 0, 0]
    assert twice.std().item() == pytest.approx((2 / 12) ** 0.5, rel=0.1)  # of two uniform numbers, not of one doubled


def test_fixed_probability_follows_its_schedule(turn):
    rising = FixedAugment(0.6, (Mark(1.0),), Line(0.0, 1.0))
    x = torch.zeros(4000, 1)
    shares = [rising(x, "real", turn(x, progress=t)).mean().item() for t in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.0, 0.3, 0.6], abs=0.03)
    assert FixedAugment(0.6, (Mark(1.0),), Line(5.0, 5.0))(x, "real", turn(x)).mean() == 1
    assert FixedAugment(0.3, (Mark(1.0),))(x, "real", turn(x, progress=0.9)).mean().item() == pytest.approx(
        0.3, abs=0.03
    )


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_out_of_range_is_refused(p):
    with pytest.raises(ValueError, match=rf"p is a share in \[0, 1\]; found {p}"):
        FixedAugment(p)


def test_nothing_to_do_is_nothing_done(images, turn):
    x = images(4, 3, 8, 8)
    assert FixedAugment(0.0)(x, "real", turn(x)) is x
    assert DiffAugment(())(x, "real", turn(x)) is x


def test_points_are_refused_and_take_what_suits_them(turn):
    x = torch.zeros(4, 2)
    for augment in (DiffAugment(), FixedAugment(0.5), DiffAugment((Hue(),)), DiffAugment((Filter(),))):
        with pytest.raises(ValueError, match="expected images"):
            augment(x, "real", turn(x))
    assert DiffAugment((Noise(),))(x, "real", turn(x)).all()


@pytest.mark.parametrize("augment", [DiffAugment(), FixedAugment(0.7, "bgcfnc")], ids=lambda a: type(a).__name__)
def test_gradients_of_gradients_pass_through(augment, images, turn):
    x = images(2, 3, 5, 4).double().requires_grad_()
    weight = images(2, 3, 5, 4, seed=1).double()

    def D(x):
        return (augment(x, "real", turn(x)) * weight).flatten(1).sum(1).tanh()

    assert torch.autograd.gradcheck(D, (x,))
    assert torch.autograd.gradgradcheck(D, (x,), fast_mode=True)  # along one direction


def test_a_broken_sample_affects_no_other(images, turn):
    x = images(4, 3, 8, 8)
    broken = x.clone()
    broken[1] = torch.nan
    for augment in (DiffAugment(), FixedAugment(0.7, "bgcfnc")):
        whole, hurt = (augment(samples, "real", turn(samples)) for samples in (x, broken))
        assert torch.equal(whole[[0, 2, 3]], hurt[[0, 2, 3]])
