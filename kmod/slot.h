/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_SLOT_H
#define _MIGD_SLOT_H

#include "internal.h"

/* Between the character device and the slots. */
struct migd_server *migd_server_alloc(void);
int migd_server_setup(struct migd_server *server, u16 nr_queues, u16 depth,
		      u32 max_batch_pages, u64 features);
void migd_server_close(struct migd_server *server);

#endif /* _MIGD_SLOT_H */
