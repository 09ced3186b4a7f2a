// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The broker: the only one to give out and take back slots, and the holder of
 * a descriptor of each live map.
 *
 * A slot is used anew when no thread holds it: a dead process holds nothing
 * once broker_forget() was called for it, when all of its children are gone.
 */

#include <poll.h>

#include "broker.h"

static int broker_socket[PROCESSES_MAX];
static int broker_map[MAPS];
static unsigned int broker_owner[MAPS];	/* of reserved ones: a process */
static uint64_t broker_families;

void broker_add(unsigned int process, int socket)
{
	broker_socket[process] = socket + 1;
}

int broker_fd(int slot)
{
	return broker_map[slot] - 1;
}

static bool slot_is_held(int slot)
{
	unsigned int process, thread, i;

	for (process = 0; process < PROCESSES_MAX; process++)
		for (thread = 0; thread < THREADS_MAX; thread++)
			for (i = 0; i < HELD_MAPS; i++)
				if (shared->holds[process][thread][i] ==
				    slot + 1)
					return true;
	return false;
}

static bool family_is_alive(uint64_t family)
{
	int slot;

	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state != SLOT_FREE &&
		    shared->map[slot].family == family)
			return true;
	return false;
}

/* Nobody who could use them is left. */
static void family_forget_snapshots(uint64_t family)
{
	struct snap_slot *snap;

	for (snap = shared->snap; snap < shared->snap + SNAPS; snap++) {
		robust_lock(&snap->lock);
		if (snap->live && snap->family == family)
			snap->live = false;
		pthread_mutex_unlock(&snap->lock);
	}
}

static void slot_close(int slot)
{
	if (broker_map[slot])
		close(broker_map[slot] - 1);
	broker_map[slot] = 0;
}

static void slot_free(int slot)
{
	struct map_slot *map = &shared->map[slot];

	map->state = SLOT_FREE;
	if (!family_is_alive(map->family))
		family_forget_snapshots(map->family);
}

static void broker_sweep(void)
{
	int slot;

	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state == SLOT_RETIRED &&
		    !slot_is_held(slot))
			slot_free(slot);
}

static int broker_reserve(unsigned int process, const struct message *request)
{
	struct map_slot *map;
	int slot;

	broker_sweep();
	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state == SLOT_FREE)
			break;
	if (slot == MAPS)
		return -1;
	map = &shared->map[slot];
	map->family = request->family ? request->family : ++broker_families;
	map->state = SLOT_RESERVED;
	broker_owner[slot] = process;
	return slot;
}

/* Returns the slot, or -1; *@fd is what came, then what goes. */
static int broker_do(unsigned int process, const struct message *request,
		     int *fd)
{
	int slot = request->slot, came = *fd;
	struct map_slot *map = &shared->map[slot < 0 ? 0 : slot];

	*fd = -1;
	switch (request->verb) {
	case VERB_GET:
		*fd = map->state == SLOT_LIVE ? broker_fd(slot) : -1;
		return *fd < 0 ? -1 : slot;
	case VERB_RESERVE:
		return broker_reserve(process, request);
	case VERB_PUBLISH:
		broker_map[slot] = came + 1;
		map->state = SLOT_LIVE;
		return slot;
	case VERB_RETIRE:
		if (map->state == SLOT_LIVE || map->state == SLOT_RESERVED) {
			slot_close(slot);
			map->state = SLOT_RETIRED;
		}
		return slot;
	}
	return -1;
}

static void broker_answer(unsigned int process)
{
	int socket = broker_socket[process] - 1, fd;
	struct message message;

	if (!message_receive(socket, &message, &fd)) {
		/* The process is dead, or about to be. */
		close(socket);
		broker_socket[process] = 0;
		return;
	}
	message.slot = broker_do(process, &message, &fd);
	message_send(socket, &message, fd);
}

/* Answer what is asked; return at the latest after @timeout ms. */
void broker_serve(int timeout)
{
	struct pollfd pollfd[PROCESSES_MAX];
	unsigned int i;

	for (i = 0; i < PROCESSES_MAX; i++)
		pollfd[i] = (struct pollfd){
			.fd = broker_socket[i] - 1,
			.events = POLLIN,
		};
	if (poll(pollfd, PROCESSES_MAX, timeout) <= 0)
		return;
	for (i = 0; i < PROCESSES_MAX; i++)
		if (pollfd[i].revents)
			broker_answer(i);
}

/* A process and all its children are gone. */
void broker_forget(unsigned int process)
{
	int slot;

	while (broker_socket[process])
		broker_answer(process);
	memset((void *)shared->holds[process], 0,
	       sizeof(shared->holds[process]));
	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state == SLOT_RESERVED &&
		    broker_owner[slot] == process)
			shared->map[slot].state = SLOT_RETIRED;
	broker_sweep();
}

void broker_close(void)
{
	int slot;

	for (slot = 0; slot < MAPS; slot++)
		slot_close(slot);
}
