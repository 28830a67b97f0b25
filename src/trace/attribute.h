/* Facts about the whole trace. */
#ifndef MAREY_TRACE_ATTRIBUTE_H
#define MAREY_TRACE_ATTRIBUTE_H

/* What the process that opens a session says of itself: its command line, host, system, the recorder's version. */
void attributes_of_session(void);

#endif
