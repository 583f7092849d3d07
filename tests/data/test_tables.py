"""A table beside images: where it is found, how it is read, and what is refused."""

import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from zerosum.conditions.components import Attributes
from zerosum.data.inspect import check
from zerosum.data.sources.folders import Images

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)
TABLE = "file,smiling,angle\na.png,1,-3.5\nb.png,0,2e1\n"
BY_FOLDER = TABLE.replace("a.png", "cat/a.png").replace("b.png", "dog/b.png")


def images(folder, *names):
    for name in names or ("a.png", "b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGE).save(folder / name)
    return folder


def with_table(folder, text=TABLE, name="conditions.csv"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(folder)


def zipped(folder, inside):
    path = folder.parent / "packed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, inside + file.relative_to(folder).as_posix())
    return str(path)


def rows(data):
    return dict(zip(data.condition.components, data.conditions.values.T.tolist(), strict=True))


@pytest.mark.parametrize("inside", [None, "", "faces/", "all/faces/"])
def test_a_table_at_the_top_of_a_folder_or_zip_is_found(tmp_path, inside):
    with_table(images(tmp_path / "set"))
    data = Images(str(tmp_path / "set") if inside is None else zipped(tmp_path / "set", inside)).open()
    assert rows(data) == {"smiling": [1, 0], "angle": [-3.5, 20]}
    assert (data.labels, data.classes, data.notes) == (None, (), ())


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + TABLE.replace("file", '"file, as it is"').replace("\n", "\r\n").encode(),
        'which, smiling , angle\n\n"b.png","0", 20 \n./a.png,1,-3.5',
        "file,smiling,angle\nb.png,0,20\n a.png ,1.0,-35e-1\n\n",
    ],
    ids=["excel", "quoted", "spaces"],
)
def test_tables_are_read_as_people_write_them(tmp_path, text):
    assert rows(Images(with_table(images(tmp_path), text)).open()) == {"smiling": [1, 0], "angle": [-3.5, 20]}


def test_names_may_hold_what_names_hold(tmp_path):
    images(tmp_path, "a, b.png", "ä=1.png")
    text = 'file,"left, lit",x=y\n"a, b.png",1,0\nä=1.png,0,1\n'
    data = Images(with_table(tmp_path, text)).open()
    assert rows(data) == {"left, lit": [1, 0], "x=y": [0, 1]} and isinstance(data.condition, Attributes)


def test_paths_lead_from_the_table_or_from_the_folder_of_all_images(tmp_path):
    images(tmp_path, "img/deep/a.png", "img/deep/b.png")
    for text in (TABLE, TABLE.replace("a.png", "img/deep/a.png").replace("b.png", "img\\deep\\b.png")):
        assert rows(Images(with_table(tmp_path, text)).open())["smiling"] == [1, 0]
    with_table(tmp_path / "img", TABLE.replace(",1,", ",0,"))
    data = Images(str(tmp_path)).open()
    assert rows(data)["smiling"] == [0, 0], "the table nearest to the images counts"
    assert data.notes[0] == "ignored 1 other file (1 x .csv) beside the images"


def test_beside_a_table_folders_that_are_no_classes_need_no_note(tmp_path):
    images(tmp_path, "cat/a.png", "b.png")
    assert Images(str(tmp_path)).open().notes == ("no labels, as 1 of 2 images are outside the class folders",)
    data = Images(with_table(tmp_path, TABLE.replace("a.png", "cat/a.png"))).open()
    assert rows(data)["smiling"] == [0, 1] and data.notes == ()


def test_another_table_is_named_and_then_folders_are_no_classes(tmp_path):
    images(tmp_path, "cat/a.png", "dog/b.png")
    path = with_table(tmp_path, BY_FOLDER, "faces.csv")
    assert Images(path).open().classes == ("cat", "dog")
    data = Images(path, conditions="faces.csv").open()
    assert rows(data)["smiling"] == [1, 0] and (data.labels, data.classes, data.notes) == (None, (), ())
    with pytest.raises(ValueError, match=r" has no table 'face.csv', but has faces.csv$"):
        Images(path, conditions="face.csv").open()
    (tmp_path / "faces.csv").unlink()
    with pytest.raises(ValueError, match=r" has no table 'faces.csv', nor any .csv file"):
        Images(path, conditions="faces.csv").open()


def test_subfolders_and_a_table_that_nobody_named_are_one_too_many(tmp_path):
    images(tmp_path, "cat/a.png", "dog/b.png")
    with_table(tmp_path, BY_FOLDER)
    message = r"has both subfolders, which are classes, and conditions.csv: to use the table, pass condit"
    with pytest.raises(ValueError, match=message):
        Images(str(tmp_path)).open()
    assert rows(Images(str(tmp_path), conditions="conditions.csv").open())["angle"] == [-3.5, 20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "conditions.csv should begin with a header: the word file, then a name for each column of numbers"),
        ("file\na.png\nb.png\n", "should begin with a header"),
        ("file,smiling,\na.png,1,2\nb.png,1,2\n", "should begin with a header"),
        ("file;smiling\na.png;1\nb.png;0\n", "should begin with a header"),
        ("file,x,x\na.png,1,2\nb.png,1,2\n", "condition components of conditions.csv should have as many unique names"),
        ("file,x\na.png,1\n", r"conditions.csv has no row for 1 of 2 images, such as b.png"),
        ("file,x\na.png,1\nb.png,1\nc.png,1\n", "conditions.csv line 4 names 'c.png', but there is no such image"),
        ("file,x\na.png,1\n../set/b.png,1\n", "line 3 names '../set/b.png', but there is no such image"),
        ("file,x\na.png,1\nb.png,1\n./a.png,1\n", "line 4 names './a.png' a second time"),
        ("file,x,y\na.png,1,2\nb.png,1\n", "line 3 has 2 cells, where the header has 3"),
        ("file,x\na.png,1\nb.png,1,2\n", "line 3 has 3 cells, where the header has 2"),
        ("file,x\na.png,1\nb.png,yes\n", "line 3 has 'yes' under x, but should have a finite number"),
        ("file,x\na.png,1\nb.png,\n", "line 3 has '' under x, but should have a finite number"),
        ("file,x\na.png,nan\nb.png,1\n", "line 2 has 'nan' under x, but should have a finite number"),
        ("file,x\na.png,1e999\nb.png,1\n", "line 2 has '1e999' under x, but should have a finite number"),
        ("file,x\na.png,1_0\nb.png,1\n", "line 2 has '1_0' under x, but should have a finite number"),
        ('file,x\na.png,"1\nb.png,1\n', "conditions.csv unexpected end of data"),
        ("file,é\na.png,1\nb.png,1\n".encode("latin-1"), "conditions.csv is not UTF-8 text: save it as UTF-8"),
    ],
)
def test_tables_that_do_not_fit_are_refused_and_found_by_check(tmp_path, text, message):
    path = with_table(images(tmp_path / "set"), text)
    with pytest.raises(ValueError, match=message):
        Images(path).open()
    report = check(path)
    assert report.checked == 2
    (broken,) = report.broken
    assert re.search(message, broken.reason)


def test_a_table_too_large_is_not_read(tmp_path, monkeypatch):
    path = with_table(images(tmp_path), TABLE + "\n" * 1000)
    monkeypatch.setattr("zerosum.data.sources._files.MOST_BYTES", 500)
    assert "conditions.csv is larger than 0 MiB" in check(path).broken[-1].reason


def test_check_has_nothing_to_say_of_a_good_table(tmp_path):
    report = check(with_table(images(tmp_path)))
    assert (report.checked, report.broken, report.notes) == (2, (), ())
