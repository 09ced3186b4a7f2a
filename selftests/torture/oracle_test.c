// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the torture's model takes for possible, and what it does not. */

#include "kselftest_harness.h"
#include "torture.h"

FIXTURE(oracle) {
	struct cell *cell;
	struct content content;		/* of the newest version */
};

FIXTURE_SETUP(oracle)
{
	static const struct options options;

	shared_create(&options);
	self->cell = &shared->map[0].cell[0];
	content_fill(&self->content, 0);
	cell_reset(self->cell, &self->content);
}

FIXTURE_TEARDOWN(oracle)
{
	munmap(shared, sizeof(*shared));
}

/* Word 0 gets a new stamp, which is returned. */
static uint64_t store(struct cell *cell, struct content *content,
		      enum kind kind)
{
	uint64_t start = tick();

	content->word[0] = word_stamp(start, 0);
	version_begin(cell, kind, start, content);
	version_commit(cell);
	return content->word[0];
}

/* The first byte of one, the rest of the other. */
static uint64_t torn(uint64_t low, uint64_t high)
{
	return (low & 0xff) | (high & ~0xffULL);
}

TEST_F(oracle, word_of_the_time)
{
	uint64_t t0, old, new;

	old = store(self->cell, &self->content, KIND_STORE);
	t0 = tick();
	new = store(self->cell, &self->content, KIND_STORE);
	EXPECT_TRUE(history_allows_word(self->cell, 0, old, t0, tick()));
	EXPECT_TRUE(history_allows_word(self->cell, 0, new, t0, tick()));
}

TEST_F(oracle, word_of_before_and_of_never)
{
	uint64_t t0, old;

	old = store(self->cell, &self->content, KIND_STORE);
	store(self->cell, &self->content, KIND_STORE);
	t0 = tick();
	EXPECT_FALSE(history_allows_word(self->cell, 0, old, t0, tick()));
	EXPECT_FALSE(history_allows_word(self->cell, 0, word_stamp(t0, 0), t0,
					 tick()));
}

/* A system call copies bytes, and the store comes in between. */
TEST_F(oracle, word_copied_byte_by_byte)
{
	uint64_t t0, old, new, next, third;

	third = word_stamp(tick() + 0x7700000000, 0);
	old = store(self->cell, &self->content, KIND_STORE);
	t0 = tick();
	new = store(self->cell, &self->content, KIND_STORE);
	EXPECT_TRUE(word_is_torn(torn(old, new), 0));
	EXPECT_TRUE(history_allows_word(self->cell, 0, torn(old, new), t0,
					tick()));
	EXPECT_FALSE(history_allows_word(self->cell, 0, torn(old, third), t0,
					 tick()));
	t0 = tick();
	next = store(self->cell, &self->content, KIND_STORE);
	EXPECT_FALSE(history_allows_word(self->cell, 0, torn(old, next), t0,
					 tick()));
}

/* Only what is written through a hold may be copied meanwhile. */
TEST_F(oracle, page_copied_while_written_to)
{
	enum kind kinds[] = { KIND_PINNED, KIND_STORE };
	uint64_t t0, old, new;
	struct content seen;
	struct span span[4];
	int i;

	for (i = 0; i < 2; i++) {
		old = store(self->cell, &self->content, KIND_STORE);
		t0 = tick();
		new = store(self->cell, &self->content, kinds[i]);
		seen = self->content;
		seen.word[0] = torn(old, new);
		EXPECT_EQ(history_spans(self->cell, &seen, t0, tick(), span, 4),
			  kinds[i] == KIND_PINNED);
	}
}

TEST_HARNESS_MAIN
