// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A snapshot is a cut: writers that write page i and then page i + 1 are never
 * seen out of order, in whichever way they write.
 *
 * Every page has a word for each writer. A writer goes round the pages and
 * leaves its stamp, one higher each round, in its word of each. At any moment,
 * its words therefore do not increase from page to page, and the first is at
 * most one more than the last.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	32UL
/* Pages further apart than this are unmapped one by one. */
#define FAR	32UL
#define SIZE	(NPAGES * FAR * PAGE)

/*
 * A writer pauses after so many rounds: processors that emulate one another
 * must be idle at times, or each removal of a mapping waits for all of them.
 */
#define BURST	4
#define PAUSE	100	/* microseconds */

/*
 * After so many moments one writer, each in turn, is waited for: it proves
 * something only if they write meanwhile, which a scheduler need not let them.
 */
#define PERIOD		8
#define PATIENCE	100000	/* pauses */

/* By whom a word is written. */
enum writer {
	WRITER_THREAD,		/* stores through the process's mapping */
	WRITER_MAPPING,		/* a thread with a mapping of its own */
	WRITER_PWRITE,		/* a thread by system call */
	WRITER_PROCESS,		/* another process */
	/* Copies, page after page, what WRITER_THREAD wrote on the page before:
	 * the two threads together keep the order, neither alone.
	 */
	WRITER_RELAY,
	WRITERS,
};

struct stamps {
	uint64_t word[WRITERS];
};

struct cut {
	size_t stride;		/* in pages, from one page to the next */
	int fd;
	unsigned char *p;
	volatile bool *stop;
};

struct job {
	struct cut *cut;
	enum writer writer;
	unsigned char *p;
	pthread_t thread;
};

static off_t offset_of(const struct cut *cut, size_t page)
{
	return page * cut->stride * PAGE;
}

static volatile uint64_t *word_at(const struct job *job, size_t page,
				  enum writer writer)
{
	unsigned char *p = job->p + offset_of(job->cut, page);

	return &((struct stamps *)p)->word[writer];
}

static void write_word(struct job *job, size_t page, uint64_t stamp)
{
	off_t at = offset_of(job->cut, page) +
		   offsetof(struct stamps, word[job->writer]);

	if (job->writer != WRITER_PWRITE)
		*word_at(job, page, job->writer) = stamp;
	else if (pwrite(job->cut->fd, &stamp, sizeof(stamp), at) < 0)
		abort();
}

static void pause_after(uint64_t round)
{
	if (round % BURST == 0)
		usleep(PAUSE);
}

static void write_rounds(struct job *job)
{
	uint64_t stamp;
	size_t i;

	for (stamp = 1; !*job->cut->stop; stamp++) {
		for (i = 0; i < NPAGES; i++)
			write_word(job, i, stamp);
		pause_after(stamp);
	}
}

/* Page i + 1 gets what somebody else left on page i, when it has been there. */
static void relay_rounds(struct job *job)
{
	uint64_t round;
	size_t i;

	for (round = 1; !*job->cut->stop; round++) {
		for (i = NPAGES - 1; i > 1; i--)
			*word_at(job, i, WRITER_RELAY) =
				*word_at(job, i - 1, WRITER_RELAY);
		*word_at(job, 1, WRITER_RELAY) =
			*word_at(job, 0, WRITER_THREAD);
		pause_after(round);
	}
}

static void *job_run(void *context)
{
	struct job *job = context;

	if (job->writer == WRITER_MAPPING || job->writer == WRITER_PROCESS)
		job->p = bsdvm_mmap(job->cut->fd, SIZE);
	if (job->p == MAP_FAILED)
		abort();
	if (job->writer == WRITER_RELAY)
		relay_rounds(job);
	else
		write_rounds(job);
	return NULL;
}

/* Does one writer's column violate the order? */
static bool column_is_torn(const struct stamps *stamps, enum writer writer)
{
	size_t i;

	for (i = 1; i < NPAGES; i++)
		if (stamps[i].word[writer] > stamps[i - 1].word[writer])
			return true;
	return stamps[0].word[writer] - stamps[NPAGES - 1].word[writer] > 1;
}

