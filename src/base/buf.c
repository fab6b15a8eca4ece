#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 64

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
    b->len = 0;
}

void buf_reset_within(struct buf *b, size_t *keep)
{
    if (b->cap > *keep) {
        buf_release(b);
        return;
    }
    *keep -= b->cap;
    b->len = 0;
}

enum result buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    char *data;

    if (__builtin_add_overflow(b->len, more, &need) || (b->max && need > b->max)) {
        return RESULT_LIMIT;
    }
    if (need <= b->cap) {
        return RESULT_OK;
    }
    cap = b->cap ? b->cap : BUF_FIRST_CAP;
    while (cap < need) {
        if (__builtin_mul_overflow(cap, 2, &cap)) {
            cap = need;
        }
    }
    if (b->max && cap > b->max) {
        cap = b->max;
    }
    data = realloc(b->data, cap);
    if (!data) {
        return RESULT_NOMEM;
    }
    b->data = data;
    b->cap = cap;
    return RESULT_OK;
}

enum result buf_append(struct buf *b, const void *bytes, size_t len)
{
    enum result result = buf_reserve(b, len);

    if (result == RESULT_OK && len) {
        memcpy(b->data + b->len, bytes, len);
        b->len += len;
    }
    return result;
}

enum result buf_append_str(struct buf *b, struct str s)
{
    return buf_append(b, s.data, s.len);
}

enum result buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

enum result buf_printf(struct buf *b, const char *format, ...)
{
    char stack[256];
    enum result result;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(stack, sizeof stack, format, args);
    va_end(args);
    if (len < 0) {
        return RESULT_INVALID;
    }
    if ((size_t)len < sizeof stack) {
        return buf_append(b, stack, (size_t)len);
    }
    /* vsnprintf writes a NUL, which is not content and may stand past the ceiling. */
    char *big = malloc((size_t)len + 1);

    if (!big) {
        return RESULT_NOMEM;
    }
    va_start(args, format);
    vsnprintf(big, (size_t)len + 1, format, args);
    va_end(args);
    result = buf_append(b, big, (size_t)len);
    free(big);
    return result;
}

struct str buf_view(const struct buf *b)
{
    return (struct str){ b->data, b->len };
}

const char *buf_cstr(struct buf *b)
{
    if (b->len == b->cap) {
        size_t max = b->max;
        enum result result;

        b->max = 0; /* the NUL is not content */
        result = buf_reserve(b, 1);
        b->max = max;
        if (result != RESULT_OK) {
            return NULL;
        }
    }
    b->data[b->len] = '\0';
    return b->data;
}

void buf_take(struct buf *to, struct buf *from)
{
    *to = *from;
    *from = (struct buf){ .max = from->max };
}
