"""`zerosum invert`, `edit --image` and `edit --strokes` as whole commands, on one small run."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny_run import tiny_recipe, untrained, write_run

from zerosum.cli import _inversions
from zerosum.conditions import Labels
from zerosum.data.sources.digits import Digits
from zerosum.latent import (
    InvertOptions,
    TuneOptions,
    instruments,
    load_direction,
    load_inversion,
    reach,
    save_direction,
    space_of,
)
from zerosum.latent.direction import named_direction

BRIEF = InvertOptions(1, 8, 20, 32)


def written(folder):
    """A run folder of untrained networks, with one direction."""
    generator, D = untrained(tiny_recipe(2, 4), (1, 28, 28), Labels(10), scale=4)
    run = write_run(folder, generator, D)
    save_direction(run, named_direction("along", torch.ones(4), space_of(generator), "line"))
    return run


def some_digits():
    return Digits().open().read(torch.tensor([3, 4500]))[:, 0].numpy()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("invert")
    made = written(folder / "run")
    first, second = (Image.fromarray(digit) for digit in some_digits())
    for name in ("any", "7"):
        (folder / name).mkdir()
    first.save(folder / "any" / "a.png")
    second.convert("RGB").resize((60, 60)).save(folder / "any" / "b.jpg")
    first.save(folder / "7" / "a.png")
    alpha = Image.fromarray(np.where(some_digits()[0] > 100, 255, 0).astype(np.uint8)).resize((56, 56))
    layers = Image.merge("LA", [first.resize((56, 56)), alpha]).convert("RGBA")
    layers.save(folder / "strokes.png")
    layers.putalpha(0)
    layers.save(folder / "empty.png")
    Image.new("L", (28, 28), 7).save(folder / "flat.png")
    (folder / "text.png").write_text("no image")
    (folder / "none").mkdir()
    return made


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Brief searches, and the options that were asked for."""
    found = []

    def brief(function):
        def called(*given):
            options = [one for one in given if isinstance(one, InvertOptions)]
            found.extend(options)
            return function(*(BRIEF if isinstance(one, InvertOptions) else one for one in given))

        return called

    monkeypatch.setattr(reach, "invert", brief(reach.invert))
    monkeypatch.setattr(_inversions, "complete", brief(_inversions.complete))
    monkeypatch.setattr(sys.modules["zerosum.latent.tune"], "TuneOptions", lambda: TuneOptions(10, 1e-2, 4, change=1.0))
    return found


def test_images_are_inverted_and_edited(run, zerosum_command, asked):
    before = (run / "generator.safetensors").read_bytes()
    arguments = ("invert", run, "any", "--starts", 2, "--steps", 40, "--features", "none", "--references", 3)
    code, out, err = zerosum_command(*arguments, "--out", "a.png")
    assert code == 0 and err == "wrote a.png, a.safetensors\n", err
    assert asked == [InvertOptions(2, 40, features="")]
    lines = out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("any/a.png (class ") and lines[1].startswith("any/b.jpg (class ")
    assert "; the nearest of 5,000 training images is 0.000 away; larger than the error of " in lines[0]
    assert " of 3 samples and " in lines[0] and " of 3 training images: " in lines[0]
    found = load_inversion("a.safetensors", run.generator)
    digits = torch.from_numpy(some_digits()).float() / 127.5 - 1
    assert torch.allclose(found.targets[0, 0], digits[0], atol=1e-6)
    assert torch.nn.functional.mse_loss(found.targets[1, 0], digits[1]) < 0.1
    assert f"error {found.errors[0]:.3f};" in lines[0]
    code, _, err = zerosum_command("edit", run, "--image", "a.safetensors", "--direction", "along=2", "--out", "e.npz")
    assert code == 0 and err == "wrote 2 edited samples to e.npz\n"
    with np.load("e.npz") as file:
        images, labels = file["images"], file["labels"]
    wanted = found.edited(load_direction(run, "along") * 2)
    assert np.abs(images[..., 0] - ((wanted[:, 0].numpy() + 1) * 127.5)).max() < 0.6
    assert np.abs(images[..., 0] - ((found.images[:, 0].numpy() + 1) * 127.5)).max() > 0.5
    assert labels.tolist() == found.inputs.c.tolist()
    assert (run / "generator.safetensors").read_bytes() == before


def test_the_class_is_that_of_the_folder_or_given(run, zerosum_command):
    for more, wanted in (((), "7"), (("--class", 2), "2")):
        code, out, err = zerosum_command("invert", run, "7/a.png", *more, "--references", 0, "--json", "--out", "c.png")
        facts = json.loads(out)
        assert code == 0 and facts["images"][0]["class"] == wanted and facts["out"] == ["c.png", "c.safetensors"], err
        assert {*facts["images"][0]} == {"image", "class", "error", "nearest", "training_images"}


