// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A test's hands on pages: holds pages of user memory for writing, as drivers
 * and O_DIRECT do, and writes to them without any mapping. Tells as well what
 * the kernel's own pages hold before they are filled.
 *
 * What is held belongs to the open file, whose release lets go of the rest.
 */

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "bsdvm_pin.h"

struct held {
	struct page *page;
	u32 kind;
};

struct pin_file {
	struct mutex lock;	/* of the table */
	struct held held[BSDVM_PIN_MAX];
};

static int pin_hold(struct held *held, const struct bsdvm_pin *arg)
{
	struct page *page;
	int n;

	if (arg->kind == BSDVM_PIN_PIN)
		n = pin_user_pages_fast(arg->addr, 1, FOLL_WRITE, &page);
	else
		n = get_user_pages_fast(arg->addr, 1, FOLL_WRITE, &page);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	held->page = page;
	held->kind = arg->kind;
	return 0;
}

/* As who wrote to the page must: dirty, then let go. */
static void pin_release(struct held *held)
{
	if (held->kind == BSDVM_PIN_PIN) {
		unpin_user_pages_dirty_lock(&held->page, 1, true);
	} else {
		set_page_dirty_lock(held->page);
		put_page(held->page);
	}
	held->page = NULL;
}

static void pin_write(const struct held *held, const struct bsdvm_pin *arg)
{
	u8 *p = kmap_local_page(held->page);

	WRITE_ONCE(p[arg->offset], arg->value);
	kunmap_local(p);
}

static void pin_read(const struct held *held, struct bsdvm_pin *arg)
{
	u8 *p = kmap_local_page(held->page);

	arg->value = READ_ONCE(p[arg->offset]);
	kunmap_local(p);
}

static int pin_new(struct pin_file *pf, struct bsdvm_pin *arg)
{
	u32 i;

	if (arg->kind >= BSDVM_PIN_KINDS)
		return -EINVAL;
	for (i = 0; i < BSDVM_PIN_MAX; i++)
		if (!pf->held[i].page)
			break;
	if (i == BSDVM_PIN_MAX)
		return -ENOSPC;
	arg->handle = i;
	return pin_hold(&pf->held[i], arg);
}

static int pin_fresh(struct bsdvm_pin *arg)
{
	u8 *p = (u8 *)__get_free_page(GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	arg->value = memchr_inv(p, *p, PAGE_SIZE) ? BSDVM_PIN_MIXED : *p;
	free_page((unsigned long)p);
	return 0;
}

static int pin_request(struct pin_file *pf, unsigned int cmd,
		       struct bsdvm_pin *arg)
{
	struct held *held;

	if (cmd == BSDVM_PIN_HOLD)
		return pin_new(pf, arg);
	if (cmd == BSDVM_PIN_FRESH)
		return pin_fresh(arg);
	if (arg->handle >= BSDVM_PIN_MAX || arg->offset >= PAGE_SIZE)
		return -EINVAL;
	held = &pf->held[arg->handle];
	if (!held->page)
		return -ENOENT;
	switch (cmd) {
	case BSDVM_PIN_WRITE:
		pin_write(held, arg);
		return 0;
	case BSDVM_PIN_READ:
		pin_read(held, arg);
		return 0;
	case BSDVM_PIN_RELEASE:
		pin_release(held);
		return 0;
	}
	return -ENOTTY;
}

static long pin_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct pin_file *pf = file->private_data;
	struct bsdvm_pin arg;
	int error;

	if (copy_from_user(&arg, (void __user *)user, sizeof(arg)))
		return -EFAULT;
	mutex_lock(&pf->lock);
	error = pin_request(pf, cmd, &arg);
	mutex_unlock(&pf->lock);
	if (!error && (_IOC_DIR(cmd) & _IOC_READ) &&
	    copy_to_user((void __user *)user, &arg, sizeof(arg)))
		error = -EFAULT;
	return error;
}

static int pin_open(struct inode *inode, struct file *file)
{
	struct pin_file *pf = kzalloc(sizeof(*pf), GFP_KERNEL);

	if (!pf)
		return -ENOMEM;
	mutex_init(&pf->lock);
	file->private_data = pf;
	return 0;
}

static int pin_close(struct inode *inode, struct file *file)
{
	struct pin_file *pf = file->private_data;
	int i;

	for (i = 0; i < BSDVM_PIN_MAX; i++)
		if (pf->held[i].page)
			pin_release(&pf->held[i]);
	kfree(pf);
	return 0;
}

static const struct file_operations pin_fops = {
	.owner = THIS_MODULE,
	.open = pin_open,
	.release = pin_close,
	.unlocked_ioctl = pin_ioctl,
};

static struct miscdevice pin_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdvm_pin",
	.fops = &pin_fops,
	.mode = 0666,
};
module_misc_device(pin_device);

MODULE_DESCRIPTION("Hold pages of user memory, for the selftests of bsdvm");
MODULE_AUTHOR("The bsdvm developers");
MODULE_LICENSE("Dual BSD/GPL");
