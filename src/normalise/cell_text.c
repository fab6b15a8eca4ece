#include "normalise/cell_text.h"

#include "base/json_step.h"

#include <string.h>

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

/* Copies, and says whether that was all there was to do: no white space, nor any within strings. Most
 * servers write arrays so. */
static bool copy_dense(char *to, struct str text)
{
    const char *p = text.data, *last;
    json_simd v, idle;

    if (text.len < JSON_SIMD_WIDTH) {
        return false;
    }
    last = p + text.len - JSON_SIMD_WIDTH;
    v = json_simd_load(last);
    idle = json_simd_at_most(v, ' ');
    json_simd_store(to + text.len - JSON_SIMD_WIDTH, v);
    for (; p < last; p += JSON_SIMD_WIDTH, to += JSON_SIMD_WIDTH) {
        v = json_simd_load(p);
        idle = json_simd_or(idle, json_simd_at_most(v, ' '));
        json_simd_store(to, v);
    }
    return json_simd_bits(idle) == 0;
}

char *cell_text_put(char *to, const struct row_cell *cell, uint64_t *lone_surrogates)
{
    struct str text = { cell->text, cell->len };

    switch (cell->kind) {
    case CELL_ESCAPED:
        return json_step_unescape(to, text, lone_surrogates);
    case CELL_JSON:
        return copy_dense(to, text) ? to + text.len : put_json(to, text);
    default:
        memcpy(to, text.data, text.len);
        return to + text.len;
    }
}
