// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Load and unload: every part in turn, and back. */

#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "module.h"
#include "../vmcore/internal.h"
#include "../vmcore/stats.h"

static int param_set_prefault_pages(const char *value,
				    const struct kernel_param *kp)
{
	unsigned int n;
	int error = kstrtouint(value, 0, &n);

	if (error)
		return error;
	if (!n || n > 64 || (n & (n - 1)))
		return -EINVAL;
	bsdvm_tunables.prefault_pages = n;
	return 0;
}

static const struct kernel_param_ops param_ops_prefault_pages = {
	.set = param_set_prefault_pages,
	.get = param_get_uint,
};

static int param_set_flag(const char *value, const struct kernel_param *kp)
{
	unsigned int flag;
	int error = kstrtouint(value, 0, &flag);

	if (error)
		return error;
	if (flag > 1)
		return -EINVAL;
	*(unsigned int *)kp->arg = flag;
	return 0;
}

static const struct kernel_param_ops param_ops_flag = {
	.set = param_set_flag,
	.get = param_get_uint,
};

module_param_cb(fast_fault, &param_ops_flag, &bsdvm_tunables.fast_fault, 0644);
MODULE_PARM_DESC(fast_fault,
		 "Fill pages ahead of a sequential writer: 0 or 1 (default 1)");
module_param_cb(debug_cluster, &param_ops_flag, &bsdvm_tunables.debug_cluster,
		0644);
MODULE_PARM_DESC(debug_cluster,
		 "Trace visits to read-ahead marks: 0 or 1 (default 0)");
module_param_cb(prefault_pages, &param_ops_prefault_pages,
		&bsdvm_tunables.prefault_pages, 0644);
MODULE_PARM_DESC(prefault_pages,
		 "Pages mapped by one fault at most: a power of two, 1 to 64 (default 16)");

/* No map is left, so nothing may live; each reference leaked is a bug. */
static void main_report_leaks(void)
{
	struct bsdvm_stats sum;

	bsdvm_stats_sum(&sum);
	if (!bsdvm_stats_live(&sum))
		return;
#define MAIN_REPORT(name)						\
	if (sum.name)							\
		pr_err(KBUILD_MODNAME ": " #name " %lld at unload\n",	\
		       (long long)sum.name);
	BSDVM_LIVE(MAIN_REPORT)
#undef MAIN_REPORT
	WARN(1, KBUILD_MODNAME ": leaked\n");
}

static int __init bsdvm_module_init(void)
{
	int error;

	error = bsdvm_fs_init();
	if (error)
		return error;
	error = bsdvm_core_init(&bsdvm_pmap_linux);
	if (error)
		goto out_fs;
	bsdvm_debugfs_init();
	error = misc_register(&bsdvm_device);
	if (error)
		goto out_core;
	return 0;

out_core:
	bsdvm_debugfs_fini();
	bsdvm_core_fini();
out_fs:
	bsdvm_fs_fini();
	return error;
}

static void __exit bsdvm_module_exit(void)
{
	misc_deregister(&bsdvm_device);
	bsdvm_debugfs_fini();
	bsdvm_core_fini();
	bsdvm_fs_fini();
	main_report_leaks();
}

module_init(bsdvm_module_init);
module_exit(bsdvm_module_exit);

MODULE_DESCRIPTION("Memory objects with shadow chains: snapshots that nest and branch");
MODULE_AUTHOR("The bsdvm developers");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION("0.1.0");
