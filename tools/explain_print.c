// SPDX-License-Identifier: GPL-2.0
/* What a job would do with each page of a process: the table and the JSON. */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "job.h"
#include "json.h"
#include "table.h"
#include "text.h"

/* Reasons that come up only when it is a page's turn. */
static const char *const unknown[] = { "refused", "writeback", "busy", "no-memory" };

static void add_row(struct table *t, const struct mapping *m, const char *class, __u64 pages,
		    const char *way, const char *reason)
{
	char words[64];

	mapping_words(m, words, sizeof(words));
	table_add(t, "%llx-%llx", m->start, m->end);
	table_add(t, "%llu", (m->end - m->start) / 1024);
	table_add(t, "%s", m->name[0] ? m->name : "[anon]");
	table_add(t, "%s", words);
	table_add(t, "%s", class);
	if (m->flags & MAPPING_DEVICE)
		table_add(t, "-");
	else
		table_add(t, "%llu", pages);
	table_add(t, "%s%s", way, reason);
}

/* What does not concern the job is not worth a line, but for what is on no node. */
static void add_rows(struct table *t, const struct mapping *m, const struct page_counts *counts)
{
	static const char *const ways[] = {
		[WAY_ENGINE] = "engine", [WAY_MOVE_PAGES] = "move_pages(2)", [WAY_LEFT] = "left: ",
		[WAY_NOWHERE] = "on no node",
	};

	if (m->flags & MAPPING_DEVICE)
		add_row(t, m, "device", 0, "passed over", "");
	for (unsigned int c = 0; c < PAGE_CLASSES; c++)
		for (unsigned int w = 0; w < PAGE_WAYS; w++)
			if (w != WAY_ELSEWHERE && counts->pages[c][w])
				add_row(t, m, page_class_name(c), counts->pages[c][w], ways[w],
					w == WAY_LEFT ? page_class_name(c) : "");
}

static void print_sum(const struct page_counts *sum)
{
	__u64 engine = page_counts_sum(sum, WAY_ENGINE), left = page_counts_sum(sum, WAY_LEFT);
	__u64 whole = page_counts_sum(sum, WAY_MOVE_PAGES);

	printf("%llu pages: %llu by an engine, %llu by move_pages(2), %llu left; %llu on other nodes, %llu swapped out\n",
	       engine + whole + left, engine, whole, left, page_counts_sum(sum, WAY_ELSEWHERE),
	       sum->pages[PAGE_SWAPPED][WAY_NOWHERE]);
}

static void print_process(const struct explained *e, bool legend)
{
	static const char *const titles[] = {
		"RANGE", ">KB", "MAPPING", "IS", "CLASS", ">PAGES", "WAY",
	};
	struct table t = TABLE(titles);
	char comm[64];

	text_copy(comm, sizeof(comm), e->comm);
	if (e->why) {
		printf("process %u (%s) %s\n", e->pid, comm, e->why);
		return;
	}
	for (size_t i = 0; i < e->list.nr; i++)
		add_rows(&t, &e->list.m[i], &e->counts[i]);
	if (legend || t.used)
		printf("process %u (%s)\n", e->pid, comm);
	if (table_print(&t, legend && t.used) < 0)
		say_err("no memory for the table: try again, or give a --range");
	print_sum(&e->sum);
}

static void print_left(const struct page_counts *sum)
{
	static const char *const titles[] = { ">PAGES", "REASON", "MEANING", "WHAT TO DO" };
	struct table t = TABLE(titles);

	for (unsigned int c = 0; c < PAGE_CLASSES; c++) {
		const char *name = page_class_name(c);

		if (!sum->pages[c][WAY_LEFT])
			continue;
		table_add(&t, "%llu", sum->pages[c][WAY_LEFT]);
		table_add(&t, "%s", name);
		table_add(&t, "%s", reason_meaning(name));
		table_add(&t, "%s", reason_advice(name));
	}
	if (!t.used && !t.error)
		return;
	printf("\nwould be left:\n");
	if (table_print(&t, false) < 0)
		say_err("no memory for the table of reasons: see migctl(1)");
}

static struct page_counts sum_of(const struct explained *e, size_t nr)
{
	struct page_counts sum = { };

	for (size_t i = 0; i < nr; i++)
		page_counts_add(&sum, &e[i].sum);
	return sum;
}

static const char *node_words(int node, char *words, size_t size)
{
	if (node < 0)
		return "every other node";
	snprintf(words, size, "node %d", node);
	return words;
}

