/* Whole runs that are led elsewhere by a server that repeats what it was asked with. */
#include "engine_fixture.h"
#include "job/auth/auth_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "k3y+of/mine="
#define KEY_SENT "k3y%2Bof%2Fmine%3D" /* as we escape it */
#define KEY_BACK "k3y%2bof/mine="     /* as another may */

/* "/start" leads to `location`, all else is answered. */
struct leading {
    char answer[512];
    struct script usual;
    struct server *server, *other;
    struct run run;
};

static struct server_answer lead(void *context, const struct server_asked *asked, unsigned number)
{
    const struct leading *l = context;

    (void)number;
    return strstr(asked->head, "/start")
               ? (struct server_answer){ l->answer, strlen(l->answer), 0, SERVER_KEEP }
               : USUAL;
}

/* `path` is relative to the other server, when it is to lead away. */
static void lead_to(struct leading *l, bool away, const char *path)
{
    snprintf(l->answer, sizeof l->answer,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
             away ? server_url(l->other, path) : path);
}

static void leading_begin(struct leading *l, const char *start)
{
    l->usual = (struct script){ .usual = USUAL };
    l->other = server_start(play, &l->usual);
    l->server = server_start(lead, l);
    run_begin(&l->run, server_url(l->server, start));
}

static void leading_end(struct leading *l)
{
    run_end(&l->run);
    server_stop(l->server);
    server_stop(l->other);
}

static void give_key_in_query(struct run *r)
{
    r->job.login = (struct job_login){ .kind = &auth_key,
                                       .name = str_dup(STR("api_key")),
                                       .in_query = true,
                                       .secret = { str_dup(STR(KEY)), str_dup(STR(KEY)) } };
}

/* The run, looked at all the while as closely as may be. */
static void watch_to_its_end(struct leading *l, const char *secret)
{
    struct run *r = &l->run;

    run_start(r);
    tell(r, CONTROL_DETAIL, 1);
    while (!r->done) {
        const struct snapshot *s = look(r);

        assert_null(memmem(s, sizeof *s, secret, strlen(secret)));
        turn(r);
    }
    assert_null(memmem(look(r), sizeof(struct snapshot), secret, strlen(secret)));
    run_close(r);
}

static void assert_nowhere(const struct leading *l, const char *secret)
{
    static const char *const names[] = { "events.jsonl", "ledger.db", "ledger.db-wal",
                                         "raw/00000001.jsonl" };

    struct run_dir dir;

    assert_int_equal(run_dir_open_readonly(&dir, l->run.temp.run, NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160], *bytes;
        size_t len;

        snprintf(path, sizeof path, "%s/%s", l->run.temp.run, names[i]);
        if (access(path, F_OK) != 0) {
            continue;
        }
        bytes = file_read(&dir, names[i], &len);
        if (memmem(bytes, len, secret, strlen(secret))) {
            fail_msg("%s holds %s", names[i], secret);
        }
        free(bytes);
    }
    run_dir_close(&dir);
}

static void key__is_sent_once_and_kept_nowhere__when_its_origin_repeats_it(void **state)
{
    struct leading l;

    (void)state;
    leading_begin(&l, "/start?n=1");
    lead_to(&l, false, "/there?n=1&api_key=" KEY_BACK "&m=2");
    give_key_in_query(&l.run);
    watch_to_its_end(&l, "k3y");
    assert_int_equal(l.run.report.exit, EXIT_WELL);
    assert_non_null(strstr(server_asked_at(l.server, 1).head,
                           "GET /there?n=1&m=2&api_key=" KEY_SENT " HTTP/1.1\r\n"));
    assert_nowhere(&l, "k3y");
    leading_end(&l);
}

static void header_key__is_shown_nowhere__when_its_origin_puts_it_into_the_url(void **state)
{
    struct leading l;

    (void)state;
    leading_begin(&l, "/start");
    lead_to(&l, false, "/" KEY_BACK "/there?who=" KEY_SENT);
    assert_int_equal(job_add_header(&l.run.job, STR("X-Api-Key: " KEY), NULL), RESULT_OK);
    watch_to_its_end(&l, "k3y");
    assert_int_equal(l.run.report.exit, EXIT_WELL);
    assert_non_null(strstr(server_asked_at(l.server, 1).head, "GET /" KEY_BACK "/there?who="));
    assert_nowhere(&l, "k3y");
    leading_end(&l);
}

static void key__goes_to_no_other_origin__in_what_way_ever_it_was_given(void **state)
{
    static const struct {
        const char *start, *to;
        bool in_query, in_header;
    } cases[] = {
        { "/start", "/there?api_key=" KEY_BACK, true, false },
        { "/start", "/there?other=" KEY_SENT, true, false },
        { "/start", "/there?api_key=" KEY, false, true },
        { "/start", "/there/" KEY "/x", false, true },
        { "/start?sig=s1gned", "/there?again=s1gned", false, false }, /* told by its name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct leading l;

        leading_begin(&l, cases[i].start);
        lead_to(&l, true, cases[i].to);
        if (cases[i].in_query) {
            give_key_in_query(&l.run);
        }
        if (cases[i].in_header) {
            assert_int_equal(job_add_header(&l.run.job, STR("X-Api-Key: " KEY), NULL), RESULT_OK);
        }
        watch_to_its_end(&l, "k3y");
        assert_int_equal(l.run.report.exit, EXIT_INCOMPLETE);
        assert_failure(l.run.report.failures[0].why, "refused");
        assert_int_equal(server_count(l.other), 0);
        assert_told(&l.run,
                    "refused to send a credential on to another origin: http://127.0.0.1:", true);
        assert_nowhere(&l, "k3y");
        assert_told(&l.run, "s1gned", false);
        leading_end(&l);
    }
}

static void reason__holds_no_part_of_a_key__where_it_is_cut(void **state)
{
    struct leading l;

    (void)state;
    for (size_t n = 50; n < 80; n += 2) {
        char path[160];

        leading_begin(&l, "/start");
        snprintf(path, sizeof path, "/start/%0*d/" KEY, (int)n, 0);
        lead_to(&l, false, path); /* and again and again */
        assert_int_equal(job_add_header(&l.run.job, STR("X-Api-Key: " KEY), NULL), RESULT_OK);
        watch_to_its_end(&l, "k3y");
        assert_int_equal(l.run.report.exit, EXIT_INCOMPLETE);
        assert_told(&l.run, "failed: more than 5 redirects, the last to http://127.0.0.1:", true);
        assert_nowhere(&l, "k3y");
        leading_end(&l);
    }
}

static void redirect__is_followed_bare__when_no_credential_stands_in_it(void **state)
{
    struct leading l;

    (void)state;
    leading_begin(&l, "/start");
    lead_to(&l, true, "/there?x-amz-signature=0123456789");
    give_key_in_query(&l.run);
    watch_to_its_end(&l, "k3y");
    assert_int_equal(l.run.report.exit, EXIT_WELL);
    assert_non_null(strstr(server_asked_at(l.other, 0).head,
                           "GET /there?x-amz-signature=0123456789 HTTP/1.1\r\n"));
    assert_told(&l.run, "0123456789", false);
    leading_end(&l);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key__is_sent_once_and_kept_nowhere__when_its_origin_repeats_it),
        cmocka_unit_test(header_key__is_shown_nowhere__when_its_origin_puts_it_into_the_url),
        cmocka_unit_test(key__goes_to_no_other_origin__in_what_way_ever_it_was_given),
        cmocka_unit_test(reason__holds_no_part_of_a_key__where_it_is_cut),
        cmocka_unit_test(redirect__is_followed_bare__when_no_credential_stands_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
