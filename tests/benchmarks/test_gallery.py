"""The gallery on small recipes: scores, images, records, and no repeated work."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.quality import gallery, gallery_images, gallery_readings, gallery_table
from PIL import Image

from zerosum.bench.subprocesses import Ended
from zerosum.conditions.labels import Labels
from zerosum.data.dataset import in_memory
from zerosum.data.sources.arrays import Arrays
from zerosum.data.toys.gaussians import GaussianMixture1D
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.game import InfoGANLatent, Normal
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.recipes.named_recipes import named
from zerosum.runs.generator import TrainedGenerator, build_generator
from zerosum.runs.images import to_bytes
from zerosum.training.signals import Terminated
from zerosum.training.train import train

PAGE = f"prose before\n{gallery_table.BEGIN}\nold\n{gallery_table.END}\nprose after\n"
SMALL = {"images": 32, "batch": 16, "tick": 16, "snapshot": 32, "ema": 0.0}


def small(name, **changes):
    """A named recipe of two updates, with the smallest networks."""
    recipe = named(name)
    image = name in ("digits", "dcgan", "infogan", "cgan")
    networks = (
        {"generator": replace(recipe.generator, size=4), "discriminator": replace(recipe.discriminator, size=4)}
        if image
        else {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,))}
    )
    return replace(recipe, **{**SMALL, **networks, **changes})


def made(recipe, shape, classes=()):
    """A generator of a recipe as it is at first."""
    torch.manual_seed(0)
    condition = Labels(len(classes), classes=tuple(classes)) if classes else None
    return TrainedGenerator(recipe, build_generator(recipe, shape, condition).eval(), shape, 32, condition)


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A gallery of three small recipes, trained in this process; `commands` are those that were asked for."""
    recipes = {name: small(name) for name in ("ring", "gaussian", "dcgan")}
    commands, ending = [], {}

    def side_by_side(asked, jobs, threads):
        for number, command in enumerate(asked):
            words = list(command.arguments)
            commands.append(words)
            name = words[words.index("train") + 1]
            command.log.parent.mkdir(parents=True, exist_ok=True)
            command.log.write_text("one\nno such luck\n")
            if not ending.get(name, 0):
                train(recipes[name], words[words.index("--out") + 1], quiet=True)
            yield number, Ended(ending.get(name, 0), 3.0, 2.0, ending.get(name) == 143)
            if ending.get(name) == 143:
                raise Terminated(143)

    monkeypatch.setattr(gallery, "catalogue", lambda: {name: lambda r=r: r for name, r in recipes.items()})
    monkeypatch.setattr(gallery, "named", lambda name: recipes[name])
    monkeypatch.setattr(gallery, "run_commands", side_by_side)
    monkeypatch.setattr(gallery_readings, "load_classifier", lambda: Classifier())
    monkeypatch.setattr(gallery_readings, "COUNT", 400)
    for name, value in {"RECORD": "gallery.json", "TABLE": "gallery.md", "IMAGES": "images"}.items():
        monkeypatch.setattr(gallery, name, tmp_path / value)
    (tmp_path / "gallery.md").write_text(PAGE)
    return tmp_path, recipes, commands, ending


class Classifier:
    """Predicts the digit from the mean of an image."""

    fingerprint, data = "abc", "made up"
    baselines = {"real: test": {"confident": 0.99, "right": 0.98, "fid": 2.0, "present": 10}}  # noqa: RUF012

    @staticmethod
    def reader(x):
        digit = x.mean((1, 2, 3)).mul(10).long().remainder(10)
        return torch.nn.functional.one_hot(digit, 10).float(), x.flatten(1)[:, :4]

    def verdict(self, images, labels):
        right = None if labels is None else float((labels == 0).mean())
        return {"samples": len(images), "confident": 0.5, "right": right, "fid": 7.0, "present": 3, "per_digit": []}


def play(place, *words):
    return gallery.main([*words, "--out", str(place / "runs")])


