#include "normalise/shape.h"

#include "base/json_scan.h"
#include "base/units.h"

#define POINTER_MAX 128 /* bytes of one; what is longer is not offered */

struct search {
    struct buf *out;
    enum json_type type; /* that is looked for in this round */
    unsigned found;
    enum result result;
};

static uint64_t count_elements(struct str array)
{
    struct json_walk walk;
    uint64_t count = 0;
    struct str value;

    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        count++;
    }
    return count;
}

static void tell(struct search *s, struct str pointer, struct str value)
{
    const char *between = s->out->len ? ", " : "";

    s->found++;
    if (s->type == JSON_ARRAY) {
        uint64_t count = count_elements(value);

        s->result = buf_printf(s->out, "%s%.*s (%llu element%s)", between, STR_ARG(pointer),
                               (unsigned long long)count, units_plural(count));
    } else {
        s->result = buf_printf(s->out, "%s%.*s", between, STR_ARG(pointer));
    }
}

/* The key as a step of a pointer; false when it makes it too long. */
static bool append_step(struct buf *pointer, struct str key)
{
    struct buf name = { .max = POINTER_MAX };
    bool fits =
        json_unescape(&name, key, NULL) == RESULT_OK && buf_append_char(pointer, '/') == RESULT_OK;

    for (size_t i = 0; fits && i < name.len; i++) {
        char c = name.data[i];

        fits = c == '~'   ? buf_append(pointer, "~0", 2) == RESULT_OK
               : c == '/' ? buf_append(pointer, "~1", 2) == RESULT_OK
                          : buf_append_char(pointer, c) == RESULT_OK;
    }
    buf_release(&name);
    return fits;
}

static void look_into(struct search *s, struct str object, struct buf *pointer, unsigned depth)
{
    struct json_walk walk;
    struct str key, value;
    size_t len = pointer->len;

    if (json_type_of(object) != JSON_OBJECT) {
        return;
    }
    json_walk_begin(&walk, object);
    while (s->result == RESULT_OK && s->found < SHAPE_POINTERS_MAX &&
           json_walk_next(&walk, &key, &value)) {
        pointer->len = len;
        if (!append_step(pointer, key)) {
            continue;
        }
        if (json_type_of(value) == s->type) {
            tell(s, buf_view(pointer), value);
        }
        if (depth + 1 < SHAPE_DEPTH_MAX) {
            look_into(s, value, pointer, depth + 1);
        }
    }
    pointer->len = len;
}

static enum result append(struct buf *out, struct str text, bool objects)
{
    struct search search = { .out = out, .type = JSON_ARRAY };
    struct buf pointer = { .max = POINTER_MAX };

    look_into(&search, text, &pointer, 0);
    if (objects) {
        search.type = JSON_OBJECT;
        look_into(&search, text, &pointer, 0);
    }
    buf_release(&pointer);
    return search.result;
}

enum result shape_append_arrays(struct buf *out, struct str text)
{
    return append(out, text, false);
}

enum result shape_append_pointers(struct buf *out, struct str text)
{
    return append(out, text, true);
}
