// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a page holds: words at even distances, one byte at the end, otherwise
 * zero. A word tells the ticket of the write it is from, and checks itself: the
 * kernel may copy it byte by byte, while it is stored to.
 */

#include "torture.h"

size_t word_offset(unsigned int word)
{
	return word == BYTE_WORD ? PAGE - 1 : word * (PAGE / BYTE_WORD);
}

size_t word_size(unsigned int word)
{
	return word == BYTE_WORD ? 1 : sizeof(uint64_t);
}

/* Never zero, and never GONE. */
uint64_t word_stamp(uint64_t ticket, unsigned int word)
{
	uint64_t state = ticket * WORDS + word;

	if (word == BYTE_WORD)
		return 1 + ticket % 255;
	return ticket << 16 | (random_next(&state) & 0x7fff) | 0x8000;
}

/* Is it of several writes? A byte cannot be. */
bool word_is_torn(uint64_t value, unsigned int word)
{
	return word != BYTE_WORD && value && value != GONE &&
	       value != word_stamp(value >> 16, word);
}

void content_fill(struct content *content, uint64_t value)
{
	unsigned int j;

	for (j = 0; j < WORDS; j++)
		content->word[j] = value;
}

bool content_equal(const struct content *a, const struct content *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool content_is_gone(const struct content *content)
{
	return content->word[0] == GONE;
}

/* Returns whether there is nothing on the page but its words. */
bool content_from_page(struct content *content, const unsigned char *page)
{
	unsigned char rest[PAGE];
	unsigned int j;
	size_t i;

	memcpy(rest, page, PAGE);
	for (j = 0; j < WORDS; j++) {
		content->word[j] = 0;
		memcpy(&content->word[j], rest + word_offset(j), word_size(j));
		memset(rest + word_offset(j), 0, word_size(j));
	}
	for (i = 0; i < PAGE; i++)
		if (rest[i])
			return false;
	return true;
}

void content_to_page(const struct content *content, unsigned char *page)
{
	unsigned int j;

	memset(page, 0, PAGE);
	for (j = 0; j < WORDS; j++)
		memcpy(page + word_offset(j), &content->word[j], word_size(j));
}

/* The tickets, mostly; returns the length. */
int content_print(char *text, size_t size, const struct content *content)
{
	unsigned int j;
	int n = 0;

	for (j = 0; j < BYTE_WORD; j++)
		n += snprintf(text + n, size - n, " %llu",
			      (unsigned long long)content->word[j] >> 16);
	return n + snprintf(text + n, size - n, " +%llx",
			    (unsigned long long)content->word[BYTE_WORD]);
}
