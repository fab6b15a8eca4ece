#include "pages_fixture.h"

#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str header(const void *context, struct str name, unsigned n)
{
    const struct fixture *f = context;

    for (size_t i = 0; f->headers[i]; i += 2) {
        if (str_equal(name, str_view(f->headers[i])) && n-- == 0) {
            return str_view(f->headers[i + 1]);
        }
    }
    return STR_NONE;
}

const struct job_pages by_number = {
    .kind = JOB_PAGES_NUMBER, .param = TEXT("page"), .first = 1, .has_first = true
};
const struct job_pages by_total = { .kind = JOB_PAGES_NUMBER,
                                    .param = TEXT("page"),
                                    .total = TEXT("/total") };
const struct job_pages by_cursor = { .kind = JOB_PAGES_CURSOR,
                                     .param = TEXT("after"),
                                     .next = TEXT("/next") };
const struct job_pages by_next = { .kind = JOB_PAGES_NEXT, .next = TEXT("/next") };
const struct job_pages by_link = { .kind = JOB_PAGES_LINK };
const struct job_pages automatic = { .kind = JOB_PAGES_AUTO };

int fixture_set_up(void **state)
{
    static struct fixture fixture;

    *state = &fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_end(f);
    *f = (struct fixture){ 0 };
    return 0;
}

void fixture_begin(struct fixture *f, struct job_pages pages, const char *url)
{
    static char name[] = "items", method[] = "GET", records[] = "/items";

    fixture_end(f);
    *f = (struct fixture){ .endpoint = { .name = name, .method = method, .records = records } };
    f->endpoint.pages = pages;
    f->job.endpoints = &f->endpoint;
    f->job.endpoint_count = 1;
    f->request = request_new(7, 0, STR("k,page=1"), str_view(url));
    assert_non_null(f->request);
}

void fixture_end(struct fixture *f)
{
    discoveries_release(&f->out);
    request_free(f->request);
}

void fixture_set_body(struct fixture *f, const char *body)
{
    static char kept[4096];

    snprintf(kept, sizeof kept, "%s", body);
    f->endpoint.body = kept;
}

void fixture_read_str(struct fixture *f, struct str body)
{
    char *copy = str_dup(body); /* of its very size, so that a sanitizer sees a step too far */
    struct page_reply reply = { { copy, body.len }, header, f };

    discoveries_release(&f->out);
    assert_int_equal(pages_read(&f->job, f->request, &reply, &f->out), RESULT_OK);
    free(copy);
}

void fixture_read(struct fixture *f, const char *body)
{
    assert_true(json_check(str_view(body), JSON_DEPTH_MAX, NULL));
    fixture_read_str(f, str_view(body));
}

const struct discovered *fixture_found(const struct fixture *f, size_t n)
{
    const struct discovered *found = f->out.first;

    while (found && n--) {
        found = found->next;
    }
    return found;
}

void fixture_follow(struct fixture *f, size_t n)
{
    const struct discovered *found = fixture_found(f, n);
    struct request *next;

    assert_non_null(found);
    next = request_make(100 + n, found->endpoint, &found->texts);
    assert_non_null(next);
    next->page = found->page;
    request_free(f->request);
    f->request = next;
}

const char *fixture_url(const struct fixture *f, size_t n)
{
    const struct discovered *found = fixture_found(f, n);

    return found ? found->texts.url.data : "";
}

const char *fixture_note(const struct fixture *f, enum page_note_kind kind)
{
    for (const struct page_note *note = f->out.notes; note; note = note->next) {
        if (note->kind == kind) {
            return note->text;
        }
    }
    return NULL;
}

void fixture_check_note(const struct fixture *f, enum page_note_kind kind, const char *text)
{
    const char *note = fixture_note(f, kind);

    if (!note) {
        fail_msg("no note; wanted: %s", text);
    }
    if (!strstr(note, text)) {
        fail_msg("\"%s\" does not say \"%s\"", note, text);
    }
}

void fixture_check(const struct fixture *f, const char *const *urls)
{
    size_t n = 0;

    for (; urls[n]; n++) {
        assert_string_equal(fixture_url(f, n), urls[n]);
    }
    assert_int_equal(f->out.count, n);
}

const char *fixture_items(unsigned first, unsigned count, const char *extra)
{
    static char text[65536];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"items\":[");

    for (unsigned i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s{\"id\":%u}", i ? "," : "",
                                first + i);
        assert_true(len < sizeof text - 100);
    }
    snprintf(text + len, sizeof text - len, "]%s%s}", extra[0] ? "," : "", extra);
    return text;
}
