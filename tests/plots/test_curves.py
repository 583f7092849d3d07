import re
from xml.etree import ElementTree

import numpy as np
import pytest

from zerosum.plots.curves import Curve, Level, compact, line_chart


def curve(y, x=None, label=""):
    y = np.asarray(y, np.float64)
    return Curve(np.arange(1.0, len(y) + 1) if x is None else np.asarray(x, np.float64), y, label)


def drawn(*args, **options):
    """The chart's text, its elements by tag, and the points of its polylines as (n, 2) arrays."""
    text = line_chart(*args, **options)
    tree = ElementTree.fromstring(text)
    tags = {}
    for element in tree.iter():
        tags.setdefault(element.tag, []).append(element)
    lines = [points_of(element) for element in tags.get("polyline", [])]
    return text, tags, lines


def points_of(element):
    return np.array([pair.split(",") for pair in element.get("points").split()], np.float64)


def words(tags):
    return [element.text for element in tags["text"] if element.text]


def test_a_curve_is_drawn_to_scale():
    x, y = np.array([0.0, 10, 40, 100]), np.array([1.0, 3, -2, 0])
    _, _, (line,) = drawn([Curve(x, y)])
    for values, places, sign in ((x, line[:, 0], 1), (y, line[:, 1], -1)):
        slope, start = np.polyfit(values, places, 1)
        assert np.abs(slope * values + start - places).max() < 0.11  # places are written to a tenth
        assert slope * sign > 0


def test_the_x_axis_begins_at_zero_unless_some_x_is_negative():
    _, _, (line,) = drawn([curve([1, 2], x=[500, 1000])])
    inner = line[:, 0]
    assert inner[0] == pytest.approx(inner[1] / 2)
    _, _, (line,) = drawn([curve([1, 2], x=[-1, 1])])
    assert line[0, 0] == 0


def test_one_value_is_a_dot_inside_the_frame():
    _, tags, lines = drawn([curve([0.7], x=[64])])
    (dot,), (frame,) = tags["circle"], tags["svg"][1:]
    assert not lines
    assert 0 < float(dot.get("cx")) < float(frame.get("width"))
    assert 0 < float(dot.get("cy")) < float(frame.get("height"))


def test_many_values_become_a_mean_in_a_band_that_loses_no_extreme():
    y = np.zeros(100_000)
    y[50_000:] = 1
    y[20_000] = 0.9
    text, tags, (line,) = drawn([curve(y)])
    assert len(line) == 300 and len(text) < 30_000
    band = points_of(tags["polygon"][0])
    unit = line[0, 1] - line[-1, 1]  # the height of 1
    spike = (line[0, 1] - band[:, 1]) / unit
    inside = (band[:, 0] > line[40, 0]) & (band[:, 0] < line[80, 0])
    assert spike[inside].max() == pytest.approx(0.9, abs=0.01)
    assert np.abs(line[:149, 1] - line[0, 1]).max() < 0.5  # one in 333 values: the mean hardly moves


def test_a_spread_is_a_band_around_the_curve_and_belongs_to_the_frame():
    y, spread = np.array([1.0, 2.0, 1.5]), np.array([0.5, np.nan, 1.0])
    _, tags, (line,) = drawn([Curve(np.arange(3.0), y, spread=spread)])
    (band,) = tags["polygon"]
    edge = points_of(band)[:, 1]
    below, above = edge[:3] - line[:, 1], line[:, 1] - edge[:2:-1]
    assert below == pytest.approx(above, abs=0.2) and below[2] == pytest.approx(2 * below[0], abs=0.3)
    assert below[1] == pytest.approx(0, abs=0.1), "a spread that is not known draws no band"
    height = float(tags["svg"][1].get("height"))
    assert edge.min() > 0 and edge.max() < height
    _, tags, _ = drawn([Curve(np.array([5.0]), np.array([1.0]), spread=np.array([0.5]))])
    (dot,), (reach,) = tags["circle"], [line for line in tags["line"] if "opacity" in line.get("style")]
    middle = (float(reach.get("y1")) + float(reach.get("y2"))) / 2
    assert middle == pytest.approx(float(dot.get("cy")), abs=0.2) and reach.get("y1") != reach.get("y2")


def test_a_spread_of_many_values_loses_no_extreme():
    y, spread = np.zeros(20_000), np.full(20_000, 0.25)
    spread[7_000] = 4.0
    _, tags, _ = drawn([Curve(np.arange(20_000.0), y, spread=spread)])
    (band,) = tags["polygon"]
    edge = points_of(band)[:, 1]
    assert len(edge) < 1_000 and edge.max() - np.median(edge) > 5


