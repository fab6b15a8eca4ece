/*
 * Words for who has pointed at the wrong place: too many columns come of an object that is keyed by ids.
 */
#include "base/say.h"
#include "table/table_build_state.h"

/* The pointer as it was given, and the way on from there to the members of the object that has the names. */
void table_hint_at_keys(const struct table_build *b, const struct columns *columns, bool in_array,
                        struct err *err)
{
    struct buf pointer = { .max = TABLE_HINT_MAX }, word = { .max = 2 * TABLE_HINT_MAX };
    enum result result = buf_append_str(&pointer, str_view(b->records ? b->records : ""));
    uint32_t names = 0;
    size_t own;

    if (result == RESULT_OK && in_array) {
        result = buf_append(&pointer, "/*", 2);
    }
    own = pointer.len;
    result = result == RESULT_OK ? columns_append_widest(columns, &pointer, &names) : result;
    result = result == RESULT_OK ? buf_append(&pointer, "/*", 2) : result;
    result = result == RESULT_OK ? say_shell_word(&word, buf_view(&pointer)) : result;
    if (result == RESULT_OK) {
        struct str within = { pointer.data + own, pointer.len - own - 2 };

        err_set(err, RESULT_LIMIT, "E-COL1",
                "over %d columns, %u of them in %s%.*s, which is probably keyed by an id; try "
                "--records %.*s",
                COLUMNS_MAX, names, within.len ? "" : "the record itself", STR_ARG(within),
                STR_ARG(buf_view(&word)));
    }
    buf_release(&pointer);
    buf_release(&word);
}
