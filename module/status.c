// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* From a status of the core to what Linux callers expect. */

#include <linux/errno.h>
#include <linux/mm.h>

#include "module.h"

/**
 * bsdvm_status_errno - for system calls
 * @status: of the core
 *
 * The table is in uapi/linux/bsdvm.h. Does not sleep.
 *
 * Return: 0 or a negative errno.
 */
int bsdvm_status_errno(bsdvm_status_t status)
{
	switch (status) {
	case BSDVM_SUCCESS:
		return 0;
	case BSDVM_INVALID_ADDRESS:
		return -ERANGE;
	case BSDVM_PROTECTION_FAILURE:
		return -EACCES;
	case BSDVM_NO_SPACE:
		return -ENOSPC;
	case BSDVM_INVALID_ARGUMENT:
		return -EINVAL;
	case BSDVM_RESOURCE_SHORTAGE:
		return -ENOMEM;
	case BSDVM_INTERRUPTED:
		return -EINTR;
	case BSDVM_NO_ENTRY:
		return -ENOENT;
	default:
		return -EIO;
	}
}

/**
 * bsdvm_status_vm_fault - for fault handlers
 * @status: of the core, not SUCCESS
 * @vmf:    the fault
 *
 * F-28, with the signals of a file mapping: what cannot be had is SIGBUS. A
 * fault ended by a fatal signal is simply over if the signal is about to act;
 * within the kernel it must fail, or it would come again.
 *
 * Return: VM_FAULT_OOM, VM_FAULT_NOPAGE, VM_FAULT_HWPOISON or VM_FAULT_SIGBUS.
 */
vm_fault_t bsdvm_status_vm_fault(bsdvm_status_t status,
				 const struct vm_fault *vmf)
{
	switch (status) {
	case BSDVM_RESOURCE_SHORTAGE:
		return VM_FAULT_OOM;
	case BSDVM_MEMORY_BROKEN:
		return VM_FAULT_HWPOISON;
	case BSDVM_INTERRUPTED:
		return vmf->flags & FAULT_FLAG_USER ? VM_FAULT_NOPAGE :
						      VM_FAULT_SIGBUS;
	default:
		return VM_FAULT_SIGBUS;
	}
}
