"""The benchmark of Inception: its tables, its pages, and our process on two images."""

import io
import json

import numpy as np
import pytest
import torch
from benchmarks.marked import write
from benchmarks.speed import inception, inception_reader


def test_ratios_are_taken_within_a_repetition():
    peer = inception.PEER
    times = {peer: [8.0, 4.0, 6.0], "float32": [2.0, 2.0, 2.0], "bfloat16": [1.0, 1.0, 2.0]}
    ones = torch.ones(4, 3, dtype=torch.float64)
    features = {peer: ones, "float32": ones + 1e-6, "bfloat16": ones * 1.25}
    lines = inception.speed_table(times, features, 16, "0.4.0").splitlines()
    assert lines[2] == "| torch-fidelity 0.4.0 float32 | 2.67 | 1.00 | 1.00 to 1.00 | 0.0e+00 |"
    assert lines[3] == "| zerosum float32 | 8.00 | 3.00 | 2.00 to 4.00 | 1.0e-06 |"
    assert lines[4] == "| zerosum bfloat16 | 16.00 | 4.00 | 3.00 to 8.00 | 2.5e-01 |"


def test_without_the_peer_it_says_what_to_run(tmp_path, capsys):
    assert inception.main(["--only", "speed", "--python", str(tmp_path / "python")]) == 1
    assert "run `make peers` first" in capsys.readouterr().err


def test_results_go_between_their_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- one: written by bench -->\nold\n<!-- one: as far as here -->\nb\n", encoding="utf-8")
    for text in ("first", "second"):
        write(page, "one", "bench", text)
        wanted = f"a\n<!-- one: written by bench -->\n\n{text}\n\n<!-- one: as far as here -->\nb\n"
        assert page.read_text(encoding="utf-8") == wanted
    with pytest.raises(ValueError, match="should hold the lines <!-- two: written by bench --> and"):
        write(page, "two", "bench", "text")


@pytest.mark.parametrize("name", ["speed", "formats"])
def test_the_page_has_a_place_for_both_tables(tmp_path, name):
    page = tmp_path / "metrics.md"
    page.write_text(inception.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write(page, name, "benchmarks.speed.inception", "found")
    assert "\nfound\n" in page.read_text(encoding="utf-8")


def test_our_process_reads_in_the_format_asked_for(tmp_path, monkeypatch, capsys):
    weights, images, features = (tmp_path / name for name in ("weights.pth", "images.npy", "features.npy"))
    torch.save(inception.inception_weights(), weights)
    np.save(images, np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3))
    found = {}
    for name in inception.OURS:
        monkeypatch.setattr("sys.argv", ["reader", name, *map(str, (weights, images, features)), "--batch", "1"])
        monkeypatch.setattr("sys.stdin", io.StringIO("read\n"))
        inception_reader.main()
        assert json.loads(capsys.readouterr().out)["seconds"] > 0
        found[name] = np.load(features)
    assert found["float32"].shape == (2, 2048)
    assert 1e-4 < np.abs(found["float32"] - found["bfloat16"]).max() < 0.1


def test_flowers_are_taken_by_turns():
    if not inception.FLOWERS.exists():
        pytest.skip("the flowers are not at ../shared/data/flowers128.npz")
    even, odd, blurred = (inception.flowers(2, **how) for how in ({}, {"start": 1}, {"start": 1, "blur": 1.0}))
    assert even.shape == odd.shape == (2, 128, 128, 3) and even.dtype == torch.uint8
    assert not torch.equal(even, odd) and not torch.equal(odd, blurred)
    assert (odd.float() - blurred.float()).abs().mean() < (odd.float() - even.float()).abs().mean()


def test_flowers_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"there is no .* with photographs"):
        inception.flowers(2, path=tmp_path / "none.npz")
