/* engine/http_notes: what hosts speak, by their origins. */
#include "engine/http_notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void put__is_found_again__and_the_last_word_counts(void **state)
{
    struct http_notes notes = { 0 }, again = { 0 };

    (void)state;
    assert_int_equal(http_notes_find(&notes, "https://a.test:443"), JOB_HTTP_AUTO);
    assert_true(http_notes_put(&notes, "https://a.test:443", JOB_HTTP_1_1));
    assert_true(http_notes_put(&notes, "http://b.a.test:80", JOB_HTTP_2_AT_ONCE));
    assert_false(http_notes_put(&notes, "http://b.a.test:80", JOB_HTTP_2_AT_ONCE));
    assert_int_equal(http_notes_find(&notes, "https://a.test:443"), JOB_HTTP_1_1);
    assert_int_equal(http_notes_find(&notes, "http://b.a.test:80"), JOB_HTTP_2_AT_ONCE);
    assert_int_equal(http_notes_find(&notes, "http://a.test:80"), JOB_HTTP_AUTO);
    assert_true(http_notes_put(&notes, "https://a.test:443", JOB_HTTP_2));
    assert_int_equal(http_notes_find(&notes, "https://a.test:443"), JOB_HTTP_2);
    assert_int_equal(http_notes_read(&again, buf_view(&notes.text)), RESULT_OK);
    assert_true(str_equal(buf_view(&again.text), buf_view(&notes.text)));
    assert_true(http_notes_put(&notes, "https://a.test:443", JOB_HTTP_AUTO));
    assert_false(http_notes_put(&notes, "https://a.test:443", JOB_HTTP_AUTO));
    assert_int_equal(http_notes_find(&notes, "https://a.test:443"), JOB_HTTP_AUTO);
    assert_int_equal(http_notes_find(&notes, "http://b.a.test:80"), JOB_HTTP_2_AT_ONCE);
    http_notes_release(&notes);
    http_notes_release(&again);
}

static void read__passes_over_what_is_no_note(void **state)
{
    struct http_notes notes = { 0 };

    (void)state;
    assert_int_equal(
        http_notes_read(&notes, STR("\nx\nhttp://a:1 9\n 2 \nhttp://b:1 2\nhttp://c:1")),
        RESULT_OK);
    assert_true(str_equal(buf_view(&notes.text), STR("\nhttp://b:1 2\n")));
    assert_int_equal(http_notes_read(&notes, STR("\n")), RESULT_OK);
    assert_int_equal(notes.text.len, 0);
    http_notes_release(&notes);
}

static void put__has_a_ceiling(void **state)
{
    struct http_notes notes = { 0 };
    char origin[64];
    unsigned count = 0;

    (void)state;
    do {
        snprintf(origin, sizeof origin, "https://host-%u.test:443", count++);
    } while (http_notes_put(&notes, origin, JOB_HTTP_1_1));
    assert_in_range(count, 1000, 10000);
    assert_true(notes.text.len <= HTTP_NOTES_BYTES);
    assert_int_equal(http_notes_find(&notes, "https://host-0.test:443"), JOB_HTTP_1_1);
    http_notes_release(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put__is_found_again__and_the_last_word_counts),
        cmocka_unit_test(read__passes_over_what_is_no_note),
        cmocka_unit_test(put__has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
