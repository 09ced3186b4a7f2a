/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The errors that <linux/bsdvm.h> tells of each request, and no others. */
#ifndef ERRORS_UTIL_H
#define ERRORS_UTIL_H

#include <stdbool.h>

#include "bsdvm_util.h"

#define ERRORS_MAX	8

/* Errors of every request, and of those that are told more with each. */
static const int errors_of_all[ERRORS_MAX] = {
	EBADF, E2BIG, EFAULT, EINVAL, ENOTTY
};

static const int errors_of_one[][ERRORS_MAX] = {
	[_IOC_NR(BSDVM_IOC_QUERY)] = { 0 },
	[_IOC_NR(BSDVM_IOC_CREATE)] = { EMFILE, ENFILE, ENOMEM },
	[_IOC_NR(BSDVM_IOC_MAP_FD)] = {
		ENXIO, ENOENT, EACCES, EINTR, EMFILE, ENOMEM
	},
	[_IOC_NR(BSDVM_IOC_SNAPSHOT)] = { ENXIO, EINTR, ENOMEM, EIO },
	[_IOC_NR(BSDVM_IOC_OPEN)] = { ENXIO, ENOENT, EMFILE, ENFILE, ENOMEM },
	[_IOC_NR(BSDVM_IOC_DROP)] = { ENXIO, ENOENT, EACCES },
	[_IOC_NR(BSDVM_IOC_SHADOW)] = {
		ENXIO, ERANGE, EINTR, EMFILE, ENFILE, ENOMEM, EIO
	},
	[_IOC_NR(BSDVM_IOC_WIRE)] = {
		ENXIO, ERANGE, EINTR, EIO, EACCES, EBUSY, ENOMEM, EPERM
	},
	[_IOC_NR(BSDVM_IOC_UNWIRE)] = { ENXIO, ERANGE, EINTR, ENOMEM, EPERM },
	[_IOC_NR(BSDVM_IOC_MAP_INFO)] = { ENXIO, EINTR },
	[_IOC_NR(BSDVM_IOC_ENTRY_INFO)] = { ENXIO, ENOENT, EINTR },
	[_IOC_NR(BSDVM_IOC_SNAPSHOT_INFO)] = { ENXIO, ENOENT },
	[_IOC_NR(BSDVM_IOC_OBJECT_INFO)] = { ENXIO, ENOENT, EINTR },
	[_IOC_NR(BSDVM_IOC_CHECK)] = { ENXIO, EACCES, EINTR },
};

static inline bool error_is_among(int error, const int *errors)
{
	int i;

	for (i = 0; i < ERRORS_MAX && errors[i]; i++)
		if (error == errors[i])
			return true;
	return false;
}

/* Numbers that are no request have the errors of all. */
static inline bool error_is_documented(unsigned int number, int error)
{
	const size_t known = sizeof(errors_of_one) / sizeof(errors_of_one[0]);
	unsigned int nr = _IOC_NR(number);

	return error_is_among(error, errors_of_all) ||
	       (nr < known && number == _IO(BSDVM_IOC_MAGIC, nr) &&
		error_is_among(error, errors_of_one[nr]));
}

#endif /* ERRORS_UTIL_H */
