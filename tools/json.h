/* SPDX-License-Identifier: GPL-2.0 */
/* Reading the JSON that the service writes. */
#ifndef MIGCTL_JSON_H
#define MIGCTL_JSON_H

#include <jansson.h>
#include <linux/types.h>

/* Free with json_decref(). Says why and answers -EBADMSG when it is no JSON. */
int json_read(const char *text, json_t **ret);

/* A member that is not there reads as 0, "" or an empty table cell. */
__u64 json_u64(const json_t *object, const char *key);
__s64 json_s64(const json_t *object, const char *key, __s64 missing);
const char *json_str(const json_t *object, const char *key);

/* Print on stdout, indented, or on one line; main() tells when it cannot be written. */
void json_print(const json_t *value);
void json_print_line(const json_t *value);

#endif /* MIGCTL_JSON_H */