/* Words only relayed: each was on the page before when it was copied. */
static bool relay_is_torn(const struct stamps *stamps)
{
	uint64_t before = stamps[0].word[WRITER_THREAD];
	size_t i;

	for (i = 1; i < NPAGES; i++) {
		if (stamps[i].word[WRITER_RELAY] > before)
			return true;
		before = stamps[i].word[WRITER_RELAY];
	}
	return false;
}

/* The number of writers seen out of order. */
static int count_torn(const struct stamps *stamps)
{
	int writer, torn = relay_is_torn(stamps);

	for (writer = 0; writer < WRITER_RELAY; writer++)
		torn += column_is_torn(stamps, writer);
	return torn;
}

static int read_stamps(const struct cut *cut, int fd, struct stamps *stamps)
{
	size_t i;

	for (i = 0; i < NPAGES; i++)
		if (pread(fd, &stamps[i], sizeof(*stamps), offset_of(cut, i)) !=
		    sizeof(*stamps))
			return -1;
	return 0;
}

/* As seen through a mapping of the snapshot. */
static int map_stamps(const struct cut *cut, int fd, struct stamps *stamps)
{
	unsigned char *q = bsdvm_mmap(fd, SIZE);
	size_t i;

	if (q == MAP_FAILED)
		return -1;
	for (i = 0; i < NPAGES; i++)
		memcpy(&stamps[i], q + offset_of(cut, i), sizeof(*stamps));
	return munmap(q, SIZE);
}

/* A map that shows one moment of @fd: of a snapshot, or a shadow. */
static int take(int fd, bool shadow)
{
	uint32_t id;
	int copy;

	if (shadow)
		return bsdvm_shadow(fd, 0, SIZE);
	id = bsdvm_snapshot(fd);
	copy = bsdvm_open(fd, id);
	if (bsdvm_drop(fd, id))
		return -1;
	return copy;
}

static int take_and_look(const struct cut *cut, bool shadow, bool mapped,
			 struct stamps *stamps)
{
	int copy = take(cut->fd, shadow), error;

	if (copy < 0)
		return -1;
	error = mapped ? map_stamps(cut, copy, stamps) :
			 read_stamps(cut, copy, stamps);
	close(copy);
	return error;
}

/*
 * Who gives the writers' mappings up meanwhile: a page may be written by the
 * translation that another processor still has, and count as not mapped.
 */
static void *forget(void *context)
{
	struct cut *cut = context;

	while (!*cut->stop) {
		if (madvise(cut->p, NPAGES * cut->stride * PAGE, MADV_DONTNEED))
			abort();
		usleep(PAUSE);
	}
	return NULL;
}

FIXTURE(cut) {
	struct cut cut;
	struct job jobs[WRITERS];
	pthread_t forgetter;
	pid_t pid;
};

FIXTURE_VARIANT(cut) {
	bool shadow;
	bool forget;
	int rounds;
	size_t stride;
};

FIXTURE_VARIANT_ADD(cut, snapshots) {
	.rounds = 10000,
	.stride = FAR,
};

FIXTURE_VARIANT_ADD(cut, snapshots_of_neighbours) {
	.rounds = 1000,
	.stride = 1,
};

FIXTURE_VARIANT_ADD(cut, shadows) {
	.shadow = true,
	.rounds = 1000,
	.stride = FAR,
};

FIXTURE_VARIANT_ADD(cut, snapshots_of_what_is_forgotten) {
	.forget = true,
	.rounds = 1000,
	.stride = 1,
};

FIXTURE_SETUP(cut)
{
	struct cut *cut = &self->cut;
	int i;

	cut->stride = variant->stride;
	cut->fd = bsdvm_create(SIZE);
	ASSERT_GE(cut->fd, 0);
	cut->p = bsdvm_mmap(cut->fd, SIZE);
	ASSERT_NE(cut->p, MAP_FAILED);
	cut->stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((void *)cut->stop, MAP_FAILED);
	for (i = 0; i < WRITERS; i++)
		self->jobs[i] = (struct job){
			.cut = cut,
			.writer = i,
			.p = cut->p,
		};
}

