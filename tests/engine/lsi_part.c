// SPDX-License-Identifier: GPL-2.0
/*
 * A part of the provider that is a device of its own, on a bus of its own, as
 * the work queues of IDXD are: a client that watches the PCI device alone does
 * not see it leave. Ours has a driver that does nothing but to be unbound.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "lsi.h"

static const struct bus_type lsi_bus = {
	.name = "migd_lsi",
};

static struct device_driver lsi_part_driver = {
	.name = "part",
	.bus = &lsi_bus,
	.owner = THIS_MODULE,
};

static void lsi_part_release(struct device *dev)
{
	kfree(dev);
}

int lsi_part_add(struct lsi_dev *lsi)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int err;

	if (!dev)
		return -ENOMEM;
	dev->parent = &lsi->pdev->dev;
	dev->bus = &lsi_bus;
	dev->release = lsi_part_release;
	device_initialize(dev);
	err = dev_set_name(dev, "part-%s", pci_name(lsi->pdev));
	if (!err)
		err = device_add(dev);
	if (err) {
		put_device(dev);
		return err;
	}
	lsi->part = dev;
	return 0;
}

void lsi_part_remove(struct lsi_dev *lsi)
{
	device_unregister(lsi->part);
	lsi->part = NULL;
}

int lsi_part_init(void)
{
	int err = bus_register(&lsi_bus);

	if (err)
		return err;
	err = driver_register(&lsi_part_driver);
	if (err)
		bus_unregister(&lsi_bus);
	return err;
}

void lsi_part_exit(void)
{
	driver_unregister(&lsi_part_driver);
	bus_unregister(&lsi_bus);
}
