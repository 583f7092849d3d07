"""Whole commands, as a user types them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tests.forked import python

from zerosum.cli import main, verbs

SMALL = [
    "--images", "256", "--set", "batch=16", "--set", "tick=64", "--set", "snapshot=128",
    "--set", "generator.size=4", "--set", "discriminator.size=4",
]  # fmt: skip


def zerosum(*arguments, cwd=None, code=0, **environment):
    done = python("-W", "error", "-m", "zerosum", *arguments, cwd=cwd, env={**os.environ, **environment})
    assert done.returncode == code, f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    done = zerosum("train", "digits", "--out", folder, *SMALL, "--json")
    facts = json.loads(done.stdout)
    assert facts["run"] == str(folder) and facts["images"] == 256 and facts["scores"] == {}
    assert "256/256 images" in done.stderr and "parameters" in done.stderr
    return folder


def test_a_run_folder_holds_what_its_page_says(run):
    there = {p.name for p in run.iterdir()}
    assert there == {
        "recipe.txt", "command.txt", "versions.json", "log.jsonl", "samples", "checkpoints",
        "generator.safetensors", "report.html", ".lock",
    }  # fmt: skip
    assert [p.name for p in sorted((run / "samples").iterdir())] == ["000000000.png", "000000128.png", "000000256.png"]
    assert "train digits --out" in (run / "command.txt").read_text()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [64, 128, 192, 256]
    assert {"D/loss", "D/R1", "G/loss", "D(x)", "D(G(z))", "V", "wait", "images_per_second"} <= lines[0].keys()


def test_sampling_an_image_arrays_and_folders(run, tmp_path):
    zerosum("sample", run, "--out", tmp_path / "s.png", "--n", 20)
    with Image.open(tmp_path / "s.png") as image:
        image.load()
    done = zerosum("sample", run, "--out", tmp_path / "s.npz", "--n", 25, "--seed", 3, "--json")
    assert json.loads(done.stdout)["shape"] == [25, 28, 28, 1]
    with np.load(tmp_path / "s.npz") as arrays:
        assert arrays["images"].dtype == np.uint8 and arrays["images"].shape == (25, 28, 28, 1)
        assert arrays["labels"].tolist() == [i % 10 for i in range(25)]
        first = arrays["images"][:7]
    zerosum("sample", run / "generator.safetensors", "--out", tmp_path / "t.npz", "--n", 7, "--seed", 3)
    with np.load(tmp_path / "t.npz") as arrays:
        assert np.array_equal(arrays["images"], first), "sample i depends on n"
    zerosum("sample", run, "--out", tmp_path / "folder", "--n", 4, "--class", "7", "--class", "2")
    assert sorted(str(p.relative_to(tmp_path / "folder")) for p in (tmp_path / "folder").rglob("*.png")) == [
        "2/000001.png", "2/000003.png", "7/000000.png", "7/000002.png",
    ]  # fmt: skip
    with Image.open(tmp_path / "folder" / "7" / "000000.png") as image:
        assert image.size == (28, 28) and image.mode == "L"
    done = zerosum("sample", run, "--out", tmp_path / "folder", code=1)
    assert "is not empty: name a new folder" in done.stderr
    done = zerosum("data", "info", tmp_path / "folder", "--sheet", tmp_path / "sheet.png", "--json")
    assert json.loads(done.stdout)["classes"] == {"2": 2, "7": 2}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "digit"], "no recipe is called 'digit'; did you mean digits"),
        (["train", "digits", "--data", "nowhere/at/all"], "nowhere"),
        (["train", "digits", "--data", "Ring()"], "take images"),
        (["train", "digits", "--set", "bath=3"], "Recipe has no field 'bath'; did you mean batch?"),
        (["train", "digits", "--set", "batch"], "a setting is KEY=VALUE"),
        (["train", "digits", "--set", "objective=__import__('os')"], "unknown class '__import__'"),
        (["train", "digits", "--precision", "int8"], "precision is auto, float32 or bfloat16"),
        (["train", "digits", "--device", "abacus"], "no device 'abacus' here"),
        (["train", "missing/recipe.txt"], "there is no recipe file"),
        (["train", "digits", "--size", "64"], "--size sets data.size, and Digits has no size: leave it out"),
        (["train", "digits", "--lr", "0"], "lr must be above 0; found 0.0"),
        (["train", "digits", "--features", "pixels"], "--features are those of --evaluate: name the metrics as well"),
        (["train", "digits", "--set", "lr=1e-3"], "its parts have: --set G_opt.lr=1e-3 --set D_opt.lr=1e-3"),
        (["train", "RUN", "--batch", "7"], "has a run of another recipe: batch was"),
        (["train", "RUN", "--images", "64000"], "follows the share of the run that is done"),
        (["sample", "nowhere"], "neither a run folder nor"),
        (["sample", "RUN", "--class", "eleven"], "no class 'eleven'; there are 0, 1, 2"),
        (["sample", "RUN", "--n", "0"], "n should be at least 1"),
        (["sample", "RUN", "--out", "x.tiff"], "none of FILE.png, FILE.npz, FILE.txt or a folder"),
        (["recipes", "nothing"], "no recipe is called 'nothing'"),
        (["report", "."], "is not a run folder"),
        (["data", "info", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_what_a_user_gets_wrong_is_one_sentence(run, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["zerosum", *[str(run) if a == "RUN" else a for a in arguments]])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1 and out == "" and err.startswith("zerosum: ")
    assert sentence in err and len(err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == [], "an error left something behind"


def test_errors_of_the_command_itself_have_no_traceback():
    done = zerosum("train", "digit", code=1)
    assert done.stdout == "" and done.stderr.startswith("zerosum: no recipe is called 'digit'")


def test_the_same_command_again_says_that_the_run_has_ended(run):
    done = zerosum("train", "digits", "--out", run, *SMALL)
    assert "nothing left to do" in done.stderr


def test_reports_are_rewritten(run):
    before = (run / "report.html").read_text()
    (run / "report.html").unlink()
    assert json.loads(zerosum("report", run, "--json").stdout) == {"report": str(run / "report.html")}
    assert len((run / "report.html").read_text()) > len(before) // 2


def test_recipes_are_listed_and_printed_as_text_that_trains(tmp_path):
    listed = json.loads(zerosum("recipes", "--json").stdout)
    assert {"ring", "grid", "gaussian", "digits", "gan", "dcgan", "lsgan", "wgan", "wgan-gp", "ebgan", "began"} <= set(
        listed
    )
    assert listed["dcgan"]["year"] == 2016 and listed["ring"]["year"] is None
    assert "Radford et al. 2016" in listed["dcgan"]["line"] and "Classic GANs" in listed["dcgan"]["group"]
    shown = zerosum("recipes").stdout
    assert all(f"\n  {name} " in shown for name in listed)
    assert shown.count("\n\n") == len({entry["group"] for entry in listed.values()})
    text = zerosum("recipes", "ring").stdout
    (tmp_path / "mine.txt").write_text(text)
    done = zerosum(
        "train", tmp_path / "mine.txt", "--out", tmp_path / "run", "--images", 512, "--set", "snapshot=256", "--json"
    )
    scores = json.loads(done.stdout)["scores"]
    assert scores["modes"] == 8 and 0 <= scores["high_quality"] <= 1
    zerosum("sample", tmp_path / "run", "--out", tmp_path / "p.npz", "--n", 9)
    with np.load(tmp_path / "p.npz") as arrays:
        assert arrays["points"].dtype == np.float32 and arrays["points"].shape == (9, 2) and "labels" not in arrays
    done = zerosum("sample", tmp_path / "run", "--out", tmp_path / "folder", code=1)
    assert "points cannot be written as a folder of images" in done.stderr


def test_other_data_serve_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(8):
            image = rng.integers(0, 256, (16, 20, 3), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / "pets" / name / f"{i}.png")
    zerosum("train", "digits", "--data", tmp_path / "pets", "--out", tmp_path / "run", *SMALL, "--set", "seed=4")
    zerosum("sample", tmp_path / "run", "--out", tmp_path / "cats.npz", "--n", 3, "--class", "cat")
    with np.load(tmp_path / "cats.npz") as arrays:
        assert arrays["images"].shape == (3, 16, 20, 3) and arrays["labels"].tolist() == [0, 0, 0]


def test_data_check_lists_what_is_broken(tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("L", (16, 16), 9).save(tmp_path / "set" / "good.png")
    (tmp_path / "set" / "bad.png").write_bytes((tmp_path / "set" / "good.png").read_bytes()[:40])
    found = json.loads(zerosum("data", "check", tmp_path / "set", "--json", code=1).stdout)
    assert found["checked"] == 2 and [b["file"].endswith("bad.png") for b in found["broken"]] == [True]
    assert "2 checked, 1 broken" in zerosum("data", "check", tmp_path / "set", code=1).stdout
    (tmp_path / "set" / "bad.png").unlink()
    zerosum("data", "check", tmp_path / "set")


def test_help_loads_no_torch_and_names_every_verb():
    code = "import sys; from zerosum.cli import main\ntry: main()\nfinally: print({'torch', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "set()"
    assert {"train", "parts", "data"} <= {*verbs()}
    for verb in verbs():
        assert f" {verb} " in done.stdout
    assert zerosum("--version").stdout.strip().count(".") == 2
