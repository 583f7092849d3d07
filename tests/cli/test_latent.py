"""`zerosum directions`, `edit` and `walk` as whole commands, on one small run."""

import json
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny_run import tiny_recipe, untrained, write_run

import zerosum
from zerosum.conditions import Labels
from zerosum.data.dataset import in_memory
from zerosum.data.sources.digits import Digits
from zerosum.latent import DirectionOptions, find, find_directions, instruments, load_direction
from zerosum.networks import StyleGAN2Generator

RECIPE = tiny_recipe(4, 12)
OWN = "def upper(images):\n    return images[:, :14].float().mean((1, 2, 3))\n"


def some_digits():
    return Digits().open().read(torch.arange(0, 5000, 20))


def weights():
    return some_digits().float().mean((1, 2, 3)) / 10


@dataclass(frozen=True)
class Weighed:
    """Digits with their mean as a column."""

    def open(self):
        return in_memory("weighed", some_digits(), conditions=weights()[:, None], condition_names=["weight"])


def written(folder, recipe, seed=0):
    return write_run(folder, *untrained(recipe, (1, 28, 28), Labels(10) if recipe.conditional else None, seed, 6))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latent")
    (folder / "own.py").write_text(OWN)
    return written(folder / "run", RECIPE)


@pytest.fixture(autouse=True)
def little_training(monkeypatch):
    monkeypatch.setattr(instruments, "_SEEN", 256)
    monkeypatch.setattr(instruments, "_MOST", 300)
    monkeypatch.setattr(find, "_CORRECTED", 60)


def test_a_direction_is_found_measured_shown_and_used(run, zerosum_command):
    code, out, err = zerosum_command("directions", run, "--attribute", "ink", "--n", 200, "--remove", "none")
    assert code == 0, err
    assert out.startswith("ink, measured on 200 samples; standard deviations of the data\n  one unit   ink +")
    folder = run / "directions"
    with Image.open(folder / "ink.png") as strip:
        assert strip.width > 7 * 56 and strip.height > 5 * 56
    found = load_direction(run, "ink")
    assert found.space == "z" and found.card.removed == () and found.card.kept is not None
    assert zerosum_command("directions", run)[1] == out
    arguments = ("edit", run, "--direction", "ink=1.5", "--n", 4, "--seed", 3, "--class", 3, "--out")
    code, _, err = zerosum_command(*arguments, "e.npz")
    assert code == 0 and err == "wrote 4 edited samples to e.npz\n"
    with np.load("e.npz") as file:
        images, labels = file["images"], file["labels"]
    generator = run.generator
    assert labels.tolist() == [3] * 4
    assert np.array_equal(images, generator.edit(4, 1.5 * found, seed=3, labels=3))
    before = generator.sample(4, seed=3, labels=3)
    assert images.mean() > before.mean()
    code, out, err = zerosum_command(*arguments, "e.png", "--json")
    assert json.loads(out)["shape"] == [4, 28, 28, 1], err
    with Image.open("e.png") as sheet:
        shown = np.asarray(sheet)[2::58, 2::58][:2, :4]
    assert np.array_equal(shown, np.stack([before[:, 0, 0, 0], images[:, 0, 0, 0]]))


def test_a_function_of_the_user_by_the_gradient_of_a_network(run, zerosum_command, monkeypatch):
    arguments = ("--attribute", "upper", "--use", "own.py", "--method", "gradient", "--n", 100, "--name", "top")
    code, out, err = zerosum_command("directions", run, *arguments, "--json")
    assert code == 0, err
    card = json.loads(out)["top"]
    assert card["attribute"] == "upper" and "ink" in card["leakage"]
    assert "the regressor explains on held-out images horizontal " in err and "upper" in err


def test_directions_without_attributes(run, zerosum_command):
    code, out, err = zerosum_command("directions", run, "--method", "sefa", "--components", 2, "--n", 100, "--json")
    assert code == 0, err
    assert [*json.loads(out)] == ["sefa-1", "sefa-2"]
    assert (run / "directions" / "sefa-2.png").is_file()


