/* SPDX-License-Identifier: GPL-2.0 */
/* What most tests begin and end with. */
#ifndef MIGD_TEST_FIXTURE_H
#define MIGD_TEST_FIXTURE_H

#include "check.h"
#include "ctl.h"
#include "server.h"
#include "target.h"

/* The DMA channels of the machine, claimed. */
struct channels {
	unsigned int nr;
	uint16_t id[MAX_ENGINES];
	char name[MAX_ENGINES][32];
	char device[MAX_ENGINES][32];
};

/* Claims every channel of the machine's engine; there must be some. */
void channels_claim(struct ctl *c, struct channels *ret);
/* All channels, or the first @nr of them, as the engines of the server. */
void plan_dma(struct server *s, const struct channels *ch, unsigned int nr,
	      unsigned int copies);
void plan_cpu(struct server *s, unsigned int copies);
void channel_info(struct ctl *c, uint32_t id, struct channel_info *ret);

/* The fault switches of migd_lsi, amd64 only. */
void fault_set(const struct channels *ch, unsigned int i, const char *name,
	       long value);
long fault_get(const struct channels *ch, unsigned int i, const char *name);
void fault_all(const struct channels *ch, const char *name, long value);

/* A job over [addr, addr + bytes) of the target. */
struct job_req job_for(const struct target *t, uint64_t addr, size_t bytes,
		       int from, int to, uint32_t order);
const char *order_name(uint32_t order);

/* Everything of the job was moved, and where it says. */
void check_moved(struct ctl *c, struct target *t, const struct job_info *job,
		 uint64_t addr, size_t bytes, uint64_t seed);
/* All pages are accounted for. */
void check_sum(const struct job_info *job);
/* The pages are on @node and their words are what seed says. */
void check_memory(struct target *t, uint64_t addr, size_t bytes, int node,
		  uint64_t seed);
/* Nothing is locked, quarantined, isolated or active. */
void check_clean(struct ctl *c);
/* Waits until no job is active and no page locked. */
void wait_idle(struct ctl *c);

/* Waits for the end of a job without serving it. */
void wait_job(struct ctl *c, uint64_t id, struct job_info *ret);

/*
 * A target that writes to each page of its memory in turn, to find the longest
 * time that one write takes. touch_end() returns it in nanoseconds, and fails
 * when it, or the job's longest blackout, is beyond the limit and what this
 * machine stalls anyway. touch_setup() comes before target_start().
 */
void touch_setup(void);
void touch_begin(struct target *t, uint64_t addr, size_t bytes);
uint64_t touch_end(struct target *t, uint64_t limit_ms, const struct job_info *job);

/* Waits until nothing is active, locked or in quarantine, and module_refs() is @refs. */
void wait_put(struct ctl *c, long refs);
/* Module reference count: 0 when nothing keeps migd from being removed. */
long module_refs(void);
/* delete_module(2) must refuse with EBUSY. */
void check_module_busy(const char *why);

#endif
