"""Panels of films: what is where, and in which colour."""

import numpy as np
import pytest

from zerosum.plots.panels import (
    BLANK,
    GENERATED,
    INK,
    REAL,
    Line,
    Window,
    arrows_below,
    beside,
    chart,
    densities_panel,
    dots_panel,
    field_panel,
    padded,
    stacked,
    titled,
)

TITLE = 18
WINDOW = Window(np.array([0.0, 0.0]), np.array([1.0, 1.0]))


def near(pixel, colour, tolerance=40):
    return np.abs(np.asarray(pixel, float) - np.array(colour)).max() < tolerance


def body(image):
    return np.asarray(image.convert("RGB"))[TITLE:]


def test_a_field_has_x_to_the_right_and_y_up():
    field = np.array([[0.0, 1.0], [0.5, np.nan]])  # of x and y
    pixels = body(field_panel(field, (40, 40), ""))
    assert near(pixels[35, 4], GENERATED) and near(pixels[4, 4], REAL)
    assert near(pixels[35, 35], (255, 255, 255)) and near(pixels[4, 35], BLANK)


def test_points_and_arrows_are_in_their_places():
    points = np.array([[0.25, 0.75], [np.nan, 0.5], [7.0, 7.0]]).repeat(30, 0)
    arrow = (np.array([[0.5, 0.25]]), np.array([[20.0, 0.0]]))
    pixels = body(dots_panel([(points, GENERATED)], arrow, WINDOW, (100, 100), "two"))
    assert near(pixels[25, 25], GENERATED) and near(pixels[75, 60], INK, 90)
    seen = (pixels[2:-2, 2:-2] < 200).any(2)
    assert seen.sum() < 120, "and nothing else is"
    nothing = body(dots_panel([], (arrow[0], np.array([[0.0, 0.0]])), WINDOW, (100, 100), ""))
    assert not (nothing[2:-2, 2:-2] < 200).any()


def test_too_high_is_orange_and_too_low_is_blue():
    x = np.linspace(0, 1, 50)
    p, q = np.where(x < 0.5, 1.0, 3.0), np.full(50, 2.0)
    pixels = body(densities_panel(x, (p, q), 4.0, (134, 80), ""))
    high, low = pixels[50, 34 + 20].astype(int), pixels[30, 34 + 80].astype(int)
    assert high[0] - high[2] > 30 and low[2] - low[0] > 30
    assert near(pixels[10, 60], (255, 255, 255)) and near(pixels[75, 60], (255, 255, 255))
    below = arrows_below(densities_panel(x, (p, q), 4.0, (134, 80), ""), np.array([0.5]), np.array([30.0]), (0.0, 1.0))
    strip = np.asarray(below)[-16:]
    columns = np.flatnonzero((strip < 200).any((0, 2)))
    assert 80 <= columns.min() <= 86 and 110 <= columns.max() <= 116


@pytest.mark.parametrize("dashed", [False, True])
def test_a_chart_shows_its_curve_with_a_gap_where_it_is_not_finite(dashed):
    x, y = np.arange(5.0), np.array([0.5, 0.5, np.nan, 1.5, 1.5])
    pixels = body(chart([Line(x, y, REAL, "name", dashed)], (134, 60), "title", ((0, 4), (0, 2))))
    low, high = (pixels[rows, columns] for rows, columns in ((45, slice(36, 58)), (15, slice(111, 132))))
    assert (low < 200).any() and (high < 200).any() and (dashed or (near(low, REAL, 60) and near(high, REAL, 60)))
    assert not (pixels[3:-3, 64:105] < 200).any(), "no line across the gap"


def test_a_chart_has_dots_for_single_values_and_dashed_levels():
    x, y = np.arange(5.0), np.array([0.0, np.nan, 1.0, np.inf, 2.0])
    pixels = body(chart([Line(x, y, REAL, "name")], (134, 60), "title", ((0, 4), (0, 2)), levels=(1.0,)))
    assert near(pixels[30, 84], REAL, 60) and not near(pixels[45, 59], REAL, 60)
    dashes = (pixels[29:32, 36:] < 200).any((0, 2))
    assert 0.3 < dashes.mean() < 0.9
    one = body(chart([Line(x[:1] + 2, y[:1] + 1, REAL)], (134, 60), "", ((0, 4), (0, 2))))
    assert near(one[30, 34 + 50], REAL)
    empty = body(chart([Line(x, x * np.nan, REAL, dashed=True)], (134, 60), "", ((0, 4), (0, 2))))
    assert not (empty[2:-2, 40:-2] < 200).any()


def test_images_are_put_together():
    one, two = (field_panel(np.full((2, 2), v), (30, 20), "") for v in (0.0, 1.0))
    assert beside([one, two], 5).size == (65, 38) and stacked([one, two], 5).size == (30, 81)
    assert padded(one, 3).size == (36, 44) and titled(one, "words").size == (30, 56)
    assert near(beside([one, two], 5).getpixel((50, 30)), REAL)


@pytest.mark.parametrize("size", [1, 8_000])
def test_any_number_of_points_is_drawn(size):
    rng = np.random.default_rng(0)
    pixels = body(dots_panel([(rng.random((size, 2)), REAL)], (np.zeros((0, 2)),) * 2, WINDOW, (60, 60), ""))
    assert (pixels[2:-2, 2:-2] < 250).any()
