/* Counters of this process: CPU, memory, open files, threads. */
#ifndef MAREY_TRACE_STATISTICS_H
#define MAREY_TRACE_STATISTICS_H

/* In a forked child: the thread did not come along. */
void statistics_after_fork(void);

#endif
