"""Cards against generators of which everything is known."""

import pytest
import torch

from zerosum.game import Normal
from zerosum.latent import Attribute, LatentModel, space_of
from zerosum.latent.direction import named_direction
from zerosum.latent.measure import Ruler, calibrated, corrected, measured_card

SIDE = 6


def call(z):
    """Two halves of an image, each of a lightness of its own: z_0 / 20, and (z_1 + z_0 / 2) / 20."""
    left, right = z[:, 0], z[:, 1] + z[:, 0] / 2
    halves = torch.stack([left, right], 1) / 20
    return halves[:, None, None].expand(-1, 1, SIDE, -1).repeat_interleave(SIDE // 2, 3)


ATTRIBUTES = {
    "left": Attribute("left", lambda x: x[..., : SIDE // 2].mean((1, 2, 3)) * 20),
    "right": Attribute("right", lambda x: x[..., SIDE // 2 :].mean((1, 2, 3)) * 20),
}
STDS, VALUES = {"left": 2.0, "right": 4.0}, {"left": torch.arange(5.0), "right": torch.tensor([0, 1, 2, 3, torch.nan])}
MODEL = LatentModel(call, Normal(3))
INPUTS = MODEL.inputs(100, seed=5)


def direction(*vector):
    return named_direction("d", torch.tensor(vector), space_of(MODEL), "line")


def test_the_card_has_the_changes_of_the_generator():
    card = measured_card(direction(1.0, 0.0, 0.0), MODEL, INPUTS, Ruler(ATTRIBUTES, STDS, VALUES), "left", ("right",))
    assert card.shift == pytest.approx(1 / 2, abs=0.02) and card.leakage == {"right": pytest.approx(0.5 / 4, abs=0.02)}
    assert card.rank == pytest.approx(1) and card.unit == 2 and card.removed == ("right",) and card.samples == 100
    assert card.kept is None and card.kept_before is None
    down = measured_card(direction(0.0, -1.0, 0.0), MODEL, INPUTS, Ruler(ATTRIBUTES, STDS, VALUES))
    assert down.attribute == "right" and down.shift == pytest.approx(-1 / 4, abs=0.02)
    assert down.rank == pytest.approx(-1) and down.leakage["left"] == 0


def test_samples_that_an_edit_deprives_of_a_value_are_counted_and_no_error():
    """As letters that get so thin that nothing is left; samples themselves should have a value."""
    light = Attribute("left", lambda x: torch.where(x.amax((1, 2, 3)) < 0.08, x[..., 0].mean((1, 2)) * 20, torch.nan))
    ruler = Ruler({"left": light}, STDS, VALUES)
    few = INPUTS.rows(INPUTS.z[:, 0].abs() < 1)
    few = few.rows(call(few.z).amax((1, 2, 3)) < 0.08)
    card = measured_card(direction(0.5, 0.0, 0.0), MODEL, few, ruler, "left")
    assert card.without_value > 0.5 and card.shift == pytest.approx(1 / 4, abs=0.03)
    none = Ruler({"left": Attribute("left", lambda x: x.flatten(1)[:, 0] * torch.nan)}, STDS, VALUES)
    with pytest.raises(ValueError, match="left is not a number for 100% of the images"):
        measured_card(direction(0.5, 0.0, 0.0), MODEL, INPUTS, none, "left")


def test_a_unit_is_one_standard_deviation_upwards():
    ruler = Ruler(ATTRIBUTES, STDS, VALUES)
    found = calibrated(direction(-0.3, 0.15, 0.0), MODEL, INPUTS, ruler, "left")
    assert found.vector.tolist() == pytest.approx([2, -1, 0], rel=0.05)
    assert measured_card(found, MODEL, INPUTS, ruler, "left").shift == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="no step along d moves left: it depends on something else"):
        calibrated(direction(0.0, 0.0, 1.0), MODEL, INPUTS, ruler, "left")


def test_a_whole_step_is_corrected():
    """The right half also turns with tanh(z_0), of which a step sees less than the gradient says."""

    def bent(z):
        return call(torch.stack([z[:, 0], z[:, 1] + 3 * z[:, 0].tanh(), z[:, 2]], 1))

    model, ruler = LatentModel(bent, Normal(3)), Ruler(ATTRIBUTES, STDS, VALUES)
    inputs = model.inputs(400, seed=5)
    mean = float((1 - inputs.z[:, 0].tanh().square()).mean())
    rates = {"left": torch.tensor([0.5, 0, 0]), "right": torch.tensor([0.125 + 0.75 * mean, 0.25, 0])}
    first = direction(2.0, -8 * (0.125 + 0.75 * mean), 0.0)
    before, after = (
        measured_card(one, model, inputs, ruler, "left")
        for one in (first, corrected(first, model, inputs, ruler, rates, "left"))
    )
    assert abs(before.leakage["right"]) > 0.1 and abs(after.leakage["right"]) < 0.02
    assert after.shift == pytest.approx(before.shift, abs=0.02)


def test_a_range_ends_with_the_radius_of_the_prior():
    card = measured_card(direction(2.0, 0.0, 0.0), MODEL, INPUTS, Ruler(ATTRIBUTES, STDS, VALUES), "left")
    prior = space_of(MODEL).prior()
    radii = {s: float(prior.radius(INPUTS.z + s * torch.tensor([2.0, 0, 0])).median()) for s in (card.high, 3.0)}
    assert card.limit == "radius" and 0 < card.high < 3 and radii[card.high] <= prior.far < radii[3.0]


def test_a_range_ends_with_the_score_of_D():
    def score(outputs, inputs):
        return -outputs[:, 0, 0, 0] * 20  # lower with z_0, whose tenth is the quantile

    step = direction(0.25, 0.0, 0.0)
    card = measured_card(step, MODEL, INPUTS, Ruler(ATTRIBUTES, STDS, VALUES, score=score), "left")
    # The median of z_0 + 0.25 s reaches the 90 % quantile of z_0, about 1.28, only beyond 3 units.
    assert (card.low, card.high, card.limit) == (-3, 3, "")
    card = measured_card(direction(0.5, 0.0, 0.0), MODEL, INPUTS, Ruler(ATTRIBUTES, STDS, VALUES, score=score), "left")
    assert card.low == -3 and 2 <= card.high <= 2.5 and card.limit == "score"


def test_the_class_is_compared_with_that_of_the_unedited_sample():
    def classify(images):
        return (images[:, 0, 0, 0] > 0).long()

    ruler = Ruler(ATTRIBUTES, STDS, VALUES, classify=classify)
    card = measured_card(direction(0.5, 0.0, 0.0), MODEL, INPUTS, ruler, "left")
    z = INPUTS.z[:, 0]
    wanted = [((z + s / 2 > 0) == (z > 0)).double().mean() for s in (-1, 1)]
    assert card.kept == pytest.approx(float(sum(wanted)) / 2, abs=0.03) and card.kept_before == 1
    assert measured_card(direction(0.0, 1.0, 0.0), MODEL, INPUTS, ruler, "right").kept == 1


def test_alike_attributes_are_those_that_correlate():
    ruler = Ruler(ATTRIBUTES, STDS, VALUES)
    assert ruler.alike("left", "right") == pytest.approx(1)
    apart = Ruler(ATTRIBUTES, STDS, {"left": torch.tensor([1.0, -1, 1, -1]), "right": torch.tensor([1.0, 1, -1, -1])})
    assert apart.alike("left", "right") == pytest.approx(0)
