/* SPDX-License-Identifier: GPL-2.0 */
/* Binding a unit to a node: AllowedMemoryNodes=, set through systemd. */
#ifndef MIGCTL_BIND_H
#define MIGCTL_BIND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "rangelist.h"

struct client;

/* A set of nodes as systemd has it: a bit each. */
struct nodeset {
	unsigned char bits[RANGELIST_MAX / 8];
	size_t bytes;
};

/*
 * struct bind - a unit that is to be bound
 *
 * @unit:	its name, NULL: none is
 * @node:	the one to which
 * @before:	nodes it was bound to until now
 */
struct bind {
	const char *unit;
	int node;
	struct nodeset before;
};

/*
 * Before the move: can the unit be bound? Nothing is changed. Returns an exit code;
 * @root is where /sys is found, "" but for tests.
 */
int bind_check(struct bind *b, const char *root, struct client *c);

/* Whether the kernel lets systemd confine units to nodes; says why not. */
bool bind_is_possible(const char *root);

/* After a move that went well. Tells how to undo it, if @tell. Returns an exit code. */
int bind_unit(const struct bind *b, struct client *c, bool tell);

/* After one that did not. */
void bind_say_not(const struct bind *b);

/* The member "bound" of the JSON: null when the unit was not bound. */
void bind_add_json(const struct bind *b, json_t *object, bool bound);

/* "0-1,3" */
void nodeset_text(const struct nodeset *set, char *text, size_t size);

#endif /* MIGCTL_BIND_H */
