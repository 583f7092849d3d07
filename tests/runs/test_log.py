import pytest
import torch

from zerosum.runs.log import Means, append_log, read_log, truncate_log


def test_means_are_over_the_rounds_in_which_a_name_was_said():
    means = Means()
    means.add({"a": torch.tensor(1.0), "b": torch.tensor(4.0)})
    means.add({"a": torch.tensor(2.0)})
    assert means.take() == {"a": 1.5, "b": 4.0}
    assert means.take() == {}


def test_a_line_cut_short_by_a_crash_is_left_out_and_one_damaged_within_is_told(tmp_path):
    append_log(tmp_path, {"images": 1})
    append_log(tmp_path, {"images": 2})
    path = tmp_path / "log.jsonl"
    path.write_text(path.read_text() + '{"images": 3, "D/lo')
    assert [entry["images"] for entry in read_log(tmp_path)] == [1, 2]
    path.write_text('{"images": 1}\nrubbish\n{"images": 2}\n')
    with pytest.raises(ValueError, match=r"line 2 of .*log\.jsonl is not JSON"):
        read_log(tmp_path)


def test_lines_beyond_a_checkpoint_are_dropped(tmp_path):
    for images in (10, 20, 30):
        append_log(tmp_path, {"images": images})
    truncate_log(tmp_path, 20)
    assert [entry["images"] for entry in read_log(tmp_path)] == [10, 20]