def test_a_direction_of_pairs(run):
    options = DirectionOptions("pairs", pairs=((0, 10), (1, 11)), samples=10)
    (found,) = find_directions(run.generator, (), options, "between")
    z = run.generator.latents(12, seed=0)
    wanted = (z[10:12] - z[:2]).mean(0)
    assert torch.nn.functional.cosine_similarity(found.vector, wanted, dim=0) == pytest.approx(1, abs=1e-5)
    assert found.card.of == "data" and found.name == "between"


def test_single_layers_are_changed_and_the_others_stay():
    recipe = replace(RECIPE, generator=StyleGAN2Generator(4), conditional=False)
    style, _ = untrained(recipe, (1, 28, 28), None)
    options = DirectionOptions(n=40, samples=10, remove=("slant",), layers=(4, 5))
    (found,) = find_directions(style, ["ink"], options)
    assert found.space == "layers" and found.vector.abs().sum(1).nonzero().flatten().tolist() == [4, 5]
    assert found.card.shift > 0.01 and found.card.removed == ("slant",)
    unaided = find_directions(style, (), DirectionOptions("pca", n=60, samples=10, components=1, layers=(0,)))
    assert all(one.vector[0].any() and not one.vector[1:].any() for one in unaided)
    with pytest.raises(ValueError, match="this generator has the layers 0 to 7; found 3, 8"):
        find_directions(style, ["ink"], DirectionOptions(layers=(3, 8)))


def test_walks_end_where_they_began(run, zerosum_command):
    for name, steps in (("a.webp", 4), ("a.gif", 4), ("a.apng", 4)):
        code, _, err = zerosum_command("walk", run, "--points", 2, "--steps", steps, "--n", 3, "--out", name)
        assert code == 0 and err == f"wrote 8 frames to {name}\n", err
        with Image.open(name) as clip:
            assert clip.n_frames == 8 and clip.size == (3 * 84, 84)
    code, _, err = zerosum_command("walk", run, "--points", 2, "--steps", 2, "--n", 3, "--class", 7, "--out", "a.png")
    with Image.open("a.png") as sheet:
        assert sheet.height > 4 * 28, err
    code, out, err = zerosum_command("walk", run, "--space", "condition", "--out", "b.webp", "--json")
    assert code == 0 and json.loads(out) == {"out": "b.webp", "frames": 60, "shape": [28, 4 * 28, 1]}, err


