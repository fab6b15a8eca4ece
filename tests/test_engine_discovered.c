/* Runs whose answers name further requests, against a listing that the test plays. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGES_MAX 1200
#define RECORDS 3 /* of a page; the last has one fewer, so that nobody looks for another after it */

/* GET /list?page=N: its records, and how many pages there are. */
struct listing {
    unsigned pages;
    unsigned fail_at; /* this page answers 503 for `fail_times`; 0: none */
    unsigned fail_times;
    bool fail_in_200; /* it answers 200 with an error object instead */
    unsigned asked[PAGES_MAX + 1];
    char *answers[PAGES_MAX + 1];
};

static char *make_answer(const struct listing *l, unsigned page)
{
    char *answer = malloc(512), body[256];
    unsigned records = page == l->pages ? RECORDS - 1 : RECORDS;
    size_t at = 0;

    assert_non_null(answer);
    at += (size_t)snprintf(body, sizeof body, "{\"pages\":%u,\"items\":[", l->pages);
    for (unsigned i = 0; i < records; i++) {
        at += (size_t)snprintf(body + at, sizeof body - at, "%s{\"id\":%u}", i ? "," : "",
                               page * 10 + i);
    }
    at += (size_t)snprintf(body + at, sizeof body - at, "]}");
    snprintf(answer, 512, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", at, body);
    return answer;
}

/* On the server's thread. */
static struct server_answer play_listing(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    struct listing *l = context;
    const char *at = strstr(asked->head, "page=");
    unsigned page = at ? (unsigned)strtoul(at + 5, NULL, 10) : 0;

    (void)number;
    if (page < 1 || page > l->pages) {
        return EMPTY_ANSWER("404 Not Found");
    }
    if (page == l->fail_at && l->asked[page]++ < l->fail_times) {
        static const char error[] = "HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n"
                                    "{\"error\":{\"message\":\"timed out\"}}";

        if (l->fail_in_200) {
            return (struct server_answer){ error, sizeof error - 1, 0, SERVER_KEEP };
        }
        return EMPTY_ANSWER("503 Service Unavailable");
    }
    if (page != l->fail_at) {
        l->asked[page]++;
    }
    if (!l->answers[page]) {
        l->answers[page] = make_answer(l, page);
    }
    return (struct server_answer){ l->answers[page], strlen(l->answers[page]), 0, SERVER_KEEP };
}

struct world {
    struct listing listing;
    struct server *server;
    struct run run;
};

static char *text(const char *words)
{
    char *copy = str_dup(str_view(words));

    assert_non_null(copy);
    return copy;
}

static void begin(struct world *w, unsigned pages)
{
    struct job_endpoint *endpoint;

    *w = (struct world){ .listing.pages = pages };
    w->server = server_start(play_listing, &w->listing);
    run_begin(&w->run, server_url(w->server, "/list?page=1"));
    endpoint = &w->run.job.endpoints[0];
    endpoint->records = text("/items");
    endpoint->pages.kind = JOB_PAGES_NUMBER;
    endpoint->pages.param = text("page");
    endpoint->pages.first = 1;
    endpoint->pages.has_first = true;
    endpoint->pages.total_pages = text("/pages");
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
    for (size_t i = 0; i <= PAGES_MAX; i++) {
        free(w->listing.answers[i]);
    }
}

static void check_asked_once(const struct world *w)
{
    for (unsigned page = 1; page <= w->listing.pages; page++) {
        if (w->listing.asked[page] != 1) {
            fail_msg("page %u was asked %u times", page, w->listing.asked[page]);
        }
    }
}

static void run__asks_all_pages__once_each(void **state)
{
    struct world w;

    (void)state;
    begin(&w, PAGES_MAX); /* more than a question to the ledger yields, and than a block names */
    run_to_its_end(&w.run);
    check_asked_once(&w);
    assert_int_equal(w.run.report.ok, PAGES_MAX);
    assert_int_equal(w.run.report.total, PAGES_MAX);
    assert_int_equal(w.run.report.pending, 0);
    assert_int_equal(w.run.report.exit, 0);
    assert_int_equal(stored_count(&w.run), PAGES_MAX);
    end(&w);
}

static void run__goes_on_with_what_was_found__when_resumed(void **state)
{
    struct world w;
    unsigned again = 0;

    (void)state;
    begin(&w, PAGES_MAX);
    run_start(&w.run);
    until_asked(&w.run, w.server, 300);
    run_close(&w.run); /* what is in flight then is pending, and asked again */
    run_to_its_end(&w.run);
    for (unsigned page = 1; page <= PAGES_MAX; page++) {
        assert_true(w.listing.asked[page] >= 1);
        again += w.listing.asked[page] - 1;
    }
    assert_true(again <= 300);
    assert_int_equal(w.run.report.ok, PAGES_MAX);
    assert_int_equal(w.run.report.pending, 0);
    assert_int_equal(stored_count(&w.run), PAGES_MAX);
    end(&w);
}

static void run__keeps_tries__of_a_found_one_that_waits(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 5);
    w.listing.fail_at = 4;
    w.listing.fail_times = 1;
    w.run.job.retry.backoff_base_us = w.run.job.retry.backoff_cap_us = 3600 * US_PER_S;
    run_start(&w.run);
    until_asked(&w.run, w.server, 5);
    while (look(&w.run)->waiting != 1 || look(&w.run)->ok != 4) {
        uv_run(&w.run.loop, UV_RUN_ONCE);
    }
    run_close(&w.run);
    w.run.job.retry.backoff_base_us = w.run.job.retry.backoff_cap_us = 2 * US_PER_MS;
    run_start(&w.run);
    assert_int_equal(look(&w.run)->waiting, 1);
    assert_int_equal(look(&w.run)->waits[0].attempt, 1);
    tell(&w.run, CONTROL_RETRY, (int64_t)look(&w.run)->waits[0].id);
    run_until_done(&w.run);
    run_close(&w.run);
    assert_int_equal(w.run.report.ok, 5);
    assert_int_equal(w.listing.asked[4], 2);
    end(&w);
}

