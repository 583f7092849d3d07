"""Bars of a timeline: where they lie, and how dark they are."""

import re

import pytest

from zerosum.plots import Bar, timeline


def bars(svg):
    pattern = r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="\d+" style="fill:[^;]*;opacity:([\d.]+)"'
    return [tuple(map(float, found)) for found in re.findall(pattern, svg)]


def test_a_bar_lies_at_its_time_in_its_row_and_is_darker_when_stronger():
    svg = timeline({"a": [Bar(0, 50, 0.2), Bar(50, 100, 1.0)], "b <": [Bar(25, 75, 0.0)]}, 100.0, "images seen")
    (x0, y0, width, light), (x1, y1, _, dark), (x2, y2, *_) = bars(svg)
    assert x1 == pytest.approx(x0 + width) and y0 == y1 < y2 and x2 == pytest.approx(x0 + width / 2)
    assert 0 < light < dark == 1
    assert "b &lt;" in svg and "images seen" in svg


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="a timeline has at least one row"):
        timeline({}, 1.0)