def test_every_recipe_gets_a_run_a_row_and_an_image(room):
    place, _, commands, _ = room
    assert play(place) == 0
    assert [words[1:5] for words in commands] == [["-m", "zerosum", "train", n] for n in ("ring", "gaussian", "dcgan")]
    results = json.loads((place / "gallery.json").read_text())
    assert {name: r["kind"] for name, r in results.items()} == {"dcgan": "digits", "gaussian": "line", "ring": "modes"}
    assert all((r["images"], r["seconds"], r["cpu_seconds"]) == (32, 3.0, 2.0) for r in results.values())
    page = (place / "gallery.md").read_text()
    assert page.startswith("prose before\n") and page.endswith("prose after\n") and "old" not in page
    assert "| `ring` | 32 | 2 | 3 | 2 minutes on one core | 2,500 | " in page
    assert "| `dcgan` | 32 | 2 | 3 | 4 minutes on one core | 50.0% |  | 3 | 7.0 |" in page
    assert "Classifier: abc of made up." in page and "](images/ring.png)" in page
    assert "| *real digits* (made up, classifier abc) |" in page
    for name in results:
        assert (place / "images" / f"{name}.png").stat().st_size <= gallery_images.MOST
        assert not [*(place / "runs" / name).glob("*/run/checkpoints/*")]


def test_what_is_there_is_not_run_again_and_the_rows_of_others_stay(room, capsys):
    place, recipes, commands, _ = room
    assert play(place) == play(place, "ring") == 0 and len(commands) == 3
    assert "ring is already finished" in capsys.readouterr().err
    assert play(place, "ring", "--fresh") == 0 and len(commands) == 4
    recipes["ring"] = replace(recipes["ring"], seed=1)
    (place / "gallery.md").write_text(PAGE)
    assert play(place, "gaussian") == 0 and len(commands) == 4
    page = (place / "gallery.md").read_text()
    assert "| `ring` \\* |" in page and "`dcgan` |" in page and "Of an earlier version of the recipe" in page
    assert play(place, "ring") == 0 and len(commands) == 5, "a recipe that has changed is trained again"
    assert "| `ring` |" in (place / "gallery.md").read_text() and len([*(place / "runs" / "ring").iterdir()]) == 2


def test_a_run_that_has_ended_is_read_without_being_trained(room):
    place, _, commands, _ = room
    assert play(place, "ring") == 0
    file = place / "images" / "ring.png"
    before = file.read_bytes()
    file.unlink()
    assert play(place, "ring", "--reread") == 0 and len(commands) == 1
    assert file.read_bytes() == before, "the seed is fixed"


def test_the_time_of_an_interrupted_run_adds_up(room, capsys):
    place, _, commands, ending = room
    ending["ring"] = 143
    with pytest.raises(Terminated):
        play(place, "ring")
    assert not (place / "images" / "ring.png").exists()
    assert "the same command resumes" in capsys.readouterr().err
    ending.clear()
    assert play(place, "ring") == 0 and commands[0] == commands[1]
    assert json.loads((place / "gallery.json").read_text())["ring"]["cpu_seconds"] == 4.0


def test_a_failure_is_reported_and_the_others_continue(room, capsys):
    place, recipes, _, ending = room
    ending["ring"] = 1
    recipes["dcgan"] = replace(recipes["dcgan"], data=Arrays("absent.npz"))
    assert play(place) == 1
    err = capsys.readouterr().err
    assert "ring failed: no such luck" in err
    assert "dcgan is skipped, since its data are not available: " in err and "absent.npz" in err
    assert list(json.loads((place / "gallery.json").read_text())) == ["gaussian"]


def test_a_trial_with_other_settings_leaves_no_record(room, capsys):
    place, recipes, commands, _ = room
    recipes["ring"] = replace(recipes["ring"], seed=3)
    assert play(place, "ring", "--set", "seed=3") == 0
    assert commands[0][-2:] == ["--set", "seed=3"] and json.loads(capsys.readouterr().out)["ring"]["kind"] == "modes"
    assert not (place / "gallery.json").exists() and (place / "gallery.md").read_text() == PAGE


