"""Malformed images made from seeds, through `check` and reading with stand-ins; a thousand under `make slow`."""

from pathlib import Path

import pytest
import torch
from benchmarks.robustness.malformed import play, table, write_good, write_malformed, zipped
from benchmarks.robustness.malformed_images import WAYS, malformed, png_of

from zerosum.data.inspect import check
from zerosum.data.sources.folders import Images

COUNT = 8 * len(WAYS)

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def test_they_are_made_from_their_seed_alone():
    assert malformed(0, 3) == malformed(0, 3) != malformed(1, 3)
    assert len({malformed(0, index) for index in range(COUNT)}) > COUNT - 10


@pytest.mark.filterwarnings("ignore")
def test_none_gets_past_a_sentence_and_the_good_ones_keep_their_place(tmp_path):
    write_good(tmp_path / "good", COUNT, 0)
    write_good(tmp_path / "all", COUNT, 0)
    write_malformed(tmp_path / "all", COUNT, 0)
    report = check(tmp_path / "all")
    assert (report.checked, COUNT // 4 < len(report.broken) < COUNT) == (2 * COUNT, True)
    assert all("good" not in one.file and one.reason.isprintable() and len(one.reason) < 300 for one in report.broken)
    inside = check(zipped(tmp_path / "all"))
    assert [one.reason for one in inside.broken] == [one.reason for one in report.broken]
    good, every = (Images(str(tmp_path / name), size=16, bad="skip").open() for name in ("good", "all"))
    names = sorted(p.relative_to(tmp_path / "all").as_posix() for p in (tmp_path / "all").rglob("*.*"))
    places = [i for i, name in enumerate(names) if "good" in name]
    x = every.read(torch.arange(2 * COUNT))
    assert torch.equal(x[places], good.read(torch.arange(COUNT)))
    notes = [*every.notes, *every.news()]
    assert sum(int(note.split()[0]) for note in notes if " replaced by " in note) == len(report.broken)


def test_a_row_of_millions_of_pixels_is_refused(tmp_path):
    (tmp_path / "long.png").write_bytes(png_of((1, 60_000_000, 1, 0, 0, 0, 0), b""))
    (found,) = check(tmp_path).broken
    assert found.reason == "has more than 64 megapixels, or a height or width above 65,535"


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_thousand_end_no_command_and_take_little_memory(tmp_path):
    rows = play(tmp_path, 1_000, 1)
    assert len(table(rows).splitlines()) == 2 + len(rows)
    good, every = rows[:3], rows[3:]
    assert [row["status"] for row in rows] == [0, 0, 0, 1, 1, 0]
    assert all(300 < row["broken"] < 1_000 for row in every[:2])
    assert all(one["megabytes"] < other["megabytes"] + 1_500 for one, other in zip(every, good, strict=True))
    assert "1,000 malformed images" in (RESULTS / "malformed.md").read_text()
