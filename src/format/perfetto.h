/* The numbers of the Perfetto trace format that Marey writes and reads.
 *
 * Source: protos/perfetto/trace/ of google/perfetto, v58: trace.proto, trace_packet.proto, those of track_event,
 * clock_snapshot.proto, interned_data.proto; those of samples are named below. Names follow the protos: MESSAGE__field. */
#ifndef MAREY_FORMAT_PERFETTO_H
#define MAREY_FORMAT_PERFETTO_H

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

/* A field's tag, as it stands before the field. */
#define TAG(field, wire) ((uint32_t)(field) << 3 | (uint32_t)(wire))

/* Trace. 15 is not used by Perfetto: its payload is space that is not used (docs/FORMAT.md). */
enum { TRACE__packet = 1, TRACE__filler = 15 };

enum {
    PACKET__process_tree = 2,
    PACKET__clock_snapshot = 6,
    PACKET__timestamp = 8,
    PACKET__trusted_packet_sequence_id = 10,
    PACKET__track_event = 11,
    PACKET__interned_data = 12,
    PACKET__sequence_flags = 13,
    PACKET__incremental_state_cleared = 41, /* the old way to say SEQUENCE_STATE_CLEARED */
    PACKET__previous_packet_dropped = 42,
    PACKET__compressed_packets = 50,
    PACKET__timestamp_clock_id = 58,
    PACKET__trace_packet_defaults = 59,
    PACKET__track_descriptor = 60,
    PACKET__perf_sample = 66,
    PACKET__trace_uuid = 89,
    PACKET__machine_id = 98,
    PACKET__trace_attributes = 126,
    PACKET__zstd_compressed_packets = 133,
    PACKET__stack_sample = 135,
};

enum { SEQUENCE_STATE_CLEARED = 1, SEQUENCE_NEEDS_STATE = 2 };

enum { CLOCK_SNAPSHOT__clocks = 1, CLOCK_SNAPSHOT__primary_trace_clock = 2 };
enum {
    CLOCK__id = 1,
    CLOCK__timestamp = 2,
    CLOCK__is_incremental = 3,
    CLOCK__unit_multiplier_ns = 4
};
enum {
    CLOCK_ID_REALTIME = 1,
    CLOCK_ID_MONOTONIC = 3,
    CLOCK_ID_BOOTTIME = 6,
    CLOCK_ID_SEQUENCE = 64, /* the first of those that belong to a sequence */
    CLOCK_ID_GLOBAL = 128,  /* the first of those that are custom, but the whole trace's */
};

enum {
    DEFAULTS__track_event_defaults = 11,
    DEFAULTS__perf_sample_defaults = 12,
    DEFAULTS__timestamp_clock_id = 58,
    DEFAULTS__stack_sample_defaults = 100,
};
enum {
    EVENT_DEFAULTS__track_uuid = 11,
    EVENT_DEFAULTS__extra_counter_track_uuids = 31,
    EVENT_DEFAULTS__extra_double_counter_track_uuids = 45,
};
enum { TRACE_UUID__msb = 1, TRACE_UUID__lsb = 2 };
enum { TRACE_ATTRIBUTES__attribute = 1 };
enum { ATTRIBUTE__key = 1, ATTRIBUTE__long_value = 2, ATTRIBUTE__string_value = 3 };

enum {
    TRACK_DESCRIPTOR__uuid = 1,
    TRACK_DESCRIPTOR__name = 2,
    TRACK_DESCRIPTOR__process = 3,
    TRACK_DESCRIPTOR__thread = 4,
    TRACK_DESCRIPTOR__parent_uuid = 5,
    TRACK_DESCRIPTOR__counter = 8,
    TRACK_DESCRIPTOR__static_name = 10,
    TRACK_DESCRIPTOR__atrace_name = 13,
    TRACK_DESCRIPTOR__sibling_merge_behavior = 15,
};
enum { SIBLING_MERGE_NONE = 2 };
enum {
    PROCESS__pid = 1,
    PROCESS__cmdline = 2,
    PROCESS__process_name = 6,
    PROCESS__start_timestamp_ns = 7,
};
enum { THREAD__pid = 1, THREAD__tid = 2, THREAD__thread_name = 5 };
enum {
    COUNTER__unit = 3,
    COUNTER__unit_multiplier = 4,
    COUNTER__is_incremental = 5,
    COUNTER__unit_name = 6
};

enum {
    EVENT__category_iids = 3,
    EVENT__debug_annotations = 4,
    EVENT__legacy_event = 6,
    EVENT__type = 9,
    EVENT__name_iid = 10,
    EVENT__track_uuid = 11,
    EVENT__extra_counter_values = 12,
    EVENT__categories = 22,
    EVENT__name = 23,
    EVENT__counter_value = 30,
    EVENT__extra_counter_track_uuids = 31,
    EVENT__source_location = 33,
    EVENT__source_location_iid = 34,
    EVENT__flow_ids_old = 36,             /* as numbers */
    EVENT__terminating_flow_ids_old = 42, /* likewise */
    EVENT__double_counter_value = 44,
    EVENT__extra_double_counter_track_uuids = 45,
    EVENT__extra_double_counter_values = 46, /* fixed64 */
    EVENT__flow_ids = 47,                    /* fixed64, not packed */
    EVENT__terminating_flow_ids = 48,        /* fixed64, not packed */
    EVENT__callstack = 55,
    EVENT__callstack_iid = 56,
};
enum event_type {
    EVENT_BEGIN = 1,
    EVENT_END = 2,
    EVENT_INSTANT = 3,
    EVENT_COUNTER = 4,
    EVENT_STATE = 5,
};

