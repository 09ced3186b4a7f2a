/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Requests to the broker, who has a descriptor of every map. */
#ifndef BSDVM_BROKER_H
#define BSDVM_BROKER_H

#include "torture.h"

enum { VERB_GET, VERB_RESERVE, VERB_PUBLISH, VERB_RETIRE };

/* Also the answer, in which a negative @slot is a refusal. */
struct message {
	int verb;
	int slot;
	uint64_t family;
};

/* message.c: with a descriptor by SCM_RIGHTS, unless it is -1 */
bool message_send(int socket, const struct message *message, int fd);
bool message_receive(int socket, struct message *message, int *fd);

#endif /* BSDVM_BROKER_H */