def test_a_rare_spike_leaves_the_frame_and_is_said():
    y = np.sin(np.arange(200.0))
    y[100] = 5000
    _, tags, (line,) = drawn([curve(y)])
    assert any(text.startswith("up to 5000 ↑") for text in words(tags))
    assert np.ptp(np.delete(line[:, 1], 100)) > 60  # the rest still fills most of the frame
    assert np.abs(line).max() < 1000  # where every renderer can still draw it
    y[100] = -5000
    assert any(text.startswith("down to −5000 ↓") for text in words(drawn([curve(y)])[1]))
    assert not any("↑" in text or "↓" in text for text in words(drawn([curve(np.sin(np.arange(200.0)))])[1]))


def test_levels_are_inside_the_frame_and_named():
    _, tags, _ = drawn([curve([3.0, 4.0])], [Level(-9.0, "far below")])
    (level,) = (line for line in tags["line"] if "dasharray" in line.get("style"))
    assert 0 <= float(level.get("y1")) <= float(tags["svg"][1].get("height"))
    assert "far below" in words(tags)


def test_curves_of_one_chart_have_names_in_different_colours():
    _, tags, lines = drawn([curve([1, 2], label="real"), curve([2, 1], label="fake")])
    names = {span.text: span.get("style") for span in tags["tspan"]}
    assert list(names) == ["real", "fake"] and names["real"] != names["fake"]
    assert len(lines) == 2
    for line, name in zip(tags["polyline"], names.values(), strict=True):
        assert name.removeprefix("fill:") in line.get("style")


def test_values_that_are_not_finite_are_left_out():
    _, _, (line,) = drawn([curve([1, np.nan, 3, np.inf, 5])])
    assert len(line) == 3


@pytest.mark.parametrize(
    "y", [[0.0] * 5, [1e9] * 5, [-3e-12, 3e-12], [1e-320, 2e-320], [-1e300, 1e300], [-1e308, 1e308]]
)
def test_constant_tiny_and_huge_values_give_finite_charts(y):
    text, _, (line,) = drawn([curve(y)])
    assert np.isfinite(line).all() and "nan" not in text and "inf" not in text


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0, 500_000], ["0", "200k", "400k"]),
        ([0, 2_000_000], ["0", "0.5M", "1.0M", "1.5M", "2.0M"]),
        ([0, 1], ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ([-1e-5, 1e-5], ["−1e−05", "−5e−06", "0", "5e−06", "1e−05"]),
    ],
)
def test_ticks_are_round_numbers(x, expected):
    _, tags, _ = drawn([curve([0, 0], x=x)])
    found = [t.text for t in tags["text"] if t.get("text-anchor") == "middle"]
    assert found == expected


def test_names_are_escaped():
    text, tags, _ = drawn([curve([1, 2], label="<b>&")], [Level(1, "</svg>")], x_label="<i>", title='">')
    assert "<b>" not in text and "<i>" not in text
    assert tags["tspan"][0].text == "<b>&" and tags["svg"][0].get("aria-label") == '">'


def test_a_chart_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match=r"spread of a curve has the shape of x, not \(2,\) for \(3,\)"):
        Curve(np.arange(3.0), np.zeros(3), spread=np.zeros(2))
    with pytest.raises(ValueError, match=r"x and y of a curve have the same shape \(n,\), not \(3,\) and \(2,\)"):
        Curve(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="at least one finite value"):
        curve([np.nan, np.inf])
    with pytest.raises(ValueError, match="a chart has one to 3 curves, not 0"):
        line_chart([])
    with pytest.raises(ValueError, match="a chart has one to 3 curves, not 4"):
        line_chart([curve([1])] * 4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1250000, "1.25M"),
        (20000, "20k"),
        (9999, "9999"),
        (-1.38629, "−1.386"),
        (2.5e9, "2.5G"),
        (-5e4, "−50k"),
    ],
)
def test_numbers_are_written_briefly(value, text):
    assert compact(value) == text


def test_colours_can_be_set_by_the_page_and_have_defaults():
    assert re.search(r"var\(--chart-1, #[0-9a-f]{6}\)", line_chart([curve([1, 2])]))


@pytest.mark.parametrize("last", [1.0, 1_250_000.0, 999.0, 123_456_789.0])
@pytest.mark.parametrize("scale", [1.0, 1.25e-3, 1.25e-9, -1234567.0])
def test_no_tick_leaves_the_chart(last, scale):
    x = np.linspace(0, last, 30)
    chart = line_chart([Curve(x, scale * np.sin(x / last * 9))])
    width = float(re.search(r'viewBox="0 0 (\d+) ', chart)[1])
    ticks = re.findall(
        r'<text x="([\d.]+)" y="[\d.]+" text-anchor="(\w+)"( textLength="([\d.]+)")?[^>]*>([^<]+)<', chart
    )
    assert len(ticks) >= 6
    for place, anchor, _, fixed, words in ticks:
        length = float(fixed) if fixed else 6.6 * len(words)
        left = float(place) - length * {"end": 1.0, "middle": 0.5, "start": 0.0}[anchor]
        assert left + 0.06 >= 0 and left + length <= width + 0.06, words
