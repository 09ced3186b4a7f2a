// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reading and writing pages, in all the ways there are. */

#include <setjmp.h>
#include <signal.h>
#include <sys/uio.h>

#include "torture.h"

#define TRIES	2000	/* of 5 ms: memory may be short for some time */

static __thread sigjmp_buf access_env;
static __thread volatile bool access_armed;

static void access_handler(int signal, siginfo_t *info, void *context)
{
	if (access_armed)
		siglongjmp(access_env, signal);
	complain("signal %d at %p", signal, info->si_addr);
	_exit(1);
}

/* The mask is as it was when the handler is left, so it need not be saved. */
void access_catch(void)
{
	struct sigaction catch = {
		.sa_sigaction = access_handler,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGBUS, &catch, NULL);
	sigaction(SIGSEGV, &catch, NULL);
}

static uint64_t word_get(const volatile unsigned char *p, unsigned int word)
{
	p += word_offset(word);
	return word == BYTE_WORD ? *p : *(const volatile uint64_t *)p;
}

static void word_put(volatile unsigned char *p, unsigned int word,
		     uint64_t value)
{
	p += word_offset(word);
	if (word == BYTE_WORD)
		*p = value;
	else
		*(volatile uint64_t *)p = value;
}

/* A word of the page at @p; the signal that came instead, or 0. */
int access_load(const volatile unsigned char *p, unsigned int word,
		uint64_t *value)
{
	int signal = sigsetjmp(access_env, 0);

	access_armed = !signal;
	if (!signal)
		*value = word_get(p, word);
	access_armed = false;
	return signal;
}

int access_store(volatile unsigned char *p, unsigned int word, uint64_t value)
{
	int signal = sigsetjmp(access_env, 0);

	access_armed = !signal;
	if (!signal)
		word_put(p, word, value);
	access_armed = false;
	return signal;
}

/* The whole page at @p. */
int access_copy(const unsigned char *p, unsigned char *bytes)
{
	int signal = sigsetjmp(access_env, 0);

	access_armed = !signal;
	if (!signal)
		memcpy(bytes, p, PAGE);
	access_armed = false;
	return signal;
}

/* Is it worth while to try again? Counts, and waits. */
bool access_retry(int error, unsigned int *tries)
{
	if (error != ENOMEM && error != EINTR && error != EFAULT)
		return false;
	if (error == EFAULT && !shared->options.pressure)
		return false;
	if (++*tries > TRIES)
		return false;
	usleep(5000);
	return true;
}

/* Words @first to @last of a page, by one system call, again if need be. */
bool access_write(struct attach *at, unsigned int page,
		  const struct content *content, unsigned int first,
		  unsigned int last)
{
	size_t from = word_offset(first);
	size_t length = word_offset(last) + word_size(last) - from;
	unsigned char bytes[PAGE];
	unsigned int tries = 0;
	ssize_t n;

	content_to_page(content, bytes);
	do {
		n = pwrite(at->fd, bytes + from, length, page * PAGE + from);
	} while (n < 0 && access_retry(errno, &tries));
	return n == (ssize_t)length;
}

/*
 * The same as a debugger does it: through a reference on the page, without any
 * lock that a snapshot would wait for.
 */
bool access_poke(struct attach *at, unsigned int page,
		 const struct content *content, unsigned int first,
		 unsigned int last)
{
	size_t from = word_offset(first);
	size_t length = word_offset(last) + word_size(last) - from;
	unsigned char bytes[PAGE];
	struct iovec here = { bytes + from, length };
	struct iovec there = { at->p + page * PAGE + from, length };
	unsigned int tries = 0;
	ssize_t n;

	content_to_page(content, bytes);
	do {
		n = process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	} while (n < 0 && access_retry(errno, &tries));
	return n == (ssize_t)length;
}

/* Reads as a debugger does. */
bool access_peek(const unsigned char *p, struct content *content)
{
	unsigned char bytes[PAGE];
	struct iovec here = { bytes, PAGE };
	struct iovec there = { (void *)p, PAGE };
	unsigned int tries = 0;
	ssize_t n;

	do {
		n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	} while (n < 0 && access_retry(errno, &tries));
	return n == PAGE && content_from_page(content, bytes);
}

/* False if the page lies behind the end, or has more than words. */
bool access_pread(int fd, unsigned int page, struct content *content)
{
	unsigned char bytes[PAGE];
	unsigned int tries = 0;
	ssize_t n;

	do {
		n = pread(fd, bytes, PAGE, page * PAGE);
	} while (n < 0 && access_retry(errno, &tries));
	if (n == 0) {
		content_fill(content, GONE);
		return true;
	}
	return n == PAGE && content_from_page(content, bytes);
}

/* All pages of a map that nobody else knows. */
bool access_read_map(int fd, struct content *content, unsigned int npages)
{
	unsigned int i;

	for (i = 0; i < npages; i++)
		if (!access_pread(fd, i, &content[i]))
			return false;
	return true;
}
