"""What a process does before it meets the others, and what one alone does."""

import signal

import pytest
import torch
from torch.distributed import HashStore

from zerosum.training.ranks import RankGroup, _rendezvous_store, is_distributed, is_main_process, joined, report_once
from zerosum.training.signals import StopRequest


@pytest.fixture
def second_of_two(monkeypatch):
    """The environment that torchrun gives the second of two processes."""
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("zerosum.training.ranks._rendezvous_store", lambda count: HashStore())


def refused(name):
    """What is said against a device."""
    with pytest.raises(ValueError, match=r"^(several|each) process") as raised, joined(name):
        pass
    return str(raised.value)


@pytest.mark.usefixtures("second_of_two")
def test_each_process_of_a_machine_needs_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert refused("cuda") == "each process needs a GPU of its own and 1 are here: --nproc-per-node 1"
    assert refused("auto") == refused("cuda")
    assert refused("cuda:0") == "each process has a GPU of its own: give --device cuda and not cuda:0"


@pytest.mark.usefixtures("second_of_two")
def test_several_processes_do_not_compute_on_mps(monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert refused("mps") == "several processes compute on cpu or cuda: give --device cpu"


@pytest.mark.usefixtures("second_of_two")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "RANK",
            None,
            "^RANK in the environment of several processes is what torchrun sets; found nothing: start ",
        ),
        ("RANK", "one", "^RANK in the environment .*; found 'one': start them with torchrun$"),
        ("RANK", "2", "^RANK is the number of this process, below WORLD_SIZE=2; found 2: use torchrun$"),
        ("WORLD_SIZE", "two", "^WORLD_SIZE in the environment .*; found 'two': start them with torchrun$"),
    ],
)
def test_an_environment_that_is_not_torchruns_is_refused(monkeypatch, name, value, message):
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message), joined("cpu"):
        pass


@pytest.mark.parametrize("name", ["MASTER_ADDR", "MASTER_PORT", "RANK"])
def test_processes_cannot_meet_without_an_address(monkeypatch, name):
    for key, value in {"RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv(name)
    with pytest.raises(ValueError, match=f"^{name} in the environment of several processes .*; found nothing: start"):
        _rendezvous_store(2)


def test_one_process_is_in_its_own_company(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert is_main_process() and not is_distributed()
    done = []
    with joined("cpu") as group:
        group.on_first_rank(lambda: done.append(1))
        assert group.maximum(15) == 15
        assert group.broadcast_checkpoint(None) is None
        assert group.broadcast_facts({"a": 1}) == {"a": 1}
    assert done == [1] and group.device == torch.device("cpu")
    assert RankGroup(torch.device("cpu")).gloo is None


@pytest.mark.usefixtures("second_of_two")
def test_the_second_process_is_silent():
    assert is_distributed() and not is_main_process()


def test_errors_before_they_join_are_reported_once_per_machine(monkeypatch):
    for rank, local, received in ((0, 0, ValueError), (1, 1, SystemExit), (2, 0, ValueError), (3, 1, SystemExit)):
        for name, value in {"RANK": rank, "LOCAL_RANK": local, "WORLD_SIZE": 4}.items():
            monkeypatch.setenv(name, str(value))
        with pytest.raises(received), report_once():
            raise ValueError("there is no recipe file here")


def test_under_torchrun_a_signal_may_come_twice():
    with StopRequest(patient=True) as stop:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        assert stop.number == signal.SIGINT


def test_words_of_a_signal_change_only_where_there_are_some():
    for patient, words in ((False, "later; twice ends"), (True, "later")):
        stop = StopRequest(words="first", patient=patient)
        stop.set_message("later", "; twice ends")
        assert stop.words == words
    silent = StopRequest()
    silent.set_message("later")
    assert silent.words == ""