void explain_print(const struct explained *e, size_t nr, const struct plan *plan, bool legend)
{
	struct page_counts sum = sum_of(e, nr);
	char from[32], to[32];

	for (size_t i = 0; i < nr; i++) {
		if (i)
			putchar('\n');
		print_process(&e[i], legend);
	}
	if (nr > 1) {
		printf("\nall %zu processes, with what they share once for each:\n", nr);
		print_sum(&sum);
	}
	print_left(&sum);
	printf("\nFrom %s to %s, order %s. No page was touched. Not to be known beforehand: what is\n"
	       "pinned, in use, under writeback or moved by others in its turn, and room on the destination.\n",
	       node_words(plan->from, from, sizeof(from)), node_words(plan->to, to, sizeof(to)),
	       plan->state_first ? "state-first" : "copy-first");
}

static void put_sum(json_t *object, const struct page_counts *sum)
{
	json_t *left = json_object(), *nowhere = json_object();
	json_int_t total = 0;

	for (unsigned int w = WAY_ENGINE; w <= WAY_LEFT; w++)
		total += (json_int_t)page_counts_sum(sum, w);
	for (unsigned int c = 0; c < PAGE_CLASSES; c++) {
		const __u64 *pages = sum->pages[c];

		if (pages[WAY_LEFT])
			json_object_set_new(left, page_class_name(c),
					    json_integer((json_int_t)pages[WAY_LEFT]));
		if (pages[WAY_NOWHERE])
			json_object_set_new(nowhere, page_class_name(c),
					    json_integer((json_int_t)pages[WAY_NOWHERE]));
	}
	json_object_set_new(object, "total", json_integer(total));
	for (unsigned int w = WAY_ENGINE; w < PAGE_WAYS; w++)
		if (w != WAY_LEFT && w != WAY_NOWHERE)
			json_object_set_new(object, page_way_name(w),
					    json_integer((json_int_t)page_counts_sum(sum, w)));
	json_object_set_new(object, page_way_name(WAY_LEFT), left);
	json_object_set_new(object, page_way_name(WAY_NOWHERE), nowhere);
}

static json_t *mapping_json(const struct mapping *m, const struct page_counts *counts)
{
	char start[24], end[24], words[64];
	json_t *pages = json_array(), *item;

	snprintf(start, sizeof(start), "%llx", m->start);
	snprintf(end, sizeof(end), "%llx", m->end);
	mapping_words(m, words, sizeof(words));
	for (unsigned int c = 0; c < PAGE_CLASSES; c++) {
		for (unsigned int w = 0; w < PAGE_WAYS; w++) {
			if (!counts->pages[c][w])
				continue;
			item = json_pack("{s:s, s:s, s:I}", "class", page_class_name(c),
					 "way", page_way_name(w),
					 "pages", (json_int_t)counts->pages[c][w]);
			json_array_append_new(pages, item);
		}
	}
	return json_pack("{s:s, s:s, s:s*, s:s, s:b, s:o}", "start", start, "end", end,
			 "name", m->name, "is", words, "device", !!(m->flags & MAPPING_DEVICE),
			 "pages", pages);
}

static json_t *process_json(const struct explained *e)
{
	json_t *object, *mappings = json_array();
	char comm[64];

	text_copy(comm, sizeof(comm), e->comm);
	object = json_pack("{s:i, s:s*, s:s, s:b}", "pid", (int)e->pid, "comm", comm,
			   "verdict", e->why ? e->why : "moves", "moves", !e->why);
	put_sum(object, &e->sum);
	for (size_t i = 0; i < e->list.nr; i++)
		json_array_append_new(mappings, mapping_json(&e->list.m[i], &e->counts[i]));
	json_object_set_new(object, "mappings", mappings);
	return object;
}

void explain_print_json(const struct explained *e, size_t nr, const struct plan *plan)
{
	json_t *all, *processes = json_array(), *reasons = json_array();
	struct page_counts sum = sum_of(e, nr);

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		json_array_append_new(reasons, json_string(unknown[i]));
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(processes, process_json(&e[i]));
	all = json_pack("{s:i, s:i, s:s}", "from", plan->from, "to", plan->to,
			"order", plan->state_first ? "state-first" : "copy-first");
	put_sum(all, &sum);
	json_object_set_new(all, "unknown", reasons);
	json_object_set_new(all, "processes", processes);
	json_print(all);
	json_decref(all);
}
