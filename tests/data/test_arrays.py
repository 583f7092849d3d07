from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.sources import arrays
from zerosum.data.sources.arrays import Arrays, ArraySource

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 8, 10, 3), dtype=np.uint8)
GREY = PIXELS[..., 0]


def everything(data):
    return data.read(torch.arange(len(data))).numpy()


def saved(folder, **content):
    np.savez(folder / "data.npz", **content)
    return str(folder / "data.npz")


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (PIXELS, PIXELS.transpose(0, 3, 1, 2)),
        (PIXELS.transpose(0, 3, 1, 2), PIXELS.transpose(0, 3, 1, 2)),
        (GREY, GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (PIXELS.astype(np.int64), PIXELS.transpose(0, 3, 1, 2)),
        (PIXELS / 255, PIXELS.transpose(0, 3, 1, 2)),
        ((PIXELS / 255).astype(np.float16), PIXELS.transpose(0, 3, 1, 2)),
        ((PIXELS / 127.5 - 1).astype(">f4"), PIXELS.transpose(0, 3, 1, 2)),
        (GREY > 99, np.where(GREY > 99, 255, 0)[:, None]),
    ],
    ids=["NHWC", "NCHW", "NHW", "NHW1", "int64", "0..1", "half", "-1..1", "bool"],
)
def test_images_of_any_layout_and_range_are_read(tmp_path, array, wanted):
    np.save(tmp_path / "images.npy", array)
    data = Arrays(str(tmp_path / "images.npy")).open()
    x = data.read(torch.tensor([4, 0, 4]))
    assert (data.name, data.count, data.shape) == ("images.npy", 6, wanted.shape[1:])
    assert x.dtype == torch.uint8
    assert x.is_contiguous()
    assert np.array_equal(x.numpy(), wanted[[4, 0, 4]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_in_rows_are_points(tmp_path, dtype):
    points = RANDOM.normal(size=(5, 3)).astype(dtype)
    np.save(tmp_path / "points.npy", points)
    data = Arrays(str(tmp_path / "points.npy")).open()
    assert (data.shape, data.is_image) == ((3,), False)
    kept = np.float32 if dtype == np.float16 else dtype  # float64 keeps its digits
    assert np.array_equal(everything(data), points.astype(kept)) and everything(data).dtype == kept
    assert ArraySource(points[:, 0]).open().shape == (1,)


def test_large_npy_stays_on_disk(tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", PIXELS)
    plain = everything(Arrays(str(tmp_path / "images.npy")).open())
    monkeypatch.setattr(arrays, "_IN_MEMORY", 0)
    mapped = Arrays(str(tmp_path / "images.npy")).open()
    assert np.array_equal(everything(mapped), plain)
    loaded = arrays._load(tmp_path / "images.npy")
    assert isinstance(loaded, np.memmap)


@pytest.mark.parametrize("key", ["images", "x", "x_train", "data", "points", "anything"])
def test_samples_are_found_beside_their_labels(tmp_path, key):
    label = "y_train" if key == "x_train" else "labels"
    data = Arrays(saved(tmp_path, **{key: GREY, label: np.array([0, 2, 2, 0, 1, 1])})).open()
    assert np.array_equal(everything(data)[:, 0], GREY)
    assert data.labels.tolist() == [0, 2, 2, 0, 1, 1]
    assert data.classes == ("0", "1", "2")


def test_labels_of_another_part_are_not_taken(tmp_path):
    path = saved(tmp_path, x_train=GREY, y_train=np.arange(6), x_test=GREY[::-1], y_test=np.arange(6)[::-1])
    assert Arrays(path).open().labels.tolist() == [0, 1, 2, 3, 4, 5]
    test = Arrays(path, images="x_test").open()
    assert test.labels.tolist() == [5, 4, 3, 2, 1, 0]
    assert np.array_equal(everything(test)[:, 0], GREY[::-1])
    assert Arrays(path, images="x_test", labels="y_train").open().labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert Arrays(saved(tmp_path, x_test=GREY, y_train=np.arange(6)), images="x_test").open().labels is None


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (["b", "a", "b", "b", "a", "c"], [1, 0, 1, 1, 0, 2], ("a", "b", "c")),
        ([7, 3, 7, 7, 3, -1], [2, 1, 2, 2, 1, 0], ("-1", "3", "7")),
        ([[1], [0], [1], [1], [0], [0]], [1, 0, 1, 1, 0, 0], ("0", "1")),
        ([1.0, 0.0, 1.0, 1.0, 0.0, 0.0], [1, 0, 1, 1, 0, 0], ("0", "1")),
    ],
)
def test_labels_of_any_form_become_numbers_of_classes(labels, numbers, classes):
    data = ArraySource(GREY, np.array(labels)).open()
    assert data.labels.tolist() == numbers
    assert data.classes == classes


def test_class_names_are_taken_where_they_are_given(tmp_path):
    path = saved(tmp_path, images=GREY, labels=np.array([0, 2, 0, 2, 0, 2]), class_names=np.array(["a", "b", "c"]))
    data = Arrays(path).open()
    assert data.classes == ("a", "b", "c")
    assert data.labels.tolist() == [0, 2, 0, 2, 0, 2]


def test_nearly_black_integers_are_noted():
    assert ArraySource(GREY).open().notes == ()
    (note,) = ArraySource((GREY > 99).astype(np.uint8)).open().notes
    assert note.startswith("no pixel is above 1 of 255")


@pytest.mark.parametrize(
    ("shape", "layout", "wanted"), [((2, 3, 5, 4), "NCHW", (3, 5, 4)), ((2, 3, 5, 4), "NHWC", (4, 3, 5))]
)
def test_layout_decides_what_the_shape_does_not(shape, layout, wanted):
    x = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    data = ArraySource(x, layout=layout).open()
    assert data.shape == wanted
    assert np.array_equal(everything(data), x if layout == "NCHW" else x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (ArraySource(PIXELS[:, :3]), r"\(6, 3, 10, 3\), where both of the second and last axis could be channels"),
        (ArraySource(PIXELS.repeat(2, 3)), r"where neither of .* pass layout='NHWC' or layout='NCHW'"),
        (ArraySource(PIXELS, layout="CHW"), "layout should be one of NHW, NHWC, NCHW, but is 'CHW'"),
        (ArraySource(PIXELS, layout="NHW"), r"array has shape \(6, 8, 10, 3\), which is not NHW"),
        (ArraySource(PIXELS[None]), r"should be images \(N, H, W, C\), .* but is \(1, 6, 8, 10, 3\)"),
        (ArraySource(PIXELS.astype(float)), r"floats from 0 to 255: convert them with .astype\('uint8'\)"),
        (ArraySource(PIXELS * 3.0), "integers in 0..255, or floats in 0..1 or -1..1, but are floats from 0 to"),
        (ArraySource(PIXELS.astype(int) - 9), "but are integers from -9 to 246$"),
        (
            ArraySource(np.where(np.isin(GREY, GREY[3, 2, 1]), np.nan, 0.5)),
            "NaN or infinite value, first at index [0-3]",
        ),
        (ArraySource(np.array([[0.0], [1e300]])), "has a point with NaN, infinity or a number above"),
        (ArraySource(PIXELS.reshape(6, -1)), r"uint8 of shape \(6, 240\), but points \(N, d\) should be floats: conv"),
        (ArraySource(np.zeros((0, 3))), r"should have at least one sample \(N, ...\), but has shape \(0, 3\)"),
        (ArraySource(np.array(1.0)), r"should have at least one sample .* has shape \(\)"),
        (ArraySource(np.array(["a", "b"])), "array should have a numeric dtype, but is <U1"),
        (ArraySource(GREY, np.arange(5)), r"array has 6 samples, but labels of shape \(5,\): pass one for each"),
        (ArraySource(GREY, np.arange(6) / 4), "labels of array should be integers or strings, but are float64"),
    ],
)
def test_arrays_that_cannot_be_data_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        source.open()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": GREY, "b": GREY}, r"should have its samples under one of images, .* has a uint8 \(6, 8, 10\), b ui"),
        ({}, "under one of images, .* but has nothing: name the key"),
        (
            {"x": GREY, "labels": np.zeros(6, int), "class_names": np.array([])},
            "has labels but no class names: pass cl",
        ),
        ({"x": GREY, "labels": np.full(6, 2), "class_names": np.array(["a", "b"])}, r"lie in 0\.\.1, .* 2 to 2"),
        (
            {"x": GREY, "labels": np.full(6, "a"), "class_names": np.array(["a"])},
            "the labels of data.npz are names already: omit the class names",
        ),
    ],
)
def test_files_without_their_parts_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        Arrays(saved(tmp_path, **content)).open()


