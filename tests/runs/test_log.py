import resource

import pytest
import torch

from zerosum.runs.log import Means, append_log, read_log, sync_log, truncate_log


def test_means_are_over_the_steps_in_which_a_name_was_logged():
    means = Means()
    means.add({"a": torch.tensor(1.0), "b": torch.tensor(4.0)})
    means.add({"a": torch.tensor(2.0)})
    assert means.take() == {"a": 1.5, "b": 4.0}
    assert means.take() == {}


def test_a_line_cut_short_by_a_crash_is_left_out_and_a_damaged_one_is_an_error(tmp_path):
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
    assert truncate_log(tmp_path, 20) == 2
    assert [entry["images"] for entry in read_log(tmp_path)] == [10, 20]


def test_lines_after_those_that_a_checkpoint_vouches_for_are_dropped(tmp_path):
    assert sync_log(tmp_path) == 0
    append_log(tmp_path, {"images": 10})
    assert sync_log(tmp_path) == 1
    append_log(tmp_path, {"images": 10, "rollback": {"count": 1}})
    assert truncate_log(tmp_path, 10, 1) == 1
    assert read_log(tmp_path) == [{"images": 10}]
    assert truncate_log(tmp_path, 10, 5) == 1, "fewer than were vouched for"


@pytest.mark.parametrize("rubbish", [b"\xff\xfe not text\n", b"rubbish\n{}\n", b"\0" * 4096, b'{"images": []}\n'])
def test_damage_beyond_a_checkpoint_does_not_matter(tmp_path, rubbish):
    append_log(tmp_path, {"images": 10})
    append_log(tmp_path, {"images": 20})
    path = tmp_path / "log.jsonl"
    path.write_bytes(path.read_bytes() + rubbish)
    assert truncate_log(tmp_path, 20, 2) == 2
    assert read_log(tmp_path) == [{"images": 10}, {"images": 20}]


def test_a_line_that_finds_no_room_leaves_no_part_of_itself(tmp_path):
    append_log(tmp_path, {"images": 10})
    path = tmp_path / "log.jsonl"
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_log(tmp_path, {"images": 20})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before


def test_means_go_on_from_their_sums_and_counts():
    straight, stopped, resumed = Means(), Means(), Means()
    logs = [{"a": torch.tensor(0.1), "b": torch.tensor(4.0)}, {"a": torch.tensor(0.2)}, {"a": torch.tensor(0.3)}]
    for log in logs:
        straight.add(log)
    for log in logs[:2]:
        stopped.add(log)
    resumed.load_state_dict(stopped.state_dict(), stopped.counts, torch.device("cpu"))
    resumed.add(logs[2])
    assert list(resumed.take().items()) == list(straight.take().items())


@pytest.mark.parametrize(
    ("sums", "counts", "message"),
    [
        ({"a": torch.tensor(1.0)}, {}, "sums for the log do not fit their counts"),
        ({"a": torch.ones(2)}, {"a": 1}, "sums for the log do not fit their counts"),
        ({"a": torch.tensor(1)}, {"a": 1}, "sums for the log do not fit their counts"),
        ({}, None, "sums for the log do not fit their counts"),
        ({"a": torch.tensor(1.0)}, {"a": 0}, "counts for the log should be integers above 0"),
        ({"a": torch.tensor(1.0)}, {"a": 1.0}, "counts for the log should be integers above 0"),
    ],
)
def test_sums_that_are_none_are_refused(sums, counts, message):
    with pytest.raises(ValueError, match=message):
        Means().load_state_dict(sums, counts, torch.device("cpu"))
