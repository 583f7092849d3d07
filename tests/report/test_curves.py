import math
import re

import pytest

from zerosum.report._curves import curves

LOGISTIC = {"D(x)": 0.6, "D(G(z))": 0.4, "V": -1.1}


@pytest.mark.parametrize("ticks", [1, 2, 50])
def test_every_value_of_the_log_has_a_panel(run, make, ticks):
    readings = {"D/loss": 0.5, "D/R1": 0.1, "D/R1#2": 0.1, "D/gradient_norm": 1, "G/loss": 0.7, "k": 0.0, "mood": 3.0}
    run.log = [make.line(10 * n, wait=0.0, **readings, **LOGISTIC) for n in range(1, ticks + 1)]
    page = run.report()
    headings = re.findall(r"<h4>(.*?) <output>", page.source)
    expected = ["D(x) and D(G(z))", "V(D, G)", *(key for key in readings if "/" in key), "k", "mood"]
    assert headings == [*expected, "images per second", "wait"]
    assert page.count("svg", class_="chart") == len(headings)
    assert page.count("circle" if ticks == 1 else "polyline") == len(headings) + 1


def test_logistic_games_are_compared_with_their_equilibrium(run, make):
    run.log = [make.line(10 * n, **LOGISTIC) for n in (1, 2)]
    page = run.report()
    assert "1/2" in page.texts and "−log 4" in page.texts
    assert "At the equilibrium both are 1/2; but 1/2 alone does not mean that the generator" in page.text
    assert f"−log 4 ≈ −{math.log(4):.3f}" in page.text
    run.log = [make.line(10 * n, **{"D/loss": 1.0}) for n in (1, 2)]
    page = run.report()
    assert "−log 4" not in page.texts and "1/2" not in page.texts


def test_panels_have_descriptions(run, make):
    run.log = [
        make.line(**{"D/R1": 0.1, "G/loss": 0.7, "G/gradient_norm": 2.0, "k": 0.1, "convergence": 1.0, "mood": 1.0})
    ]
    text = run.report().text
    for sentence in (
        "The term R1, added to the discriminator's loss.",
        "The objective that the generator minimises, without additional terms.",
        "Gradient norm of the generator, over all its parameters.",
        "The balance k of BEGAN",
        "BEGAN's measure of convergence",
        "The value mood.",
        "Real images processed per second.",
    ):
        assert sentence in text


def test_signals_are_a_group_of_their_own_with_their_descriptions(run, make):
    run.log = [make.line(10 * n, **{"signal/spread": 0.1 * n, "signal/new": 1.0, "k": 0.2}) for n in (1, 2)]
    text = run.report().text
    signals, others = text.index("Signals"), text.index("Other values")
    assert signals < text.index("Mean distance of two samples of the averaged G in random-convolution") < others
    assert signals < text.index("The signal new.") < others < text.index("The balance k of BEGAN")


def test_the_latest_value_is_in_the_heading(run, make):
    run.log = [make.line(10, k=0.25), make.line(20, k=0.5)]
    assert "<h4>k <output>0.5</output></h4>" in run.report().source


def test_a_value_that_starts_late_is_plotted_over_its_own_images(run, make):
    run.log = [make.line(100), make.line(200, k=0.1), make.line(300, k=0.2)]
    page = run.report()
    short, long = (len(found["points"].split()) for found in page.all("polyline"))
    assert {short, long} == {2, 3}


def test_values_that_are_not_finite_are_reported(run, make):
    run.log = [make.line(10, k=0.1), make.line(20, k=math.nan), make.line(30, k=math.inf)]
    assert "Not shown: 2 values that are not finite." in run.report().text
    run.log = [make.line(10, k=math.nan)]
    assert "No value is finite." in run.report().text


def test_a_long_log_makes_a_small_section(make):
    keys = ("D/loss", "G/loss", "k")
    log = [make.line(n, **{key: math.sin(n * n) for key in keys}) for n in range(1, 20_001)]
    assert len(curves(log, "images").body) < 120_000


def test_points_are_counted_as_points(make):
    assert "points seen" in curves([make.line()], "points").body


def test_the_x_axis_is_images(run, make):
    run.log = [make.line(n * 100_000, k=0.5) for n in (1, 2, 3, 4)]
    assert {"0", "100k", "200k", "300k", "400k"} <= set(run.report().texts)


def test_half_of_a_pair_is_still_shown(run, make):
    run.log = [make.line(**{"D(x)": 0.5})]
    assert "<h4>D(x) <output>" in run.report().source
