"""Whole commands on the command line."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.cli import evaluate
from zerosum.evaluation.measure import measure_kinds
from zerosum.features.extractor import extractor_named

PIXELS = ["--features", "pixels"]
PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")


def test_help_and_manual_name_every_metric_and_every_extractor():
    assert evaluate._names() == sorted(measure_kinds()) and "fid-infinity" in evaluate._names()
    assert "<!-- generated: metrics -->" in PAGE
    with pytest.raises(ValueError, match="no extractor is called") as raised:
        extractor_named("nothing")
    there = str(raised.value).partition("there is ")[2].partition(", or ")[0].split(", ")
    assert sorted(there) == sorted(re.sub(":.*", "", name) for name in re.split(", | or ", evaluate._FEATURES)[:-1])
    assert all(f"`{name}" in PAGE for name in there)


def test_evaluate_prints_scores_and_protocol_that_do_not_depend_on_the_batch_size(sets, make, command):
    metrics = ["--metrics", "fid,kid,prdc,swd", "--features", "random-conv"]
    (one, err), (two, _) = (make.zerosum("evaluate", *sets, *metrics, "--batch", b, "--json") for b in (7, 64))
    assert one["format"] == "zerosum scores 1" and err == ""
    assert [*one["scores"]] == ["fid", "kid", "precision", "recall", "density", "coverage", "swd"]
    assert one["errors"].keys() == one["scores"].keys()
    assert two["scores"] == pytest.approx(one["scores"], rel=1e-4) and two["protocol"] == one["protocol"]
    assert one["protocol"]["real.n"] == 40 and one["protocol"]["fake.n"] == 50
    flat = [command("evaluate", *sets, *PIXELS, "--batch", b, "--json")[0]["scores"] for b in (7, 64)]
    assert flat[0] == pytest.approx(flat[1], rel=1e-9)


def test_evaluate_scores_a_run_and_compare_reads_its_scores(run, tmp_path, command):
    files = [tmp_path / f"{name}.json" for name in "abc"]
    common = ["--metrics", "fid,kid,intra-fid", *PIXELS, "--n", 200]
    for file, options in zip(files, ([], ["--seed", 1], ["--features", "random-conv"]), strict=True):
        command("evaluate", "Digits()", run, *common, *options, "--out", file)
    out, err = command("evaluate", "Digits()", run, *common)
    rows = [line.split() for line in out.splitlines()[:3]]
    assert [row[0] for row in rows] == ["fid", "kid", "intra-fid"] and all(row[2] == "±" for row in rows)
    assert f"{run} (200) against Digits() (200), pixels features" in out and err == ""
    again = tmp_path / "again.json"
    command("evaluate", "Digits()", run / "generator.safetensors", *common, "--out", again, "--no-cache")
    table, _ = command("compare", files[0], again)
    assert table.splitlines()[0].split() == [str(files[0]), str(again)] and table.count("*") == 6
    found, _ = command("compare", files[0], again, "--json")
    assert found["scores"]["kid"][0] == found["scores"]["kid"][1] and found["names"] == [str(files[0]), str(again)]
    _, err = command("compare", files[0], files[1], code=1)
    assert "results are not comparable: protocols differ in real.content: " in err
    _, err = command("compare", files[0], files[2], code=1)
    assert "features.name: pixels in" in err and len(err.strip().splitlines()) == 1


def test_saved_moments_replace_the_reference_set(sets, tmp_path, command):
    kept = tmp_path / "real.safetensors"
    facts, _ = command("evaluate", sets[0], *PIXELS, "--out", kept, "--json")
    assert facts["n"] == 40 and facts["out"] == str(kept) and facts["features"]["name"] == "pixels"
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for real, file in zip((sets[0], kept), files, strict=True):
        command("evaluate", real, sets[1], *PIXELS, "--metrics", "fid", "--out", file)
    found, _ = command("compare", *files, "--json")
    assert found["scores"]["fid"][0] == pytest.approx(found["scores"]["fid"][1], rel=1e-9) and found["notes"] == []


def test_memorisation_detects_copies(tmp_path, make, command):
    train, held_out = make.noise_images(60), make.noise_images(60, seed=0)[::-1].copy()
    held_out = np.random.default_rng(7).permuted(held_out, axis=0)
    for name, images in (("train", train), ("held", held_out), ("copies", train[:40])):
        np.savez(tmp_path / f"{name}.npz", images=images)
    paths = [tmp_path / f"{name}.npz" for name in ("train", "copies", "held")]
    found, _ = command("evaluate", *paths[:2], "--held-out", paths[2], "--metrics", "memorisation", *PIXELS, "--json")
    assert found["scores"]["memorisation"] < -5 and found["scores"]["memorisation-closer"] == 1
    assert found["protocol"]["held_out.n"] == 60 and found["protocol"]["held_out"] == str(paths[2])
    out = tmp_path / "copies.json"
    _, err = command("evaluate", *paths[:2], "--held-out", paths[2], "--metrics", "memorisation", *PIXELS, "--out", out)
    assert err.split() == ["wrote", str(tmp_path / "copies.pairs.png")]
    with Image.open(tmp_path / "copies.pairs.png") as image:
        pixels = np.asarray(image)
    images = pixels[:, -(pixels.shape[1] // 14) * 12 :]  # beside the names of the rows
    row = (len(images) - 2) // 2
    assert np.array_equal(images[2:row], images[row + 2 : 2 * row]) and images[2:row].std() > 10


def test_user_errors_are_one_sentence(sets, tmp_path, run, make, command):
    (tmp_path / "empty").mkdir()
    mixed = make.as_folder(tmp_path / "mixed", make.noise_images(3))
    make.as_folder(mixed / "larger", make.noise_images(2, size=20))
    broken = make.as_folder(tmp_path / "broken", make.noise_images(3))
    (broken / "0002.png").write_bytes((broken / "0002.png").read_bytes()[:90])
    np.savez(tmp_path / "one.npz", images=make.noise_images(1))
    np.savez(tmp_path / "nan.npz", features=np.array([[0.0, 1.0], [np.nan, 0.0], [1.0, 1.0]]))
    np.savez(tmp_path / "few.npz", features=np.eye(2))
    real, fake = sets
    for arguments, sentence in (
        ([tmp_path / "empty", fake], "has no images"),
        ([mixed, fake], "differ in size, from 12x12 to 20x20"),
        ([broken, fake], "0002.png is damaged"),
        ([tmp_path / "one.npz", fake], "one.npz has 1 sample, but scores need at least 2 in each set"),
        ([real, fake, "--n", "1"], "n, the number of samples from each set, must be at least 2"),
        ([real, fake, "--metrics", "fod"], "unknown metric 'fod'; available are cas, consistency"),
        ([real, fake, "--features", "nonsense"], "no extractor is called 'nonsense'; there is "),
        ([real, run], "resize both to one size"),
        ([real, tmp_path / "nowhere"], "there is no"),
        ([real], "without FAKE only the moments of REAL are computed"),
        ([real, fake, "--out", "x.txt"], "scores go into a .json file; found --out x.txt"),
    ):
        chosen = [] if "--features" in arguments else PIXELS
        out, err = command("evaluate", *arguments, *chosen, code=1)
        assert out == "" and sentence in err and len(err.strip().splitlines()) == 1, err
    for real, fake, sentence in (
        ("nan.npz", "few.npz", "should be finite numbers; those of sample "),
        ("few.npz", "nan.npz", "should be finite numbers; those of sample "),
    ):
        _, err = command("evaluate", tmp_path / real, tmp_path / fake, code=1)
        assert sentence in err
    out, err = make.zerosum("evaluate", tmp_path / "empty", sets[1], code=1)
    assert out == "" and err.startswith("zerosum: ") and len(err.strip().splitlines()) == 1, "no traceback"
    (tmp_path / "a.json").write_text(json.dumps({"modes": 8}))
    _, err = command("compare", tmp_path / "a.json", tmp_path / "a.json", code=1)
    assert "a.json is named twice: name each result once" in err
