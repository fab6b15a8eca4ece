/**
 * Thrift's compact protocol, as far as Parquet's headers and footer need it: written, never read.
 *
 * Fields must be written in ascending order of their numbers, as Parquet's definition lists them. The
 * first error sticks; look at `result` at the end.
 *
 * Ownership  the buf is borrowed.
 * Source     apache/thrift, doc/specs/thrift-compact-protocol.md.
 */
#ifndef SCRAPETOP_TABLE_THRIFT_H
#define SCRAPETOP_TABLE_THRIFT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define THRIFT_DEPTH_MAX 8

enum thrift_type {
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_STRUCT = 12,
};

struct thrift {
    struct buf *out;
    enum result result;
    unsigned depth;
    int last[THRIFT_DEPTH_MAX]; /* field written last, by depth */
};

void thrift_begin(struct thrift *t, struct buf *out);

void thrift_bool(struct thrift *t, int field, bool value);
void thrift_i32(struct thrift *t, int field, int32_t value); /* enums, too */
void thrift_i64(struct thrift *t, int field, int64_t value);
void thrift_binary(struct thrift *t, int field, struct str bytes);
void thrift_struct(struct thrift *t, int field);

/** Of the struct begun last, or of the outermost. */
void thrift_end(struct thrift *t);

/** `count` elements must follow, by the functions below. */
void thrift_list(struct thrift *t, int field, enum thrift_type type, uint64_t count);
void thrift_element_i32(struct thrift *t, int32_t value);
void thrift_element_binary(struct thrift *t, struct str bytes);
void thrift_element_struct(struct thrift *t); /* ends with thrift_end */

#define THRIFT_VARINT_MAX 10 /* bytes */

/** Unsigned LEB128, which Parquet's encodings use, too: puts it there, and returns its end. */
char *thrift_put_varint(char *to, uint64_t value);
MUST_CHECK enum result thrift_append_varint(struct buf *out, uint64_t value);

#endif
