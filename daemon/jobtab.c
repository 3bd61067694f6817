// SPDX-License-Identifier: GPL-2.0
/* Which engine each job asked for. */
#include <string.h>

#include "jobtab.h"

void jobtab_init(struct jobtab *t)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
}

void jobtab_destroy(struct jobtab *t)
{
	pthread_mutex_destroy(&t->lock);
}

void jobtab_set_default(struct jobtab *t, uint32_t choice)
{
	pthread_mutex_lock(&t->lock);
	t->fallback = choice;
	pthread_mutex_unlock(&t->lock);
}

void jobtab_expect(struct jobtab *t, uint32_t choice)
{
	pthread_mutex_lock(&t->lock);
	t->expecting = true;
	t->expected = choice;
	pthread_mutex_unlock(&t->lock);
}

void jobtab_learn(struct jobtab *t, uint64_t job, uint32_t choice)
{
	pthread_mutex_lock(&t->lock);
	t->expecting = false;
	for (unsigned int i = 0; job && i < JOBTAB_MAX; i++) {
		if (t->entry[i].job)
			continue;
		t->entry[i].job = job;
		t->entry[i].choice = choice;
		break;
	}
	pthread_mutex_unlock(&t->lock);
}

void jobtab_forget(struct jobtab *t, uint64_t job)
{
	pthread_mutex_lock(&t->lock);
	for (unsigned int i = 0; i < JOBTAB_MAX; i++)
		if (t->entry[i].job == job)
			t->entry[i].job = 0;
	pthread_mutex_unlock(&t->lock);
}

uint32_t jobtab_choice(struct jobtab *t, uint64_t job)
{
	uint32_t choice;

	pthread_mutex_lock(&t->lock);
	choice = t->expecting ? t->expected : t->fallback;
	for (unsigned int i = 0; i < JOBTAB_MAX; i++) {
		if (t->entry[i].job == job) {
			choice = t->entry[i].choice;
			break;
		}
	}
	pthread_mutex_unlock(&t->lock);
	return choice;
}
