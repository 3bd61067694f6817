/* SPDX-License-Identifier: GPL-2.0 */
/* Text that others chose: a process may call itself anything. */
#ifndef MIGD_TEXT_H
#define MIGD_TEXT_H

/* Put a '?' for each byte of @s that is no UTF-8, which D-Bus and JSON ask for. */
void text_clean(char *s);

#endif /* MIGD_TEXT_H */
