/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory pressure while jobs run, as the kernel tells of it: of the system by a
 * PSI trigger, which anybody may have. A trigger on memory.pressure of a cgroup
 * would need the right to write there, which is root's; so the files
 * memory.events are watched, which change whenever a limit of the cgroup or of
 * one above it is met, and then memory.pressure is read.
 */
#ifndef MIGD_PRESSURE_H
#define MIGD_PRESSURE_H

struct job;
struct manager;

/* Watch for the jobs that have run for a while, if the policy says so, and for no other. */
void pressure_settle(struct manager *m);
/* @job goes, or the daemon. */
void pressure_forget(struct job *job);
void pressure_free(struct manager *m);

#endif /* MIGD_PRESSURE_H */
