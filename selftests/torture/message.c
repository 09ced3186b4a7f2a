// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Messages with descriptors. */

#include <sys/socket.h>

#include "broker.h"

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

bool message_send(int socket, const struct message *message, int fd)
{
	struct iovec iov = { (void *)message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = {
		.header.cmsg_len = CMSG_LEN(sizeof(int)),
		.header.cmsg_level = SOL_SOCKET,
		.header.cmsg_type = SCM_RIGHTS,
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL) == sizeof(*message);
}

/* @fd becomes -1 if none came along. */
bool message_receive(int socket, struct message *message, int *fd)
{
	union control control;
	struct iovec iov = { message, sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *first;

	*fd = -1;
	if (recvmsg(socket, &header, MSG_CMSG_CLOEXEC) != sizeof(*message))
		return false;
	first = CMSG_FIRSTHDR(&header);
	if (first && first->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(first), sizeof(*fd));
	return true;
}
