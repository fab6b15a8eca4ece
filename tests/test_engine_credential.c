/* Whole runs with a credential that no login can renew, and a server that refuses it. */
#include "engine_fixture.h"
#include "job/auth/auth_kind.h"
#include "job/job_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED EMPTY_ANSWER("401 Unauthorized")

/* What the server makes of them. */
struct door {
    unsigned uses;               /* good for so many, then refused; 0: for all */
    const char *credential;      /* refused without this in the request; NULL: not looked at */
    unsigned shut_from, shut_to; /* numbers that nobody may see */
    unsigned once;               /* this number is refused the first time only; 0: none */
    unsigned let_in, refused, seen_once;
};

static struct server_answer open_door(void *context, const struct server_asked *asked,
                                      unsigned number)
{
    struct door *d = context;
    unsigned n = asked_number(asked);
    bool is_shut = (d->shut_from && n >= d->shut_from && n <= d->shut_to) ||
                   (d->once && n == d->once && !d->seen_once++);

    (void)number;
    if (is_shut || (d->credential && !strstr(asked->head, d->credential)) ||
        (d->uses && d->let_in == d->uses)) {
        d->refused++;
        return REFUSED;
    }
    d->let_in++;
    return USUAL;
}

struct world {
    struct run run;
    struct door door;
    struct server *server;
};

static void begin(struct world *w, struct door door, const char *path)
{
    w->door = door;
    w->server = server_start(open_door, &w->door);
    run_begin(&w->run, server_url(w->server, path));
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
}

static void carry(struct world *w, const char *header)
{
    assert_int_equal(job_add_header(&w->run.job, str_view(header), NULL), RESULT_OK);
}

static void assert_lost(const struct world *w, unsigned ok, unsigned pending)
{
    const struct report *r = &w->run.report;

    assert_int_equal(r->exit, EXIT_AUTH);
    assert_string_equal(r->stopped_code, "E-AUTH2");
    assert_int_equal(r->ok, ok);
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->pending, pending);
}

static void credential__that_ends__stops_the_run_and_loses_nothing(void **state)
{
    static const char *const headers[] = { "Authorization: Bearer 0ld-t0ken", "X-Api-Key: 0ld-key1",
                                           "Cookie: session=0ld-value" };

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct world w;

        begin(&w, (struct door){ .uses = 50 }, "/x/[1-300]");
        carry(&w, headers[i]);
        run_to_its_end(&w.run);
        assert_lost(&w, 50, 250);
        assert_in_range(w.door.refused, 5, 12);
        assert_non_null(strstr(w.run.report.stopped_by, " answers that went well"));
        assert_non_null(strstr(w.run.report.stopped_by, "127.0.0.1:"));
        assert_non_null(strstr(w.run.report.stopped_by, "nothing is lost"));
        assert_told(&w.run, "\"code\":\"E-AUTH2\"", true);
        w.door.uses = 0; /* a new one: the same URLs, once each */
        w.door.let_in = w.door.refused = 0;
        run_to_its_end(&w.run);
        assert_int_equal(w.run.report.exit, EXIT_WELL);
        assert_int_equal(w.run.report.ok, 300);
        assert_int_equal(w.door.let_in, 250);
        end(&w);
    }
}

static void credential__of_a_login_that_is_given__stops_the_run(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .uses = 20, .credential = "Bearer a-t0ken-0f-0urs" }, "/x/[1-100]");
    w.run.job.login = (struct job_login){ .kind = &auth_bearer,
                                          .secret = { str_dup(STR("a-t0ken-0f-0urs")),
                                                      str_dup(STR("a-t0ken-0f-0urs")) } };
    run_to_its_end(&w.run);
    assert_lost(&w, 20, 80);
    end(&w);
}

/* One at a time, refused ones are set aside and others asked: still five different ones. */
static void credential__that_ends__is_seen_with_one_at_a_time(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .uses = 3 }, "/x/[1-20]");
    carry(&w, "Authorization: Bearer 0ld-t0ken");
    w.run.job.pace.cap = 1;
    run_to_its_end(&w.run);
    assert_lost(&w, 3, 17);
    assert_int_equal(w.door.refused, 5);
    end(&w);
}

static void credential__that_was_never_good__is_not_tried_twice(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .credential = "no such" }, "/x/[1-2]");
    carry(&w, "X-Api-Key: wr0ng-key");
    run_to_its_end(&w.run);
    assert_lost(&w, 0, 2);
    assert_int_equal(w.door.refused, 2);
    end(&w);
}

