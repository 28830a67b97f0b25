/* What a trace holds, as objects of Python: texts and arguments. */
#ifndef MAREY_MODEL_VALUE_H
#define MAREY_MODEL_VALUE_H

#include "face.h"
#include "model/trace.h"

/* A text of the trace as a str; what is no UTF-8 becomes U+FFFD. NULL with an exception. */
PyObject *model_text(const struct trace *trace, uint32_t string);
/* A number, bool, str, list, dict or None. NULL with an exception. */
PyObject *model_value(const struct trace *trace, const struct value *value);
/* Puts the arguments of a detail into a dict; what says something about a call itself ("(call)") only where `marks` is
 * set. 0, or -1 with an exception. */
int model_arguments(const struct trace *trace, uint32_t detail, int marks, PyObject *dict);
/* Appends a new reference. 0, or -1 with an exception. */
int list_append(PyObject *list, PyObject *item);

#endif
