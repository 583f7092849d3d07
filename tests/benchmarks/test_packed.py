"""The benchmark of packed data: both ways give the same images, and its tables have their figures."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from benchmarks.robustness import malformed
from benchmarks.speed import packed
from PIL import Image

from zerosum.data.sources.folders import Images
from zerosum.data.sources.packing import pack


@pytest.fixture
def folder(tmp_path):
    packed.made_up(tmp_path / "some", 6, ".png")
    return tmp_path / "some"


def test_the_folder_gives_what_the_packed_set_gives(folder, tmp_path):
    data = pack(Images(str(folder)), tmp_path / "out")
    files = packed.Folder(folder, 64)
    assert len(files) == len(data) == 6
    assert torch.equal(torch.stack([files[i] for i in range(6)]), data.read(torch.arange(6)))
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(folder / "z.png")
    assert packed.Folder(folder, 64)[6].shape == (3, 64, 64)


def test_figures_are_medians_over_pairs(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "DataLoader", lambda folder, batch, shuffle, num_workers, persistent_workers: [folder])
    rates = iter([2.0, 40.0, 30.0, 1.0, 4.0, 40.0])
    asked = []
    monkeypatch.setattr(packed, "rate", lambda one, seconds: asked.append(one()) or next(rates))
    row = packed.compared(folder, 64, 3, tmp_path)
    assert (row["folder"], row["packed"], row["ratio"], row["lowest"], row["highest"]) == (2, 40, 20.0, 10.0, 30.0)
    assert set(asked) == {6} and row["images"] == "6 some"


def test_a_rate_counts_whole_passes():
    assert packed.rate(lambda: 5, 0.0) > 0 and packed.rate(lambda: 5, 0.05) > 100


def test_the_waiting_is_that_of_the_log(folder, tmp_path, monkeypatch):
    lines = [{"wait": 0.9}, {"wait": 0.01}, {"wait": 0.03}, {"FID": 3.0}]
    monkeypatch.setattr(packed, "train", lambda recipe, run, data, images, quiet: SimpleNamespace(log=lines))
    assert packed.waiting(tmp_path, 800, tmp_path) == pytest.approx(0.02)


def test_the_page_prints_or_gives_json(folder, monkeypatch, capsys):
    row = {
        "images": "6 some",
        "packing": 9,
        "folder": 1000,
        "packed": 20_000,
        "ratio": 20.0,
        "lowest": 1,
        "highest": 30,
    }
    monkeypatch.setattr(packed, "waiting", lambda *_: 0.011)
    monkeypatch.setattr(packed, "compared", lambda folder, size, pairs, place: (place / "x-packed").touch() or row)
    packed.main(["--data", str(folder)])
    assert "| 6 some | 1,000 | 20,000 | 20.0 | 1 to 30 | 9 |" in capsys.readouterr().out
    packed.main(["--images", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["wait"], found["rows"]) == (0.011, [row, row])


def test_the_page_of_malformed_images_has_a_row_for_each_command(tmp_path, monkeypatch, capsys):
    asked = []

    def measured(words, cwd):
        asked.append(words)
        return {"status": 0, "seconds": 1.5, "megabytes": 200, "output": {"broken": [{"reason": "is damaged"}]}}

    monkeypatch.setattr(malformed, "measured", measured)
    malformed.main(["--count", "4", "--out", str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_text() == capsys.readouterr().out.removesuffix("\n")
    assert "| `data check ZIP` | all | 0 | 1 | 1.5 | 200 |" in (tmp_path / "page.md").read_text()
    assert [words[:2] for words in asked] == [["data", "check"], ["data", "check"], ["train", "dcgan"]] * 2


def test_a_command_that_crashes_is_reported(tmp_path, monkeypatch, forks):
    done = malformed.measured(["data", "check", str(tmp_path), "--json"], tmp_path)
    assert done["status"] == 1 and done["megabytes"] > 20
    monkeypatch.setattr(malformed, "MEASURED", "import os; os.abort()")
    with pytest.raises(SystemExit, match=r"ended with -6"):
        malformed.measured(["data"], tmp_path)
