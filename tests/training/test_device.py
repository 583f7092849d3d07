import re
from dataclasses import replace

import pytest
import torch
from benchmarks.robustness.kills import POINTS

from zerosum.game.device import choose_device
from zerosum.training.device import choose_precision, has_bfloat16, load_warning, precision_context, seed_layers
from zerosum.training.train import train

CPU = torch.device("cpu")


def test_a_device_that_is_not_there_is_refused_with_those_that_are():
    assert choose_device("cpu") == CPU
    assert choose_device().type in ("cpu", "cuda", "mps")
    for name in ("abacus", "cuda:99" if not torch.cuda.is_available() else "xpu"):
        with pytest.raises(ValueError, match=f"no device '{name}' here; there is .*cpu"):
            choose_device(name)


def test_precision_is_chosen_by_what_the_device_does_natively(monkeypatch):
    for native in (True, False):
        monkeypatch.setattr("zerosum.training.device.has_bfloat16", lambda device, native=native: native)
        assert choose_precision("auto", CPU, convolutional=True) == ("bfloat16" if native else "float32")
        assert choose_precision("auto", CPU, convolutional=False) == "float32"
        assert choose_precision("float32", CPU, convolutional=True) == "float32"
    with pytest.raises(ValueError, match="this cpu device does not compute in bfloat16; use --precision float32"):
        choose_precision("bfloat16", CPU, convolutional=True)


def test_the_context_computes_in_the_precision():
    a = torch.ones(4, 4)
    with precision_context("float32", CPU)():
        assert (a @ a).dtype == torch.float32
    with precision_context("bfloat16", CPU)():
        assert (a @ a).dtype == torch.bfloat16
    assert isinstance(has_bfloat16(CPU), bool)


@pytest.mark.parametrize(
    ("cores", "load", "threads", "wanted"),
    [
        (2, 0.1, 2, ""),
        (2, 0.9, 2, ""),  # less than one other job
        (2, 1.2, 2, "OMP_NUM_THREADS=1$"),
        (2, 7.5, 2, "7.5 threads shared this machine's 2 cores.+OMP_NUM_THREADS=1"),
        (2, 7.5, 1, ""),
        (64, 30.4, 32, ""),
        (64, 40.4, 32, "OMP_NUM_THREADS=24$"),
    ],
)
def test_a_run_on_a_crowded_machine_says_how_many_threads_are_free(monkeypatch, cores, load, threads, wanted):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    assert re.search(wanted, load_warning(CPU)) if wanted else load_warning(CPU) == ""
    assert load_warning(torch.device("cuda")) == ""


def test_without_a_load_average_there_is_no_warning(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    monkeypatch.delattr("os.getloadavg")
    assert load_warning(CPU) == ""


def test_the_warning_is_printed_where_a_run_begins(tmp_path, monkeypatch, capsys):
    recipe = replace(POINTS, images=32)
    monkeypatch.setattr("zerosum.training.session.load_warning", lambda device: f"the {device} is crowded")
    train(recipe, tmp_path / "run")
    assert "the cpu is crowded" in capsys.readouterr().err


def test_layers_are_seeded_as_by_torch_itself_and_nothing_is_kept_of_a_call():
    state = torch.get_rng_state()
    torch.manual_seed(2**62 + 5)
    wanted = torch.rand(3)
    kept = len(torch.cuda._queued_calls)
    for _ in range(3):
        seed_layers(2**62 + 5, CPU)
        assert torch.equal(torch.rand(3), wanted)
    assert len(torch.cuda._queued_calls) == kept
    torch.set_rng_state(state)
