"""live-trace's interface (2017.25.0): all stacks, each so many seconds, as text in a log; and what
the log says about where the time goes.

    python -m marey.compat.live_trace run-and-analyze script.py

Marey's own way to that is `marey run script.py` and, for processes that run, `marey attach PID`.
"""
