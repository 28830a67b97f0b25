/* layout_table: one row of src/stack/layout_table.h, for the interpreter whose headers it is compiled with.
 *
 *   cc -w -DPy_BUILD_CORE -Isrc $(python3.12-config --includes) tools/layout_table.c -o t && ./t
 *
 * For CPython 3.9 to 3.12, whose runtime does not say itself where it keeps things; with later ones it says what the
 * running interpreter is expected to say (the test of layouts compares both). */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <frameobject.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#endif

#include "stack/layout_fields.h"

#define NONE 65535
#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

enum {
    runtime_interpreters = offsetof(_PyRuntimeState, interpreters.head),
    interp_next = offsetof(PyInterpreterState, next),
    interp_id = offsetof(PyInterpreterState, id),
    interp_collecting = offsetof(PyInterpreterState, gc.collecting),
    gil_holder = offsetof(struct _gil_runtime_state, last_holder),
    gil_locked = offsetof(struct _gil_runtime_state, locked),
    gil_bytes = sizeof(struct _gil_runtime_state),
    thread_next = offsetof(PyThreadState, next),
    thread_interp = offsetof(PyThreadState, interp),
    thread_id = offsetof(PyThreadState, thread_id),
    code_filename = offsetof(PyCodeObject, co_filename),
    code_name = offsetof(PyCodeObject, co_name),
    code_first_line = offsetof(PyCodeObject, co_firstlineno),
    object_type = offsetof(PyObject, ob_type),
    str_length = offsetof(PyASCIIObject, length),
    str_state = offsetof(PyASCIIObject, state),
    str_ascii_data = sizeof(PyASCIIObject),
    str_data = sizeof(PyCompactUnicodeObject),
    bytes_length = offsetof(PyBytesObject, ob_base.ob_size),
    bytes_data = offsetof(PyBytesObject, ob_sval),
    object_bytes = sizeof(PyObject),
    tuple_items = offsetof(PyTupleObject, ob_item),
    type_cached_keys = offsetof(PyHeapTypeObject, ht_cached_keys),
    thread_dict = offsetof(PyThreadState, dict),
    thread_loop = PY_VERSION_HEX >> 16 == 0x030d ? sizeof(PyThreadState) : NONE,
    code_arguments = offsetof(PyCodeObject, co_argcount),
#if PY_VERSION_HEX >= 0x030c0000
    interp_modules = offsetof(PyInterpreterState, imports.modules),
    runtime_gil = NONE,
    interp_gil = offsetof(PyInterpreterState, ceval.gil),
#else
    interp_modules = offsetof(PyInterpreterState, modules),
    runtime_gil = offsetof(_PyRuntimeState, ceval.gil),
    interp_gil = NONE,
#endif
#ifdef Py_GIL_DISABLED
    gil_enabled = offsetof(struct _gil_runtime_state, enabled),
#else
    gil_enabled = NONE,
#endif
#if PY_VERSION_HEX >= 0x030b0000
    interp_threads = offsetof(PyInterpreterState, threads.head),
    thread_native_id = offsetof(PyThreadState, native_thread_id),
    frame_previous = offsetof(_PyInterpreterFrame, previous),
    frame_owner = offsetof(_PyInterpreterFrame, owner),
    code_qualname = offsetof(PyCodeObject, co_qualname),
    code_units = offsetof(PyVarObject, ob_size),
    code_instr = offsetof(PyCodeObject, co_code_adaptive),
    code_lines = offsetof(PyCodeObject, co_linetable),
    gen_frame = offsetof(PyGenObject, gi_iframe),
    gen_state = offsetof(PyGenObject, gi_frame_state),
    frame_locals = offsetof(_PyInterpreterFrame, localsplus),
    frame_values = NONE,
    frame_stack = NONE,
    function_code = NONE,
    frame_stack_depth = NONE,
    code_variables = offsetof(PyCodeObject, co_localsplusnames),
    code_kinds = offsetof(PyCodeObject, co_localspluskinds),
    code_cells = NONE,
    code_free = NONE,
#else
    interp_threads = offsetof(PyInterpreterState, tstate_head),
    thread_native_id = NONE,
    thread_frame = offsetof(PyThreadState, frame),
    frame_previous = offsetof(PyFrameObject, f_back),
    frame_code = offsetof(PyFrameObject, f_code),
    frame_instr = offsetof(PyFrameObject, f_lasti),
    frame_owner = NONE,
    frame_generator = offsetof(PyFrameObject, f_gen),
    code_qualname = NONE,
    code_units = NONE,
    code_instr = offsetof(PyCodeObject, co_code),
    gen_frame = offsetof(PyGenObject, gi_frame),
    gen_state = NONE,
    frame_locals = offsetof(PyFrameObject, f_localsplus),
    frame_values = offsetof(PyFrameObject, f_valuestack),
    function_code = offsetof(PyFunctionObject, func_code),
    code_variables = offsetof(PyCodeObject, co_varnames),
    code_kinds = NONE,
    code_cells = offsetof(PyCodeObject, co_cellvars),
    code_free = offsetof(PyCodeObject, co_freevars),
#if PY_VERSION_HEX >= 0x030a0000
    code_lines = offsetof(PyCodeObject, co_linetable),
    frame_live = offsetof(PyFrameObject, f_state),
    frame_bytes = END_OF(PyFrameObject, f_state),
    frame_stack = offsetof(PyFrameObject, f_valuestack),
    frame_stack_depth = offsetof(PyFrameObject, f_stackdepth),
#else
    code_lines = offsetof(PyCodeObject, co_lnotab),
    frame_live = offsetof(PyFrameObject, f_executing),
    frame_bytes = END_OF(PyFrameObject, f_executing),
    frame_stack = offsetof(PyFrameObject, f_stacktop),
    frame_stack_depth = NONE,
#endif
#endif
#if PY_VERSION_HEX >= 0x030d0000
    thread_frame = offsetof(PyThreadState, current_frame),
    cframe_frame = NONE,
    thread_datastack = NONE,
    frame_code = offsetof(_PyInterpreterFrame, f_executable),
    frame_instr = offsetof(_PyInterpreterFrame, instr_ptr),
#elif PY_VERSION_HEX >= 0x030b0000
    thread_frame = offsetof(PyThreadState, cframe),
    cframe_frame = offsetof(_PyCFrame, current_frame),
    thread_datastack = offsetof(PyThreadState, datastack_chunk),
    frame_code = offsetof(_PyInterpreterFrame, f_code),
    frame_instr = offsetof(_PyInterpreterFrame, prev_instr),
#else
    cframe_frame = NONE,
    thread_datastack = NONE,
#endif
#if PY_VERSION_HEX >= 0x030b0000
    frame_bytes = END_OF(_PyInterpreterFrame, owner),
    frame_generator = NONE,
#if PY_VERSION_HEX >= 0x030e0000
    frame_live = offsetof(_PyInterpreterFrame, stackpointer),
#else
    frame_live = offsetof(_PyInterpreterFrame, stacktop),
#endif
#endif
#if PY_VERSION_HEX >> 16 == 0x030b
    frame_entry = offsetof(_PyInterpreterFrame, is_entry),
#else
    frame_entry = NONE,
#endif
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
    frame_tlbc = offsetof(_PyInterpreterFrame, tlbc_index),
    code_tlbc = offsetof(PyCodeObject, co_tlbc),
#else
    frame_tlbc = NONE,
    code_tlbc = NONE,
#endif
};

int main(void) {
    printf("{\n    .version = 0x%02x%02x,\n", PY_MAJOR_VERSION, PY_MINOR_VERSION);
#define PRINT(field, meaning)                                                                      \
    if (field != NONE)                                                                             \
        printf("    ." #field " = %d,\n", (int)(field));                                           \
    else                                                                                           \
        printf("    ." #field " = LAYOUT_NONE,\n");
    LAYOUT_FIELDS(PRINT)
    printf("},\n");
    return 0;
}
