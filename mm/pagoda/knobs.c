// SPDX-License-Identifier: GPL-2.0
/*
 * What can be set and seen of Pagoda: /sys/kernel/mm/pagoda/ and the boot
 * parameter pagoda_share=.
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/sysfs.h>
#include "fault.h"

/* Does fork share page tables? */
bool pt_share_on = true;

/* Anonymous pages below which a table is copied at once. */
unsigned int pt_share_min = 64;

static int __init share_setup(char *arg)
{
	return kstrtobool(arg, &pt_share_on);
}
early_param("pagoda_share", share_setup);

static ssize_t share_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%d\n", pt_share_on);
}

static ssize_t share_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	int err = kstrtobool(buf, &pt_share_on);

	return err ?: count;
}

static ssize_t share_min_pages_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", pt_share_min);
}

static ssize_t share_min_pages_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	unsigned int pages;
	int err = kstrtouint(buf, 0, &pages);

	if (err)
		return err;
	/* A table that maps nothing is never worth a reference. */
	if (!pages)
		return -EINVAL;
	pt_share_min = pages;
	return count;
}

static ssize_t anon_ahead_bytes_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", anon_ahead_bytes);
}

static ssize_t anon_ahead_bytes_store(struct kobject *kobj,
				      struct kobj_attribute *attr,
				      const char *buf, size_t count)
{
	unsigned int bytes;
	int err = kstrtouint(buf, 0, &bytes);

	if (err)
		return err;
	if (offset_in_page(bytes))
		return -EINVAL;
	WRITE_ONCE(anon_ahead_bytes, bytes);
	return count;
}

static ssize_t count_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf);

static struct kobj_attribute anon_ahead_bytes_attr = __ATTR_RW(anon_ahead_bytes);
static struct kobj_attribute share_attr = __ATTR_RW(share);
static struct kobj_attribute share_min_pages_attr = __ATTR_RW(share_min_pages);
static struct kobj_attribute shared_attr =
	__ATTR(tables_shared, 0444, count_show, NULL);
static struct kobj_attribute copied_attr =
	__ATTR(tables_copied, 0444, count_show, NULL);
static struct kobj_attribute taken_back_attr =
	__ATTR(tables_taken_back, 0444, count_show, NULL);

static ssize_t count_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	atomic_long_t *count = &pt_share_stats.shared;

	if (attr == &copied_attr)
		count = &pt_share_stats.copied;
	else if (attr == &taken_back_attr)
		count = &pt_share_stats.taken_back;
	return sysfs_emit(buf, "%ld\n", atomic_long_read(count));
}

static struct attribute *knob_attrs[] = {
	&anon_ahead_bytes_attr.attr,
	&share_attr.attr,
	&share_min_pages_attr.attr,
	&shared_attr.attr,
	&copied_attr.attr,
	&taken_back_attr.attr,
	NULL,
};

static const struct attribute_group knob_group = {
	.attrs = knob_attrs,
	.name = "pagoda",
};

static int __init knobs_init(void)
{
	return sysfs_create_group(mm_kobj, &knob_group);
}
subsys_initcall(knobs_init);
