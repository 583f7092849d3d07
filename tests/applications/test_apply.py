"""Generators on files of any kind: an image or one sentence for each, and the input left alone."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from torch import nn

from zerosum.applications import ApplyOptions, apply_files
from zerosum.conditions import Image, Labels
from zerosum.game import Normal
from zerosum.recipes import dcgan
from zerosum.runs.applied import applied, blended, continued
from zerosum.runs.generator import TrainedGenerator

RANDOM = np.random.default_rng(0)
RECIPE = replace(dcgan(), latent=Normal(4))


class Local(nn.Module):
    """G(z, c): each pixel becomes `factor` x `factor` ones of c's first channels, darker by the latent."""

    def __init__(self, channels, factor=1):
        super().__init__()
        self.weight, self.channels, self.factor = nn.Parameter(torch.ones(())), channels, factor

    def forward(self, z, c):
        c = c[:, -self.channels :] if c.shape[1] > 4 else c[:, : self.channels]
        c = c.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)
        return self.weight * c - z.abs().mean(1)[:, None, None, None] / 4


class Oldest(Local):
    """G(z, c): the oldest frame."""

    def forward(self, z, c):
        return self.weight * c[:, : self.channels]


def made(channels=3, content="image", conditions=None, factor=1):
    kind = Image((conditions or channels, 16, 16), content=content)
    return TrainedGenerator(RECIPE, Local(channels, factor), (channels, 16 * factor, 16 * factor), 0, kind)


def noise(height, width, channels=3):
    return RANDOM.integers(0, 256, (height, width, channels), dtype=np.uint8)


def odd_files(folder):
    """Some 200 files as they are found in folders of people; returns the names of those that are no images."""
    folder.mkdir()
    for height, width in ((1, 1), (1, 9), (7, 5), (16, 16), (15, 17), (33, 64), (500, 3), (400, 640)):
        rgb = Picture.fromarray(noise(height, width))
        for mode in ("L", "RGB", "P", "1", "CMYK", "LA", "RGBA", "YCbCr"):
            suffix = {"CMYK": "jpg", "YCbCr": "tif", "P": "gif", "1": "bmp"}.get(mode, "png")
            rgb.convert(mode).save(folder / f"{mode}-{height}x{width}.{suffix}")
        rgb.save(folder / f"webp-{height}x{width}.webp", lossless=True)
        Picture.fromarray(noise(height, width, 1)[..., 0].astype(np.uint16) * 257).save(
            folder / f"wide-{height}x{width}.png"
        )
        exif = Picture.Exif()
        exif[0x0112] = 6
        rgb.save(folder / f"turned-{height}x{width}.jpg", exif=exif)
    whole = (folder / "RGB-33x64.png").read_bytes()
    bad = {}
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        bad[f"cut-{at:05}.png"] = whole[:at]
    for name, content in {
        "text.png": b"no image",
        "empty.jpg": b"",
        "readme.txt": b"hello",
        "page.svg": b"<svg/>",
    }.items():
        bad[name] = content
    for number in range(60):
        changed = bytearray(whole)
        changed[int(RANDOM.integers(8, len(whole)))] ^= 255
        bad[f"changed-{number:02}.png"] = bytes(changed)
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    return set(bad)


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_every_odd_file_becomes_an_image_or_a_sentence(tmp_path):
    bad = odd_files(tmp_path / "in")
    before = hashes(tmp_path / "in")
    assert len(before) > 180
    results = apply_files(made(factor=2), tmp_path / "in", tmp_path / "out")
    assert hashes(tmp_path / "in") == before and len(results) == len(before)
    for result in results:
        if result.error:
            assert result.source.name in bad and "\n" not in result.error and len(result.error) < 200
            continue
        (file,) = result.written
        with Picture.open(result.source) as source, Picture.open(file) as image:
            size = source.size[::-1] if "turned" in file.name else source.size
            assert image.size == (2 * size[0], 2 * size[1]), file.name
    names = {file.name for result in results for file in result.written}
    assert {"L-1x1.png", "CMYK-7x5.jpg", "P-16x16.gif.png", "webp-33x64.webp"} <= names
    failed = {result.source.name for result in results if result.error}
    assert {"text.png", "empty.jpg", "readme.txt", "page.svg", "cut-00000.png"} <= failed


