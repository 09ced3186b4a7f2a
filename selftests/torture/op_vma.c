// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Operations on the thread's mapping, which is whole again afterwards. */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "torture.h"

#define FORK_STEPS	8

/* A part of the mapping, to be treated in another way than the rest. */
struct part {
	unsigned int page;	/* the first */
	unsigned char *p;
	size_t length;
};

static struct part part_of(struct thread *t, struct attach *at)
{
	unsigned int first, last;

	random_range(t, NPAGES, &first, &last);
	at->split = true;
	return (struct part){
		.page = first,
		.p = at->p + first * PAGE,
		.length = (last - first + 1) * PAGE,
	};
}

/* Map all of it elsewhere, in one piece. */
static void map_anew(struct attach *at)
{
	void *to = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			at->fd, 0);

	if (to == MAP_FAILED) {
		complain("mmap anew: %s", strerror(errno));
		return;
	}
	munmap(at->p, LENGTH);
	at->p = to;
	at->split = false;
}

/*
 * Move the mapping, to a place that is ours already. Only one that is in one
 * piece: trying it with another one gives that place away.
 */
void op_move(struct thread *t, struct attach *at)
{
	void *to;

	if (at->split) {
		map_anew(at);
		return;
	}
	to = mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED ||
	    mremap(at->p, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, to) !=
		    to)
		complain("mremap: %s", strerror(errno));
	at->p = to;
}

/* What is not allowed is refused, and allowed again afterwards. */
void op_protect(struct thread *t, struct attach *at)
{
	struct part part = part_of(t, at);
	int signal;

	if (mprotect(part.p, part.length, PROT_READ))
		complain("mprotect: %s", strerror(errno));
	signal = access_store(part.p, 0, 1);
	if (signal != SIGSEGV)
		complain("map %d page %u: a store to a read-only mapping: signal %d",
			 at->slot, part.page, signal);
	op_read(t, at);
	if (mprotect(part.p, part.length, PROT_READ | PROT_WRITE))
		complain("mprotect: %s", strerror(errno));
}

/* A hole in the mapping, which splits it in two, and closes again. */
void op_unmap(struct thread *t, struct attach *at)
{
	struct part part = part_of(t, at);
	uint64_t value;

	if (mmap(part.p, part.length, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != part.p)
		complain("mmap over: %s", strerror(errno));
	if (access_load(part.p, 0, &value) != SIGSEGV)
		complain("map %d page %u is still mapped", at->slot, part.page);
	if (mmap(part.p, part.length, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, at->fd, part.page * PAGE) != part.p)
		complain("mmap again: %s", strerror(errno));
}

/* Behind the end, and without memory, this may fail; nothing changes. */
void op_advise(struct thread *t, struct attach *at)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_RANDOM, MADV_NORMAL,
	};
	struct part part = part_of(t, at);

	madvise(part.p, part.length, advice[random_below(t, 5)]);
}

/* Locking populates, which fails behind the end. */
void op_lock(struct thread *t, struct attach *at)
{
	struct part part = part_of(t, at);

	mlock(part.p, part.length);
	op_read(t, at);
	munlock(part.p, part.length);
}

/* In the child: no other thread, no allocation. */
static _Noreturn void fork_child(struct thread *t, struct attach *at)
{
	unsigned int i, page;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < FORK_STEPS && !shared->stop; i++) {
		page = random_below(t, NPAGES);
		cell_lock(at, page);
		page_write(t, at, page);
		page_expect(t, at, page);
		cell_unlock(at, page);
	}
	_exit(0);
}

/* A child inherits the mapping, and works on the same pages. */
void op_fork(struct thread *t, struct attach *at)
{
	uint64_t seed = random_next(&t->random);
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		if (errno != EAGAIN && errno != ENOMEM)
			complain("fork: %s", strerror(errno));
		return;
	}
	if (!pid) {
		t->random = seed;
		fork_child(t, at);
	}
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR) {
			complain("waitpid: %s", strerror(errno));
			return;
		}
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		complain("a child died of signal %d", WTERMSIG(status));
}
