/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Loading and unloading the module, which needs root and its file. */
#ifndef MODULE_UTIL_H
#define MODULE_UTIL_H

#include <sys/syscall.h>

#include "bsdvm_util.h"

/* tools/guest has it there. */
#define MODULE	"/guest/bsdvm.ko"

/* Each returns 0, or an error below 0. */

static inline int module_unload(void)
{
	return syscall(SYS_delete_module, "bsdvm", O_NONBLOCK) ? -errno : 0;
}

/* What was closed a moment ago may still be on its way out. */
static inline int module_unload_soon(void)
{
	int error = 0, i;

	for (i = 0; i < 200; i++) {
		error = module_unload();
		if (error != -EWOULDBLOCK)
			break;
		usleep(10000);
	}
	return error;
}

static inline int module_load_file(int file, const char *parameters)
{
	return syscall(SYS_finit_module, file, parameters, 0) ? -errno : 0;
}

/* Loads it, and waits for the device. */
static inline int module_load(void)
{
	int file = open(MODULE, O_RDONLY | O_CLOEXEC), error, i;

	error = module_load_file(file, "");
	close(file);
	for (i = 0; i < 200 && !error && access("/dev/bsdvm", F_OK); i++)
		usleep(10000);
	return error;
}

#endif /* MODULE_UTIL_H */
