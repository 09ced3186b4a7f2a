/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Helpers for tests that need other processes, signals caught, or a look at
 * a range of bytes.
 */
#ifndef PROCESS_UTIL_H
#define PROCESS_UTIL_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "bsdvm_util.h"

/* ---- memory ------------------------------------------------------------ */

/* Are all bytes of a range @value? */
static inline bool all_bytes(const void *p, size_t length, unsigned char value)
{
	const unsigned char *byte = p;

	/* What equals its own next byte everywhere is the same all over. */
	return !length || (*byte == value &&
			   !memcmp(byte, byte + 1, length - 1));
}

/* Fill page after page with @first, @first + 1, ... */
static inline void fill_pages(unsigned char *p, size_t npages, int first)
{
	size_t i;

	for (i = 0; i < npages; i++)
		memset(p + i * PAGE, first + (int)i, PAGE);
}

/* Does page after page hold what fill_pages() put there? */
static inline bool pages_hold(const unsigned char *p, size_t npages, int first)
{
	size_t i;

	for (i = 0; i < npages; i++)
		if (!all_bytes(p + i * PAGE, PAGE, first + (int)i))
			return false;
	return true;
}

/* The byte at @offset of a map, -1 if it cannot be read. */
static inline int byte_at(int fd, off_t offset)
{
	unsigned char c;

	return pread(fd, &c, 1, offset) == 1 ? c : -1;
}

/* The byte at @offset of a snapshot, -1 if it cannot be read. */
static inline int snapshot_byte(int fd, uint32_t id, off_t offset)
{
	int snapshot = bsdvm_open(fd, id), byte;

	if (snapshot < 0)
		return -1;
	byte = byte_at(snapshot, offset);
	close(snapshot);
	return byte;
}

/* Does a snapshot hold what fill_pages() put into the map? */
static inline bool snapshot_holds(int fd, uint32_t id, size_t npages, int first)
{
	static unsigned char page[PAGE];
	int snapshot = bsdvm_open(fd, id);
	bool same = snapshot >= 0;
	size_t i;

	for (i = 0; i < npages && same; i++)
		same = pread(snapshot, page, PAGE, i * PAGE) == PAGE &&
		       all_bytes(page, PAGE, first + (int)i);
	if (snapshot >= 0)
		close(snapshot);
	return same;
}

/* The number in a file, -1 without it. */
static inline long read_number(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atol(text) : -1;
}

static inline bool write_number(const char *path, long number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && dprintf(fd, "%ld", number) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

/* A line of /proc/meminfo, in KiB; -1 without it. */
static inline long meminfo(const char *name)
{
	char line[128], key[64];
	long value, found = -1;
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	fclose(f);
	return found;
}

/*
 * For a child: mark the memory of a page as broken. Returns 0 or errno. Linux
 * does not know what to do about a page of ours: it marks it, and says EBUSY.
 */
static inline int break_memory(void *page)
{
	int error = madvise(page, PAGE, MADV_HWPOISON) ? errno : 0;

	return error == EBUSY ? 0 : error;
}

static inline int punch(int fd, off_t offset, off_t length)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 offset, length);
}

/* ---- signals ----------------------------------------------------------- */

static __thread sigjmp_buf touch_env;

static inline void touch_handler(int signal)
{
	siglongjmp(touch_env, signal);
}

/* Read (@value < 0) or write a byte; the signal it raised, or 0. */
static inline int touch(volatile unsigned char *p, int value)
{
	struct sigaction catch = { .sa_handler = touch_handler };
	struct sigaction bus, segv;
	int signal;

	sigaction(SIGBUS, &catch, &bus);
	sigaction(SIGSEGV, &catch, &segv);
	signal = sigsetjmp(touch_env, 1);
	if (!signal && value < 0)
		(void)*p;
	else if (!signal)
		*p = value;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return signal;
}

/* ---- processes --------------------------------------------------------- */

/* Run a function in a child; what it returned, or minus the fatal signal. */
static inline int in_child(int (*function)(void *context), void *context)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(function(context));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/*
 * A peer is another process that has a mapping of its own of a descriptor, and
 * reads and writes bytes of it when asked to.
 */
struct peer {
	pid_t pid;
	int sock;
};

struct peer_request {
	uint64_t offset;
	int value;	/* -1: read */
};

static inline void peer_serve(int sock, unsigned char *p)
{
	struct peer_request request;
	int answer;

	while (read(sock, &request, sizeof(request)) == sizeof(request)) {
		answer = touch(p + request.offset, request.value);
		if (!answer)
			answer = p[request.offset];
		else
			answer = -answer;
		if (write(sock, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

/* A peer with the mapping at @p, which it inherits. */
static inline int peer_fork(struct peer *peer, unsigned char *p)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return -1;
	peer->pid = fork();
	if (!peer->pid) {
		close(sock[0]);
		peer_serve(sock[1], p);
	}
	close(sock[1]);
	peer->sock = sock[0];
	return peer->pid < 0 ? -1 : 0;
}

/* A peer that maps @fd itself. */
static inline int peer_start(struct peer *peer, int fd, size_t length,
			     int flags)
{
	unsigned char *p;
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return -1;
	peer->pid = fork();
	if (!peer->pid) {
		close(sock[0]);
		p = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);
		if (p == MAP_FAILED)
			_exit(1);
		close(fd);
		peer_serve(sock[1], p);
	}
	close(sock[1]);
	peer->sock = sock[0];
	return peer->pid < 0 ? -1 : 0;
}

/* The byte after the request, minus a signal, or -1000 without a peer. */
static inline int peer_ask(struct peer *peer, size_t offset, int value)
{
	struct peer_request request = { .offset = offset, .value = value };
	int answer;

	if (write(peer->sock, &request, sizeof(request)) != sizeof(request) ||
	    read(peer->sock, &answer, sizeof(answer)) != sizeof(answer))
		return -1000;
	return answer;
}

static inline int peer_get(struct peer *peer, size_t offset)
{
	return peer_ask(peer, offset, -1);
}

static inline int peer_set(struct peer *peer, size_t offset, int value)
{
	return peer_ask(peer, offset, value);
}

static inline void peer_stop(struct peer *peer)
{
	close(peer->sock);
	waitpid(peer->pid, NULL, 0);
}

#endif /* PROCESS_UTIL_H */