def test_a_generator_is_tuned_beside_the_result(run, zerosum_command, asked):
    before = (run / "generator.safetensors").read_bytes()
    code, out, err = zerosum_command("invert", run, "7/a.png", "--tune", "--references", 0, "--out", "t.png", "--json")
    facts = json.loads(out)["images"][0]
    assert code == 0 and facts["tuned_error"] < facts["error"], err
    assert err.startswith("tuning ended after ") and (run / "generator.safetensors").read_bytes() == before
    assert zerosum_command("sample", "t-generator.safetensors", "--n", 3, "--out", "s.png")[0] == 0
    arguments = ("edit", run, "--direction", "along=0", "--image")
    code, _, err = zerosum_command(*arguments, "t.safetensors", "--out", "t.npz")
    with np.load("t.npz") as file:
        error = np.sqrt((((file["images"][0, ..., 0] - some_digits()[0].astype(float)) / 255) ** 2).mean())
    assert code == 0 and error == pytest.approx(facts["tuned_error"], abs=1e-4), err
    code, _, err = zerosum_command(*arguments, "7/a.png", "--tune", "--out", "u.png", "--seed", 3)
    assert code == 0 and err.startswith("7/a.png: error 0.") and "\ntuning ended after " in err
    assert [options.seed for options in asked] == [0, 3]
    with Image.open("u.png") as file:
        assert file.height > 2.9 * file.width  # the image, its inversion and its edit


def test_a_drawing_is_completed(run, zerosum_command, asked):
    arguments = ("edit", run, "--strokes", "strokes.png", "--n", 3, "--out", "s.npz")
    code, out, err = zerosum_command(*arguments, "--seed", 5, "--json")
    assert code == 0 and json.loads(out)["shape"] == [3, 28, 28, 1] and not err
    assert asked == [InvertOptions(seed=5)]
    with np.load("s.npz") as file:
        images = file["images"]
    assert not np.array_equal(images[0], images[1])
    code, _, err = zerosum_command(*arguments, "--class", 4, "--direction", "along=1")
    assert code == 0 and err == "wrote 3 edited samples to s.npz\n"
    with np.load("s.npz") as file:
        assert file["labels"].tolist() == [4, 4, 4]


def test_a_drawing_is_completed_under_the_score_of_the_discriminator_where_it_can_be_read(
    run, zerosum_command, monkeypatch
):
    scores, complete = [], _inversions.complete

    def recorded(*given):
        scores.append(given[6])
        return complete(*given)

    def unreadable(*given):
        raise ValueError

    monkeypatch.setattr(_inversions, "complete", recorded)
    arguments = ("edit", run, "--strokes", "strokes.png", "--n", 2, "--out", "s.png")
    assert zerosum_command(*arguments)[2] == "wrote 2 edited samples to s.png\n"
    monkeypatch.setattr(instruments, "load_discriminator", unreadable)
    assert zerosum_command(*arguments)[2].splitlines() == [
        "the run's discriminator cannot be read: proposals follow the drawn pixels alone",
        "wrote 2 edited samples to s.png",
    ]
    assert callable(scores[0]) and scores[1] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("invert", "nowhere.png"), "nowhere.png is not a file"),
        (("invert", "none"), "none has no images (.png, .jpg"),
        (("invert", "text.png"), "text.png is not a PNG, JPEG, WebP, BMP, GIF or TIFF image"),
        (("invert", "flat.png"), "image 0 has one colour throughout: there is nothing to invert"),
        (("invert", "7", "--class", "x"), "no class 'x'; there are 0, 1"),
        (("invert", "7", "--class", "1", "--condition", "2"), "give --class or --condition, and not both"),
        (("invert", "7", "--space", "w"), "has no mapping network, which the spaces w and layers need"),
        (("invert", "7", "--out", "a.jpg"), "--out is FILE.png, beside which FILE.safetensors is written; found a.jpg"),
        (("invert", "7", "--starts", "2001"), "starts should be at most 2,000; found 2,001"),
        (("invert", "7", "--steps", "1000001"), "steps should be at most 1,000,000; found 1,000,001"),
        (("invert", "7", "--references", "50001"), "references should be at most 50,000; found 50,001"),
        (("invert", "7", "--seed", "9223372036854775808"), "seed is an integer of 64 bits; found 9223372036854775808"),
        (("invert", "7", "--steps", "1"), "an inversion has starts and pool of 1, steps of 4"),
        (("edit", "--image", "7"), "edit takes --direction, with --image (and --tune) or without, or --strokes"),
        (
            ("edit", "--tune", "--strokes", "strokes.png"),
            "edit takes --direction, with --image (and --tune) or without",
        ),
        (
            ("edit", "--image", "run/generator.safetensors", "--class", "1", "--direction", "along=1"),
            "run/generator.safetensors has its classes or conditions: give others to zerosum invert",
        ),
        (("edit", "--image", "7", "--direction", "along=1", "--out", "a.jpg"), "a.jpg is none of FILE.png, FILE.npz"),
        (("edit", "--strokes", "strokes.png", "--out", "any"), "any is not empty: name a new folder"),
        (("edit", "--strokes", "any/a.png"), "any/a.png has no transparent pixels: transparency says which pixels are"),
        (("edit", "--strokes", "empty.png"), "empty.png is transparent throughout: nothing is drawn"),
        (
            ("edit", "--image", "run/generator.safetensors", "--direction", "along=1"),
            "is not an inversion: its metadata",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_errors_are_one_sentence(run, zerosum_command, arguments, sentence):
    code, _, err = zerosum_command(arguments[0], run, *arguments[1:])
    assert code == 1 and sentence in err and "Traceback" not in err and err.count("\n") == 1
