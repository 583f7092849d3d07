"""Attributes of images against their formulas in numpy, and on images whose values are known."""

import colorsys

import numpy as np
import pytest
import torch

from zerosum.latent.attribute import Attribute, all_formulas, formulas, own_attribute
from zerosum.latent.attributes import colour_images, drawings

RANDOM = np.random.default_rng(0)
GREY = RANDOM.random((4, 1, 9, 12))
COLOURS = RANDOM.random((4, 3, 9, 12))
LUMA = np.array([0.299, 0.587, 0.114])


def given(images):
    return torch.from_numpy(2 * images - 1)


def light_of(images):
    return np.einsum("nchw,c->nhw", images, LUMA) if images.shape[1] == 3 else images[:, 0]


def ink_of(image):
    border = np.sort(np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]))
    return np.abs(image - border[(len(border) - 1) // 2])


def gradients(image):
    a, b, c, d = image[:-1, :-1], image[:-1, 1:], image[1:, :-1], image[1:, 1:]
    return np.hypot((b - a + d - c) / 2, (c - a + d - b) / 2)


def moments(image):
    ink = ink_of(image)
    rows, columns = np.indices(ink.shape)
    x, y = columns - (ink.shape[1] - 1) / 2, (ink.shape[0] - 1) / 2 - rows
    mean = np.average(x, weights=ink), np.average(y, weights=ink)
    return mean, np.cov(np.stack([x.ravel(), y.ravel()]), aweights=ink.ravel(), ddof=0)


DRAWINGS = {
    "ink": lambda i: ink_of(i).mean(),
    "thickness": lambda i: 2 * ink_of(i).sum() / gradients(np.pad(ink_of(i), 1)).sum(),
    "slant": lambda i: np.degrees(np.arctan(moments(i)[1][0, 1] / moments(i)[1][1, 1])),
    "size": lambda i: np.sqrt(np.trace(moments(i)[1])),
    "horizontal": lambda i: moments(i)[0][0],
    "vertical": lambda i: moments(i)[0][1],
    "roundness": lambda i: np.sqrt(np.divide(*np.linalg.eigvalsh(moments(i)[1]))),
}
COLOUR = {
    "brightness": lambda i: light_of(i[None]).mean(),
    "saturation": lambda i: np.mean([max(p) - min(p) for p in i.reshape(3, -1).T]),
    "contrast": lambda i: light_of(i[None]).std(),
    "edge_density": lambda i: gradients(light_of(i[None])[0]).mean(),
    "symmetry": lambda i: np.corrcoef(light_of(i[None]).ravel(), light_of(i[None])[..., ::-1].ravel())[0, 1],
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_the_value_of_the_formula(name):
    for images in (GREY, COLOURS):
        wanted = [DRAWINGS[name](image) for image in light_of(images)]
        assert getattr(drawings, name)(given(images)).numpy() == pytest.approx(wanted, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", COLOUR)
def test_a_colour_image_has_the_value_of_the_formula(name):
    wanted = [COLOUR[name](image) for image in COLOURS]
    assert getattr(colour_images, name)(given(COLOURS)).numpy() == pytest.approx(wanted, rel=1e-5)


def test_every_formula_has_its_test_and_its_kind_of_image():
    assert {*formulas(1)} == {*DRAWINGS}
    assert {*formulas(3)} == {*COLOUR, "hue"} and {*all_formulas()} == {*DRAWINGS, *COLOUR, "hue"}


def test_hue_is_that_of_a_plain_colour_and_grey_has_none():
    hues = [0, 40, 120, 200, 300]
    plain = np.array([colorsys.hsv_to_rgb(h / 360, 0.7, 0.9) for h in hues])[:, :, None, None] * np.ones((1, 1, 4, 4))
    found = colour_images.hue(given(plain)).numpy()
    # The angle in the plane of chroma is the hexagonal hue within 1.2 degrees, and equal at its corners.
    assert np.abs((found - hues + 180) % 360 - 180).max() < 1.2
    assert found[[0, 2]] == pytest.approx([0, 120], abs=1e-4)
    assert colour_images.hue(given(np.full((1, 3, 4, 4), 0.3))).isnan().all()


def bar(width, lean=0.0, dark=False):
    """A stroke of a width in pixels that leans to the right by so many degrees, with soft edges."""
    rows, columns = np.indices((41, 41))
    x, y = columns - 20, 20 - rows
    across = np.abs((x - y * np.tan(np.radians(lean))) * np.cos(np.radians(lean)))
    drawn = np.clip(width / 2 + 0.5 - across, 0, 1) * (np.abs(y) <= 14)
    return (1 - drawn if dark else drawn)[None, None]


@pytest.mark.parametrize("width", [2, 3, 5])
def test_thickness_and_slant_are_those_of_a_stroke_on_either_background(width):
    for dark in (False, True):
        for lean in (0, 20, -30):
            image = given(bar(width, lean, dark))
            # A stroke of finite length also has an outline at its two ends.
            long = 29 / np.cos(np.radians(lean))
            assert float(drawings.thickness(image)) == pytest.approx(width * long / (long + width), rel=0.06)
            assert float(drawings.slant(image)) == pytest.approx(lean, abs=2)


def test_a_shift_changes_the_position_alone():
    image = bar(3, 10)
    moved = np.roll(image, (2, -3), (2, 3))
    for name, one in formulas(1).items():
        before, after = (float(one(given(x))) for x in (image, moved))
        change = {"horizontal": -3, "vertical": -2}.get(name, 0)
        assert after - before == pytest.approx(change, abs=1e-6), name


def test_a_disc_is_round_and_a_stroke_is_not():
    rows, columns = np.indices((41, 41)) - 20
    disc = (np.hypot(rows, columns) < 12).astype(float)[None, None]
    assert float(drawings.roundness(given(disc))) == pytest.approx(1, abs=1e-3)
    assert float(drawings.roundness(given(bar(3)))) < 0.15
    assert float(drawings.size(given(disc))) == pytest.approx(12 / np.sqrt(2), rel=0.03)


def test_formulas_can_be_differentiated():
    image = given(COLOURS).requires_grad_()
    for one in all_formulas().values():
        (gradient,) = torch.autograd.grad(one.call(image).sum(), image)
        assert gradient.isfinite().all() and gradient.any(), one.name


def test_constant_images_have_no_slant_and_one_sentence():
    blank = torch.zeros(10, 1, 8, 8)
    for name in ("thickness", "slant", "size", "roundness", "horizontal"):
        with pytest.raises(ValueError, match=f"{name} is not a number for 100% of the images, more than 10 %"):
            formulas(1)[name](blank)
    few = torch.cat([given(RANDOM.random((19, 1, 8, 8))), blank[:1].double()])
    assert formulas(1)["slant"](few).isnan().tolist() == [False] * 19 + [True]


def test_an_attribute_that_never_changes_is_one_sentence():
    ink = formulas(1)["ink"]
    with pytest.raises(ValueError, match="ink is the same for all images, so no direction changes it"):
        ink.spread(ink(torch.zeros(5, 1, 8, 8)))


def test_angles_are_compared_the_shorter_way_around():
    hue = formulas(3)["hue"]
    a, b = torch.tensor([170.0, -100.0]), torch.tensor([-170.0, 100.0])
    assert hue.difference(a, b).tolist() == [-20, 160]
    assert hue.centred(torch.tensor([175.0, -175.0])).tolist() == pytest.approx([-5, 5], abs=1e-4)
    assert hue.spread(torch.tensor([175.0, -175.0, torch.nan])) == pytest.approx(np.std([5, -5], ddof=1), rel=1e-4)
    line = Attribute("line", torch.sum)
    assert line.difference(a, b).tolist() == [340, -200]


def test_a_function_of_the_user_is_an_attribute():
    def red(images):
        return images[..., 0].float().mean((1, 2))

    found = own_attribute(red)
    assert found.name == "red"
    assert found(given(COLOURS)).numpy() == pytest.approx(255 * COLOURS[:, 0].mean((1, 2)), abs=0.5)
    assert own_attribute(lambda images: [3] * len(images), "three")(given(COLOURS)).tolist() == [3] * 4
    with pytest.raises(ValueError, match="wide should return a number for each of 4 images; found"):
        own_attribute(lambda images: images.float(), "wide")(given(COLOURS))
    with pytest.raises(ValueError, match="odd should return a number for each image; found str"):
        own_attribute(lambda images: "no", "odd")(given(COLOURS))
    with pytest.raises(ValueError, match="lost is not a number for 100% of the images"):
        own_attribute(lambda images: torch.full((len(images),), torch.nan), "lost")(given(COLOURS))
