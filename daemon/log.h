/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Log lines of the daemon: to the journal with fields when stderr is the
 * journal, as text to stderr otherwise. Only the main thread logs.
 */
#ifndef MIGD_LOG_H
#define MIGD_LOG_H

#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

/* One id per kind of event; systemd/migd.catalog explains each. */
#define MSG_SERVING		"0cdca878f3cd42a6ae61ad36341f2ca7"
#define MSG_MODULE_MISSING	"ac7431d4b26148d6bc5088543c998679"
#define MSG_VERSION_MISMATCH	"3f3e36c8db1543e98c108ed7ce7ef931"
#define MSG_JOB_STARTED		"7b32cca9f90f4d8a8ea7cf327f105cda"
#define MSG_JOB_DONE		"11ef1b1a40314dbcad1774e9d027b31e"
#define MSG_GROUP_STARTED	"10c26805923548fb8d5fa15e8f254ac5"
#define MSG_GROUP_DONE		"407a7df58cc7415281f20f0ee21ee2c1"
#define MSG_ENGINE_FAULT	"a66509254980467c94ff8d19099e5aa1"
#define MSG_DISABLED		"c6fae43a23684b5a8a2d6d6e91b68ac4"
#define MSG_COPY_FALLBACK	"5ed1a5401e9a4fcaa893c110b2a81411"
#define MSG_BATCH_RESCUED	"89cff33095184d658e5aee7a24ecb078"
#define MSG_QUARANTINE		"c0017ec23da04642888c9564cfc39726"
#define MSG_PRESSURE		"9632c7dc9d6f44b3a6cda500929d1bba"
#define MSG_MEMLOCK		"fba19963acfb4a738e0a149bc6303b9c"
#define MSG_STUCK		"86f2184569a740c0a0b3c89c5fe14f3d"
#define MSG_RENEWED		"65d224e5a0bb4f1392daca86c11458f3"
#define MSG_CONFIG		"b8f1ea083aaa46d8809189a5da660eae"

/* Fields of a line; those left 0 or NULL are not sent. */
struct log_fields {
	const char *message_id;
	uint64_t job;
	uint64_t group;
	pid_t pid;
	const char *engine;
	const char *outcome;
};

/* Lines less urgent than @level (LOG_*) are dropped; the default is LOG_INFO. */
void log_set_level(int level);

void log_event(int level, const struct log_fields *fields, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(...)	log_event(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...)	log_event(LOG_INFO, NULL, __VA_ARGS__)
#define log_warn(...)	log_event(LOG_WARNING, NULL, __VA_ARGS__)
#define log_err(...)	log_event(LOG_ERR, NULL, __VA_ARGS__)

#endif /* MIGD_LOG_H */
