// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A worker's side of the talk with the broker. */

#include "broker.h"

/* Send a request, perhaps with a descriptor, and wait for the answer. */
static int client_ask(struct thread *t, int verb, int slot, uint64_t family,
		      int *fd)
{
	struct message message = {
		.verb = verb,
		.slot = slot,
		.family = family,
	};

	pthread_mutex_lock(t->talk);
	if (!message_send(t->socket, &message, *fd) ||
	    !message_receive(t->socket, &message, fd)) {
		/* The broker is gone, hence the run is over. */
		shared->stop = true;
		message.slot = -1;
	}
	pthread_mutex_unlock(t->talk);
	return message.slot;
}

/* While a thread holds a slot, it is not used for another map. */
void client_hold(struct thread *t, unsigned int i, int slot)
{
	shared->holds[t->process][t->index][i] = slot + 1;
}

/* The descriptor of a live map, whose slot the thread holds; -1 if there is
 * none.
 */
int client_get(struct thread *t, int slot)
{
	int fd = -1;

	return client_ask(t, VERB_GET, slot, 0, &fd) < 0 ? -1 : fd;
}

/* A slot for a map to be made; of a new family if @family is 0. -1: full. */
int client_reserve(struct thread *t, uint64_t family)
{
	int fd = -1;

	return client_ask(t, VERB_RESERVE, -1, family, &fd);
}

/* The map of a reserved slot is known from now on. */
bool client_publish(struct thread *t, int slot, int fd)
{
	return client_ask(t, VERB_PUBLISH, slot, 0, &fd) >= 0;
}

/* Nobody else gets to know the map any more. */
void client_retire(struct thread *t, int slot)
{
	int fd = -1;

	client_ask(t, VERB_RETIRE, slot, 0, &fd);
}
