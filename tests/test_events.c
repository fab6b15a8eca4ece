#include "engine/events.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct written {
    char line[2048];
    unsigned count;
};

static struct written written;
static struct events events;

static uint64_t fixed_now(void *context)
{
    (void)context;
    return 0;
}

static int64_t fixed_wall(void *context)
{
    (void)context;
    return INT64_C(1795234500123000); /* 2026-11-21T04:15:00.123Z */
}

static void keep_line(void *context, struct str line)
{
    struct written *w = context;

    snprintf(w->line, sizeof w->line, "%.*s", STR_ARG(line));
    w->count++;
}

static int begin(void **state)
{
    (void)state;
    written = (struct written){ .count = 0 };
    events = (struct events){ .clock = { fixed_now, fixed_wall, NULL },
                              .write = keep_line,
                              .context = &written };
    return 0;
}

static int end(void **state)
{
    (void)state;
    events_release(&events);
    return 0;
}

static void add__shows_and_writes_one_object(void **state)
{
    (void)state;
    events_add(&events, EVENT_NOTICE, "cap", ",\"from\":10,\"cap\":24", "cap %d -> %d", 10, 24);
    assert_string_equal(events_at(&events, 0)->text, "cap 10 -> 24");
    assert_int_equal(events_at(&events, 0)->serial, 1);
    assert_int_equal(events_at(&events, 0)->level, EVENT_NOTICE);
    assert_string_equal(
        written.line, "{\"at\":\"2026-11-21T04:15:00.123Z\",\"event\":\"cap\",\"level\":\"notice\","
                      "\"from\":10,\"cap\":24,\"text\":\"cap 10 -> 24\"}");
}

static void note__is_written_and_not_shown(void **state)
{
    (void)state;
    events_note(&events, "sample", ",\"ok\":7", NULL);
    assert_null(events_at(&events, 0));
    assert_string_equal(written.line,
                        "{\"at\":\"2026-11-21T04:15:00.123Z\",\"event\":\"sample\",\"ok\":7}");
}

static void at__gives_the_latest_first_and_no_more_than_are_kept(void **state)
{
    (void)state;
    assert_null(events_at(&events, 0));
    for (int i = 1; i <= SNAPSHOT_EVENTS_MAX + 5; i++) {
        events_add(&events, EVENT_INFO, "n", "", "%d", i);
    }
    assert_string_equal(events_at(&events, 0)->text, "105");
    assert_string_equal(events_at(&events, SNAPSHOT_EVENTS_MAX - 1)->text, "6");
    assert_null(events_at(&events, SNAPSHOT_EVENTS_MAX));
    assert_int_equal(written.count, SNAPSHOT_EVENTS_MAX + 5);
}

static void add__folds_warnings_that_differ_by_figures_only(void **state)
{
    (void)state;
    events_add(&events, EVENT_WARNING, "hold", "", "10.0.0.1:80 held 1.0s (429)");
    events_add(&events, EVENT_WARNING, "hold", "", "10.0.0.2:80 held 1.0s (429)");
    events_add(&events, EVENT_WARNING, "hold", "", "10.0.0.1:80 held 12.5s (429)");
    assert_string_equal(events_at(&events, 0)->text, "10.0.0.1:80 held 12.5s (429)");
    assert_int_equal(events_at(&events, 0)->repeats, 2);
    assert_int_equal(events_at(&events, 0)->serial, 3);
    assert_string_equal(events_at(&events, 1)->text, "10.0.0.2:80 held 1.0s (429)");
    assert_int_equal(events_at(&events, 1)->repeats, 1);
    assert_null(events_at(&events, 2));
    assert_int_equal(written.count, 3);
    for (int i = 0; i < 4; i++) {
        events_add(&events, EVENT_NOTICE, "cap", "", "cap %d -> %d", i, i + 1);
    }
    events_add(&events, EVENT_WARNING, "hold", "", "10.0.0.1:80 held 1.0s (429)");
    assert_int_equal(events_at(&events, 0)->repeats, 1);
    assert_int_equal(events_at(&events, 1)->repeats, 1);
}

/* Whatever a server puts into a reason: one line, valid JSON, no byte that a terminal obeys. */
static void add__writes_valid_json__when_the_text_is_hostile(void **state)
{
    static const char *const texts[] = {
        "quote \" and backslash \\",
        "line\nfeed\r\ttab",
        "\x1b]0;title\x07\x1b[31mred",
        "c1 \xc2\x9b bidi \xe2\x80\xae override",
        "broken \xff\xfe utf-8 \xc3",
        "}\n{\"event\":\"forged\"}",
        "%s%n%d",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cJSON *root;

        events_add(&events, EVENT_ERROR, "failed", "", "%s", texts[i]);
        for (const char *p = written.line; *p; p++) {
            assert_in_range((unsigned char)*p, 0x20, 0xFF);
            assert_int_not_equal(*p, 0x7F);
        }
        root = cJSON_ParseWithOpts(written.line, NULL, 1);
        assert_non_null(root);
        assert_string_equal(cJSON_GetObjectItem(root, "text")->valuestring,
                            events_at(&events, 0)->text);
        assert_string_equal(cJSON_GetObjectItem(root, "event")->valuestring, "failed");
        cJSON_Delete(root);
    }
}

static void add__cuts__when_the_text_is_long(void **state)
{
    char text[20000];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    events_add(&events, EVENT_ERROR, "failed", "", "%s", text);
    assert_in_range(strlen(events_at(&events, 0)->text), 100, SNAPSHOT_EVENT_TEXT - 1);
}

/* A long token that begins where the text is still shown is known as one, though its end is not. */
static void add__redacts_a_secret__wherever_it_stands(void **state)
{
    char secret[3001];
    struct secrets secrets = { .count = 0 };

    (void)state;
    memset(secret, 's', 3000);
    secret[3000] = '\0';
    assert_int_equal(secrets_add(&secrets, str_view(secret), "test", NULL), RESULT_OK);
    events.secrets = &secrets;
    for (int before = 0; before < 300; before++) {
        events_add(&events, EVENT_ERROR, "failed", "", "%*s%s", before, "", secret);
        assert_null(strstr(events_at(&events, 0)->text, "ssss"));
        assert_null(strstr(written.line, "ssss"));
    }
    events.secrets = NULL;
    secrets_release(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(add__shows_and_writes_one_object, begin, end),
        cmocka_unit_test_setup_teardown(note__is_written_and_not_shown, begin, end),
        cmocka_unit_test_setup_teardown(at__gives_the_latest_first_and_no_more_than_are_kept, begin,
                                        end),
        cmocka_unit_test_setup_teardown(add__folds_warnings_that_differ_by_figures_only, begin,
                                        end),
        cmocka_unit_test_setup_teardown(add__writes_valid_json__when_the_text_is_hostile, begin,
                                        end),
        cmocka_unit_test_setup_teardown(add__cuts__when_the_text_is_long, begin, end),
        cmocka_unit_test_setup_teardown(add__redacts_a_secret__wherever_it_stands, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
