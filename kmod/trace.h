/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints on every edge of a batch and on every error.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM migd

#if !defined(_MIGD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MIGD_TRACE_H

#include <linux/tracepoint.h>
#include "internal.h"

TRACE_EVENT(migd_job,
	TP_PROTO(u64 id, pid_t pid, const char *what, int value),
	TP_ARGS(id, pid, what, value),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(pid_t, pid)
		__string(what, what)
		__field(int, value)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->pid = pid;
		__assign_str(what);
		__entry->value = value;
	),
	TP_printk("job=%llu pid=%d %s value=%d", __entry->id, __entry->pid,
		  __get_str(what), __entry->value)
);

TRACE_EVENT(migd_batch,
	TP_PROTO(u64 job, u32 seq, const char *from, const char *to, u32 pages),
	TP_ARGS(job, seq, from, to, pages),
	TP_STRUCT__entry(
		__field(u64, job)
		__field(u32, seq)
		__string(from, from)
		__string(to, to)
		__field(u32, pages)
	),
	TP_fast_assign(
		__entry->job = job;
		__entry->seq = seq;
		__assign_str(from);
		__assign_str(to);
		__entry->pages = pages;
	),
	TP_printk("job=%llu seq=%u %s->%s pages=%u", __entry->job, __entry->seq,
		  __get_str(from), __get_str(to), __entry->pages)
);

TRACE_EVENT(migd_copy,
	TP_PROTO(u64 job, u32 seq, const char *engine, u32 first, u32 count,
		 const char *what, int error),
	TP_ARGS(job, seq, engine, first, count, what, error),
	TP_STRUCT__entry(
		__field(u64, job)
		__field(u32, seq)
		__string(engine, engine)
		__field(u32, first)
		__field(u32, count)
		__string(what, what)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->job = job;
		__entry->seq = seq;
		__assign_str(engine);
		__entry->first = first;
		__entry->count = count;
		__assign_str(what);
		__entry->error = error;
	),
	TP_printk("job=%llu seq=%u engine=%s first=%u count=%u %s error=%d",
		  __entry->job, __entry->seq, __get_str(engine), __entry->first,
		  __entry->count, __get_str(what), __entry->error)
);

TRACE_EVENT(migd_error,
	TP_PROTO(u64 job, u32 seq, const char *where, int error),
	TP_ARGS(job, seq, where, error),
	TP_STRUCT__entry(
		__field(u64, job)
		__field(u32, seq)
		__string(where, where)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->job = job;
		__entry->seq = seq;
		__assign_str(where);
		__entry->error = error;
	),
	TP_printk("job=%llu seq=%u %s error=%d", __entry->job, __entry->seq,
		  __get_str(where), __entry->error)
);

TRACE_EVENT(migd_quarantine,
	TP_PROTO(const char *engine, int pages, long now),
	TP_ARGS(engine, pages, now),
	TP_STRUCT__entry(
		__string(engine, engine)
		__field(int, pages)
		__field(long, now)
	),
	TP_fast_assign(
		__assign_str(engine);
		__entry->pages = pages;
		__entry->now = now;
	),
	TP_printk("engine=%s pages=%d now=%ld", __get_str(engine),
		  __entry->pages, __entry->now)
);

#endif /* _MIGD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
