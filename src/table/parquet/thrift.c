#include "table/parquet/thrift.h"

#include <assert.h>

char *thrift_put_varint(char *to, uint64_t value)
{
    for (; value > 0x7F; value >>= 7) {
        *to++ = (char)(value | 0x80);
    }
    *to++ = (char)value;
    return to;
}

enum result thrift_append_varint(struct buf *out, uint64_t value)
{
    char bytes[THRIFT_VARINT_MAX];

    return buf_append(out, bytes, (size_t)(thrift_put_varint(bytes, value) - bytes));
}

static void put_byte(struct thrift *t, unsigned byte)
{
    if (t->result == RESULT_OK) {
        t->result = buf_append_char(t->out, (char)byte);
    }
}

static void put_varint(struct thrift *t, uint64_t value)
{
    if (t->result == RESULT_OK) {
        t->result = thrift_append_varint(t->out, value);
    }
}

/* Small numbers of either sign become small unsigned ones. */
static void put_zigzag(struct thrift *t, int64_t value)
{
    put_varint(t, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_bytes(struct thrift *t, struct str bytes)
{
    put_varint(t, bytes.len);
    if (t->result == RESULT_OK) {
        t->result = buf_append_str(t->out, bytes);
    }
}

/* A step from the last field's number fits in the byte of the type as long as it is small. */
static void put_field(struct thrift *t, int field, enum thrift_type type)
{
    int step = field - t->last[t->depth];

    assert(step > 0);
    if (step <= 15) {
        put_byte(t, (unsigned)step << 4 | (unsigned)type);
    } else {
        put_byte(t, (unsigned)type);
        put_zigzag(t, field);
    }
    t->last[t->depth] = field;
}

static void enter(struct thrift *t)
{
    t->depth++;
    assert(t->depth < THRIFT_DEPTH_MAX);
    t->last[t->depth] = 0;
}

void thrift_begin(struct thrift *t, struct buf *out)
{
    *t = (struct thrift){ .out = out };
}

void thrift_bool(struct thrift *t, int field, bool value)
{
    put_field(t, field, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_i32(struct thrift *t, int field, int32_t value)
{
    put_field(t, field, THRIFT_I32);
    put_zigzag(t, value);
}

void thrift_i64(struct thrift *t, int field, int64_t value)
{
    put_field(t, field, THRIFT_I64);
    put_zigzag(t, value);
}

void thrift_binary(struct thrift *t, int field, struct str bytes)
{
    put_field(t, field, THRIFT_BINARY);
    put_bytes(t, bytes);
}

void thrift_struct(struct thrift *t, int field)
{
    put_field(t, field, THRIFT_STRUCT);
    enter(t);
}

void thrift_end(struct thrift *t)
{
    put_byte(t, 0);
    t->depth -= t->depth > 0;
}

void thrift_list(struct thrift *t, int field, enum thrift_type type, uint64_t count)
{
    put_field(t, field, THRIFT_LIST);
    if (count < 15) {
        put_byte(t, (unsigned)count << 4 | (unsigned)type);
    } else {
        put_byte(t, 0xF0U | (unsigned)type);
        put_varint(t, count);
    }
}

void thrift_element_i32(struct thrift *t, int32_t value)
{
    put_zigzag(t, value);
}

void thrift_element_binary(struct thrift *t, struct str bytes)
{
    put_bytes(t, bytes);
}

void thrift_element_struct(struct thrift *t)
{
    enter(t);
}
