#include "store/failed_row.h"

enum result failed_row_copy(struct failed_row *to, const struct failed_row *row, struct buf *texts)
{
    struct str *views[] = { &to->key, &to->url, &to->reason, &to->said.headers, &to->said.body };
    size_t count = sizeof views / sizeof views[0], len = 1;
    enum result result;

    *to = *row;
    for (size_t i = 0; i < count; i++) {
        len += views[i]->len;
    }
    buf_reset(texts);
    result = buf_reserve(texts, len); /* at once: it must not move below the views */
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        size_t at = texts->len;

        result = buf_append_str(texts, *views[i]);
        *views[i] = (struct str){ texts->data + at, views[i]->len };
    }
    return result;
}