enum {
    ANNOTATION__name_iid = 1,
    ANNOTATION__bool_value = 2,
    ANNOTATION__uint_value = 3,
    ANNOTATION__int_value = 4,
    ANNOTATION__double_value = 5,
    ANNOTATION__string_value = 6,
    ANNOTATION__pointer_value = 7,
    ANNOTATION__json_value = 9,
    ANNOTATION__name = 10,
    ANNOTATION__dict_entries = 11,
    ANNOTATION__array_values = 12,
    ANNOTATION__string_value_iid = 17,
};

enum {
    INTERNED__event_categories = 1,
    INTERNED__event_names = 2,
    INTERNED__debug_annotation_names = 3,
    INTERNED__source_locations = 4,
    INTERNED__debug_annotation_string_values = 29,
    INTERNED__function_names = 5,
    INTERNED__frames = 6,
    INTERNED__callstacks = 7,
    INTERNED__mapping_paths = 17,
    INTERNED__source_paths = 18,
    INTERNED__mappings = 19,
    INTERNED__task_contexts = 48,
    INTERNED__counter_descriptors = 50,
    INTERNED__async_contexts = 51,
};
enum { INTERNED_ENTRY__iid = 1, INTERNED_ENTRY__name = 2 };
enum {
    SOURCE_LOCATION__iid = 1,
    SOURCE_LOCATION__file = 2,
    SOURCE_LOCATION__function = 3,
    SOURCE_LOCATION__line = 4
};

/* Samples of stacks: stack_sample.proto, profile_common.proto, profile_packet.proto, perf_events.proto. */
enum {
    FRAME__iid = 1,
    FRAME__function_name_id = 2,
    FRAME__mapping_id = 3,
    FRAME__rel_pc = 4,
    FRAME__source_path_iid = 5,
    FRAME__line_number = 6,
    FRAME__kind = 7,
    FRAME__kind_str = 8,
};
enum frame_kind {
    FRAME_NATIVE = 1,
    FRAME_KERNEL = 2,
    FRAME_INTERPRETED = 3,
    FRAME_JIT = 4,
    FRAME_GC = 5,
    FRAME_RUNTIME = 6,
};
enum { CALLSTACK__iid = 1, CALLSTACK__frame_ids = 2 }; /* outermost first, not packed */
enum { MAPPING__iid = 1, MAPPING__end = 5, MAPPING__path_string_ids = 7 };
enum { INLINE_CALLSTACK__frames = 1 };
enum { INLINE_FRAME__function_name = 1, INLINE_FRAME__source_file = 2, INLINE_FRAME__line = 3 };
enum {
    STACK_SAMPLE__task_context = 1,
    STACK_SAMPLE__task_context_iid = 2,
    STACK_SAMPLE__callstack = 5, /* inline */
    STACK_SAMPLE__callstack_iid = 6,
    STACK_SAMPLE__primary_descriptor = 9,
    STACK_SAMPLE__primary_descriptor_iid = 10,
    STACK_SAMPLE__primary_weight = 11,
    STACK_SAMPLE__follower_descriptors = 12,
    STACK_SAMPLE__follower_descriptor_iids = 13, /* packed */
    STACK_SAMPLE__follower_weights = 14,         /* packed */
};
enum {
    TASK_CONTEXT__iid = 1,
    TASK_CONTEXT__pid = 2,
    TASK_CONTEXT__tid = 3,
    TASK_CONTEXT__async_id = 4, /* iid of an async context */
};
enum { ASYNC_CONTEXT__iid = 1, ASYNC_CONTEXT__name = 2, ASYNC_CONTEXT__kind = 3 };
enum {
    WEIGHT__iid = 1, /* of a StackSample.CounterDescriptor */
    WEIGHT__name = 2,
    WEIGHT__unit = 3,
    WEIGHT__unit_str = 4,
    WEIGHT__unit_multiplier = 5,
};
enum { WEIGHT_IN_NS = 1, WEIGHT_IN_COUNT = 9 };
enum {
    SAMPLE_DEFAULTS__source = 1,
    SAMPLE_DEFAULTS__primary_descriptor = 2,
    SAMPLE_DEFAULTS__follower_descriptors = 3,
};
enum {
    PERF_SAMPLE__cpu = 1,
    PERF_SAMPLE__pid = 2,
    PERF_SAMPLE__tid = 3,
    PERF_SAMPLE__callstack_iid = 4,
    PERF_SAMPLE__cpu_mode = 5,
    PERF_SAMPLE__timebase_count = 6,
    PERF_SAMPLE__follower_counts = 7,
};
enum { CPU_MODE_USER = 2 };
enum { PERF_DEFAULTS__timebase = 1, PERF_DEFAULTS__followers = 4 };
enum { TIMEBASE__period = 1, TIMEBASE__counter = 4, TIMEBASE__name = 10 };
enum { FOLLOWER__counter = 1, FOLLOWER__name = 4 };
enum { SW_CPU_CLOCK = 1, SW_TASK_CLOCK = 3, SW_DUMMY = 20 };

/* Processes and threads without tracks, known by their ids alone: process_tree.proto. */
enum { PROCESS_TREE__processes = 1, PROCESS_TREE__threads = 2 };
enum { TREE_PROCESS__pid = 1, TREE_PROCESS__ppid = 2, TREE_PROCESS__cmdline = 3 };
enum { TREE_THREAD__tid = 1, TREE_THREAD__name = 2, TREE_THREAD__tgid = 3 };

#endif
