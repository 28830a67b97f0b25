"""Traces with samples, made with the official protos in the ways in which different writers do it.

    maker = SampledTrace(style="interned")
    maker.process(10, "app", ["app", "-v"]); maker.thread(10, 11, "main")
    maker.sample(Sample(time=..., pid=10, tid=11, stack=(("main", "app.py", 3), ...)))
    data = maker.data()

Styles: "interned" (StackSample, everything by number), "inline" (StackSample, nothing by number),
"named" (weights' descriptors by number, on each sample), "perf" (PerfSample with mappings)."""

import dataclasses

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos
from tracemaker import TraceMaker

STYLES = ("interned", "inline", "named", "perf")
WEIGHTS = (("wall", 1), ("cpu", 1), ("gil", 1), ("samples", 9), ("gil wait", 1))
START = 1_000_000_000_000


@dataclasses.dataclass(frozen=True)
class Sample:
    """Times are nanoseconds of CLOCK_MONOTONIC; a stack is (name, file, line), outermost first."""

    time: int
    pid: int
    tid: int
    stack: tuple
    wall: int = 1_000_000
    cpu: int = 0
    gil: int = 0
    wait: int = 0
    count: int = 1
    task: str = ""


class SampledTrace:
    def __init__(self, style="interned", chunk=0):
        """chunk: so many samples, then all is said anew; 0: never."""
        self.maker, self.style, self.chunk = TraceMaker(), style, chunk
        self.maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
        self.written = 0
        self.open()

    def data(self):
        return self.maker.data()

    def packet(self):
        return protos.TracePacket(trusted_packet_sequence_id=99)

    def open(self):
        self.ids = {}
        packet = self.packet()
        packet.sequence_flags = 1
        defaults = packet.trace_packet_defaults
        defaults.timestamp_clock_id = 3
        if self.style == "perf":
            defaults.perf_sample_defaults.timebase.name = "wall"
        else:
            defaults.stack_sample_defaults.source = "tests"
        if self.style in ("interned", "inline"):
            primary, *followers = WEIGHTS
            descriptor = defaults.stack_sample_defaults.primary_descriptor
            descriptor.name, descriptor.unit = primary
            for name, unit in followers:
                defaults.stack_sample_defaults.follower_descriptors.add(name=name, unit=unit)
        if self.style == "named":
            for iid, (name, unit) in enumerate(WEIGHTS, 1):
                packet.interned_data.stack_sample_counter_descriptors.add(
                    iid=iid, name=name, unit=unit
                )
        self.maker.add(packet)

    def process(self, pid, name, command=()):
        packet = self.packet()
        packet.process_tree.processes.add(pid=pid, cmdline=[name, *command[1:]])
        self.maker.add(packet)

    def thread(self, pid, tid, name):
        packet = self.packet()
        packet.process_tree.threads.add(tid=tid, tgid=pid, name=name)
        self.maker.add(packet)

    def counter(self, name, values):
        """values: (time, value)"""
        track = self.maker.counter(name)
        for time, value in values:
            packet = self.packet()
            packet.timestamp, packet.timestamp_clock_id = time, 3
            packet.track_event.type, packet.track_event.track_uuid = 4, track
            packet.track_event.counter_value = value
            self.maker.add(packet)

    def id_of(self, table, key):
        """The number of a thing, and whether it is new."""
        ids = self.ids.setdefault(table, {})
        return ids.setdefault(key, len(ids) + 1), len(ids)

    def intern(self, interned, table, key, **fields):
        known = len(self.ids.get(table, ()))
        iid, now = self.id_of(table, key)
        if now > known:
            getattr(interned, table).add(iid=iid, **fields)
        return iid

    def frame(self, interned, frame):
        name, file, line = frame
        fields = {
            "function_name_id": self.intern(
                interned, "function_names", name, str=name.encode(errors="surrogateescape")
            ),
            "line_number": line,
            "kind": 3,
        }
        if file and self.style == "perf":
            path = self.intern(interned, "mapping_paths", file, str=file.encode())
            fields["mapping_id"] = self.intern(interned, "mappings", file, path_string_ids=[path])
            fields["rel_pc"] = len(self.ids.get("frames", ()))
        elif file:
            fields["source_path_iid"] = self.intern(
                interned, "source_paths", file, str=file.encode()
            )
        return self.intern(interned, "frames", frame, **fields)

    def callstack(self, interned, stack):
        frames = [self.frame(interned, frame) for frame in stack]
        return self.intern(interned, "callstacks", stack, frame_ids=frames)

    def context(self, interned, sample):
        fields = {"pid": sample.pid, "tid": sample.tid}
        if sample.task:
            fields["async_id"] = self.intern(
                interned, "stack_sample_async_context_descriptors", sample.task, name=sample.task
            )
        key = (sample.pid, sample.tid, sample.task)
        return self.intern(interned, "stack_sample_task_contexts", key, **fields)

    def sample(self, sample):
        if self.chunk and self.written and self.written % self.chunk == 0:
            self.open()
        self.written += 1
        packet = self.packet()
        packet.timestamp, packet.timestamp_clock_id = sample.time, 3
        if self.style == "perf":
            perf = packet.perf_sample
            perf.cpu, perf.pid, perf.tid = 0, sample.pid, sample.tid
            perf.timebase_count = sample.wall
            perf.callstack_iid = self.callstack(packet.interned_data, sample.stack)
        else:
            self.stack_sample(packet, sample)
        self.maker.add(packet)

    def stack_sample(self, packet, sample):
        to = packet.stack_sample
        if self.style == "inline":
            to.task_context.pid, to.task_context.tid = sample.pid, sample.tid
            for name, file, line in sample.stack:
                to.callstack.frames.add(function_name=name, source_file=file, line_number=line)
        else:
            to.task_context_iid = self.context(packet.interned_data, sample)
            if sample.stack:
                to.callstack_iid = self.callstack(packet.interned_data, sample.stack)
        if self.style == "named":
            to.primary_descriptor_iid = 1
            to.follower_descriptor_iids.extend([2, 3, 4, 5])
        to.primary_weight = sample.wall
        to.follower_weights.extend([sample.cpu, sample.gil, sample.count, sample.wait])
