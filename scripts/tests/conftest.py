"""What every test has: the signals and the environment as they were before it."""

import os
import signal

import pytest

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: slow, and rarely fails; CI leaves it out")


@pytest.fixture(autouse=True)
def signals_as_before():
    """Commands say for themselves what a signal does."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def no_machine_of_somebody(monkeypatch):
    monkeypatch.delenv("THREADREF_MACHINE", raising=False)


@pytest.fixture(autouse=True)
def no_wait_for_the_disk(monkeypatch):
    """No test stops the machine."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
