/* Cells of typed columns as text: what is right is shown, what is of another type is refused. */
#include "table/typed_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    enum type type;
    const char *value, *want; /* NULL: it is not of that type */
} rows[] = {
    { TYPE_INT64, "-9223372036854775808", "-9223372036854775808" },
    { TYPE_INT64, "9223372036854775808", NULL },
    { TYPE_INT64, "1.5", NULL },
    { TYPE_DOUBLE, "0.9999999999999999", "0.9999999999999999" },
    { TYPE_DOUBLE, "nothing", NULL },
    { TYPE_BOOLEAN, "true", "true" },
    { TYPE_BOOLEAN, "TRUE", NULL },
    { TYPE_DATE, "2026-01-31", "2026-01-31" },
    { TYPE_DATE, "2026-02-30", NULL },
    { TYPE_TIMESTAMP, "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.000000Z" },
    { TYPE_TIMESTAMP, "soon", NULL },
};

static void value__is_shown_as_its_type__or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct type_decision column = { .type = rows[i].type };
        char shown[MOMENT_TEXT_MAX];
        struct err err;
        struct str made;
        enum result result = typed_text_value(&column, str_view(rows[i].value), shown, &made, &err);

        if (result != (rows[i].want ? RESULT_OK : RESULT_CORRUPT)) {
            fail_msg("%s: result %d", rows[i].value, (int)result);
        }
        if (rows[i].want && !str_equal(made, str_view(rows[i].want))) {
            fail_msg("%s: \"%.*s\"", rows[i].value, STR_ARG(made));
        }
        if (!rows[i].want) {
            assert_string_equal(err.code, "E-TAB2");
        }
    }
}

static void kind__says_who_writes_it(void **state)
{
    (void)state;
    assert_int_equal(typed_text_kind(&(struct type_decision){ .type = TYPE_TEXT }),
                     TYPED_TEXT_ESCAPED);
    assert_int_equal(typed_text_kind(&(struct type_decision){ .type = TYPE_BOOLEAN }),
                     TYPED_TEXT_BARE);
    assert_int_equal(typed_text_kind(&(struct type_decision){ .type = TYPE_LOCAL_TIMESTAMP }),
                     TYPED_TEXT_MOMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__is_shown_as_its_type__or_refused),
        cmocka_unit_test(kind__says_who_writes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
