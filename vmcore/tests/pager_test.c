// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What holds for every pager: pager.c. */
#include "fixture.h"

static struct fx_chain c;

static enum bsdvm_pager_result get(struct bsdvm_object *object,
				   bsdvm_pindex_t pindex,
				   struct bsdvm_pager_request *req)
{
	enum bsdvm_pager_result result;

	fx_assert(bsdvm_busy_claim(object, pindex, NULL) == BSDVM_SUCCESS);
	fx_assert(bsdvm_object_pip_add(object));
	*req = (struct bsdvm_pager_request){
		.object = object,
		.pindex = pindex,
		.page = bsdvm_page_alloc(object, false),
		.valid = 17,
		.waited = true,
	};
	result = bsdvm_pager_get_page(req);
	bsdvm_object_pip_done(object);
	bsdvm_busy_release(object, pindex, NULL);
	return result;
}

/* F-60, F-61: results are reset; what was not provided is cleared. */
static void request_is_completed(void **state)
{
	struct bsdvm_pager_request req;

	c = fx_chain(1, 2, NULL);
	fx_store(c.object[0], 0, 's');
	fx_store(c.object[0], 1, 't')->valid = 0;
	assert_int_equal(get(c.object[0], 0, &req), BSDVM_PAGER_OK);
	assert_int_equal(req.valid, PAGE_SIZE);
	assert_false(req.waited);
	assert_int_equal(fx_folio_byte(req.page), 's');
	bsdvm_page_discard(req.page);
	assert_int_equal(get(c.object[0], 1, &req), BSDVM_PAGER_OK);
	assert_int_equal(fx_folio_byte(req.page), 0);
	bsdvm_page_discard(req.page);
	fx_put(c.map);
}

/* F-62 to F-66: other answers are passed on, the page is the caller's. */
static void answers_are_passed_on(void **state)
{
	struct bsdvm_pager_request req;
	struct fx_stored *s;
	unsigned int i;

	c = fx_chain(1, 1, NULL);
	s = fx_store(c.object[0], 0, 's');
	for (i = BSDVM_PAGER_BAD; i <= BSDVM_PAGER_AGAIN; i++) {
		s->result = (enum bsdvm_pager_result)i;
		assert_int_equal(get(c.object[0], 0, &req), i);
		assert_false(req.waited);
		bsdvm_page_discard(req.page);
	}
	fx_put(c.map);
}

/* F-44: without a pager there is nothing, and nobody to tell. */
static void no_pager(void **state)
{
	c = fx_chain(1, 1, NULL);
	assert_false(bsdvm_pager_has_page(c.object[0], 0));
	bsdvm_pager_forget(c.object[0], 0);
	bsdvm_pager_dealloc(c.object[0]);
	assert_int_equal(fx_pager_log.forgets + fx_pager_log.deallocs, 0);
	fx_put(c.map);
}

static bool bare_has_page(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	return pindex == 0;
}

static enum bsdvm_pager_result bare_get_page(struct bsdvm_pager_request *req)
{
	fx_folio_fill(req->page, 'z');
	return BSDVM_PAGER_OK;
}

/* F-41: a pager need not care for more than reading. */
static void bare_pager(void **state)
{
	static const struct bsdvm_pager_ops bare = {
		.has_page = bare_has_page,
		.get_page = bare_get_page,
	};

	c = fx_chain(1, 2, NULL);
	c.object[0]->pager = &bare;
	assert_int_equal(fx_held_byte(c.map, 0), 'z');
	assert_int_equal(fx_held_byte(c.map, 1), 0);
	bsdvm_page_set(fx_page(c.object[0], 0), BSDVM_PAGE_RAM);
	assert_int_equal(fx_held_byte(c.map, 0), 'z');
	fx_assert_status(fx_held_fill(c.map, 0, 'y'), BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(c.map, 0), 'y');
	fx_put(c.map);
}

/* O-11: what was stored goes with its object. */
static void store_goes_with_the_object(void **state)
{
	c = fx_chain(2, 2, NULL);
	fx_store(c.object[0], 0, 's');
	fx_store(c.object[1], 1, 't');
	fx_put(c.map);
	assert_int_equal(fx_pager_log.deallocs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(request_is_completed),
		FX_TEST(answers_are_passed_on),
		FX_TEST(no_pager),
		FX_TEST(bare_pager),
		FX_TEST(store_goes_with_the_object),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}
