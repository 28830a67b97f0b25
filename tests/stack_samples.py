"""The StackSamples of a trace, by the official protos.

for sample in stack_samples.load(path):
    sample.frames    [(name, file, line), ...], outermost first
    sample.time, .pid, .tid, .wall_ns, .cpu_ns, .gil_ns, .gil_wait_ns, .samples, .sequence
"""

import dataclasses
from collections import defaultdict

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

CLEARED = 1  # SEQ_INCREMENTAL_STATE_CLEARED
MONOTONIC, BOOTTIME, FIRST_OF_SEQUENCE = 3, 6, 64


@dataclasses.dataclass
class Sample:
    """time: nanoseconds of CLOCK_MONOTONIC (of a trace that was cut: of CLOCK_BOOTTIME); of several
    that were alike, the first's.
    """

    time: int
    pid: int
    tid: int
    frames: list
    wall_ns: int
    cpu_ns: int
    gil_ns: int
    samples: int
    gil_wait_ns: int = 0
    sequence: int = 0


class _Sequence:
    def __init__(self):
        self.clear()
        self.origin = self.last = 0

    def clear(self):
        self.interned = defaultdict(dict)
        self.clock = 0

    def take(self, packet):
        if packet.sequence_flags & CLEARED:
            self.clear()
        for kind in (
            "function_names",
            "source_paths",
            "frames",
            "callstacks",
            "stack_sample_task_contexts",
        ):
            for entry in getattr(packet.interned_data, kind):
                self.interned[kind][entry.iid] = entry
        if packet.trace_packet_defaults.timestamp_clock_id:
            self.clock = packet.trace_packet_defaults.timestamp_clock_id
        clocks = {clock.clock_id: clock.timestamp for clock in packet.clock_snapshot.clocks}
        if FIRST_OF_SEQUENCE in clocks:
            told = clocks[MONOTONIC if MONOTONIC in clocks else BOOTTIME]
            self.origin = told - clocks[FIRST_OF_SEQUENCE]
            self.last = 0

    def time(self, packet):
        clock = packet.timestamp_clock_id or self.clock
        if clock != FIRST_OF_SEQUENCE:
            return packet.timestamp
        self.last += packet.timestamp
        return self.origin + self.last

    def text(self, kind, iid):
        return self.interned[kind][iid].str.decode() if iid else ""

    def frame(self, iid):
        frame = self.interned["frames"][iid]
        return (
            self.text("function_names", frame.function_name_id),
            self.text("source_paths", frame.source_path_iid),
            frame.line_number,
        )

    def sample(self, packet, time):
        sample = packet.stack_sample
        context = self.interned["stack_sample_task_contexts"][sample.task_context_iid]
        ids = []
        if sample.callstack_iid:
            ids = self.interned["callstacks"][sample.callstack_iid].frame_ids
        cpu, gil, count, *wait = sample.follower_weights
        return Sample(
            time,
            context.pid,
            context.tid,
            [self.frame(iid) for iid in ids],
            sample.primary_weight,
            cpu,
            gil,
            count,
            *wait,
        )


def load(path):
    trace = protos.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    sequences = defaultdict(_Sequence)
    found = []
    for packet in trace.packet:
        sequence = sequences[packet.trusted_packet_sequence_id]
        sequence.take(packet)
        time = sequence.time(packet) if packet.timestamp else 0
        if packet.HasField("stack_sample"):
            found.append(sequence.sample(packet, time))
            found[-1].sequence = packet.trusted_packet_sequence_id
    return found
