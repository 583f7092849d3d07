import base64
import io

import numpy as np
import pytest
from PIL import Image


def decoded(image):
    return Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))


def save(folder, images, value=0, size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(folder / f"{images:09d}.png")


def shown(page):
    return [image["alt"] for image in page.all("img") if image["alt"].startswith("samples after")]


def test_eight_grids_are_chosen_evenly_with_the_newest_first(run):
    for n in range(30):
        save(run.path / "samples", n * 1000, value=n)
    page = run.report()
    counts = [int(alt.split()[2].replace(",", "")) for alt in shown(page)]
    assert counts[0] == 29_000 and counts[1] == 0
    assert counts[1:] == sorted(counts[1:]) and len(counts) == 8
    assert np.ptp(np.diff(sorted(counts))) <= 1000
    assert [decoded(image).getpixel((5, 5)) for image in page.all("img")] == [count // 1000 for count in counts]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_few_grids_are_all_shown(run, count):
    for n in range(count):
        save(run.path / "samples", n)
    assert len(shown(run.report())) == count


def test_a_grid_that_does_not_read_is_named_and_other_files_are_none(run):
    for n in (1, 2, 3):
        save(run.path / "samples", n)
    whole = (run.path / "samples/000000002.png").read_bytes()
    (run.path / "samples/000000002.png").write_bytes(whole[:40])
    save(run.path / "other", 4)
    (run.path / "other/000000004.png").rename(run.path / "samples/notes.png")
    page = run.report()
    assert "000000002.png does not read as a picture" in page.text
    assert len(shown(page)) == 2


def test_a_large_grid_is_made_smaller(run):
    save(run.path / "samples", 1, size=(3000, 1000))
    (image,) = run.report().all("img")
    assert decoded(image).size == (1400, 467) == (int(image["width"]), int(image["height"]))


def by_class(z, c):
    """Samples as bright as their class is high."""
    return (c.float() / 12.5 - 1)[:, None, None, None].expand(-1, 1, 4, 4)


def test_each_class_has_a_row_with_its_name(run, make):
    names = ("zero", "one", "two")
    page = run.report(make.generator(by_class, classes=names))
    for index, name in enumerate(names):
        tiles = page.all("img", alt=f"generated: {name}")
        assert len(tiles) == 10
        assert {decoded(tile).getpixel((3, 3)) for tile in tiles} == {round(index * 10.2)}
        assert name in page.texts
    assert "These are the first" not in page.text


def test_of_many_classes_the_first_are_shown_and_it_is_said(run, make):
    page = run.report(make.generator(by_class, classes=[f"class {n}" for n in range(1000)]))
    assert "These are the first 20 of 1,000 classes." in page.text
    assert page.count("img", alt="generated: class 19") == 10
    assert page.count("img", alt="generated: class 20") == 0


def test_without_classes_there_is_no_section_of_classes(run, make):
    assert "Class by class" not in run.report(make.generator(make.grey)).text


def test_small_samples_are_enlarged_and_large_ones_reduced(run, make):
    page = run.report(make.generator(lambda z, c: make.grey(z), classes=("a",)))
    assert decoded(page.all("img", alt="generated: a")[0]).size == (112, 112)
    wide = make.generator(
        lambda z, c: z[:, :1, None, None].expand(-1, 3, 250, 500), shape=(3, 250, 500), classes=("a",)
    )
    assert decoded(run.report(wide).all("img", alt="generated: a")[0]).size == (192, 96)