/* Too few are left for a row of them. */
static void credential__that_ends_among_the_last__stops_the_run_too(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .uses = 28 }, "/x/[1-30]");
    carry(&w, "X-Api-Key: 0ld-key1");
    run_to_its_end(&w.run);
    assert_lost(&w, 28, 2);
    assert_in_range(w.door.refused, 2, 4);
    end(&w);
}

/* Of two hosts one refuses the credential from a moment on: all of the other is asked, whichever comes first. */
static void credential__that_ends_at_one_host__leaves_the_other_alone(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct door other = { .uses = 0 };
        struct server *second = server_start(open_door, &other);
        struct world w = { .door = { .uses = 50 } };
        const char *ports[2];
        char url[128];

        w.server = server_start(open_door, &w.door);
        ports[first] = strrchr(server_url(w.server, ""), ':') + 1;
        ports[1 - first] = strrchr(server_url(second, ""), ':') + 1;
        snprintf(url, sizeof url, "http://127.0.0.1:{%s,%s}/x/[1-200]", ports[0], ports[1]);
        run_begin(&w.run, url);
        carry(&w, "Authorization: Bearer 0ld-t0ken");
        run_to_its_end(&w.run);
        assert_lost(&w, 250, 150);
        assert_int_equal(other.let_in, 200);
        assert_in_range(w.door.refused, 1, 30);
        assert_told(&w.run, "what is asked without it goes on", true);
        w.door = (struct door){ .uses = 0 }; /* a new one */
        run_to_its_end(&w.run);
        assert_int_equal(w.run.report.exit, EXIT_WELL);
        assert_int_equal(w.door.let_in, 150);
        assert_int_equal(other.let_in, 200);
        end(&w);
        server_stop(second);
    }
}

static void url__that_it_may_not_see__fails_alone(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .shut_from = 11, .shut_to = 13 }, "/x/[1-100]");
    carry(&w, "X-Api-Key: g00d-key1");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok, 97);
    assert_int_equal(w.run.report.failed, 3);
    assert_failure(w.run.report.failures[0].why, "HTTP 401");
    assert_int_equal(w.door.refused, 6); /* once more each */
    end(&w);
}

static void url__that_is_refused_once__goes_well_when_asked_again(void **state)
{
    static const unsigned numbers[] = { 5, 40 }; /* among others, and the last */

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world w;

        begin(&w, (struct door){ .once = numbers[i] }, "/x/[1-40]");
        carry(&w, "X-Api-Key: g00d-key1");
        run_to_its_end(&w.run);
        assert_int_equal(w.run.report.exit, EXIT_WELL);
        assert_int_equal(w.run.report.ok, 40);
        assert_int_equal(w.run.report.retried, 0);
        end(&w);
    }
}

static void without_a_credential__a_refusal_is_as_any_other(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .shut_from = 11, .shut_to = 19 }, "/x/[1-60]");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok, 51);
    assert_int_equal(w.run.report.failed, 9);
    assert_int_equal(w.door.refused, 9);
    end(&w);
}

static void rule__has_the_last_word(void **state)
{
    struct world w;

    (void)state;
    begin(&w, (struct door){ .shut_from = 11, .shut_to = 30 }, "/x/[1-60]");
    carry(&w, "X-Api-Key: g00d-key1");
    assert_int_equal(job_add_answer(&w.run.job, STR("status=401 do=fail"), NULL), RESULT_OK);
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok, 40);
    assert_int_equal(w.run.report.failed, 20);
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credential__that_ends__stops_the_run_and_loses_nothing),
        cmocka_unit_test(credential__of_a_login_that_is_given__stops_the_run),
        cmocka_unit_test(credential__that_ends__is_seen_with_one_at_a_time),
        cmocka_unit_test(credential__that_was_never_good__is_not_tried_twice),
        cmocka_unit_test(credential__that_ends_among_the_last__stops_the_run_too),
        cmocka_unit_test(credential__that_ends_at_one_host__leaves_the_other_alone),
        cmocka_unit_test(url__that_it_may_not_see__fails_alone),
        cmocka_unit_test(url__that_is_refused_once__goes_well_when_asked_again),
        cmocka_unit_test(without_a_credential__a_refusal_is_as_any_other),
        cmocka_unit_test(rule__has_the_last_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
