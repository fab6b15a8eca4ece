#include "normalise/cell_text.h"

#include "base/json_step.h"

#include <string.h>

static char *put_escaped(char *to, struct str raw, uint64_t *lone_surrogates)
{
    while (raw.len) {
        const char *slash = memchr(raw.data, '\\', raw.len);
        size_t plain = slash ? (size_t)(slash - raw.data) : raw.len, used;
        char piece[4];

        memcpy(to, raw.data, plain);
        to += plain;
        raw = (struct str){ raw.data + plain, raw.len - plain };
        if (raw.len) {
            size_t len = json_step_escape(raw, piece, &used, lone_surrogates);

            memcpy(to, piece, len);
            to += len;
            raw = (struct str){ raw.data + used, raw.len - used };
        }
    }
    return to;
}

/* Without the white space between tokens. */
static char *put_json(char *to, struct str text)
{
    const char *p = text.data, *end = p + text.len;
    bool escaped = false;

    while (p < end) {
        const char *first = p;

        if (*p == '"') {
            p = json_step_string(p + 1, end, &escaped);
            p += p < end;
            memcpy(to, first, (size_t)(p - first));
            to += p - first;
        } else {
            *to = *p++;
            to += (unsigned char)*to > ' ';
        }
    }
    return to;
}

char *cell_text_put(char *to, const struct row_cell *cell, uint64_t *lone_surrogates)
{
    struct str text = { cell->text, cell->len };

    switch (cell->kind) {
    case CELL_ESCAPED:
        return put_escaped(to, text, lone_surrogates);
    case CELL_JSON:
        return put_json(to, text);
    default:
        memcpy(to, text.data, text.len);
        return to + text.len;
    }
}