def test_pixels_transparency_and_orientation_are_kept(tmp_path):
    pixels = np.concatenate([noise(20, 24), noise(20, 24, 1)], 2)
    Picture.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    generator = made()
    (result,) = apply_files(generator, tmp_path / "a.png", tmp_path / "b.png")
    with Picture.open(tmp_path / "b.png") as image:
        found = np.asarray(image)
    assert result.written == (tmp_path / "b.png",) and np.array_equal(found[..., 3], pixels[..., 3])
    shift = float(generator.latents(1).abs().mean()) / 4 * 127.5
    opaque = pixels[..., 3] == 255
    assert np.abs(found[..., :3][opaque] - (pixels[..., :3][opaque] - shift).clip(0, 255)).max(initial=0) <= 1


def test_variations_are_of_other_latents_and_each_seed_repeats(tmp_path):
    Picture.fromarray(noise(20, 20)).save(tmp_path / "a.png")
    (result,) = apply_files(made(), tmp_path / "a.png", tmp_path / "b.png", ApplyOptions(variations=3, seed=5))
    assert [file.name for file in result.written] == ["b-1.png", "b-2.png", "b-3.png"]
    assert len({file.read_bytes() for file in result.written}) == 3
    image = noise(20, 20)
    assert np.array_equal(applied(made(), image, 5, 2), made().apply(image, 5, variation=2))
    assert not np.array_equal(applied(made(), image, 5, 2), applied(made(), image, 6, 2))


