/* What an answer means, where neither its status nor a rule says all: pages beyond the end, limits of listings, bodies that
 * are no JSON, and words of servers. */
#include "answers_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *text(const char *words)
{
    char *copy = str_dup(str_view(words));

    assert_non_null(copy);
    return copy;
}

/* Pages of /items by ?page=, from 1 on. */
static struct job_endpoint *paged(struct world *w)
{
    struct job_endpoint *endpoint = &w->run.job.endpoints[0];

    endpoint->records = text("/items");
    endpoint->pages.kind = JOB_PAGES_NUMBER;
    endpoint->pages.param = text("page");
    return endpoint;
}

static void check_stored(const struct world *w, const char *want)
{
    size_t count;
    char *bodies = stored(&w->run, &count);

    assert_string_equal(bodies, want);
    free(bodies);
}

#define TWO "{\"items\":[{\"id\":1},{\"id\":2}]}"
#define TWO_MORE "{\"items\":[{\"id\":3},{\"id\":4}]}"

static void page__that_is_refused_beyond_the_last__is_the_end_and_no_failure(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/l?page=1",
          (struct route[]){ { "GET /l?page=1 ", "200 OK", TWO, 0, 0, "" },
                            { "GET /l?page=2 ", "200 OK", TWO_MORE, 0, 0, "" },
                            { "GET ", "404 No", "{\"items\":[{\"id\":9}]}", 0, 0, "" },
                            { 0 } });
    paged(&w);
    w.run.csv = true;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.ok,
                     4); /* the third was refused; one after it is looked at, too */
    assert_int_equal(w.run.report.failed, 0);
    assert_int_equal(w.run.report.rows, 4); /* what was refused is evidence, and no record */
    assert_int_equal(server_count(w.server), 4);
    end(&w);
}

static void page__that_was_named_and_is_refused__is_a_failure(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/l?page=1",
          (struct route[]){ { "GET /l?page=1 ", "200 OK",
                              "{\"total\":4,\"items\":[{\"id\":1},{\"id\":2}]}", 0, 0, "" },
                            { "GET /l?page=2 ", "404 No", "", 0, 0, "" },
                            { 0 } });
    paged(&w)->pages.total = text("/total");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(w.run.report.failed, 1);
    end(&w);
}

static void pages__refused_five_in_a_row__leave_out_the_rest(void **state)
{
    struct world w;
    const struct report *report = &w.run.report;

    (void)state;
    begin(&w, "/l?page=1",
          (struct route[]){ { "GET /l?page=1 ", "200 OK",
                              "{\"pages\":12,\"items\":[{\"id\":1},{\"id\":2}]}", 0, 0, "" },
                            { "GET /l?page=2 ", "200 OK",
                              "{\"pages\":12,\"items\":[{\"id\":3},{\"id\":4}]}", 0, 0, "" },
                            { "GET ", "422 No", "{\"message\":\"only the first 1000\"}", 0, 0, "" },
                            { 0 } });
    paged(&w)->pages.total_pages = text("/pages");
    w.run.job.pace.cap = 1;
    run_to_its_end(&w.run);
    assert_int_equal(server_count(w.server), 2 + 5);
    assert_int_equal(report->ok, 2);
    assert_int_equal(report->failed, 10);
    assert_int_equal(report->exit, EXIT_INCOMPLETE);
    assert_failure(report->failures[0].why, "HTTP 422");
    assert_int_equal(report->failures[0].count, 5);
    assert_failure(report->failures[1].why, "not asked");
    assert_int_equal(report->failures[1].count, 5);
    assert_told(&w.run, "5 pages in a row are refused with HTTP 422; the others after them", true);
    end(&w);
}

static void page__that_comes_again__is_kept_and_makes_no_rows(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/l?page=1", (struct route[]){ { "GET /l", "200 OK", TWO, 0, 0, "" }, { 0 } });
    paged(&w);
    w.run.csv = true;
    run_to_its_end(&w.run); /* a server to which `page` means nothing */
    assert_int_equal(server_count(w.server), 2);
    assert_int_equal(w.run.report.ok, 2);
    assert_int_equal(w.run.report.rows, 2);
    end(&w);
}

static void error_in_a_page__is_quoted__without_secrets(void **state)
{
    struct world w;
    struct err err;

    (void)state;
    begin(&w, "/l?page=1",
          (struct route[]){
              { "GET /l?page=1 ", "200 OK", "{\"pages\":2,\"items\":[{\"id\":1}]}", 0, 0, "" },
              { "GET ", "200 OK", "{\"error\":{\"message\":\"s3cret-t0ken is over\\u001b[2J\"}}", 0,
                0, "" },
              { 0 } });
    paged(&w)->pages.total_pages = text("/pages");
    w.run.job.retry.attempts = 1;
    assert_int_equal(job_add_header(&w.run.job, STR("X-Api-Key: s3cret-t0ken"), &err), RESULT_OK);
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.failed, 1);
    assert_told(&w.run, "/error says: *** is over", true);
    assert_told(&w.run, "s3cret-t0ken", false);
    assert_told(&w.run, "\033", false);
    end(&w);
}

static void body__that_need_be_no_json__is_kept_as_it_is(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-2]",
          (struct route[]){ { "GET /1 ", "200 OK", "<p>\xC3\xA9</p>", 0, 0, "" },
                            { "GET /2 ", "204 No", "", 0, 0, "" },
                            { 0 } });
    w.run.job.endpoints[0].reading.as = BODY_HTML;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.ok, 2);
    check_stored(&w, "1 1 <p>\xC3\xA9</p>\n2 2 null\n");
    end(&w);
}

#define ROWS 40000 /* more than is read on the loop, and more as JSON */

static struct server_answer answer_whole(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    (void)asked;
    (void)number;
    return *(struct server_answer *)context;
}

static void table__that_grows_as_json__is_read_on_the_pool(void **state)
{
    struct server_answer whole = { .then = SERVER_KEEP };
    struct buf body = { 0 }, bytes = { 0 };
    struct server *server;
    struct run r;

    (void)state;
    assert_int_equal(buf_append_str(&body, STR("id,name\n")), RESULT_OK);
    for (unsigned i = 1; i <= ROWS; i++) {
        assert_int_equal(buf_printf(&body, "%u,name %u\n", i, i), RESULT_OK);
    }
    assert_int_equal(
        buf_printf(&bytes,
                   "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %zu\r\n\r\n",
                   body.len),
        RESULT_OK);
    assert_int_equal(buf_append_str(&bytes, buf_view(&body)), RESULT_OK);
    whole.bytes = bytes.data;
    whole.len = bytes.len;
    server = server_start(answer_whole, &whole);
    run_begin(&r, server_url(server, "/[1-3]"));
    r.csv = true;
    run_to_its_end(&r);
    assert_int_equal(r.report.ok, 3);
    assert_int_equal(r.report.rows, 3 * ROWS);
    run_end(&r);
    server_stop(server);
    buf_release(&body);
    buf_release(&bytes);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__that_is_refused_beyond_the_last__is_the_end_and_no_failure),
        cmocka_unit_test(page__that_was_named_and_is_refused__is_a_failure),
        cmocka_unit_test(pages__refused_five_in_a_row__leave_out_the_rest),
        cmocka_unit_test(page__that_comes_again__is_kept_and_makes_no_rows),
        cmocka_unit_test(error_in_a_page__is_quoted__without_secrets),
        cmocka_unit_test(body__that_need_be_no_json__is_kept_as_it_is),
        cmocka_unit_test(table__that_grows_as_json__is_read_on_the_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
