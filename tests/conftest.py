"""What all tests written in Python have in common."""

import os
import signal
import sys
import threading

import pytest


class LeftOvers:
    """Ends the run although a thread that a failing test left behind does not end.

    Python waits for each thread that is no daemon before it exits, however long; one loop whose
    test could not stop it would keep the whole run from its end, and hide what failed.
    """

    status = 1

    def pytest_sessionfinish(self, exitstatus):
        self.status = exitstatus

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config):
        alive = [
            thread.name
            for thread in threading.enumerate()
            if thread is not threading.main_thread() and not thread.daemon
        ]
        if not alive:
            return
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(f"left behind by tests: {', '.join(alive)}", red=True)
        sys.__stdout__.flush()
        os._exit(self.status)


def pytest_configure(config):
    # A shell has what it runs in the background ignore this, and so would all that tests start.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(LeftOvers())
