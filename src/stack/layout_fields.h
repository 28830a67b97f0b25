/* What a struct layout holds, once: the struct, the generated tables (tools/layout_table.c) and their check are made
 * of this list. F(field, meaning). All are offsets in bytes within the structure that the name starts with, unless
 * the text says otherwise; LAYOUT_NONE where a version has no such field. */
#ifndef MAREY_STACK_LAYOUT_FIELDS_H
#define MAREY_STACK_LAYOUT_FIELDS_H

#define LAYOUT_FIELDS(F)                                                                           \
    F(runtime_interpreters, "first PyInterpreterState")                                            \
    F(runtime_gil, "the GIL's state itself (3.9-3.11)")                                            \
    F(interp_next, "next PyInterpreterState")                                                      \
    F(interp_id, "number")                                                                         \
    F(interp_threads, "first PyThreadState")                                                       \
    F(interp_collecting, "int: a garbage collection is running")                                   \
    F(interp_gil, "pointer to the GIL's state (3.12 and later)")                                   \
    F(gil_enabled, "int: free-threaded, is there a GIL now")                                       \
    F(gil_holder, "pointer: the last PyThreadState that had it")                                   \
    F(gil_locked, "int: held")                                                                     \
    F(gil_bytes, "size of it")                                                                     \
    F(thread_next, "next PyThreadState")                                                           \
    F(thread_interp, "its PyInterpreterState")                                                     \
    F(thread_frame, "its top frame, or its _PyCFrame where cframe_frame is an offset")             \
    F(thread_datastack, "pointer: the chunk of memory that its frames stand in (3.11, 3.12)")      \
    F(thread_id, "pthread_t")                                                                      \
    F(thread_native_id, "the kernel's id (3.11 and later)")                                        \
    F(cframe_frame, "top frame (3.11, 3.12)")                                                      \
    F(frame_previous, "the caller")                                                                \
    F(frame_code, "the code object; low bits are tags")                                            \
    F(frame_instr, "where it is: see enum layout_instr")                                           \
    F(frame_owner, "char: who owns the memory")                                                    \
    F(frame_live, "what tells that it runs: see enum layout_live")                                 \
    F(frame_entry, "bool: it was called from C (3.11)")                                            \
    F(frame_generator, "pointer: the generator that it belongs to (3.9, 3.10)")                    \
    F(frame_tlbc, "int: which copy of the bytecode (free-threaded 3.14 and later)")                \
    F(frame_bytes, "how much of it is read")                                                       \
    F(code_filename, "str")                                                                        \
    F(code_name, "str")                                                                            \
    F(code_qualname, "str (3.11 and later)")                                                       \
    F(code_lines, "bytes: line table")                                                             \
    F(code_first_line, "int")                                                                      \
    F(code_units, "int: instructions (3.11 and later)")                                            \
    F(code_instr, "the instructions (3.11 and later), or a bytes object that holds them")          \
    F(code_tlbc, "pointer to copies of the bytecode (free-threaded 3.14 and later)")               \
    F(object_type, "of any object")                                                                \
    F(str_length, "in code points")                                                                \
    F(str_state, "bit field")                                                                      \
    F(str_ascii_data, "text of an ASCII string")                                                   \
    F(str_data, "text of another compact string")                                                  \
    F(bytes_length, "in bytes")                                                                    \
    F(bytes_data, "the bytes")                                                                     \
    F(object_bytes, "size of the head that every object has")                                      \
    F(tuple_items, "the first item")                                                               \
    F(type_cached_keys, "keys that the attributes of its instances share")                         \
    F(interp_modules, "sys.modules")                                                               \
    F(thread_dict, "dict of the thread (until 3.12)")                                              \
    F(thread_loop, "the running asyncio loop (3.13)")                                              \
    F(gen_frame, "the frame of a generator or coroutine; a pointer to it (3.9, 3.10)")             \
    F(gen_state, "char: what it does (3.11 and later)")                                            \
    F(frame_locals, "the first local variable, then cells, then values of expressions")            \
    F(frame_values, "pointer: where the values of expressions begin (3.9, 3.10)")                  \
    F(frame_stack, "pointer: behind the last of those (3.9), to the first (3.10)")                 \
    F(frame_stack_depth, "int: how many of them (3.10)")                                           \
    F(code_arguments, "int: positional arguments; two more numbers follow")                        \
    F(code_variables, "tuple of str: names of locals, then cells, then free (3.11 and later)")     \
    F(code_kinds, "bytes: the kind of each of them (3.11 and later)")                              \
    F(function_code, "the code object of a function (3.9, 3.10)")                                  \
    F(code_cells, "tuple of str: names of cells (3.9, 3.10)")                                      \
    F(code_free, "tuple of str: names of free variables (3.9, 3.10)")

#endif