FIXTURE_TEARDOWN(cut)
{
	EXPECT_EQ(bsdvm_check(self->cut.fd), 0);
	munmap(self->cut.p, SIZE);
	close(self->cut.fd);
}

/*
 * There are more writers than processors: without a priority the snapshots
 * would wait for their turn most of the time.
 */
static void hurry(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static void start(struct __test_metadata *_metadata, FIXTURE_DATA(cut) *self,
		  const FIXTURE_VARIANT(cut) *variant)
{
	int i;

	self->pid = fork();
	ASSERT_GE(self->pid, 0);
	if (!self->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		job_run(&self->jobs[WRITER_PROCESS]);
		_exit(0);
	}
	for (i = 0; i < WRITERS; i++)
		if (i != WRITER_PROCESS)
			ASSERT_EQ(pthread_create(&self->jobs[i].thread, NULL,
						 job_run, &self->jobs[i]), 0);
	if (variant->forget)
		ASSERT_EQ(pthread_create(&self->forgetter, NULL, forget,
					 &self->cut), 0);
	hurry();
}

static void stop(struct __test_metadata *_metadata, FIXTURE_DATA(cut) *self,
		 const FIXTURE_VARIANT(cut) *variant)
{
	int i, status;

	*self->cut.stop = true;
	if (variant->forget)
		pthread_join(self->forgetter, NULL);
	for (i = 0; i < WRITERS; i++)
		if (i != WRITER_PROCESS)
			pthread_join(self->jobs[i].thread, NULL);
	ASSERT_EQ(waitpid(self->pid, &status, 0), self->pid);
	EXPECT_EQ(status, 0);
}

/* Wait until a writer has come to the last page once more. */
static bool await_writer(struct cut *cut, enum writer writer)
{
	struct job job = { .cut = cut, .p = cut->p };
	volatile uint64_t *word = word_at(&job, NPAGES - 1, writer);
	uint64_t before = *word;
	int i;

	for (i = 0; *word == before && i < PATIENCE; i++)
		usleep(PAUSE);
	return i < PATIENCE;
}

/* Where all is slow, each moment waits for more that is slow. */
static int rounds_for(int rounds)
{
	rounds /= bsdvm_slowdown() * bsdvm_slowdown();
	return rounds > 100 ? rounds : 100;
}

/* No moment of the map shows a later write without an earlier one. */
TEST_F_TIMEOUT(cut, order_is_kept, 280)
{
	struct stamps stamps[NPAGES], before = { };
	int rounds = rounds_for(variant->rounds);
	int i, writer, torn = 0, moved = 0;

	start(_metadata, self, variant);
	for (i = 0; i < rounds; i++) {
		if (i % PERIOD == 0)
			ASSERT_TRUE(await_writer(&self->cut,
						 i / PERIOD % WRITERS));
		ASSERT_EQ(take_and_look(&self->cut, variant->shadow,
					i % 16 == 0, stamps), 0);
		torn += count_torn(stamps);
		moved += memcmp(&before, stamps, sizeof(before)) != 0;
		before = stamps[0];
	}
	stop(_metadata, self, variant);
	EXPECT_EQ(torn, 0);
	EXPECT_GT(moved, rounds / PERIOD / 2);
	for (writer = 0; writer < WRITERS; writer++)
		EXPECT_GE(*word_at(&self->jobs[0], NPAGES - 1, writer),
			  rounds / PERIOD / WRITERS / 2);
	TH_LOG("%d moments, %d different", rounds, moved);
}

/* The check sees what it is meant to see. */
TEST(a_torn_column_is_noticed)
{
	struct stamps stamps[NPAGES] = { };
	size_t i;

	for (i = 0; i < NPAGES; i++)
		stamps[i].word[WRITER_PWRITE] = 7 - (i > 4);
	EXPECT_EQ(count_torn(stamps), 0);
	stamps[9].word[WRITER_PWRITE]++;
	EXPECT_EQ(count_torn(stamps), 1);
	stamps[3].word[WRITER_RELAY] = 1;
	EXPECT_EQ(count_torn(stamps), 2);
}

TEST_HARNESS_MAIN