def test_large_images_equal_the_whole():
    image = noise(700, 350)
    generator = made(factor=2)
    c = generator.condition.encode(torch.from_numpy(image).permute(2, 0, 1)[None])
    whole = generator.module(generator.latents(1), c)
    found = applied(generator, image)
    expected = ((whole[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255)
    assert np.abs(found.astype(int) - expected.detach().numpy()).max() <= 1 and found.shape == (1400, 700, 3)


def test_only_hidden_pixels_are_filled_in(tmp_path):
    generator, image = made(content="masked", conditions=4), noise(20, 30)
    hidden = np.zeros((20, 30), bool)
    hidden[4:9, 5:20] = True
    found = applied(generator, image, hidden=hidden)
    assert np.array_equal(found[~hidden], image[~hidden])
    assert (found[hidden] <= 128).all() and len(np.unique(found[hidden])) == 1, "G has not seen what was hidden"
    Picture.fromarray(np.dstack([image, (~hidden * 255).astype(np.uint8)]), "RGBA").save(tmp_path / "a.png")
    Picture.fromarray(image).save(tmp_path / "plain.png")
    Picture.fromarray((hidden * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    apply_files(generator, tmp_path / "a.png", tmp_path / "b.png")
    apply_files(generator, tmp_path / "plain.png", tmp_path / "c.png", ApplyOptions(mask=tmp_path / "mask.png"))
    for name in ("b.png", "c.png"):
        with Picture.open(tmp_path / name) as file:
            assert np.array_equal(np.asarray(file), found), name
    (result,) = apply_files(generator, tmp_path / "plain.png", tmp_path / "d.png")
    assert "pass a mask (--mask), or an image with transparency" in result.error and not (tmp_path / "d.png").exists()
    with pytest.raises(ValueError, match=r"the mask should have the size of the image, \(20, 30\); found \(20, 29\)"):
        applied(generator, image, hidden=hidden[:, 1:])
    with pytest.raises(ValueError, match="a mask is for a generator that fills in masked images"):
        applied(made(), image, hidden=hidden)
    with pytest.raises(ValueError, match=r"the mask .*text.png is not a PNG"):
        (tmp_path / "text.png").write_text("no")
        apply_files(generator, tmp_path / "a.png", tmp_path / "e.png", ApplyOptions(mask=tmp_path / "text.png"))


def test_a_clip_is_continued_frame_by_frame(tmp_path):
    generator = made(channels=3, content="frames", conditions=6)
    frames = [noise(16, 16) for _ in range(5)]
    further = [*continued(generator, frames, 3)]
    latents = generator.latents(3).abs().mean(1) / 4 * 127.5
    expected = frames[-1].astype(float)
    for frame, shift in zip(further, latents.tolist(), strict=True):
        expected = (expected - shift).clip(0, 255)
        assert np.abs(frame - expected).max() <= 2, "each is made from the last, darker by its latent"
        expected = frame.astype(float)
    oldest = replace(generator, module=Oldest(3))
    assert all(
        np.array_equal(a, b) for a, b in zip(continued(oldest, frames, 3), (*frames[-2:], frames[-2]), strict=True)
    )
    first, *rest = map(Picture.fromarray, frames)
    first.save(tmp_path / "a.webp", save_all=True, append_images=rest, duration=40, lossless=True)
    apply_files(generator, tmp_path / "a.webp", tmp_path / "b.webp", ApplyOptions(frames=4))
    with Picture.open(tmp_path / "b.webp") as clip:
        assert clip.n_frames == 9
    grey = made(channels=1, content="frames", conditions=5)
    apply_files(grey, tmp_path / "a.webp", tmp_path / "c.png", ApplyOptions(frames=1))
    with Picture.open(tmp_path / "c.png") as clip:
        found, luma = np.asarray(clip.convert("L")).astype(int), np.asarray(first.convert("L"))
    assert np.abs(found - luma).max() <= 1, "frames of colour are shown as the generator saw them"
    with pytest.raises(ValueError, match="continues clips of at least 2 frames; found 1"):
        next(continued(generator, frames[:1], 1))
    with pytest.raises(ValueError, match="continues clips: pass several frames"):
        applied(generator, frames[0])


def test_two_networks_are_mixed():
    one, other = made(), made()
    with torch.no_grad():
        other.module.weight.fill_(3.0)
    assert blended(one, other, 0.25).module.weight.item() == 1.5 and one.module.weight.item() == 1
    with pytest.raises(ValueError, match=r"fidelity is in \[0, 1\]; found 1.5"):
        blended(one, other, 1.5)
    with pytest.raises(ValueError, match="have networks of other shapes"):
        blended(one, replace(other, module=nn.Linear(2, 2)), 0.5)


def test_what_cannot_be_applied_is_refused(tmp_path):
    Picture.fromarray(noise(8, 8)).save(tmp_path / "a.png")
    generator = made()
    for source, target, sentence in (
        ("a.png", "a.png", "is the input: name another output"),
        ("none.png", "b.png", "there is no file or folder"),
        ("a.png", "b.xyz", r"the output of a file is one of FILE.png"),
        (".", "inside", "is inside"),
    ):
        with pytest.raises(ValueError, match=sentence):
            apply_files(generator, tmp_path / source, tmp_path / target)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(ValueError, match="is not empty: name a new folder"):
        apply_files(generator, tmp_path, tmp_path / "full")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no files"):
        apply_files(generator, tmp_path / "empty", tmp_path / "out")
    with pytest.raises(ValueError, match="variations and frames are numbers of images, at least 1; found 0 and 10"):
        ApplyOptions(variations=0)
    plain = TrainedGenerator(RECIPE, Local(1), (1, 16, 16), 0, Labels(3))
    with pytest.raises(ValueError, match="dcgan does not transform images: its condition is Labels"):
        apply_files(plain, tmp_path / "a.png", tmp_path / "b.png")
    with pytest.raises(ValueError, match="an image here has 1 or 3 channels, and the generator takes 2; found 3"):
        applied(made(channels=2), noise(8, 8))
