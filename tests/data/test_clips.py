"""Windows of frames from animations, videos and numbered images; a clip is in one part whole."""

import io
import sys
import zipfile

import av
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from zerosum.data import Clips
from zerosum.data.fingerprints import fingerprint
from zerosum.data.pairs import clips as module
from zerosum.data.sources import _frames

RANDOM = np.random.default_rng(0)


def film(frames=7, height=12, width=16, channels=3):
    return RANDOM.integers(0, 256, (frames, height, width, channels), dtype=np.uint8)


def pictures(frames):
    return [Picture.fromarray(frame if frame.shape[-1] > 1 else frame[..., 0]) for frame in frames]


def animated(path, frames, **options):
    first, *rest = pictures(frames)
    path.parent.mkdir(parents=True, exist_ok=True)
    first.save(path, save_all=True, append_images=rest, **options)


def numbered(folder, frames, name="{:04}.png", start=0, step=1):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(pictures(frames)):
        image.save(folder / name.format(start + step * i))


def windows_of(path, part="all", **options):
    data = Clips(str(path), part=part, **options).open()
    index = torch.arange(len(data))
    return data, torch.cat([data.conditions.of(index), data.read(index)], 1).numpy()


def expected(frames, length):
    """Windows (T - length + 1, length * C, H, W) of frames (T, H, W, C)."""
    planes = frames.transpose(0, 3, 1, 2)
    return np.stack([planes[t : t + length].reshape(-1, *planes.shape[2:]) for t in range(len(planes) - length + 1)])


@pytest.mark.parametrize(("past", "future"), [(4, 1), (1, 1), (2, 3)])
def test_windows_of_every_kind_of_clip(tmp_path, past, future):
    films = {name: film() for name in ("a.png", "b.webp", "c", "d.apng")}
    animated(tmp_path / "a.png", films["a.png"])
    animated(tmp_path / "b.webp", films["b.webp"], lossless=True, quality=0)
    numbered(tmp_path / "c", films["c"], "frame-{}.png", start=7)  # 7 to 13: not in the order of the alphabet
    animated(tmp_path / "d.apng", films["d.apng"], format="PNG")
    data, x = windows_of(tmp_path, past=past, future=future)
    assert data.shape == (3 * future, 12, 16) and data.condition.shape == (3 * past, 12, 16)
    assert np.array_equal(x, np.concatenate([expected(one, past + future) for one in films.values()]))
    per = 8 - past - future
    assert [data.named(i) for i in range(len(data))] == [name for name in films for _ in range(per)]


def test_a_gif_and_a_zip_of_grey_frames(tmp_path):
    frames = film(6, channels=1)
    animated(tmp_path / "in" / "a.gif", frames)
    for i in (0, 1, 2):
        numbered(tmp_path / "in" / f"still{i}", frames[:5], "{}.jpg")
    data, x = windows_of(tmp_path / "in", past=2)
    assert data.shape == (1, 12, 16) and np.array_equal(x[:4], expected(frames, 3))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted((tmp_path / "in").rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path / "in"))
    assert np.array_equal(windows_of(tmp_path / "all.zip", past=2)[1], x)
    assert windows_of(tmp_path / "in" / "still0", past=2)[0].named(0) == ".", "a folder of frames alone is one clip"


def test_sizes_are_those_of_images(tmp_path):
    animated(tmp_path / "a.png", film())
    animated(tmp_path / "b.png", film(height=40, width=80))
    data, x = windows_of(tmp_path)
    assert data.shape == (3, 16, 16) and any("each is resized to 16x16" in note for note in data.notes)
    assert windows_of(tmp_path, size=(8, 10))[1].shape == (6, 15, 8, 10)
    assert x.dtype == np.uint8