def test_content_counts_and_not_the_suffix(tmp_path):
    np.save(tmp_path / "one.npy", GREY)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    assert Arrays(str(tmp_path / "one.npz")).open().count == 6
    Path(saved(tmp_path, images=GREY)).rename(tmp_path / "many.npy")
    assert Arrays(str(tmp_path / "many.npy")).open().count == 6


def test_keys_that_are_not_there_are_refused(tmp_path):
    path = saved(tmp_path, images=GREY)
    with pytest.raises(ValueError, match=r"data.npz has no 'x', but has images uint8 \(6, 8, 10\)"):
        Arrays(path, images="x").open()
    with pytest.raises(ValueError, match=r"data.npz has no 'y', but has images"):
        Arrays(path, labels="y").open()
    np.save(tmp_path / "one.npy", GREY)
    with pytest.raises(ValueError, match=r"one.npy has one unnamed array: omit images=, labels= and con"):
        Arrays(str(tmp_path / "one.npy"), images="x").open()


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_objects_are_never_unpickled(tmp_path, suffix):
    content = np.array([GREY, "a"], dtype=object)
    path = tmp_path / f"data.{suffix}"
    np.save(path, content) if suffix == "npy" else np.savez(path, images=content)
    with pytest.raises(ValueError, match="contains pickled Python objects, which are not loaded as they can run code"):
        Arrays(str(path)).open()


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("damage", ["empty", "text", "half", "flipped"])
def test_damaged_files_are_refused(tmp_path, suffix, damage):
    path = tmp_path / f"data.{suffix}"
    np.save(path, GREY) if suffix == "npy" else np.savez_compressed(path, images=GREY)
    whole = path.read_bytes()
    flipped = whole[:80] + bytes(255 - byte for byte in whole[80:120]) + whole[120:]
    path.write_bytes(
        {"empty": b"", "text": b"a,b\n1,2\n", "half": whole[: len(whole) // 2], "flipped": flipped}[damage]
    )
    with pytest.raises(ValueError, match=rf"data.{suffix} is damaged or not a .{suffix} file: "):
        Arrays(str(path)).open()


def test_no_damage_gets_past_the_sentence(tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, GREY)
    whole = path.read_bytes()
    for at in range(130):
        for byte in (0, 40, 39, 255):
            path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            try:
                everything(Arrays(str(path)).open())
            except ValueError as error:
                assert "data.npy" in str(error)


def test_arrays_too_large_for_memory_are_refused(tmp_path):
    np.save(tmp_path / "huge.npy", np.zeros(100))
    content = (tmp_path / "huge.npy").read_bytes().replace(b"(100,)", b"(1" + b"0" * 15 + b",)", 1)
    (tmp_path / "huge.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"huge.npy does not fit into memory: split it"):
        Arrays(str(tmp_path / "huge.npy")).open()


def test_packs_of_other_projects_are_read():
    pack = Path(__file__).parents[3] / "shared" / "data" / "quickdraw3.npz"
    if not pack.exists():
        pytest.skip("the pack of sketches is not at ../shared/data/quickdraw3.npz")
    data = Arrays(str(pack)).open()
    assert (data.count, data.shape, data.classes) == (3000, (1, 28, 28), ("cat", "rainbow", "train"))
