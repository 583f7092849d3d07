"""The first signal is remembered, the second one ends the program at once."""

import os
import signal
import threading

import pytest

from zerosum.training.signals import StopRequest


def test_the_first_is_remembered_and_the_second_takes_its_usual_course():
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        assert stop.number == 0
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
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
