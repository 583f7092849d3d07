"""Files of frames: what is written is read again, and damaged ones are refused in one sentence."""

import pytest
import safetensors.torch
import torch
from tests.frame_folders import LINE, PLANE, common, frame, written

from zerosum.runs.frames import FrameData, lattice, load_frames


def score(x):
    return x[:, 0]


@pytest.fixture
def folder(tmp_path):
    data = common(PLANE)
    written(tmp_path, PLANE, data, [frame(data, n, torch.randn(64, 2), score) for n in (0, 2_048, 512)])
    return tmp_path


def test_frames_are_read_in_the_order_of_images(folder):
    data, found = load_frames(folder)
    assert [one.images for one in found] == [0, 512, 2_048] and len(found[0].field) == 64**2
    assert torch.equal(data.real, common(PLANE).real)
    (folder / "frames" / "notes.txt").write_text("no frame")
    assert len(load_frames(folder)[1]) == 3


def test_a_window_shows_the_points_and_where_training_begins():
    line, far = common(LINE), common(LINE, offset=-30.0)
    assert line.low < 0 and line.high > 2.5
    assert far.low > 25, "0 is too far away"
    heavy = torch.cat([torch.randn(1_000, 1), torch.full((1, 1), 1e6)])
    assert FrameData.of(heavy, torch.zeros(1), torch.ones(1)).high < 20
    rare = torch.cat([0.1 * torch.randn(900, 1), 10 + 0.1 * torch.randn(100, 1)])
    assert FrameData.of(rare, torch.zeros(1), torch.ones(1)).high > 10.5, "a mode of a tenth of the points"
    one = FrameData.of(torch.ones(1, 2), torch.zeros(2), torch.ones(2))
    assert one.low.tolist() == [0, 0] and one.high.tolist() == [2, 2]
    assert lattice(one.low, one.high, 2).tolist() == [[0.5, 0.5], [0.5, 1.5], [1.5, 0.5], [1.5, 1.5]]


def test_a_run_without_frames_has_none(tmp_path):
    assert load_frames(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("data", {"real": torch.zeros(10, 3)}),
        ("data", {"scale": torch.zeros(2, dtype=torch.int64)}),
        ("data", {"scale": torch.zeros(2, dtype=torch.float64)}),
        ("data", {"low": torch.full((2,), 9.0, dtype=torch.float64)}),
        ("000000512", {"samples": torch.zeros(64)}),
        ("000000512", {"pushes": torch.zeros(3, 2)}),
        ("000000512", {"field": torch.zeros(7)}),
        ("000000512", {"real_scores": torch.zeros(7, 2)}),
        ("000000512", {"value": torch.zeros(2)}),
        ("000000512", {"more": torch.zeros(2)}),
        ("000000512", {"field": None}),
    ],
    ids=str,
)
def test_a_damaged_frame_is_refused(folder, name, changes):
    path = folder / "frames" / f"{name}.safetensors"
    tensors = {**safetensors.torch.load(path.read_bytes()), **changes}
    path.write_bytes(safetensors.torch.save({n: t for n, t in tensors.items() if t is not None}))
    with pytest.raises(ValueError, match=rf"{name}\.safetensors is damaged"):
        load_frames(folder)


def test_files_of_other_kinds_are_refused(folder):
    path = folder / "frames" / "000000512.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a valid safetensors file"):
        load_frames(folder)
    path.unlink()
    path.symlink_to(folder / "frames" / "000000000.safetensors")
    with pytest.raises(ValueError, match="not a regular file"):
        load_frames(folder)
