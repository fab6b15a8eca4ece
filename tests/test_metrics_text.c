/* control/metrics_text: whatever names are, a scraper takes all samples. */

#include "control/metrics_text.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct snapshot s;
static struct report r;
static struct buf out;

static int set_up(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    memset(&r, 0, sizeof r);
    buf_init(&out, 1U << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

static const char *written(void)
{
    assert_int_equal(metrics_text_write(&out, &s, &r, true), RESULT_OK);
    return buf_cstr(&out);
}

static void add_host(const char *name, uint64_t hold_us, int64_t quota)
{
    struct snapshot_host *h = &s.hosts[s.host_count++];

    snprintf(h->host, sizeof h->host, "%s", name);
    h->hold_in_us = hold_us;
    h->quota_left = quota;
}

static void no_sample__comes_twice__when_names_are_the_same(void **state)
{
    struct str rest, lines[512];
    size_t count = 0;

    (void)state;
    add_host("api.example.org", 0, 17);
    add_host("api.example.org", 5000000, 4); /* by https */
    add_host("cdn.example.org", UINT64_MAX, -1);
    add_host("cdn.example.org", 1000000, -1);
    rest = str_view(written());
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');

        if (line.len && line.data[0] != '#') {
            const char *end = memchr(line.data, '}', line.len);

            assert_non_null(end);
            line.len = (size_t)(end - line.data);
            for (size_t i = 0; i < count; i++) {
                assert_false(str_equal(lines[i], line));
            }
            assert_true(count < 512);
            lines[count++] = line;
        }
    }
    assert_non_null(strstr(out.data, "host_hold_seconds{run=\"\",host=\"api.example.org\"} 5\n"));
    assert_non_null(strstr(out.data, "host_quota_left{run=\"\",host=\"api.example.org\"} 4\n"));
    assert_non_null(
        strstr(out.data, "host_hold_seconds{run=\"\",host=\"cdn.example.org\"} +Inf\n"));
    assert_null(strstr(out.data, "host_quota_left{run=\"\",host=\"cdn"));
}

static void names__are_utf8__wherever_they_were_cut(void **state)
{
    struct str rest;

    (void)state;
    snprintf(s.name, sizeof s.name, "caf\xC3");
    add_host("\xE2\x82", 0, 1);
    add_host("a\"b\\c\nd", 0, 1);
    rest = str_view(written());
    while (rest.len) {
        uint32_t code;
        size_t length = utf8_decode(rest, &code);

        assert_true(length > 0);
        rest.data += length;
        rest.len -= length;
    }
    assert_non_null(strstr(out.data, "{run=\"caf\xEF\xBF\xBD\"}"));
    assert_non_null(strstr(out.data, "host=\"a\\\"b\\\\c\\nd\""));
}

static void the_rate__is_told__whatever_limits_the_run(void **state)
{
    (void)state;
    snprintf(s.rate_limit, sizeof s.rate_limit, "5/15s");
    s.limit.kind = LIMIT_CAP;
    assert_non_null(
        strstr(written(), "\nscrapetop_rate_limit_per_second{run=\"\"} 0.333333333333333\n"));
    buf_reset(&out);
    snprintf(s.rate_limit, sizeof s.rate_limit, "off");
    assert_null(strstr(written(), "\nscrapetop_rate_limit_per_second{"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_sample__comes_twice__when_names_are_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names__are_utf8__wherever_they_were_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rate__is_told__whatever_limits_the_run, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
