"""`auto`: the recipe that fits data of every kind, why, and how long it may take."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum
from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.augment.pipelines import DiffAugment
from zerosum.cli import main
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.pairs.edges import Edges
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images
from zerosum.recipes import auto
from zerosum.recipes.auto import RULES, Choice, DataFacts, choose_recipe, data_facts
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.training import pace
from zerosum.training.options import RunOptions
from zerosum.training.pace import Pace

RANDOM = np.random.default_rng(0)
PROJECTED = "D looks through a network trained on photographs"


def photographs(count, side, channels=3):
    """Noise, all of whose neighbours differ."""
    return RANDOM.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def drawings(count, side, channels=3):
    """A dark square somewhere on white."""
    x = np.full((count, side, side, channels), 255, np.uint8)
    for image, place in zip(x, RANDOM.integers(0, side - 4, (count, 2)), strict=True):
        image[place[0] : place[0] + 4, place[1] : place[1] + 4] = 20
    return x


def folder(path, images, classes=()):
    """Write images to a folder, in turn to a subfolder for each class."""
    for number, image in enumerate(images):
        where = path / (classes[number % len(classes)] if classes else "")
        where.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(where / f"{number:04d}.png")
    return path


def facts(count, side=None, channels=3, alike=0.1, **given):
    return DataFacts(count, (channels, side, side) if side else (channels,), alike=alike, **given)


@pytest.fixture(autouse=True)
def without_trained_networks(monkeypatch):
    monkeypatch.setattr(auto, "_has_lite", lambda: False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (facts(5_000, channels=1), "gaussian"),
        (facts(5_000, channels=2), "ring"),
        (facts(50, channels=12, numbers=True), "ring"),
        (facts(5_000, 28, 1, 0.8, classes=10, smallest=500), "adcgan"),
        (facts(5_000, 28, 1, 0.8, classes=10, smallest=99), "hinge"),
        (facts(5_000, 28, 1, 0.8, classes=101, smallest=500), "hinge"),
        (facts(5_000, 28, 1, 0.8, classes=1, smallest=5_000), "hinge"),
        (facts(300, 28, 1, 0.8), "fastgan"),
        (facts(1, 64), "fastgan"),
        (facts(999, 64), "fastgan"),
        (facts(999, 64, lite=True), "projected-gan"),
        (facts(50_000, 64, classes=10, smallest=5_000, lite=True), "projected-gan"),
        (facts(999, 64, alike=0.7, lite=True), "fastgan"),
        (facts(999, 32, lite=True), "fastgan"),
        (facts(1_000, 64), "r3gan"),
        (facts(1_852, 64, alike=0.7), "r3gan"),
        (facts(50_000, 64, classes=10, smallest=5_000), "r3gan"),
        (facts(50_000, 32), "hinge"),
        (facts(5_000, 32, numbers=True), "projection"),
    ],
)
def test_the_first_rule_that_fits_decides(data, expected):
    assert next(rule for rule in RULES if rule.fits(data)).recipe == expected


def test_every_rule_is_of_a_recipe_and_some_data():
    assert {rule.recipe for rule in RULES} <= {*catalogue()}
    data = [
        facts(
            count, side, channels, alike, classes=classes, smallest=count // max(classes, 1), numbers=numbers, lite=lite
        )
        for lite in (False, True)
        for count in (1, 500, 5_000, 50_000)
        for side in (None, 28, 64)
        for channels in (1, 3)
        for alike in (0.1, 0.8)
        for classes, numbers in ((0, False), (10, False), (0, True))
    ]
    chosen = [next(i for i, rule in enumerate(RULES) if rule.fits(one)) for one in data]
    assert {*chosen} == {*range(len(RULES))}, "a rule that is never reached"


def test_grey_digits_with_labels_are_conditional():
    choice = choose_recipe(Digits(), "cpu")
    assert choice.recipe.conditional and choice.recipe.name == "auto-adcgan"
    assert choice.reasons == (
        "digits: 5,000 grey drawings of 28x28, 10 classes of 500 and more, on cpu",
        "adcgan: of its digits 99 in 100 are of the class asked for",
    )


def test_colour_photographs_are_resized_and_few_are_augmented(tmp_path):
    choice = choose_recipe(folder(tmp_path / "few", photographs(6, 80), ("a", "b")), "cpu")
    assert choice.recipe.name == "auto-fastgan" and not choice.recipe.conditional
    assert choice.recipe.augment == named("fastgan").augment
    assert choice.recipe.augment is not None
    assert choice.recipe.data.open().shape == (3, 64, 64) and choice.facts.is_photograph
    assert choice.reasons == (
        "few: 6 colour photographs of 64x64, 2 classes of 3 and more, on cpu",
        "fastgan: made for few images, which D sees augmented and has to redraw",
        "resized from 80x80, which would take too long on cpu (--size)",
        "its classes are left out: they are used from 100 samples each and up to 100 classes",
        "with `pip install 'zerosum[lite]'` it would be projected-gan: " + PROJECTED,
    )


def test_photographs_are_seen_through_a_trained_network_where_there_is_one(monkeypatch):
    monkeypatch.setattr(auto, "_has_lite", lambda: True)
    choice = choose_recipe(ArraySource(photographs(4, 40)), "cpu")
    assert choice.recipe.discriminator == named("projected-gan").discriminator and len(choice.reasons) == 2


def test_a_network_that_would_not_be_taken_is_not_advised():
    x = torch.from_numpy(photographs(4, 40).transpose(0, 3, 1, 2))
    numbers = choose_recipe(_Opened(in_memory("numbers", x, conditions=RANDOM.normal(size=(4, 2)))), "cpu")
    assert numbers.recipe.name == "auto-projection" and numbers.facts.is_photograph and len(numbers.reasons) == 2


def test_images_that_are_not_to_be_resized_keep_their_size_and_a_folder_is_read_once(tmp_path, monkeypatch):
    source, opened, plain = Images(str(folder(tmp_path / "exact", photographs(3, 80))), fit="exact"), [], Images.open
    monkeypatch.setattr(Images, "open", lambda self: opened.append(1) or plain(self))
    choice = choose_recipe(source, "cpu")
    assert choice.recipe.data == source and choice.facts.shape == (3, 80, 80) and len(opened) == 1


def test_many_photographs_with_classes_leave_them_out_at_larger_sizes():
    x = photographs(1_000, 36).transpose(0, 3, 1, 2)
    dataset = in_memory("many", torch.from_numpy(x), torch.arange(1_000) % 2, ("a", "b"))
    choice = choose_recipe(_Opened(dataset), "cpu")
    assert choice.recipe.name == "auto-r3gan" and not choice.recipe.conditional
    assert choice.recipe.augment == AdaptiveAugment(images=100_000)
    assert choice.reasons[2] == "its classes are left out: at 36x36 shapes come first (adcgan takes them)"


class _Opened:
    """A source of an opened data set."""

    def __init__(self, dataset):
        self.dataset = dataset

    def open(self):
        return self.dataset


def test_drawings_and_photographs_are_distinguished():
    for make, side in ((drawings, 64), (photographs, 64), (drawings, 32), (photographs, 32)):
        found = choose_recipe(ArraySource(make(4, side)), "cpu").facts
        assert found.is_photograph == (make is photographs), (make, side)
    assert choose_recipe(ArraySource(drawings(1_000, 32)), "cpu").recipe.augment == DiffAugment()


def test_points_have_a_latent_of_their_dimensions():
    points = RANDOM.normal(size=(40, 5)).astype(np.float32)
    choice = choose_recipe(ArraySource(points), "cpu")
    assert choice.recipe.name == "auto-ring" and choice.recipe.latent.size == 5
    assert choice.reasons[0].endswith("40 points of 5 dimensions, on cpu")
    assert choose_recipe(ArraySource(points[:, :1]), "cpu").recipe.name == "auto-gaussian"


def test_one_image_is_taken_and_constant_data_are_not(tmp_path):
    choice = choose_recipe(folder(tmp_path / "one", photographs(1, 32)), "cpu")
    assert choice.reasons[0] == "one: 1 colour photograph of 32x32, on cpu"
    same = folder(tmp_path / "same", np.full((3, 16, 16, 1), 7, np.uint8))
    with pytest.raises(ValueError, match="all samples of same are the same, so there is nothing to learn: check"):
        choose_recipe(same, "cpu")


def test_data_that_no_rule_is_for_are_refused():
    with pytest.raises(ValueError, match=r"auto chooses for images and points; .* has Image conditions: name a recipe"):
        choose_recipe(Edges(Digits()), "cpu")


def test_at_most_200_samples_are_read():
    read = []
    dataset = in_memory("counted", torch.randn(10_000, 2))
    counted = Dataset("counted", (2,), 10_000, lambda rows: read.append(rows) or dataset.read(rows))
    data_facts(counted)
    assert [len(rows) for rows in read] == [200] and read[0].max() > 9_900
    read.clear()
    data_facts(Dataset("stream", (2,), 10_000, counted.read, window=1_000))
    assert read[0].tolist() == [*range(200)], "what comes first of a stream, which is slow to go through"


@pytest.fixture
def paced(monkeypatch):
    """A run of 20 minutes is short, and one of a tenth of a minute shorter; returns the minutes asked for."""
    minutes = []
    length = pace.of_length

    def short(recipe, found, asked):
        minutes.append(asked)
        return length(recipe, Pace(2.0 * recipe.batch, 4, 0.5), 0.1 * asked / 20)

    monkeypatch.setattr(pace, "measured_pace", lambda *_: Pace(1.0, 4, 0.5))
    monkeypatch.setattr(pace, "of_length", short)
    return minutes


def test_the_command_prints_why_and_keeps_to_its_time(tmp_path, monkeypatch, capsys, paced):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", RANDOM.normal(size=(40, 2)).astype(np.float32))
    words = ["zerosum", "train", "auto", "--data", "points.npy", "--device", "cpu", "--batch", "8", "--set", "tick=8"]
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
    message = capsys.readouterr().err
    assert "points.npy: 40 points of 2 dimensions, on cpu\nring: it kept all 8 modes" in message
    assert "20 minutes are 64 images, at 1 images/s over 4 iterations" in message and "nothing left to do" in message
    run = zerosum.runs.Run("runs/auto-ring")
    assert run.recipe.batch == 8 and run.recipe.images == 64 and paced == [20.0]
    monkeypatch.setattr(sys, "argv", [*words, "--set", "images=16"])
    with pytest.raises(SystemExit):
        main()
    assert zerosum.runs.Run("runs/auto-ring-2").recipe.images == 16 and paced == [20.0]
    monkeypatch.setattr(sys, "argv", words[:3])
    with pytest.raises(SystemExit):
        main()
    assert "zerosum: auto chooses a recipe for data: give --data" in capsys.readouterr().err


def test_it_is_there_in_python_as_well(tmp_path, paced, capsys):
    points = RANDOM.normal(size=(40, 1)).astype(np.float32)
    run = zerosum.train("auto", tmp_path / "run", data=points, options=RunOptions(minutes=10.0), device="cpu")
    assert "gaussian: a small GAN of one number" in capsys.readouterr().err
    assert run.recipe.name == "auto-gaussian" and paced == [10.0]
    assert zerosum.train("auto", tmp_path / "short", data=points, images=64, device="cpu").recipe.images == 64
    assert paced == [10.0]
    with pytest.raises(ValueError, match="auto chooses a recipe for data"):
        zerosum.train("auto", tmp_path / "none")
    assert isinstance(choose_recipe(points), Choice)