def test_a_clip_is_held_out_whole(tmp_path):
    for i in range(30):
        frames = np.full((6, 8, 8, 3), 8 * i, np.uint8)
        animated(tmp_path / f"{i:02}.png", frames + np.arange(6, dtype=np.uint8)[:, None, None, None])
    parts = {part: windows_of(tmp_path, part) for part in ("train", "test", "all")}
    shown = {part: {int(image.min()) // 8 for image in x} for part, (_, x) in parts.items()}
    assert shown["train"].isdisjoint(shown["test"]) and shown["train"] | shown["test"] == shown["all"] == set(range(30))
    assert 1 <= len(shown["test"]) <= 8 and len(parts["test"][1]) == 2 * len(shown["test"])
    train = parts["train"][0]
    assert {int(image.min()) // 8 for image in train.condition.truths} <= shown["test"]
    assert len({fingerprint(data) for data, _ in parts.values()}) == 3
    assert fingerprint(train) != fingerprint(Clips(str(tmp_path), past=3).open())
    assert Clips(str(tmp_path)) == Clips(f"{tmp_path}/")


def test_frames_are_decoded_once_and_forgotten_above_the_limit(tmp_path, monkeypatch):
    decoded = []

    def counting(name, *arguments):
        decoded.append(name)
        return _frames.decode_frames(name, *arguments)

    monkeypatch.setattr(module, "decode_frames", counting)
    for name in ("a", "b", "c"):
        animated(tmp_path / f"{name}.png", film())
    data, x = windows_of(tmp_path)
    assert sorted(decoded) == ["a.png", "b.png", "c.png"]
    monkeypatch.setattr(module, "IN_MEMORY", 2 * 7 * 3 * 12 * 16)
    decoded.clear()
    small = Clips(str(tmp_path), part="all").open()
    for _ in range(2):
        assert np.array_equal(small.read(torch.arange(len(data))).numpy(), x[:, 12:])
    assert len(decoded) > 3, "two of three fit"
    monkeypatch.setattr(module, "IN_MEMORY", 1000)
    with pytest.raises(ValueError, match=r"a\.png has 7 frames, of more than .* MiB at 12x16: choose a smaller size"):
        Clips(str(tmp_path)).open()


def test_what_is_left_out_is_noted(tmp_path):
    animated(tmp_path / "a.png", film())
    animated(tmp_path / "short.png", film(3))
    numbered(tmp_path / "gaps", film(3), start=1)
    numbered(tmp_path / "gaps", film(4), start=8)
    (tmp_path / "notes.md").write_text("x")
    data, _ = windows_of(tmp_path)
    assert "1 clips with fewer than 5 frames are left out" in data.notes
    assert "frames are missing among the numbers of 1 clips, such as gaps" in data.notes
    assert "ignored 1 other file (1 x .md) beside the clips" in data.notes
    with pytest.raises(ValueError, match=r"has no clip of 10 frames, the past and the future ones; the longest of 3"):
        windows_of(tmp_path, past=9)


def test_frames_that_cannot_be_ordered_are_refused(tmp_path):
    numbered(tmp_path / "a", film())
    Picture.new("RGB", (16, 12)).save(tmp_path / "a" / "cover.png")
    with pytest.raises(ValueError, match=r"cover\.png is one image and has no number in its name: frames are numbered"):
        windows_of(tmp_path)
    (tmp_path / "a" / "cover.png").rename(tmp_path / "a" / "b0003.png")
    with pytest.raises(ValueError, match=r"0003\.png and .*0003\.png have one number, 3: put each clip into a folder"):
        windows_of(tmp_path)
    for wrong in ({"past": 0}, {"future": 0}):
        with pytest.raises(ValueError, match="needs past >= 1 and future >= 1"):
            Clips("x", **wrong)
    for wrong in (0, (8, 0)):
        with pytest.raises(ValueError, match=r"needs size >= 1, or \(H, W\)"):
            Clips("x", size=wrong)
    with pytest.raises(ValueError, match="needs part to be train, test, all"):
        Clips("x", part="half")


def test_hostile_files_are_refused_by_name(tmp_path, monkeypatch):
    animated(tmp_path / "a.webp", film())
    whole = (tmp_path / "a.webp").read_bytes()
    (tmp_path / "a.webp").write_bytes(whole[:40])
    with pytest.raises(ValueError, match=r"a\.webp is (not a PNG|damaged).*: replace it by one of the same name"):
        windows_of(tmp_path)
    (tmp_path / "a.webp").unlink()
    animated(tmp_path / "b.png", film())
    with (
        monkeypatch.context() as patch,
        pytest.raises(ValueError, match=r"b\.png is cut short: 7 of its 8 frames can be decoded: replace it by"),
    ):
        patch.setattr(module, "frames_header", lambda *given: (_frames.frames_header(*given)[0], 8))
        windows_of(tmp_path)
    raw = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ValueError, match=r"b\.png is damaged"):
        windows_of(tmp_path)
    (tmp_path / "b.png").write_bytes(raw)
    for name, limit in (("_MOST_FRAMES", 5), ("_MOST_OVERALL", 1000), ("MOST_PIXELS", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(_frames, name, limit)
            with pytest.raises(ValueError, match=r"b\.png has more than .* frames, or .* megapixels in all of them"):
                windows_of(tmp_path)
            with pytest.raises(ValueError, match=r"^has more than .* frames, or .* megapixels in all of them"):
                _frames.decode_frames("b.png", raw, False, (12, 16))


def test_colour_after_a_grey_frame_is_refused(tmp_path):
    colours = [Picture.new("RGB", (16, 12), (200, 20 * i, 0)) for i in range(5)]
    Picture.new("L", (16, 12), 128).save(tmp_path / "a.gif", save_all=True, append_images=colours)
    with pytest.raises(ValueError, match=r"a\.gif has colour in frame 2 although its first frame is grey: save it"):
        windows_of(tmp_path)
    animated(tmp_path / "b.png", film())
    _, x = windows_of(tmp_path)
    assert x[0].reshape(5, 3, 12, 16)[0].tolist() == [[[128] * 16] * 12] * 3, "beside colour, all are RGB"


def test_the_default_image_of_a_png_is_no_frame(tmp_path):
    frames = film()
    first, *rest = pictures(frames)
    first.save(tmp_path / "a.png", save_all=True, append_images=rest, default_image=True)
    assert np.array_equal(windows_of(tmp_path)[1], expected(frames[1:], 5))


def test_a_video_needs_its_decoder(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match=r"a\.mp4 is a video, which needs the package av: pip install"):
        windows_of(tmp_path)


def test_frames_of_a_video(tmp_path):
    for suffix, container in ((".mp4", "mp4"), (".mkv", "matroska"), (".avi", "avi")):
        file = io.BytesIO()
        with av.open(file, "w", format=container) as video:
            stream = video.add_stream("mpeg4", rate=5)
            stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
            for i in range(8):
                frame = np.full((24, 32, 3), 30 * i, np.uint8)
                video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            video.mux(stream.encode())
        (tmp_path / f"a{suffix}").write_bytes(file.getvalue())
    data, x = windows_of(tmp_path)
    assert len(data) == 12 and data.shape == (3, 24, 32)
    for number in range(3):
        assert np.abs(x[4 * number + 2].reshape(5, -1).mean(1) - 30 * np.arange(2, 7)).max() < 6
    whole = (tmp_path / "a.mp4").read_bytes()
    for raw in (b"", whole[: len(whole) // 2], b"ftyp" * 99, b"#EXTM3U\nfile:///etc/passwd\n"):
        (tmp_path / "a.mp4").write_bytes(raw)
        with pytest.raises(ValueError, match=r"a\.mp4 (is damaged|has no video that can be decoded).*: replace"):
            windows_of(tmp_path)