static void run__asks_found_ones_again__that_failed(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 5);
    w.listing.fail_at = 4;
    w.listing.fail_times = 2;
    w.run.job.retry.attempts = 2;
    run_start(&w.run);
    run_until_done(&w.run);
    assert_int_equal(look(&w.run)->failed, 1);
    w.run.done = false;
    tell(&w.run, CONTROL_RETRY_FAILED, 0);
    assert_int_equal(look(&w.run)->failed, 0);
    run_until_done(&w.run);
    run_close(&w.run);
    assert_int_equal(w.run.report.ok, 5);
    assert_int_equal(w.run.report.failed, 0);
    assert_int_equal(w.listing.asked[4], 3);
    end(&w);
}

static void run__names_missing_pages__at_its_end(void **state)
{
    struct world w;
    const struct report_endpoint *account;
    struct buf text = { .max = 0 };

    (void)state;
    begin(&w, 9);
    w.listing.fail_at = 4;
    w.listing.fail_times = 100;
    w.run.job.retry.attempts = 2;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.endpoint_count, 1);
    account = &w.run.report.endpoints[0];
    assert_true(account->is_paged);
    assert_int_equal(account->requests, 9);
    assert_int_equal(account->pages.expected, 9);
    assert_int_equal(account->pages.got, 8);
    assert_int_equal(account->pages.missing_count, 1);
    assert_non_null(strstr(account->pages.missing[0], "page=4"));
    assert_int_equal(report_pages(&w.run.report, &text), RESULT_OK);
    assert_non_null(strstr(buf_cstr(&text), ": 8 of 9 pages: missing "));
    buf_reset(&text);
    assert_int_equal(report_json(&w.run.report, &text), RESULT_OK);
    assert_non_null(strstr(buf_cstr(&text), "\"expected\":9,\"got\":8,\"missing_count\":1"));
    buf_release(&text);
    end(&w);
}

static void run__asks_a_page_again__that_came_as_an_error_within_a_200(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 5);
    w.listing.fail_at = 3;
    w.listing.fail_times = 2;
    w.listing.fail_in_200 = true;
    w.run.job.retry.attempts = 3;
    run_to_its_end(&w.run);
    assert_int_equal(w.listing.asked[3], 3);
    assert_int_equal(w.run.report.ok, 5);
    assert_int_equal(w.run.report.retried, 2);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    end(&w);
}

static void run__names_a_page__that_comes_as_an_error_within_a_200_for_ever(void **state)
{
    struct world w;
    const struct page_account *pages;

    (void)state;
    begin(&w, 5);
    w.listing.fail_at = 3;
    w.listing.fail_times = 1000;
    w.listing.fail_in_200 = true;
    w.run.job.retry.attempts = 2;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.failures[0].why.class, FAILURE_NO_RECORDS);
    pages = &w.run.report.endpoints[0].pages;
    assert_int_equal(pages->got, 4);
    assert_int_equal(pages->missing_count, 1);
    assert_non_null(strstr(pages->missing[0], "page=3"));
    assert_told(&w.run, "/error says: timed out", true);
    end(&w);
}

static void run__tells_a_cut_listing__as_missing(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 9);
    w.run.job.endpoints[0].pages.max = 5;
    run_start(&w.run);
    run_until_done(&w.run);
    assert_int_equal(look(&w.run)->state, RUN_INCOMPLETE);
    run_close(&w.run);
    assert_int_equal(w.run.report.failed, 0);
    assert_true(w.run.report.endpoints[0].pages.is_cut);
    assert_int_equal(w.run.report.endpoints[0].pages.note_count, 1);
    assert_int_equal(w.run.report.endpoints[0].pages.notes[0].kind, PAGE_NOTE_LIMIT);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__asks_all_pages__once_each),
        cmocka_unit_test(run__goes_on_with_what_was_found__when_resumed),
        cmocka_unit_test(run__keeps_tries__of_a_found_one_that_waits),
        cmocka_unit_test(run__asks_found_ones_again__that_failed),
        cmocka_unit_test(run__names_missing_pages__at_its_end),
        cmocka_unit_test(run__asks_a_page_again__that_came_as_an_error_within_a_200),
        cmocka_unit_test(run__names_a_page__that_comes_as_an_error_within_a_200_for_ever),
        cmocka_unit_test(run__tells_a_cut_listing__as_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
