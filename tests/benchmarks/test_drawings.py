"""The scores of coloured drawings, against numbers by hand."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.quality import applications, drawings
from benchmarks.quality.drawings import Pairs

from zerosum.data import SideBySide


def image(*rows):
    """Grey levels as an image of three equal channels."""
    return np.repeat(np.array(rows, np.uint8)[:, :, None], 3, 2)


TRUTH = Pairs(
    np.stack([image([255, 255], [0, 255]), image([255, 255], [0, 0])]),
    np.stack([image([51, 102], [0, 239]), image([204, 255], [0, 0])]),
)


def test_inside_is_what_colour_changes_by_more_than_sixteen_levels_in_any_channel():
    assert TRUTH.inside.tolist() == [[[True, True], [False, False]], [[True, False], [False, False]]]
    colour = TRUTH.line.copy()
    colour[1, 1, 1, 2] = 17
    assert replace(TRUTH, colour=colour).inside.sum() == 1


def test_errors_are_means_over_the_pixels_of_all_images():
    found = drawings.scores(TRUTH.line[None], TRUTH)
    assert found.inside[0] == pytest.approx((204 + 153 + 51) / 255 / 3) and found.best == found.inside
    assert found.outside[0] == pytest.approx(16 / 255 / 5) and found.distance == (0, 0)
    sums, counts = np.array([204 + 153, 51]) / 255, np.array([2, 1])
    residuals = sums - found.inside[0] * counts
    assert found.inside[1] == pytest.approx(np.sqrt(2 * (residuals**2).sum()) / 3)


def test_the_best_of_some_samples_is_chosen_for_each_drawing():
    first, second = TRUTH.colour.copy(), TRUTH.colour.copy()
    first[0, 0] += 51
    second[1, 0, 0] -= 102
    found = drawings.scores(np.stack([first, second]), TRUTH)
    assert found.inside[0] == pytest.approx((2 * 0.2 + 0.4) / 2 / 3)
    assert found.outside[0] == found.best[0] == 0
    assert found.distance[0] == pytest.approx((2 * 0.2 + 0.4) / 3)


def test_constant_colours_are_those_of_training_pixels_inside():
    train = Pairs(np.stack([image([255])] * 3), np.stack([image([0]), image([0]), image([102])]))
    assert drawings.mean_colour(train).tolist() == [34, 34, 34]
    assert drawings.palette(train, 2).tolist() == [[0, 0, 0], [102, 102, 102]]
    red = np.zeros((1, 4, 4, 3), np.uint8) + np.array([204, 51, 0], np.uint8)
    assert drawings.palette(Pairs(np.full_like(red, 255), red), 1).tolist() == [[204, 51, 0]]


def test_the_nearest_training_drawing_gives_its_colours():
    assert np.array_equal(drawings.nearest(TRUTH.line[[1, 0, 1]], TRUTH), TRUTH.colour[[1, 0, 1]])


def test_methods_have_rows_and_those_without_a_latent_no_samples(monkeypatch):
    monkeypatch.setattr(drawings, "pairs", lambda part: TRUTH)

    class Right:
        def sample(self, n, conditions, seed):
            assert n == 2 and conditions is TRUTH.line
            return np.clip(TRUTH.colour.astype(int) + 51 * (seed == 0), 0, 255).astype(np.uint8)

    mine, mean, five, nearest, line = drawings.rows("name", {"`mine`": Right()}, "7")
    assert mine.startswith("| name | `mine` | 0.0400 ± ") and "| 0.0000 ± 0.0000 | 0.0800 ± " in mine
    assert mine.endswith(" | 7 |") and all(row.endswith(" |  |") for row in (mean, five, nearest, line))
    assert nearest == "| name | nearest training pair | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 |  |  |  |"
    assert line.startswith("| name | the line | 0.5333 ± ") and "the mean colour" in mean


def test_training_pairs_are_written_side_by_side(monkeypatch, tmp_path):
    monkeypatch.setattr(drawings, "pairs", lambda part: TRUTH)
    made = SideBySide(str(drawings.folder(tmp_path)), part="all").open()
    assert drawings.source(tmp_path) == f"SideBySide({str(tmp_path / 'openmoji-train')!r}, flip=True, part='all')"
    c, x = applications.pairs_of(made)
    assert np.array_equal(c, TRUTH.line) and np.array_equal(x, TRUTH.colour)


def test_an_application_without_its_data_is_left_out_with_a_message(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(drawings, "PACK", tmp_path / "absent.npz")
    monkeypatch.setattr(applications, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(applications.marked, "write", lambda *_: None)
    (tmp_path / "page.md").write_text("")
    assert applications.main(["pix2pix-openmoji", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err == f"pix2pix-openmoji is left out: {tmp_path / 'absent.npz'} is absent\n"


@pytest.mark.skipif(not drawings.PACK.is_file(), reason="the drawings are not here")
def test_the_drawings_have_the_scores_of_record():
    truth, train = drawings.pairs("test"), drawings.pairs("train")
    assert (len(truth.line), len(train.line)) == (220, 1_975)
    errors = {name: drawings.scores(one, truth).inside[0] for name, one in drawings.baselines(truth, train).items()}
    wanted = {"the mean colour": 0.255, "nearest training pair": 0.267, "the line": 0.338}
    assert {name: errors[name] for name in wanted} == pytest.approx(wanted, abs=5e-4)
    assert np.abs(truth.line.astype(float) - truth.colour).mean() / 255 == pytest.approx(0.064, abs=5e-4)
