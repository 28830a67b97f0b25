"""marey pack: the same packets in less space, and back."""

import gzip
import subprocess
import zlib
from pathlib import Path

import pytest
from command import find_marey, peak_memory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos
from tracemaker import TraceMaker, filler, framed

BLOCK_MAX = 512 << 10


def pack(folder, data, *options):
    """The file that `marey pack` makes of these bytes."""
    source, target = folder / "in.perfetto-trace", folder / "out.perfetto-trace"
    source.write_bytes(data)
    subprocess.run(
        [find_marey(), "pack", "-q", source, "-o", target, *options], check=True, timeout=60
    )
    return target.read_bytes()


def packets_of(data):
    """Each packet's bytes, as the official protos write it."""
    return [one.SerializeToString() for one in protos.Trace.FromString(data).packet]


def unpacked(data):
    """The packets within compressed packets, which must be as viewers want them."""
    found = []
    for packet in protos.Trace.FromString(data).packet:
        if not packet.compressed_packets:
            found.append(packet.SerializeToString())
            continue
        assert packet.ByteSize() < BLOCK_MAX
        inflater = zlib.decompressobj()
        plain = inflater.decompress(packet.compressed_packets)
        assert inflater.eof and not inflater.unused_data, "not one whole stream"
        inner = protos.Trace.FromString(plain).packet
        assert not any(one.compressed_packets for one in inner), "compressed twice"
        found.extend(one.SerializeToString() for one in inner)
    return found


def some_trace(names, big=0):
    maker = TraceMaker()
    maker.clocks(realtime=10**18, monotonic=10**9, boottime=10**9)
    thread = maker.thread(10, 11, "main")
    writer = maker.sequence(deltas=True, interned=True, anchor=10**9, track=thread)
    for i, name in enumerate(names):
        writer.begin(thread, 10**9 + 20 * i, name)
        maker.raw(filler(16))
        args = {"text": "x" * big} if big else {}
        writer.end(thread, 10**9 + 20 * i + 10, args=args)
    return maker


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(st.text(max_size=20), max_size=60),
    level=st.integers(1, 9),
    split=st.integers(0, 60),
)
def test_packing_and_unpacking_gives_every_packet_again(tmp_path, names, level, split):
    maker = some_trace(names)
    head = TraceMaker()
    head.pieces = maker.pieces[:split]
    data = head.compressed() + b"".join(maker.pieces[split:]) if split else maker.data()
    packed = pack(tmp_path, data, "--level", str(level))
    assert unpacked(packed) == packets_of(maker.data())
    assert packets_of(pack(tmp_path, packed, "--unpack")) == packets_of(maker.data())


def test_a_long_trace_is_compressed_in_blocks(tmp_path):
    maker = some_trace(f"name {i % 100}" for i in range(30_000))
    packed = pack(tmp_path, maker.data())
    assert unpacked(packed) == packets_of(maker.data())
    assert len(packets_of(packed)) > 1
    assert len(packed) * 4 < len(maker.data())


@pytest.mark.parametrize("size", [499 << 10, 500 << 10, 600 << 10])
def test_packets_as_large_as_a_block(tmp_path, size):
    maker = some_trace(["a", "b", "c"], big=size)
    packed = pack(tmp_path, maker.data())
    assert packets_of(pack(tmp_path, packed, "--unpack")) == packets_of(maker.data())


def test_a_gzipped_trace_is_packed(tmp_path):
    maker = some_trace(["a", "b"])
    assert unpacked(pack(tmp_path, gzip.compress(maker.data()))) == packets_of(maker.data())


def test_what_lies_behind_damage_is_not_shown_at_wrong_times(tmp_path):
    """Events whose times depend on missing packets are left out: a copy does not show the gap."""
    maker = some_trace([f"name {i}" for i in range(100)])
    data = b"".join(maker.pieces[:80]) + b"\xff" * 50 + b"".join(maker.pieces[80:])
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(data)
    done = subprocess.run(
        [find_marey(), "pack", "-q", source, "-o", target], stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 1
    assert b"bytes that are no packet" in done.stderr
    kept = unpacked(target.read_bytes())
    assert kept == packets_of(b"".join(maker.pieces[:80]))


def test_a_closed_pipe_is_quiet(tmp_path):
    source = tmp_path / "in"
    source.write_bytes(some_trace([f"name {i}" for i in range(100_000)]).data())
    command = f"'{find_marey()}' pack -u '{source}' -o - | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=60)
    assert len(done.stdout) == 10
    assert done.stderr == b""


def test_a_large_file_takes_little_memory(tmp_path):
    source = tmp_path / "in"
    packet = protos.TracePacket()
    packet.trace_attributes.attribute.add(key="k", string_value="v" * 100_000)
    one = framed(packet)
    with source.open("wb") as to:
        for _ in range(500):
            to.write(one)
    assert source.stat().st_size > 50_000_000
    assert peak_memory("pack", "-q", source, "-o", tmp_path / "out") < 20_000_000
    assert Path(tmp_path / "out").stat().st_size < 1_000_000
