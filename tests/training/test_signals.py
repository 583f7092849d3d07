"""The first signal is remembered, the second one ends the program at once, unless it is SIGHUP."""

import signal
import threading

import pytest

from zerosum.training.signals import Interrupted, StopRequest, Terminated, stopped_by


@pytest.fixture(autouse=True)
def usual():
    """SIGINT as Python has it at a start, which a test's own process may have changed."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_is_remembered_and_the_second_takes_its_usual_course():
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        assert stop.number == 0
        signal.raise_signal(signal.SIGINT)
        assert stop.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            threading.Event().wait(5)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_and_after_it_signals_are_left_alone():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_it_takes_no_signal_and_does_not_mind():
    found = []

    def enter():
        with StopRequest() as stop:
            found.append((stop.number, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [(0, before)]


def test_a_hangup_is_a_stop_and_a_further_one_is_ignored():
    """A terminal that closes sends SIGHUP, and then its shell does; systems send it after SIGTERM."""
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert stop.number == signal.SIGHUP
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "a second signal of another kind stops at once"
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_hangup_that_is_ignored_at_the_start_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.number == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_is_a_keyboard_interrupt_and_the_others_end_the_interpreter():
    assert isinstance(stopped_by(signal.SIGINT), Interrupted) and issubclass(Interrupted, KeyboardInterrupt)
    for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        stopped = stopped_by(number)
        assert isinstance(stopped, Terminated) and isinstance(stopped, SystemExit) and stopped.code == status
