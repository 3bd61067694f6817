// SPDX-License-Identifier: GPL-2.0
/*
 * PCI side of migd_lsi: bind, unbind, interrupt.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "lsi.h"

#define LSI_BAR		1
#define LSI_MAX_SEG	0xffffff

/*
 * Unbound devices whose last client is gone. dma_release_channel() reads the
 * channel once more after device_release, still under the core's mutex, so
 * the memory is freed only at module exit, behind that mutex.
 */
static LIST_HEAD(lsi_graves);
static DEFINE_SPINLOCK(lsi_graves_lock);

static irqreturn_t lsi_irq(int irq, void *data)
{
	struct lsi_dev *lsi = data;
	irqreturn_t ret = IRQ_NONE;
	u8 dstat;

	spin_lock(&lsi->lock);
	if (!lsi->dead && lsi_hw_irq(lsi, &dstat)) {
		lsi->count[LSI_IRQS]++;
		if (lsi->running) {
			lsi->ended = true;
			lsi->dstat = dstat;
			tasklet_schedule(&lsi->tasklet);
		}
		ret = IRQ_HANDLED;
	}
	spin_unlock(&lsi->lock);
	return ret;
}

/* Called by the core when unregistered and without a client. */
static void lsi_device_release(struct dma_device *dma)
{
	struct lsi_dev *lsi = container_of(dma, struct lsi_dev, dma);

	put_device(&lsi->pdev->dev);
	spin_lock(&lsi_graves_lock);
	list_add(&lsi->grave, &lsi_graves);
	spin_unlock(&lsi_graves_lock);
}

static int lsi_hw_setup(struct lsi_dev *lsi)
{
	struct pci_dev *pdev = lsi->pdev;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return dev_err_probe(&pdev->dev, err,
				     "cannot enable the PCI device\n");
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		return dev_err_probe(&pdev->dev, err,
				     "no 32-bit DMA: give the VM less than 4 GiB or an IOMMU\n");
	dma_set_max_seg_size(&pdev->dev, LSI_MAX_SEG);
	err = pcim_iomap_regions(pdev, BIT(LSI_BAR), KBUILD_MODNAME);
	if (err)
		return dev_err_probe(&pdev->dev, err,
				     "BAR 1 is taken: is sym53c8xx loaded?\n");
	lsi->regs = pcim_iomap_table(pdev)[LSI_BAR];
	err = lsi_script_setup(lsi);
	if (err)
		return dev_err_probe(&pdev->dev, err,
				     "no coherent memory for the script\n");
	pci_set_master(pdev);
	return 0;
}

static int lsi_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lsi_dev *lsi;
	int err;

	lsi = kzalloc(sizeof(*lsi), GFP_KERNEL);
	if (!lsi)
		return -ENOMEM;
	lsi->pdev = pdev;
	lsi->dma.dev = &pdev->dev;
	lsi->dma.device_release = lsi_device_release;
	spin_lock_init(&lsi->lock);
	lsi_fault_defaults(lsi);
	lsi_chan_init(lsi);

	err = lsi_hw_setup(lsi);
	if (err)
		goto err_free;
	spin_lock_irq(&lsi->lock);
	lsi_hw_reset(lsi);
	spin_unlock_irq(&lsi->lock);

	err = request_irq(pdev->irq, lsi_irq, IRQF_SHARED, KBUILD_MODNAME, lsi);
	if (err) {
		dev_err(&pdev->dev, "no interrupt %d: the device must sit on the root bus\n",
			pdev->irq);
		goto err_free;
	}
	err = lsi_fault_add(lsi);
	if (err)
		goto err_irq;
	err = dma_async_device_register(&lsi->dma);
	if (err) {
		dev_err(&pdev->dev, "dmaengine refuses the device: %d\n", err);
		goto err_fault;
	}
	err = lsi_part_add(lsi);
	if (err)
		goto err_dma;
	get_device(&pdev->dev);
	pci_set_drvdata(pdev, lsi);
	dev_info(&pdev->dev, "channel %s on node %d\n",
		 dma_chan_name(&lsi->chan), dev_to_node(&pdev->dev));
	return 0;

err_dma:
	/* Nobody has asked for the channel yet: this frees nothing of ours. */
	lsi->dma.device_release = NULL;
	dma_async_device_unregister(&lsi->dma);
err_fault:
	lsi_fault_remove(lsi);
err_irq:
	free_irq(pdev->irq, lsi);
err_free:
	kfree(lsi);
	return err;
}

/* Clients may hold the channel beyond this point; then dead tells the hooks. */
static void lsi_remove(struct pci_dev *pdev)
{
	struct lsi_dev *lsi = pci_get_drvdata(pdev);

	lsi_part_remove(lsi);
	lsi_fault_remove(lsi);
	lsi_chan_kill(lsi);
	free_irq(pdev->irq, lsi);
	dma_async_device_unregister(&lsi->dma);
}

static const struct pci_device_id lsi_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_LSI_LOGIC, 0x0012) },
	{ }
};

/* No MODULE_DEVICE_TABLE: only a test asks for this driver, by name. */
static struct pci_driver lsi_driver = {
	.name = KBUILD_MODNAME,
	.id_table = lsi_ids,
	.probe = lsi_probe,
	.remove = lsi_remove,
};

static int __init lsi_init(void)
{
	int err;

	err = lsi_part_init();
	if (err)
		return err;
	lsi_fault_init();
	err = pci_register_driver(&lsi_driver);
	if (err) {
		lsi_fault_exit();
		lsi_part_exit();
	}
	return err;
}

static bool lsi_no_channel(struct dma_chan *chan, void *param)
{
	return false;
}

static void __exit lsi_exit(void)
{
	struct lsi_dev *lsi, *n;
	dma_cap_mask_t mask;

	pci_unregister_driver(&lsi_driver);
	lsi_fault_exit();
	lsi_part_exit();

	/*
	 * Asking for no channel takes and drops dma_list_mutex: whoever was
	 * inside dma_release_channel() has left it now.
	 */
	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	dma_request_channel(mask, lsi_no_channel, NULL);
	list_for_each_entry_safe(lsi, n, &lsi_graves, grave)
		kfree(lsi);
}

module_init(lsi_init);
module_exit(lsi_exit);
MODULE_DESCRIPTION("Test-only dmaengine provider with fault switches on QEMU's LSI 53C895A");
MODULE_LICENSE("GPL");
