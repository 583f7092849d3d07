import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.sources import folders
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.folders import Images

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (12, 8, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]


def write(folder, **images):
    """Save arrays as images: a name's double underscore stands for a slash, its single one for the dot."""
    for name, array in images.items():
        path = folder / f"{name.replace('__', '/').replace('_', '.')}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)
    return str(folder)


def zipped(folder):
    """Pack a folder into a zip beside it, with the folder itself at the top."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent).as_posix())
    return str(path)


def everything(data):
    return data.read(torch.arange(len(data))).numpy()


@pytest.mark.parametrize("pack", [str, zipped], ids=["folder", "zip"])
def test_subfolders_are_the_classes(tmp_path, pack):
    folder = tmp_path / "zoo"
    shades = {
        f"{kind}__{number}_png": np.full((4, 4), shade, np.uint8)
        for kind, number, shade in [("cat", 2, 20), ("ant", 10, 30), ("cat", 1, 40), ("bee", 7, 50)]
    }
    write(folder, **shades)
    data = Images(pack(folder)).open()
    assert data.classes == ("ant", "bee", "cat")
    assert data.labels.tolist() == [0, 1, 2, 2]
    assert data.shape == (1, 4, 4)
    assert everything(data)[:, 0, 0, 0].tolist() == [30, 50, 40, 20]
    assert data.notes == ()
    assert data.read(torch.tensor([3, 0, 3]))[:, 0, 0, 0].tolist() == [20, 30, 20]


def test_deeper_folders_belong_to_the_class_at_the_top(tmp_path):
    data = Images(write(tmp_path, all__a__x__1_png=GREY, all__b__2_png=GREY, all__b__y__z__3_png=GREY)).open()
    assert (data.classes, data.labels.tolist()) == (("a", "b"), [0, 1, 1])


def test_one_folder_is_no_class_and_stray_images_leave_all_unlabelled(tmp_path):
    assert Images(write(tmp_path, a__1_png=GREY, a__2_png=GREY)).open().labels is None
    data = Images(write(tmp_path, b__1_png=GREY, stray_png=GREY)).open()
    assert (data.labels, data.classes) == (None, ())
    assert data.notes == ("no labels, as 1 of 4 images are outside the class folders",)


def test_parts_of_a_data_set_are_pointed_out(tmp_path):
    data = Images(write(tmp_path, train__1_png=GREY, test__1_png=GREY)).open()
    assert data.notes == ("the classes test, train look like splits of a data set: to use one, pass its folder",)


def test_hidden_files_are_passed_over_and_others_counted(tmp_path):
    write(tmp_path, a__1_png=GREY, b__1_png=GREY)
    for name in (".DS_Store", "a/.hidden.png", "__MACOSX/a/1.png", "Thumbs.db", "a/notes.txt", "b/film.MP4", "b/x.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no image")
    for path in (str(tmp_path), zipped(tmp_path)):
        data = Images(path).open()
        assert (data.count, data.classes) == (2, ("a", "b"))
        assert data.notes == ("ignored 3 other files (2 x .mp4, 1 x .txt) beside the images",)


def test_linked_folders_are_followed_but_not_in_circles(tmp_path):
    write(tmp_path / "real", a_png=GREY)
    write(tmp_path / "set", dog__1_png=GREY)
    (tmp_path / "set" / "cat").symlink_to(tmp_path / "real")
    (tmp_path / "set" / "dog" / "again").symlink_to(tmp_path / "set")
    data = Images(str(tmp_path / "set")).open()
    assert (data.count, data.classes) == (2, ("cat", "dog"))


def test_relative_paths_are_read(tmp_path, monkeypatch):
    write(tmp_path, a__b__1_png=GREY, c__1_png=GREY)
    monkeypatch.chdir(tmp_path)
    assert Images(".").open().classes == ("a", "c")


@pytest.mark.parametrize(("form", "close"), [("png", 0), ("webp", 0), ("jpg", 4), ("JPEG", 4)])
def test_each_format_is_read(tmp_path, form, close):
    smooth = np.add.outer(np.arange(16) * 8, np.arange(16) * 7).astype(np.uint8)
    options = {"lossless": True} if form == "webp" else {"quality": 98, "subsampling": 0}
    Image.fromarray(np.stack([smooth, smooth.T, 255 - smooth], 2)).save(tmp_path / f"a.{form}", **options)
    x = everything(Images(str(tmp_path)).open())[0]
    assert np.abs(x.astype(int) - np.stack([smooth, smooth.T, 255 - smooth])).max() <= close


def test_grey_stays_grey_only_if_all_are(tmp_path):
    assert Images(write(tmp_path, a_png=GREY, b_png=GREY)).open().shape == (1, 12, 8)
    data = Images(write(tmp_path, c_png=COLOUR)).open()
    assert data.shape == (3, 12, 8)
    x = everything(data)
    assert np.array_equal(x[0], np.stack([GREY] * 3))
    assert np.array_equal(x[2], COLOUR.transpose(2, 0, 1))


def test_exact_changes_no_image_and_refuses_images_of_different_sizes(tmp_path):
    path = write(tmp_path, a_png=GREY, b_png=GREY)
    assert np.array_equal(everything(Images(path, fit="exact").open())[0, 0], GREY)
    write(tmp_path, c_png=GREY[:, :5])
    with pytest.raises(ValueError, match="differ in size, from 12x5 to 12x8: pass a size for all of them"):
        Images(path, fit="exact").open()


def modes():
    """Images of every mode that the formats know, each with the pixels that it should become."""
    alpha = RANDOM.integers(0, 256, GREY.shape, dtype=np.uint8)
    share = alpha[..., None] / 255
    on_white = COLOUR * share + 255 * (1 - share)
    palette = Image.fromarray(COLOUR).quantize(8)
    transparent = Image.fromarray(GREY // 128).convert("P")
    transparent.putpalette([10, 20, 30, 40, 50, 60])
    return {
        "bits": (Image.fromarray(GREY > 127), np.where(GREY > 127, 255, 0)),
        "grey": (Image.fromarray(GREY), GREY),
        "grey, 16 bits": (Image.fromarray(GREY.astype(np.uint16) * 257), GREY),
        "grey and alpha": (Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)]), on_white[..., 0]),
        "grey palette": (Image.fromarray(GREY).convert("P"), GREY),
        "colour": (Image.fromarray(COLOUR), COLOUR),
        "colour and alpha": (Image.fromarray(np.dstack([COLOUR, alpha])), on_white),
        "palette": (palette, np.array(palette.convert("RGB"))),
        "palette with a clear colour": (
            transparent,
            np.where(GREY[..., None] < 128, [255, 255, 255], [40, 50, 60]),
        ),
    }


@pytest.mark.parametrize("mode", modes())
def test_every_mode_becomes_grey_or_rgb(tmp_path, mode):
    image, wanted = modes()[mode]
    image.save(tmp_path / "a.png", **({"transparency": 0} if "clear" in mode else {}))
    data = Images(str(tmp_path)).open()
    assert data.shape == (1 if wanted.ndim == 2 else 3, 12, 8)
    shown = everything(data)[0].transpose(1, 2, 0).squeeze()
    assert np.abs(shown - wanted.astype(float)).max() <= 1


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=95)
    red = everything(Images(str(tmp_path)).open())[0]
    assert red.shape == (3, 8, 8)
    assert (red[0] > 200).all()
    assert (red[1:] < 60).all()


@pytest.mark.parametrize("form", ["png", "jpg", "webp"])
def test_orientation_of_the_camera_is_applied(tmp_path, form):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    taken = np.zeros((16, 32, 3), np.uint8)
    taken[:, :16] = 255
    Image.fromarray(taken).save(tmp_path / f"a.{form}", exif=exif)
    data = Images(str(tmp_path)).open()
    assert data.shape == (3, 32, 16)
    x = everything(data)[0].mean(0)
    assert (x[:14] > 240).all()
    assert (x[18:] < 15).all()


def test_orientation_that_turns_by_no_quarter_keeps_the_sides(tmp_path):
    exif, half = Image.Exif(), np.zeros((16, 32), np.uint8)
    half[:8] = 255
    for orientation in (1, 3):
        exif[0x0112] = orientation
        Image.fromarray(half).save(tmp_path / f"{orientation}.png", exif=exif)
    upright, turned = everything(Images(str(tmp_path)).open())[:, 0]
    assert np.array_equal(upright, half)
    assert np.array_equal(turned, half[::-1])


def test_crop_keeps_the_middle_and_pad_keeps_all(tmp_path):
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 200
    path = write(tmp_path, a_png=wide)
    crop = everything(Images(path, size=10).open())[0, 0]
    assert crop.shape == (10, 10)
    assert np.abs(crop.astype(int) - 200).max() < 20
    pad = everything(Images(path, size=(30, 30), fit="pad").open())[0, 0]
    assert (pad[:10] == 255).all()
    assert (pad[20:] == 255).all()
    assert (pad[10:20, 12:18] > 195).all()
    assert (pad[10:20, :8] < 5).all()
    assert everything(Images(path, size=(2, 40), fit="pad").open()).shape == (1, 1, 2, 40)
    assert everything(Images(path, size=(40, 1), fit="pad").open()).shape == (1, 1, 40, 1)


def test_large_jpeg_is_scaled_down_rightly(tmp_path):
    smooth = np.add.outer(np.arange(512) / 4, np.arange(512) / 4).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    small = everything(Images(str(tmp_path), size=32).open())[0, 0]
    wanted = smooth.reshape(32, 16, 32, 16).mean((1, 3))
    assert np.abs(small - wanted).max() < 3


@pytest.mark.parametrize(("sides", "wanted"), [((20, 40), 16), ((40, 60, 200), 32), ((300, 90), 64), ((4, 8), 16)])
def test_images_of_different_sizes_become_squares_with_a_note(tmp_path, sides, wanted):
    images = {f"n{side}_png": np.zeros((side, side + 5), np.uint8) for side in sides}
    data = Images(write(tmp_path, **images)).open()
    assert data.shape == (1, wanted, wanted)
    assert data.notes == (f"the images differ in size, so each is resized to {wanted}x{wanted} (crop)",)
    assert everything(data).shape == (len(sides), 1, wanted, wanted)
    assert Images(str(tmp_path), size=8).open().notes == ()


def test_images_are_decoded_once_and_kept(tmp_path, monkeypatch):
    path, read, decode = write(tmp_path, a_png=GREY, b_png=255 - GREY), [], folders.decode
    monkeypatch.setattr(folders, "decode", lambda *args: read.append(args) or decode(*args))
    data = Images(path).open()
    assert not read
    first = data.read(torch.tensor([1, 1, 0]))
    assert len(read) == 2
    assert torch.equal(data.read(torch.tensor([1, 1, 0])), first)
    assert len(read) == 2
    monkeypatch.setattr(folders, "IN_MEMORY", 0)
    large = Images(path).open()
    for _ in range(2):
        assert torch.equal(large.read(torch.tensor([1, 1, 0])), first)
    assert len(read) == 8


def test_repr_is_the_config_also_of_a_path_object():
    assert Arrays(Path("a.npz")) == Arrays("a.npz")
    source = Images(Path("a/b"), size=(3, 4))
    assert repr(source) == "Images(path='a/b', size=(3, 4), fit='crop', conditions=None, bad='error', flip=False)"
    assert eval(repr(source)) == source


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"size": 0}, r"Images needs size >= 1, or \(H, W\), but was given Images\(path='x', size=0"),
        ({"size": (4, 0)}, r"Images needs size >= 1, or \(H, W\)"),
        ({"size": (4, 4, 3)}, r"Images needs size >= 1, or \(H, W\)"),
        ({"fit": "exact", "size": 8}, "Images needs no size with fit='exact'"),
        ({"fit": "stretch"}, "Images needs fit to be crop or pad or exact, but was given"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, needs):
    with pytest.raises(ValueError, match=needs):
        Images("x", **options)
