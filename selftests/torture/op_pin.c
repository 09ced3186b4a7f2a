// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Holds on pages, as a driver has them: what is written through one is what the
 * map shows, whatever snapshots are taken, as long as the page itself is not
 * given up by a punch or a shorter size.
 */

#include "modules/bsdvm_pin.h"
#include "torture.h"

static void pin_forget(struct thread *t, unsigned int i)
{
	struct bsdvm_pin arg = { .handle = t->pin[i].handle };

	if (ioctl(t->pin_dev, BSDVM_PIN_RELEASE, &arg))
		complain("pin release: %s", strerror(errno));
	t->pin[i] = t->pin[--t->npins];
}

/* Entry: the cell locked. */
static void pin_hold(struct thread *t, struct attach *at, unsigned int page)
{
	struct bsdvm_pin arg = {
		.kind = random_below(t, BSDVM_PIN_KINDS),
		.addr = (uintptr_t)at->p + page * PAGE,
	};

	if (content_is_gone(cell_now(&at->map->cell[page])))
		return;
	if (ioctl(t->pin_dev, BSDVM_PIN_HOLD, &arg)) {
		if (!shared->options.pressure)
			complain("pin: %s", strerror(errno));
		return;
	}
	t->pin[t->npins++] = (struct held_pin){
		.handle = arg.handle,
		.slot = at->slot,
		.page = page,
		.epoch = at->map->cell[page].epoch,
	};
}

void op_pin(struct thread *t, struct attach *at)
{
	unsigned int page = random_below(t, NPAGES);

	if (t->pin_dev < 0 || t->npins == PINS)
		return;
	cell_lock(at, page);
	pin_hold(t, at, page);
	cell_unlock(at, page);
}

/* Entry: the cell locked; the page is still the one that is held. */
static void pin_write(struct thread *t, struct attach *at,
		      const struct held_pin *pin)
{
	struct cell *cell = &at->map->cell[pin->page];
	struct content new = *cell_now(cell);
	uint64_t start = tick();
	struct bsdvm_pin arg = {
		.handle = pin->handle,
		.offset = word_offset(BYTE_WORD),
		.value = word_stamp(start, BYTE_WORD),
	};

	new.word[BYTE_WORD] = arg.value;
	version_begin(cell, KIND_PINNED, start, &new);
	if (ioctl(t->pin_dev, BSDVM_PIN_WRITE, &arg))
		complain("pin write: %s", strerror(errno));
	version_commit(cell);
	page_expect(t, at, pin->page);
}

void op_pin_write(struct thread *t, struct attach *at)
{
	unsigned int i;

	for (i = 0; i < t->npins; i++)
		if (t->pin[i].slot == at->slot)
			break;
	if (i == t->npins)
		return;
	cell_lock(at, t->pin[i].page);
	if (at->map->cell[t->pin[i].page].epoch == t->pin[i].epoch)
		pin_write(t, at, &t->pin[i]);
	cell_unlock(at, t->pin[i].page);
}

void op_pin_release(struct thread *t, struct attach *at)
{
	if (t->npins)
		pin_forget(t, random_below(t, t->npins));
}
