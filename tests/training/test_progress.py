"""What a terminal of 80 columns shows of a run, and when sample images are written."""

import io
import re
from itertools import pairwise

import pytest
from rich.console import Console

from zerosum.runs.images import columns_of
from zerosum.training import progress as subject
from zerosum.training.progress import TrainingProgress
from zerosum.training.sample_images import is_due

LOSSES = {"D/loss": -12345.678, "G/loss": -12345.678, "D(x)": 0.123, "D(G(z))": 0.456, "convergence": 123456.0}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_bar_share_speed_and_time_left_are_always_visible(monkeypatch, width):
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    monkeypatch.setattr(subject, "Console", lambda **_: console)
    clock = iter([0.0, 2000.0, 2000.0])
    monkeypatch.setattr(subject.time, "monotonic", lambda: next(clock))
    with TrainingProgress(10_000_000) as display:
        assert display._live is not None
        display._live.auto_refresh = False
        display.advance(0)
        display.advance(4_200_000)
        display.tick(4_200_000, 2_100.0, LOSSES)
        display._live.refresh()
    lines = [re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", shown.getvalue())]
    last = [line for line in lines if "images/s" in line][-1]
    assert len(last) <= width
    assert re.match(r"^.? ?[━╸╺ ]+ +42 % 2,100 images/s 46 min 02 s left", last), last
    assert (("D/loss -1.23e+04" in last), ("convergence" in last)) == (width >= 80, width >= 200)


def test_plain_lines_begin_with_share_speed_and_time_left(capsys):
    with TrainingProgress(1000) as display:
        display.tick(250, 100.0, {"D/loss": 1.0})
    assert capsys.readouterr().err == " 25%      100 images/s  7.5 s left  250/1,000 images  D/loss 1\n"


def test_sample_images_come_at_powers_of_two_from_eight_batches_on():
    counts = [batch * 64 for batch in range(2000)]
    due = [now for before, now in pairwise(counts) if is_due(before, now, 64)]
    assert due == [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]
    assert next(now for before, now in pairwise(counts) if is_due(before, now, 256)) == 2048


@pytest.mark.parametrize(
    ("classes", "columns"), [(0, 10), (1, 10), (2, 10), (3, 9), (7, 7), (10, 10), (12, 12), (20, 20), (21, 10)]
)
def test_a_grid_has_a_column_for_each_class_where_they_fit(classes, columns):
    assert columns_of(classes) == columns
