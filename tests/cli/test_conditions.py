"""Attributes and numbers from files to samples, by whole commands as a user types them."""

import csv
import json
import sys

import numpy as np
import pytest
from PIL import Image
from tests.forked import python

from zerosum.cli import main

SIDE = 8
LEARNS = [
    "--images", "16000", "--set", "generator=MLPGenerator(hidden=(64, 64))",
    "--set", "discriminator=MLPDiscriminator(hidden=(64, 64))", "--set", "latent=Normal(4)",
    "--set", "d_terms=(Every(2, R1(gamma=1.0)),)", "--set", "objective=NonSaturating()", "--set", "batch=64",
    "--set", "G_opt=Adam(lr=0.002, betas=(0.0, 0.9))", "--set", "D_opt=Adam(lr=0.002, betas=(0.0, 0.9))",
    "--set", "ema=500", "--set", "snapshot=16000", "--precision", "float32",
]  # fmt: skip
SHORT = ["--images", "64", "--set", "generator=MLPGenerator(size=8)", "--set", "discriminator=MLPDiscriminator(size=8)"]


def zerosum(*arguments, code=0, cwd=None):
    done = python("-W", "error", "-m", "zerosum", *arguments, cwd=cwd)
    assert done.returncode == code, f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def write_lit(folder, count=200):
    """Pictures whose halves are lit or not, and a table that says which."""
    folder.mkdir()
    random = np.random.default_rng(0)
    with (folder / "conditions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "left", "right"])
        for number, lit in enumerate(random.integers(0, 2, (count, 2))):
            x = 40 + 170 * lit.repeat(SIDE // 2)[None] + random.integers(-15, 16, (SIDE, SIDE))
            Image.fromarray(x.astype(np.uint8)).save(folder / f"{number:03}.png")
            table.writerow([f"{number:03}.png", *lit])
    return folder


def write_bright(path, count=400):
    """Pictures as bright as an age is high."""
    random = np.random.default_rng(0)
    age = random.uniform(20, 80, count)
    x = (40 + 3 * (age - 20))[:, None, None] + random.integers(-15, 16, (count, SIDE, SIDE))
    np.savez(path, images=x.clip(0, 255).astype(np.uint8), conditions=age, condition_names=["age"])
    return path


def halves(path):
    with np.load(path) as arrays:
        x = arrays["images"][..., 0].astype(float)
    return x[:, :, : SIDE // 2].mean(), x[:, :, SIDE // 2 :].mean()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("conditions")


@pytest.fixture(scope="module")
def faces(folder):
    """A run of attributes, trained by one command."""
    data = write_lit(folder / "lit")
    zerosum("train", "projection", "--data", data, "--out", folder / "faces", *LEARNS)
    data.rename(folder / "gone")  # sampling must not need it
    return folder / "faces"


@pytest.fixture(scope="module")
def ages(folder):
    """A short run of numbers."""
    zerosum("train", "projection", "--data", write_bright(folder / "a.npz"), "--out", folder / "ages", *LEARNS)
    (folder / "a.npz").rename(folder / "b.npz")
    return folder / "ages"


def test_samples_of_attributes_are_what_the_command_asks_for(faces, tmp_path):
    for left, right in ((1, 0), (0, 1)):
        asked = ["--condition", f"left={left}", "--condition", f"right={right}"]
        zerosum("sample", faces, "--n", 50, *asked, "--out", tmp_path / "s.npz")
        found = np.array(halves(tmp_path / "s.npz"))
        assert np.abs(found - (40 + 170 * np.array([left, right]))).max() < 30
    with np.load(tmp_path / "s.npz") as arrays:
        assert arrays["condition_names"].tolist() == ["left", "right"] and "labels" not in arrays
        assert arrays["conditions"].tolist() == [[0, 1]] * 50
    page = (faces / "report.html").read_text()
    assert "Condition by condition" in page and 'alt="generated: left yes"' in page


def test_samples_of_numbers_are_what_the_command_asks_for(ages, tmp_path):
    for age in (30, 70):
        zerosum("sample", ages, "--n", 50, "--condition", f"age={age}", "--out", tmp_path / "s.npz")
        assert abs(np.mean(halves(tmp_path / "s.npz")) - (40 + 3 * (age - 20))) < 20
    np.save(tmp_path / "rows.npy", np.array([[25.0], [75.0]]))
    zerosum("sample", ages, "--n", 50, "--condition", "rows.npy", "--out", "r.npz", cwd=tmp_path)
    with np.load(tmp_path / "r.npz") as arrays:
        assert arrays["conditions"][:, 0].tolist() == [25, 75] * 25
        means = arrays["images"].mean((1, 2, 3))
    assert means[1::2].min() > means[::2].max()
    assert 'alt="generated: age ' in (ages / "report.html").read_text()


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    """The same commands without a process of their own: exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_a_folder_or_npz_of_samples_is_data_again(faces, ages, tmp_path, typed):
    typed("sample", faces, "--n", 12, "--out", "folder")
    output = json.loads(typed("data", "info", "folder", "--json")[1])
    assert output["count"] == 12 and output["classes"] == {} and output["notes"] == []
    assert [*output["conditions"]] == ["left", "right"] and output["conditions"]["left"]["attribute"]
    typed("sample", ages, "--n", 20, "--out", "s.npz")
    _, shown, _ = typed("data", "info", "s.npz")
    assert "continuous age (" in shown and "classes" not in shown


def test_data_verbs_tell_of_tables_and_of_what_is_wrong_with_them(tmp_path, typed):
    data = write_lit(tmp_path / "lit", 8)
    assert "binary     left (" in typed("data", "info", data)[1]
    assert "8 checked, 0 broken" in typed("data", "check", data)[1]
    with (data / "conditions.csv").open("a") as file:
        file.write("008.png,1,1\n")
    code, shown, _ = typed("data", "check", data)
    assert code == 1 and "8 checked, 1 broken" in shown
    assert "conditions.csv line 10 names '008.png', but there is no such image" in shown
    code, out, err = typed("train", "projection", "--data", data, "--out", "run", *SHORT)
    assert (code, out, len(err.splitlines())) == (1, "", 1) and not (tmp_path / "run").exists()
    assert err.startswith("zerosum: ") and "line 10 names '008.png'" in err


def test_a_table_of_another_name_is_a_setting_away(tmp_path, typed):
    data = write_lit(tmp_path / "lit", 16)
    (data / "conditions.csv").rename(data / "lit.csv")
    more = ["--set", 'data.conditions="lit.csv"', "--set", "label_dropout=0.2"]
    assert typed("train", "projection", "--data", data, "--out", "run", *SHORT, *more)[0] == 0
    assert typed("sample", "run", "--n", 3, "--condition", "none", "--out", "s.npz")[0] == 0
    with np.load(tmp_path / "s.npz") as arrays:
        assert arrays["conditions"].tolist() == [[0.5, 0.5]] * 3


@pytest.mark.parametrize(
    ("run", "arguments", "sentence"),
    [
        ("faces", ["--condition", "smiling=1"], "no condition is called 'smiling'; there are left, right"),
        ("faces", ["--condition", "left=2"], "left is binary, 1 or 0; found 2"),
        ("faces", ["--condition", "left=yes"], "--condition takes a number; found 'left=yes'"),
        ("faces", ["--condition", "left"], "--condition takes NAME=VALUE, each name once; found 'left'"),
        ("faces", ["--condition", "left=1", "--condition", "left=0"], "each name once; found 'left=0'"),
        (
            "faces",
            ["--condition", "none"],
            "none is a condition only after training with label_dropout: pass NAME",
        ),
        ("faces", ["--condition", "rows.npy"], "rows.npy does not read as a .npy file"),
        ("faces", ["--condition", "text.npy"], "text.npy does not read as a .npy file"),
        ("faces", ["--condition", "wide.npy"], "conditions are rows of 2 numbers (left, right); found shape (1, 3)"),
        ("faces", ["--class", "1"], "this projection generator has no classes: it was trained without labels"),
        ("faces", ["--n", "-2"], "n should be at least 1; found -2"),
        ("ages", ["--condition", "age=nan"], "age is a finite number; found nan"),
        ("ages", ["--condition", "none"], "none is a condition only after training with label_dropout"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(request, tmp_path, typed, run, arguments, sentence):
    np.save(tmp_path / "wide.npy", np.zeros((1, 3)))
    (tmp_path / "text.npy").write_text("left,right")
    code, out, err = typed("sample", request.getfixturevalue(run), *arguments)
    assert (code, out, len(err.strip().splitlines())) == (1, "", 1) and sentence in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.npy", "wide.npy"]
