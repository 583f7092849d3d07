"""Images(bad="skip"): broken images are replaced by others, and all other indices stay the same."""

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data._paths import printable
from zerosum.data.conditions import conditions_of
from zerosum.data.inspect import check, info
from zerosum.data.sources._replacements import Replacements
from zerosum.data.sources.folders import Images
from zerosum.recipes.named_recipes import named
from zerosum.recipes.settings import with_setting

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Twelve images: files 00 to 05 of class a, 06 to 11 of class b."""
    for i, image in enumerate(IMAGES):
        (tmp_path / "ab"[i // 6]).mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / "ab"[i // 6] / f"{i:02}.png")
    return tmp_path


def half(path):
    """Leave of an image what still opens."""
    path.write_bytes(path.read_bytes()[:70])


def shown(data):
    """Which image each index shows."""
    x = data.read(torch.arange(len(data)))[:, 0].numpy()
    return [next(i for i, image in enumerate(IMAGES) if np.array_equal(one, image)) for one in x]


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "read again"])
@pytest.mark.parametrize("late", [True, False], ids=["in its pixels", "at its beginning"])
def test_the_next_of_the_class_stands_in_and_all_others_stay(folder, monkeypatch, kept, late):
    monkeypatch.setattr("zerosum.data.sources.folders.IN_MEMORY", 1 << 30 if kept else 0)
    for name in ("a/01", "a/02", "a/05", "b/11"):
        half(folder / f"{name}.png") if late else (folder / f"{name}.png").write_bytes(b"")
    data = Images(str(folder), bad="skip").open()
    assert (len(data), data.labels.tolist()) == (12, [0] * 6 + [1] * 6)
    assert shown(data) == shown(data) == [0, 3, 3, 3, 4, 0, 6, 7, 8, 9, 10, 6]
    assert shown(Images(str(folder), bad="skip").open()) == [0, 3, 3, 3, 4, 0, 6, 7, 8, 9, 10, 6]


def test_what_is_found_broken_is_reported_once(folder):
    (folder / "a" / "01.png").write_bytes(b"")
    for i in (3, 7, 8, 9, 10):
        half(folder / "ab"[i // 6] / f"{i:02}.png")
    data = Images(str(folder), bad="skip").open()
    empty = "is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged"
    assert data.notes == (f"1 of 12 images is broken and was replaced by another: a/01.png {empty}",)
    assert data.news() == ()
    for index in range(12):
        data.read(torch.tensor([index]))
    (sentence,) = data.news()
    assert sentence.startswith("5 of 12 images are broken and were replaced by others: a/03.png is damaged (")
    assert data.news() == ()
    again = info(Images(str(folder), bad="skip").open())
    assert len(again.notes) == 2


def test_of_many_five_are_named():
    some = Replacements([f"{i}.png" for i in range(9)], None)
    some.add(dict.fromkeys(range(7), "is damaged"))
    (sentence,) = some.news()
    assert sentence.endswith("3.png is damaged; 4.png is damaged; and 2 more")


def test_the_image_with_the_nearest_conditions_stands_in(folder):
    rows = "".join(f"{'ab'[i // 6]}/{i:02}.png,{abs(i - 4) / 7 + i / 1000}\n" for i in range(12))
    (folder / "conditions.csv").write_text(f"file,age\n{rows}")
    half(folder / "a" / "05.png")
    data = Images(str(folder), conditions="conditions.csv", bad="skip").open()
    assert shown(data) == [0, 1, 2, 3, 4, 3, 6, 7, 8, 9, 10, 11]


def test_of_equal_conditions_the_next_image_stands_in():
    conditions = conditions_of("x", np.array([0, 1, 0, 1, 0]))
    some = Replacements("abcde", conditions)
    some.add({2: "is damaged"})
    assert some.read(2, lambda i: i) == 4


def test_without_labels_the_next_stands_in_round_the_end():
    some = Replacements("abcde", None)
    some.add({4: "is damaged", 0: "is damaged"})
    assert [some.read(i, lambda i: i) for i in range(5)] == [1, 1, 2, 3, 1]


def test_a_file_that_goes_in_the_middle_is_reported_in_one_sentence(folder, monkeypatch):
    monkeypatch.setattr("zerosum.data.sources.folders.IN_MEMORY", 0)
    strict, lenient = Images(str(folder)).open(), Images(str(folder), bad="skip").open()
    (folder / "a" / "04.png").unlink()
    with pytest.raises(ValueError, match=r"a/04.png no longer exists, or is a broken link: restore it$"):
        strict.read(torch.tensor([4]))
    assert shown(lenient)[4] == 5
    assert "04.png no longer exists" in lenient.news()[0]


def test_too_many_broken_images_stop_all_the_same(folder, monkeypatch):
    monkeypatch.setattr("zerosum.data.sources.folders.IN_MEMORY", 0)
    data = Images(str(folder), bad="skip").open()
    for i in range(6):
        (folder / "a" / f"{i:02}.png").unlink()
    with pytest.raises(ValueError, match=r"no intact image of the same class is left as a replacement: a/02.png no"):
        data.read(torch.tensor([2]))
    (folder / "b" / "06.png").unlink()
    with pytest.raises(ValueError, match=r"more than half of the images are broken: b/06.png no longer exists"):
        data.read(torch.tensor([6]))
    for i in range(7, 12):
        (folder / "b" / f"{i:02}.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 5 images of .* can be read; the first is not a PNG"):
        Images(str(folder), bad="skip").open()


def test_error_is_what_happens_without_being_asked(folder):
    half(folder / "a" / "01.png")
    with pytest.raises(ValueError, match=r"a/01.png is damaged .*: replace it by one of the same name"):
        shown(Images(str(folder)).open())
    with pytest.raises(ValueError, match="Images needs bad to be error or skip, but was given"):
        Images(str(folder), bad="ignore")
    assert len(check(Images(str(folder), bad="skip")).broken) == 1


def test_it_is_reached_from_the_command_line():
    recipe = with_setting(with_setting(named("dcgan"), "data=Images('photos')"), "data.bad=skip")
    assert recipe.data == Images("photos", bad="skip")


def test_names_show_nothing_that_a_terminal_obeys(tmp_path):
    name = "\x1b[31mred\n\u202eevil"
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"/\\x1b\[31mred\\n\\u202eevil/a.png is not a PNG"):
        Images(str(tmp_path)).open()
    assert printable("größe 日本 é") == "größe 日本 é"
    assert printable(b"\xff\xfe".decode("utf-8", "surrogateescape")) == "\\udcff\\udcfe"