def test_the_command_itself_trains_and_reads(tmp_path, forks):
    words = ["ring", "--jobs", "1", "--set", "images=64", "--set", "batch=32", "--set", "generator.hidden=(8,)"]
    assert gallery.main([*words, "--out", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "ring").iterdir()
    result = json.loads((folder / "result.json").read_text())
    assert result["images"] == 64 and result["cpu_seconds"] > 0 and (folder / "run" / "report.html").is_file()


def test_a_name_that_there_is_not_and_a_page_without_marks_are_refused(tmp_path, capsys):
    assert gallery.main(["rign", "--out", str(tmp_path)]) == 2 and "did you mean ring" in capsys.readouterr().err
    (tmp_path / "page.md").write_text("nothing")
    with pytest.raises(ValueError, match="should hold the lines <!-- written by bench"):
        gallery_table.write_table(tmp_path / "page.md", {}, {}, tmp_path)


def test_the_record_is_one_from_which_the_table_can_be_written():
    page = gallery.TABLE.read_text()
    results = json.loads(gallery.RECORD.read_text())
    assert "\n\n".join(gallery_table.tables(results, {})[:2]).splitlines()[0] == "## Digits"
    assert all(f"| `{name}`" in page for name in results)


def test_classes_stand_in_rows_and_so_do_codes():
    recipe = small("cgan")
    generator = made(recipe, (1, 28, 28), "0123456789")
    rows = gallery_images.rows_of(generator)
    assert rows.shape == (120, 28, 28, 1)
    expected = generator.sample(120, 0, np.repeat(np.arange(10), 12))
    assert (rows == expected).all()
    coded = small("infogan", latent=InfoGANLatent(Normal(3), categories=(4, 2), continuous=1))
    generator = made(coded, (1, 28, 28))
    rows = gallery_images.rows_of(generator).reshape(4, 12, 28, 28, 1)
    z = generator.latents(12, 0)
    for value in range(4):
        z[:, 3:7] = torch.eye(4)[value]
        assert (rows[value] == to_bytes(generator.map(z))).all(), "a row has the code, a column the rest"
    assert gallery_readings.codes(coded.latent, z).tolist() == [3] * 12
    assert gallery_images.rows_of(made(small("dcgan"), (1, 28, 28))).shape == (96, 28, 28, 1)


def test_points_are_drawn_over_real_ones():
    for name, shape, wide in (("ring", (2,), False), ("gaussian", (1,), True)):
        image = gallery_images.sample_image(made(small(name), shape))
        assert (image.width > image.height) == wide
    one = replace(small("ring"), data=StackedDigits())  # a source that knows no centres
    points = in_memory("points", torch.randn(50, 2))
    assert gallery_images.of_points(made(one, (2,)), points).size == (720, 720)


def test_an_image_is_made_as_small_as_asked(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    sizes = {}
    for most in (200_000, 12_000, 5_000):
        gallery_images.save_small(Image.fromarray(noise), tmp_path / "p.png", most)
        data = (tmp_path / "p.png").read_bytes()
        sizes[most] = Image.open(io.BytesIO(data)).size
        assert len(data) <= most
    assert sizes[200_000] == sizes[12_000] == (160, 120) and sizes[5_000] < (160, 120)
    assert (np.asarray(Image.open(tmp_path / "p.png")) >= 0).all()


def test_the_kolmogorov_smirnov_distance_equals_its_definition():
    draw = np.random.default_rng(0)
    x = draw.exponential(1.3, 500)
    grid = np.concatenate([np.sort(x) - 1e-9, np.sort(x) + 1e-9])
    share = (x[None, :] <= grid[:, None]).mean(1)
    expected = np.abs(share - (1 - np.exp(-grid.clip(0)))).max()
    found = gallery_readings.kolmogorov_smirnov(torch.from_numpy(x)[:, None], named("inverse-transform").data)
    assert found == pytest.approx(expected, abs=1e-6)
    normal = named("gaussian").data
    exact = torch.special.ndtri((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000) * normal.std + normal.mean
    assert gallery_readings.kolmogorov_smirnov(exact[:, None], normal) == pytest.approx(0.0005)
    mixture = GaussianMixture1D(count=4_000)
    real = mixture.open().read(torch.arange(4_000))
    assert gallery_readings.kolmogorov_smirnov(real, mixture) == pytest.approx(1 / 4_000)
    assert gallery_readings.kolmogorov_smirnov(real + 100, mixture) == 1


def test_a_code_is_as_pure_as_its_commonest_digit():
    code, digit = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([7, 7, 1, 7, 7, 3])
    assert gallery_readings.of_code(code, digit) == {"pure": pytest.approx(5 / 6), "digits": 2}


def test_a_game_with_a_code_is_read_by_it(monkeypatch):
    monkeypatch.setattr(gallery_readings, "load_classifier", lambda: Classifier())
    monkeypatch.setattr(gallery_readings, "COUNT", 40)
    recipe = small("infogan", latent=InfoGANLatent(Normal(3), categories=(4,), continuous=0))
    found = gallery_readings.reading(made(recipe, (1, 28, 28)), None, None)
    assert found["kind"] == "digits" and 0.25 <= found["code"]["pure"] <= 1 and found["right"] is None
    assert "different main digits" in " ".join(gallery_table.notes({"infogan": found}))


def test_stacked_digits_are_read_plane_by_plane_and_other_data_by_the_run_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(gallery_readings, "STACKED_COUNT", 8)
    seen = []
    whole = gallery_readings.coverage
    found = whole(torch.zeros(1, 2), named("ring").data, tmp_path)
    monkeypatch.setattr(gallery_readings, "coverage", lambda x, *rest: seen.append(x.shape) or found)
    networks = {"generator": DCGANGenerator(size=4), "discriminator": DCGANDiscriminator(size=4)}
    recipe = replace(named("stacked-mnist"), **networks)
    result = gallery_readings.reading(made(recipe, (3, 28, 28)), tmp_path, tmp_path)
    assert seen == [(8, 3, 28, 28)] and (result["kind"], result["samples"]) == ("modes", 8)
    other = replace(recipe, data=Arrays("mine.npz"))
    (tmp_path / "scores.json").write_text('{"class_accuracy": 0.91, "class_accuracies": {"a": 1}}')
    result = gallery_readings.reading(made(other, (3, 28, 28)), tmp_path, tmp_path)
    assert result == {"kind": "other", "scores": {"class_accuracy": 0.91}}
    row = {**result, "mark": None, "images": 1, "seconds": 1.0, "cpu_seconds": 1.0, "machine": "m"}
    assert "class accuracy 0.91" in "\n".join(gallery_table.tables({"mine": row}, {}))


def test_a_stated_time_is_what_the_docstring_says():
    assert gallery_table.stated("digits") == "under 3 minutes"
    assert gallery_table.stated("dcgan") == "4 minutes on one core"
    assert gallery_table.stated("grid") == "90 s" and gallery_table.stated("?") == ""


def test_differing_values_are_listed_with_their_names():
    assert gallery_table.grouped({"a": "x", "b": "x"}) == "x"
    assert gallery_table.grouped({"a": "y", "b": "x", "c": "x"}) == "x; y (a)"


def test_the_command_is_the_users():
    (entry,) = gallery.plan(["ring"], (), gallery.OUT)
    assert entry.command.arguments[:4] == (sys.executable, "-m", "zerosum", "train")
    assert entry.command.arguments[4:] == ("ring", "--out", str(entry.folder / "run"))
    assert entry.recipe == named("ring")