HUGE = "1" + 30 * "0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("directions", "--attribute", "thicknes"), "no attribute is called 'thicknes'; there are thickness"),
        (("directions", "--attribute", "7"), "this generator takes the class as its condition: pass --class 7"),
        (("directions", "--attribute", "ink", "--method", "sefa"), "the method sefa takes no attribute"),
        (("directions", "--method", "gradient"), "the method gradient needs an attribute, as --attribute thickness"),
        (("directions", "--method", "best", "--attribute", "ink"), "a method is one of line, extremes, gradient"),
        (("directions", "--pair", "3:4"), "the method pairs, and no other, takes pairs of numbers of samples"),
        (("directions", "--method", "pairs"), "the method pairs, and no other, takes pairs of numbers of samples"),
        (("directions", "--method", "pairs", "--pair", "3-4"), "--pair takes N:M, two numbers of samples; found '3-4'"),
        (("directions", "--attribute", "ink", "--n", "3"), "directions need n of 20 and samples of 10 or more"),
        (("directions", "--attribute", "ink", "--attribute", "size", "--name", "a"), "one name is for one direction"),
        (("directions", "--attribute", "ink", "--name", "a/b", "--n", "20"), "a direction's name is a file name"),
        (("directions", "--attribute", "ink", "--space", "w"), "has no mapping network, which the spaces w and layers"),
        (("directions", "--attribute", "ink", "--space", "w", "--layer", "3"), "in the space layers; found 'w'"),
        (("edit", "--direction", "weight=2"), "has no direction 'weight'; there are: "),
        (("edit", "--direction", "ink"), "--direction takes NAME=STRENGTH, such as thickness=2; found 'ink'"),
        (("edit", "--direction", "a=1", "--class", "1", "--condition", "2"), "has no direction 'a'"),
        (("walk", "--out", "a.mp4"), "a walk is FILE.webp, FILE.gif, FILE.apng or FILE.png, with frames of 1 to"),
        (("walk", "--n", "0"), "a walk has n of 1 or more and a truncation in [0, 1]; found 0"),
        (("directions", "--attribute", "ink", "--n", HUGE), "n should be at most 10,000,000; found 1,000,"),
        (("directions", "--method", "pairs", "--pair", f"1:{HUGE}"), "pair should be at most 10,000,000; found 1,"),
        (("directions", "--attribute", "ink", "--seed", HUGE), "seed is an integer of 64 bits; found 1000"),
        (("edit", "--direction", "ink=1", "--out", "a.txt"), "edits are images: name FILE.png, FILE.npz or a folder"),
        (("walk", "--n", "101"), "n should be at most 100; found 101"),
        (("walk", "--steps", HUGE), "frames should be at most 10,000; found 5,000,"),
        (("walk", "--duration", "8001"), "with frames of 1 to 8,000 ms; found "),
        (("walk", "--points", "1"), "a walk passes through 2 points or more; found 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_errors_are_one_sentence(run, zerosum_command, arguments, sentence):
    code, _, err = zerosum_command(arguments[0], run, *arguments[1:])
    assert code == 1 and sentence in err and "Traceback" not in err and err.count("\n") == 1


def test_directions_of_other_weights_are_refused_by_name(run, tmp_path, zerosum_command):
    find_directions(run, ["slant"], DirectionOptions(n=60, samples=10, remove=()))
    other = written(tmp_path / "other", RECIPE, seed=1)
    shutil.copytree(run / "directions", other / "directions")
    for command in (("edit", other, "--direction", "slant=1"), ("walk", other, "--direction", "slant")):
        code, _, err = zerosum_command(*command)
        assert code == 1 and "the direction slant belongs to other weights (" in err


def test_without_the_data_samples_are_the_measure(run):
    generator = replace(run.generator, recipe=replace(RECIPE, data=zerosum.data.Images("nowhere", 28)))
    (found,) = find_directions(generator, ["ink"], DirectionOptions(n=60, samples=10, remove=()))
    assert found.card.of == "samples" and found.card.kept is None
    with pytest.raises(ValueError, match="this needs the data of the run, which cannot be read: "):
        find_directions(generator, ["ink"], DirectionOptions("gradient", n=60, samples=10))


def test_an_attribute_that_never_changes_is_one_sentence(run):
    known = {"flat": lambda images: [1.0] * len(images)}
    with pytest.raises(ValueError, match="flat is the same for all images, so no direction changes it"):
        find_directions(run, ["flat"], DirectionOptions(n=60, samples=10), known=known)


def test_a_column_of_the_conditions_is_an_attribute(run, monkeypatch):
    """It is found by a network of one half of the data, and measured by one of the other."""
    halves, trained = [], instruments.train_regressor

    def counted(images, values, seed, **options):
        halves.append((seed, len(images)))
        return trained(images, values, seed, **options)

    monkeypatch.setattr(instruments, "train_regressor", counted)
    generator = written(run.path.parent / "table", replace(RECIPE, conditional=False)).generator
    generator = replace(generator, recipe=replace(generator.recipe, data=Weighed()))
    (found,) = find_directions(generator, ["weight"], DirectionOptions(n=60, samples=10, remove=()))
    assert sorted(halves) == [(0, 125), (1, 125)]
    assert found.card.unit == pytest.approx(float(weights().std()), rel=1e-4) and found.card.attribute == "weight"


def test_a_run_without_directions_says_how_to_find_one(tmp_path, zerosum_command):
    code, _, err = zerosum_command("directions", tmp_path)
    assert code == 1 and "has no directions yet: find one, as --attribute thickness or --method sefa" in err


def test_the_class_of_a_generator_without_labels_is_an_attribute_of_its_own_classifier(run, monkeypatch):
    plain = written(run.path.parent / "plain", replace(RECIPE, conditional=False))
    trained = []
    classifier = instruments.Instruments.classifier

    def counted(self, half):
        trained.append(half)
        return classifier(self, half)

    monkeypatch.setattr(instruments.Instruments, "classifier", counted)
    (found,) = find_directions(plain, ["7"], DirectionOptions("gradient", n=60, samples=10, remove=()))
    assert found.card.attribute == "7" and found.card.kept_before == 1
    assert sorted(trained) == [0, 1]  # one half finds, the other measures
