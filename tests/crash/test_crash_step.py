"""Whole at every instant, taken literally: the file after each single instruction."""

import pytest
from crash.look import look, run, sanitized

pytestmark = pytest.mark.skipif(sanitized(), reason="a sanitizer's instructions are too many")

BEGINS = {
    "plain": 6,
    "arguments": 3,
    "tracks": 3,
    "losses": 3,
    "chunks": 24,
    "attributes": 1,
    "close": 1,
}


@pytest.mark.parametrize("ring_bytes", [0, 256 << 10], ids=["file", "ring"])
@pytest.mark.parametrize("what", BEGINS)
def test_after_each_instruction(tmp_path, what, ring_bytes):
    trace = tmp_path / "t.perfetto-trace"
    said = run("step", trace, what, ring_bytes).said
    assert "broken_at_step" not in said, said
    assert said["begins_returned"] == BEGINS[what]
    assert said["steps"] > 1000
    assert said["changes"] > BEGINS[what]
    assert len(look(trace).spans()) == BEGINS[what]


def test_a_busy_thread_stopped_at_random(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    said = run("step", trace, "busy", 0).said
    assert "broken_at_step" not in said, said
    assert said["steps"] > 10000
    assert said["changes"] >= 300  # one a stop, and those that were seen within
    assert look(trace).names()["busy"] >= said["begins_returned"] > 1000
