"""The images of games on the line and in the plane are drawn from films of their recipes."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image
from tests.frame_folders import line_run

from zerosum.recipes.named_recipes import named

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("draw_seeing", ROOT / "scripts" / "draw_seeing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_moments_are_drawn_in_rows(script, tmp_path):
    run = line_run(tmp_path)
    sheet = script.drawn(run, (0, 70, 1_000), columns=2)
    one = script.drawn(run, (64,), columns=1)
    assert sheet.size == (2 * one.width, 2 * one.height)
    assert sheet.crop((one.width, 0, 2 * one.width, one.height)).tobytes() == one.tobytes()
    for file in (tmp_path / "frames").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match="has no frames"):
        script.drawn(run, (0,), columns=1)


def test_the_committed_images_are_of_such_sheets(script):
    for name, (recipe, images, moments, columns) in script.SHEETS.items():
        assert named(recipe).images >= images - named(recipe).batch
        width, height = {"gaussian": (480, 535), "r1": (940, 491)}[recipe]
        with Image.open(script.IMAGES / name) as image:
            assert image.size == (columns * width, -(-len(moments) // columns) * height)
