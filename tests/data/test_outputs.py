"""What zerosum writes into a folder of images does not become training data."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum._outputs import is_output, mark_folder, sheet_exif
from zerosum.cli import main
from zerosum.cli._films import write_film
from zerosum.data.fingerprints import fingerprint
from zerosum.data.image_files import write_clip
from zerosum.data.inspect import check
from zerosum.data.pairs.clips import Clips
from zerosum.data.resolve import source
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packing import pack
from zerosum.runs.run import Run

PIXELS = np.random.default_rng(0).integers(0, 255, (6, 16, 16), np.uint8)
RECIPE = "Recipe(\n    name='x',\n)\n"


def written(folder, names):
    for name, pixels in zip(names, PIXELS, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Images of two classes, which is the current folder."""
    folder = tmp_path / "photos"
    written(folder, ["a/0.png", "a/1.png", "b/0.png", "b/1.png"])
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["zerosum", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        return said.out + said.err

    return run


def add_outputs(folder):
    """A run with its sample images, a folder of samples, and image sheets, as earlier commands left them."""
    (folder / "runs/x").mkdir(parents=True)
    (folder / "runs/x/recipe.txt").write_text(RECIPE)
    written(folder, ["runs/x/samples/000000000.png", "generated/a/000000.png"])
    mark_folder(folder / "generated")
    for name in ("contact-sheet.png", "s.jpg", "s.webp"):
        Image.fromarray(PIXELS[0]).save(folder / name, exif=sheet_exif())
    assert is_output(folder / "runs/x") and is_output(folder / "generated") and not is_output(folder)


def test_runs_sheets_and_samples_are_passed_over_and_counted(photos):
    before = source(".").open()
    add_outputs(photos)
    for data in (source(".").open(), Images(".", bad="skip").open()):
        assert (
            data.count == 4
            and data.classes == ("a", "b")
            and data.notes == ("passed over 5 outputs of zerosum (generated, ...)",)
        )
        assert fingerprint(data) == fingerprint(before)
        assert torch.equal(data.read(torch.arange(4)), before.read(torch.arange(4)))
    report = check(".")
    assert (report.checked, report.broken, report.notes) == (4, (), data.notes)


def test_those_in_a_zip_are_passed_over_too(photos, tmp_path):
    before = source(".").open()
    add_outputs(photos)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(photos.rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
    data = source(tmp_path / "photos.zip").open()
    assert data.count == 4 and data.classes == before.classes
    assert data.notes == ("passed over 5 outputs of zerosum (photos/generated, ...)",)


def test_a_text_of_another_program_and_a_named_folder_of_samples_are_data(photos):
    (photos / "a/recipe.txt").write_text("Two eggs")
    (photos / "b/recipe.txt").symlink_to(photos / "gone")
    assert source(".").open().count == 4
    mark_folder(photos)  # samples, as --out writes them, are data where they are named
    assert source(photos).open().count == 4
    mark_folder(photos / "a")
    assert source(photos).open().count == 2


def test_a_folder_of_outputs_alone_is_refused(tmp_path):
    add_outputs(tmp_path)
    with pytest.raises(
        ValueError, match=r" has no images but 5 outputs of zerosum \(generated, \.\.\.\): name a folder"
    ):
        Images(str(tmp_path)).open()
    for name in ("contact-sheet.png", "s.jpg", "s.webp"):
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=r" has no images .*: it has 2 outputs of zerosum \(generated, \.\.\.\)$"):
        Images(str(tmp_path)).open()


def test_commands_in_a_folder_of_images_leave_the_data_as_they_were(photos, command):
    before = fingerprint(source(".").open())
    small = ("images=8", "batch=4", "tick=4", "snapshot=4", "generator.size=4", "discriminator.size=4")
    options = [word for setting in small for word in ("--set", setting)]
    command("data", "info", ".")
    command("train", "dcgan", "--data", ".", *options, "--seed", 1)
    command("sample", "runs/dcgan", "--n", 4, "--out", "grid.png")
    command("sample", "runs/dcgan", "--n", 4, "--out", "generated")
    command(
        "evaluate",
        "generated",
        ".",
        "--metrics",
        "memorisation",
        "--held-out",
        ".",
        "--features",
        "pixels",
        "--out",
        "scores.json",
    )
    command("data", "pack", ".", "packed")
    assert {"contact-sheet.png", "grid.png", "generated", "packed"} <= {path.name for path in photos.iterdir()}
    data = source(".").open()
    assert data.count == 4 and data.classes == ("a", "b") and fingerprint(data) == before
    facts = json.loads(command("data", "info", ".", "--json"))
    assert facts["count"] == 4 and "passed over" in " ".join(facts["notes"])
    shutil.rmtree(Run("runs/dcgan").checkpoints[0])
    (photos / "runs/dcgan/generator.safetensors").unlink()
    assert "resuming after 4 images" in command("train", "dcgan", "--data", ".", *options, "--seed", 1)


@pytest.mark.parametrize("name", ["film.webp", "film.gif", "film.apng", "film.png"])
def test_films_are_passed_over(photos, name):
    """`zerosum watch` and `walk` write them."""
    written(photos, ["clip/1.png", "clip/2.png"])
    before = fingerprint(source(".").open()), fingerprint(Clips(".", past=1, part="all").open())
    write_film(photos / name, [*PIXELS[..., None].repeat(3, 3)], 100)
    assert fingerprint(source(".").open()) == before[0]
    assert fingerprint(Clips(".", past=1, part="all").open()) == before[1]
    write_clip(photos / "mine.webp", [*PIXELS[..., None]], 100)
    assert source(".").open().count == 7


def test_a_sheet_has_a_format_that_is_recognised(photos, command, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["zerosum", "data", "info", ".", "--sheet", "sheet.bmp"])
    with pytest.raises(SystemExit):
        main()
    assert "sheet.bmp should end in .png, .jpg, .jpeg or .webp" in capsys.readouterr().err


def test_packing_into_the_data_is_continued(photos, monkeypatch):
    from zerosum.data.sources import packing

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(packing, "manifest", killed)
        pack(".", "packed")
    assert (photos / "packed/packing.jsonl").exists()
    assert pack(".", "packed").count == 4
    assert pack(".", "packed").count == 4
