/**
 * What the tests of pages and harvest share: an endpoint, a request, a reply, and what was found.
 */
#ifndef SCRAPETOP_TESTS_PAGES_FIXTURE_H
#define SCRAPETOP_TESTS_PAGES_FIXTURE_H

#include "plan/pages/pages.h"

#define FIXTURE_HEADERS_MAX 8
#define TEXT(literal) ((char[]){ literal }) /* a job has texts of its own */

struct fixture {
    struct job job;
    struct job_endpoint endpoint;                     /* job.endpoints[0] */
    struct request *request;                          /* the page at hand; id 7 */
    const char *headers[2 * FIXTURE_HEADERS_MAX + 1]; /* lower-case name, value, ..., NULL */
    struct discoveries out;
};

#define LIST "https://api.example.org/list" /* the first URL of nearly all */

/* Pages as jobs describe them: "page" from 1 on; "page" and /total; "after" from /next; /next; Link; by themselves. */
extern const struct job_pages by_number, by_total, by_cursor, by_next, by_link, automatic;

/** A test with a fixture of its own as its state. */
#define PAGES_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/** An endpoint with these pages, in the place of what was there before (a zeroed fixture has
 * nothing); its first request has that URL and the key "k,page=1". */
void fixture_begin(struct fixture *f, struct job_pages pages, const char *url);
void fixture_end(struct fixture *f);

/** Another body for the endpoint. */
void fixture_set_body(struct fixture *f, const char *body);

/** Reads `body` as the reply to the request at hand; what was found before is forgotten. */
void fixture_read(struct fixture *f, const char *body);
void fixture_read_str(struct fixture *f, struct str body);

/** Makes found request `n` (from 0) the one at hand, as the ledger would hand it out. */
void fixture_follow(struct fixture *f, size_t n);

const struct discovered *fixture_found(const struct fixture *f, size_t n);

/** The URL of found request `n`, "" when there is none. */
const char *fixture_url(const struct fixture *f, size_t n);

/** The text of the note of that kind; NULL when there is none. */
const char *fixture_note(const struct fixture *f, enum page_note_kind kind);

/** Fails unless there is a note of that kind that says `text`. */
void fixture_check_note(const struct fixture *f, enum page_note_kind kind, const char *text);

/** Fails unless the reply named exactly these URLs, in this order (the last one NULL). */
void fixture_check(const struct fixture *f, const char *const *urls);
#define CHECK_FOUND(f, ...) fixture_check((f), (const char *const[]){ __VA_ARGS__, NULL })
#define CHECK_NOTHING(f) fixture_check((f), (const char *const[]){ NULL })
#define CHECK_NO_NOTE(f) assert_null((f)->out.notes)

/** {"items":[{"id":0}, ...], EXTRA}: `count` records and, after a comma, what else is to be in it. */
const char *fixture_items(unsigned first, unsigned count, const char *extra);

#endif
