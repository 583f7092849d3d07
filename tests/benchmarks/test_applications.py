"""The trivial methods beside applications, and the page."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.places import RESULTS
from benchmarks.quality import applications as subject
from benchmarks.quality import baselines, inpainting
from benchmarks.quality import captions as texts
from benchmarks.quality.gallery_images import rows_of
from PIL import Image

from zerosum.networks.dcgan import DCGANGenerator
from zerosum.probes import Scenes, follows
from zerosum.recipes.library import applications
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.runs.generator import TrainedGenerator, build_generator

RANDOM = np.random.default_rng(0)
NONE = np.zeros((0, 1, 1, 1), np.uint8)


def images(count, side, channels):
    return RANDOM.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def test_conditions_are_enlarged_by_pillow():
    c, x = images(3, 4, 3), images(3, 16, 3)
    found = baselines.RESIZES["lanczos"](c, x, NONE, NONE)
    assert np.array_equal(found[1], np.asarray(Image.fromarray(c[1]).resize((16, 16), Image.Resampling.LANCZOS)))
    grey = baselines.RESIZES["nearest"](c[..., :1], x[..., :1], NONE, NONE)
    assert grey.shape == (3, 16, 16, 1) and np.array_equal(grey[:, ::4, ::4], c[..., :1])


def test_a_condition_as_it_is_has_the_samples_channels():
    x = images(2, 8, 3)
    assert np.array_equal(baselines.condition(x[..., :1], x), np.repeat(x[..., :1], 3, 3))
    frames = images(2, 8, 4)
    assert np.array_equal(baselines.condition(frames, x[..., :1]), frames[..., 3:])


def test_the_nearest_training_pair_is_found():
    train_c, train_x = images(9, 6, 1), images(9, 6, 3)
    near = np.clip(train_c[[4, 2]].astype(int) + 3, 0, 255).astype(np.uint8)
    assert np.array_equal(baselines.neighbour(near, NONE, train_c, train_x), train_x[[4, 2]])


def test_hidden_pixels_take_the_colour_of_their_border():
    image = np.full((1, 9, 9, 1), 50, np.uint8)
    image[:, :, 5:] = 200
    known = np.full((1, 9, 9, 1), 255, np.uint8)
    known[:, 3:6, 1:3] = known[:, 3:6, 6:8] = 0
    found = inpainting.border(np.concatenate([np.where(known > 0, image, 128), known], 3))
    assert np.array_equal(found, image)


def test_filled_images_are_scored_in_the_hole_alone():
    x, known = images(8, 12, 3), np.full((8, 12, 12, 1), 255, np.uint8)
    known[:, 2:8, 3:9] = 0
    c = np.concatenate([np.where(known > 0, x, 128), known], 3)

    class Worse:
        def sample(self, n, conditions):
            assert n == 8 and conditions is c
            return np.where(known > 0, 0, np.clip(x.astype(int) + np.where(x < 200, 51, -51), 0, 255)).astype(np.uint8)

    assert np.array_equal(inpainting.filled(Worse().sample(8, c), c)[known[..., 0] > 0], x[known[..., 0] > 0])
    mine, border, real = inpainting.rows("name", {"`inpaint`": Worse()}, c, x, "7")
    assert mine.startswith("| name | `inpaint` | 0.2000 ± 0.0000 | ") and mine.endswith(" | 7 |")
    assert real.startswith("| name | the real part | 0.0000 ± 0.0000 | ") and real.endswith(" |  |")
    wanted = np.abs(inpainting.border(c)[:, 2:8, 3:9].astype(float) - x[:, 2:8, 3:9]).mean() / 255
    assert f"| border | {wanted:.4f} ± " in border


def test_captions_are_scored_by_what_of_them_is_right():
    scenes = Scenes(count=200, size=24, shapes=2, cells=2)
    x, captions = scenes.open().read(torch.arange(100)), scenes.captions()[:100]
    head = texts.HEAD.splitlines()[0].split(" | ")[2:-1]
    real, other = (texts.answered(images, captions, 2).split(" | ") for images in (x, x.roll(1, 0)))
    assert len(head) == len(real) == 6 and real == ["100.0 ± 0.0 %"] * 6
    shares = dict(zip(head, (float(one.split()[0]) for one in other), strict=True))
    assert shares["all"] < shares["colour"] < shares["count"] and shares["all"] < 20 < shares["count"] < 90
    fits = follows(x.roll(1, 0), captions, 2).right.double().mean().item()
    assert other[0] == f"{100 * fits:.1f} ± {10 * (fits * (1 - fits)) ** 0.5:.1f} %"


def test_captions_stand_in_rows():
    scenes = Scenes(count=40, size=20, shapes=1, cells=2)
    recipe = replace(named("text-to-image"), data=scenes, generator=DCGANGenerator(size=4))
    shape, condition = (3, 20, 20), scenes.open().condition
    generator = TrainedGenerator(recipe, build_generator(recipe, shape, condition).eval(), shape, 32, condition)
    rows = rows_of(generator)
    captions = [condition.caption(condition.examples[i % len(condition.examples)]) for i in range(4)]
    assert (rows == generator.sample(48, 0, prompts=[one for one in captions for _ in range(12)])).all()


def test_every_recipe_is_scored_and_the_page_has_its_marks():
    recipes = {name for name, make in catalogue().items() if make.__module__ == applications.__name__}
    assert recipes == {one.recipe for one in subject.APPLICATIONS.values()}
    assert "<!-- applications: written by benchmarks.quality.applications -->" in (
        RESULTS / "applications.md"
    ).read_text(encoding="utf-8")


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        subject.main(["sharper"])
    assert "unknown application 'sharper'" in capsys.readouterr().err
