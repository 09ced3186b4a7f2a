// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Parameters: good values are taken and matter, bad ones are EINVAL. */

#define _GNU_SOURCE
#include "process_util.h"
#include "kselftest_harness.h"

#define PARAMETERS "/sys/module/bsdvm/parameters/"

static int set(const char *name, const char *value)
{
	char path[128];
	int fd, error = 0;

	sprintf(path, PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) != strlen(value))
		error = -errno;
	close(fd);
	return error;
}

static long get(const char *name)
{
	char path[128], text[32] = "";
	int fd;

	sprintf(path, PARAMETERS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atol(text);
}

FIXTURE(param) {
	long before;
};

FIXTURE_VARIANT(param) {
	const char *name;
	long standard;
	const char *good[8];
	const char *bad[12];
};

FIXTURE_VARIANT_ADD(param, fast_fault) {
	.name = "fast_fault",
	.standard = 1,
	.good = { "0", "1" },
	.bad = { "2", "10", "-1", "", "x", "y", "1x", "99999999999999999999" },
};

FIXTURE_VARIANT_ADD(param, debug_cluster) {
	.name = "debug_cluster",
	.standard = 0,
	.good = { "1", "0" },
	.bad = { "2", "10", "-1", "", "x", "y", "1x", "99999999999999999999" },
};

FIXTURE_VARIANT_ADD(param, prefault_pages) {
	.name = "prefault_pages",
	.standard = 16,
	.good = { "1", "2", "4", "8", "16", "32", "64" },
	.bad = { "0", "3", "65", "128", "-1", "", "x", "16x", "4294967296",
		 "99999999999999999999" },
};

FIXTURE_SETUP(param)
{
	if (access(PARAMETERS, F_OK))
		SKIP(return, "no " PARAMETERS);
	self->before = get(variant->name);
	ASSERT_GE(self->before, 0);
}

FIXTURE_TEARDOWN(param)
{
	char text[32];

	sprintf(text, "%ld", self->before);
	EXPECT_EQ(set(variant->name, text), 0);
}

/* It starts as documented, and takes what it should. */
TEST_F(param, good_values)
{
	size_t i;

	EXPECT_EQ(self->before, variant->standard);
	for (i = 0; i < ARRAY_SIZE(variant->good) && variant->good[i]; i++) {
		EXPECT_EQ(set(variant->name, variant->good[i]), 0);
		EXPECT_EQ(get(variant->name), atol(variant->good[i]));
	}
}

/* Everything else is refused, and nothing changes. */
TEST_F(param, bad_values)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variant->bad) && variant->bad[i]; i++) {
		int error = set(variant->name, variant->bad[i]);

		/* Of a number too large for any integer that is the error. */
		EXPECT_TRUE(error == -EINVAL || !*variant->bad[i] ||
			    (error == -ERANGE && strlen(variant->bad[i]) > 9))
			TH_LOG("'%s': %d", variant->bad[i], error);
		EXPECT_EQ(get(variant->name), variant->standard);
	}
}

#define NPAGES	64UL

/* Faults that it takes to read a map of resident pages through a mapping. */
static long faults_for(int fd)
{
	unsigned char *p = bsdvm_mmap(fd, NPAGES * PAGE);
	long before = bsdvm_stat("v_vm_faults");
	size_t i;

	for (i = 0; i < NPAGES; i++)
		touch(p + i * PAGE, -1);
	munmap(p, NPAGES * PAGE);
	return bsdvm_stat("v_vm_faults") - before;
}

/* prefault_pages is how many pages a fault maps. */
TEST(prefault_pages_matters)
{
	int fd = bsdvm_create(NPAGES * PAGE);
	unsigned char *p = bsdvm_mmap(fd, NPAGES * PAGE);

	if (access(PARAMETERS, W_OK))
		SKIP(return, "parameters cannot be set");
	fill_pages(p, NPAGES, 1);
	ASSERT_EQ(set("prefault_pages", "1"), 0);
	EXPECT_EQ(faults_for(fd), NPAGES);
	ASSERT_EQ(set("prefault_pages", "4"), 0);
	EXPECT_LE(faults_for(fd), NPAGES / 2);
	ASSERT_EQ(set("prefault_pages", "16"), 0);
	EXPECT_LE(faults_for(fd), NPAGES / 8);
	munmap(p, NPAGES * PAGE);
	close(fd);
}

/* Faults that it takes to write a map of holes from the start. */
static long faults_for_writing(void)
{
	int fd = bsdvm_create(NPAGES * PAGE);
	unsigned char *p = bsdvm_mmap(fd, NPAGES * PAGE);
	long before = bsdvm_stat("v_vm_faults");
	size_t i;

	for (i = 0; i < NPAGES; i++)
		p[i * PAGE] = 1;
	munmap(p, NPAGES * PAGE);
	close(fd);
	return bsdvm_stat("v_vm_faults") - before;
}

/* fast_fault lets a fault fill pages ahead of who writes one after another. */
TEST(fast_fault_matters)
{
	long with, without;

	if (access(PARAMETERS, W_OK))
		SKIP(return, "parameters cannot be set");
	with = faults_for_writing();
	ASSERT_EQ(set("fast_fault", "0"), 0);
	without = faults_for_writing();
	ASSERT_EQ(set("fast_fault", "1"), 0);
	EXPECT_EQ(without, NPAGES);
	EXPECT_LT(with, NPAGES / 2);
}

TEST_HARNESS_MAIN
