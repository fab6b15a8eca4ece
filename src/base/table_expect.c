#include "base/table_expect.h"

#include "base/units.h"

static const char *const orders[] = { ">=", "<=", ">", "<", "=" };

bool table_expect_any(const struct table_expect *e)
{
    return e->order || e->unique_count || e->not_null_count || e->types_frozen || e->fresh.data;
}

enum result table_expect_rows(struct table_expect *e, struct str text, struct err *err)
{
    struct str given = str_trim(text);

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct str order = str_view(orders[i]);

        if (given.len > order.len && str_equal((struct str){ given.data, order.len }, order) &&
            str_to_u64(str_trim((struct str){ given.data + order.len, given.len - order.len }),
                       &e->rows)) {
            e->order = orders[i];
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-EXP2",
                   "rows \"%.*s\": want a number after >=, >, <=, < or =, as in >= 1000",
                   (int)(text.len < 40 ? text.len : 40), text.data);
}

enum result table_expect_types(struct table_expect *e, struct str text, struct err *err)
{
    e->types_frozen = str_equal(str_trim(text), STR("frozen"));
    return e->types_frozen ? RESULT_OK
                           : err_set(err, RESULT_INVALID, "E-EXP2",
                                     "types \"%.*s\": the one thing to expect of types is frozen",
                                     (int)(text.len < 40 ? text.len : 40), text.data);
}

enum result table_expect_fresh(struct table_expect *e, struct str text, struct err *err)
{
    struct str given = str_trim(text);
    size_t at = given.len;
    struct err why;

    while (at > 0 && given.data[at - 1] != '<') {
        at--;
    }
    if (at > 0) {
        e->fresh = str_trim((struct str){ given.data, at - 1 });
    }
    if (at == 0 || !e->fresh.len ||
        units_parse_time(str_trim((struct str){ given.data + at, given.len - at }), &e->fresh_us,
                         &why) != RESULT_OK) {
        e->fresh = STR_NONE;
        return err_set(err, RESULT_INVALID, "E-EXP2",
                       "fresh \"%.*s\": want a column or pointer, < and an age, as in "
                       "/updated_at < 2d",
                       (int)(text.len < 80 ? text.len : 80), text.data);
    }
    return RESULT_OK;
}

bool table_expect_holds(const struct table_expect *e, uint64_t count)
{
    bool is_less = count < e->rows, is_equal = count == e->rows;
    bool or_equal = e->order && e->order[1] == '=';

    if (!e->order) {
        return true;
    }
    switch (e->order[0]) {
    case '>':
        return (!is_less && !is_equal) || (or_equal && is_equal);
    case '<':
        return is_less || (or_equal && is_equal);
    default:
        return is_equal;
    }
}
