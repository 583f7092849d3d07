import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.conditions.image import Image as ImageCondition
from zerosum.data.conditions import conditions_of


def decoded(image):
    return Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))


def save(folder, images, value=0, size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(folder / f"{images:09d}.png")


def shown(page):
    return [image["alt"] for image in page.all("img") if image["alt"].startswith("samples after")]


def test_twelve_evenly_spaced_grids_are_stops_of_a_slider_and_the_newest_is_shown(run):
    for n in range(30):
        save(run.path / "samples", n * 1000, value=n)
    page = run.report()
    counts = [int(alt.split()[2].replace(",", "")) for alt in shown(page)]
    assert counts[0] == 0 and counts[-1] == 29_000
    assert counts == sorted(counts) and len(counts) == 12
    assert np.ptp(np.diff(counts)) <= 1000
    assert [decoded(image).getpixel((5, 5)) for image in page.all("img")] == [count // 1000 for count in counts]
    stops = page.all("input", type="radio", name="time")
    assert [stop["title"] for stop in stops] == [f"{count:,} images" for count in counts]
    assert [n for n, stop in enumerate(stops) if "checked" in stop] == [11]
    assert ".slider input:checked + figure { visibility: visible; }" in page.source and "<script" not in page.source


def test_real_images_stand_beside_the_samples(run, make):
    save(run.path / "samples", 1000)
    page = run.report(make.generator(make.grey))
    (real,) = page.all("img", alt="real images")
    colours = {value for _, value in decoded(real).convert("L").getcolors()}
    assert colours == {255, *(20 * n for n in range(8))}


@pytest.mark.parametrize("count", [1, 2, 12])
def test_few_grids_are_all_shown(run, count):
    for n in range(count):
        save(run.path / "samples", n)
    assert len(shown(run.report())) == count


def test_an_unreadable_grid_is_named_and_other_files_are_ignored(run):
    for n in (1, 2, 3):
        save(run.path / "samples", n)
    whole = (run.path / "samples/000000002.png").read_bytes()
    (run.path / "samples/000000002.png").write_bytes(whole[:40])
    save(run.path / "other", 4)
    (run.path / "other/000000004.png").rename(run.path / "samples/notes.png")
    page = run.report()
    assert "000000002.png is not a valid PNG image" in page.text
    assert len(shown(page)) == 2


def test_a_large_grid_is_resized(run):
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


def test_of_many_classes_the_first_are_shown_and_it_is_reported(run, make):
    page = run.report(make.generator(by_class, classes=[f"class {n}" for n in range(1000)]))
    assert "These are the first 20 of 1,000 classes." in page.text
    assert page.count("img", alt="generated: class 19") == 10
    assert page.count("img", alt="generated: class 20") == 0


def test_without_classes_there_is_no_section_of_classes(run, make):
    assert "Class by class" not in run.report(make.generator(make.grey)).text


def by_component(index):
    """Samples whose brightness grows with one component of the condition, and a little with z."""

    def make(z, c):
        return ((c[:, index] / 4) + z[:, 0] / 100)[:, None, None, None].expand(-1, 1, 4, 4)

    return make


def test_each_attribute_has_a_row_of_no_and_one_of_yes_from_the_same_latents(run, make):
    kind = conditions_of("x", [[0, 1], [1, 0], [0, 0]], ("smiling", "a <hat>")).kind
    page = run.report(make.generator(by_component(0), kind=kind))
    shown = {}
    for name in kind.components:
        for word in ("no", "yes"):
            tiles = page.all("img", alt=f"generated: {name} {word}")
            shown[name, word] = [decoded(tile).getpixel((3, 3)) for tile in tiles]
            assert len(tiles) == 10 and name in page.texts
    steps = np.subtract(shown["smiling", "yes"], shown["smiling", "no"])
    assert all(abs(step - 32) <= 1 for step in steps), "1/4 of 127.5 brighter, whatever the latent"
    assert shown["a <hat>", "yes"] == shown["a <hat>", "no"] and len({*shown["a <hat>", "no"]}) > 2
    assert "Condition by condition" in page.texts and "Class by class" not in page.text
    assert "These are the first" not in page.text


def test_each_continuous_attribute_has_a_row_from_low_to_high_of_one_latent(run, make):
    values = np.stack([np.linspace(0, 1000, 500), np.zeros(500)], 1)
    kind = conditions_of("x", values, ("angle", "still")).kind
    page = run.report(make.generator(by_component(0), kind=kind))
    tiles = [image for image in page.all("img") if image["alt"].startswith("generated: angle")]
    values = [float(image["alt"].rpartition(" ")[2]) for image in tiles]
    assert np.allclose(values, np.linspace(50, 950, 10), atol=1)
    greys = [decoded(image).getpixel((3, 3)) for image in tiles]
    assert np.allclose(np.diff(greys), (1.8 * 3**0.5 / 4 * 127.5) / 9, atol=1.01), "evenly brighter"
    still = [image for image in page.all("img") if image["alt"].startswith("generated: still")]
    assert len(still) == 10 and len({decoded(image).getpixel((3, 3)) for image in still}) == 1
    assert "50 to 950" in page.text


@pytest.mark.parametrize(("values", "shown"), [(2, 10), (50, 20)])
def test_of_many_attributes_the_first_are_shown_and_it_is_reported(run, make, values, shown):
    rows = np.random.default_rng(0).integers(0, values, (60, 30))
    page = run.report(make.generator(by_component(0), kind=conditions_of("x", rows).kind))
    assert f"These are the first {shown} of 30." in page.text
    alts = {image["alt"].split()[1] for image in page.all("img") if image["alt"].startswith("generated: ")}
    assert {str(n) for n in range(shown)} == alts


def test_small_samples_are_enlarged_and_large_ones_reduced(run, make):
    page = run.report(make.generator(lambda z, c: make.grey(z), classes=("a",)))
    assert decoded(page.all("img", alt="generated: a")[0]).size == (112, 112)
    wide = make.generator(
        lambda z, c: z[:, :1, None, None].expand(-1, 3, 250, 500), shape=(3, 250, 500), classes=("a",)
    )
    assert decoded(run.report(wide).all("img", alt="generated: a")[0]).size == (192, 96)


def test_images_of_a_condition_stand_beside_the_trivial_method_and_the_real_ones(run, make):
    examples = torch.full((3, 1, 2, 2), 100, dtype=torch.uint8)
    truths = torch.full((3, 1, 4, 4), 110, dtype=torch.uint8)
    kind = ImageCondition((1, 2, 2), examples, truths)
    brighter = make.generator(lambda z, c: (c + 5 / 127.5).repeat_interleave(2, 2).repeat_interleave(2, 3), kind=kind)
    page = run.report(brighter)
    rows = [text for text in page.texts if text in ("condition", "generated 1", "generated 3", "bicubic", "real")]
    assert rows == ["condition", "generated 1", "generated 3", "bicubic", "real"]
    for row, level, decibels in (("generated 1: generated", 105, 20 * np.log10(51)), ("bicubic", 100, None)):
        tile = page.all("img", alt=f"{row.partition(': ')[2] or row}: condition 1")[0]
        assert decoded(tile).getpixel((3, 3)) == level
        assert decibels is None or page.texts.count(f"{decibels:.1f} dB") == 3
    assert page.texts.count(f"{20 * np.log10(25.5):.1f} dB") == 1, "the condition has another size, and the real none"
    same = make.generator(
        lambda z, c: c + 5 / 127.5, (1, 2, 2), kind=ImageCondition((1, 2, 2), examples, examples + 10)
    )
    page = run.report(same)
    assert "bicubic" not in page.texts and page.texts.count("equal") == 0
    alike = make.generator(lambda z, c: c, (1, 2, 2), kind=ImageCondition((1, 2, 2), examples, examples))
    assert run.report(alike).texts.count("equal") == 4, "three latents and the condition"
