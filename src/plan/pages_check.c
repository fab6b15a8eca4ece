/* Whether an answer is a page of its listing, or an error that was told with status 200. */
#include "plan/pages_how.h"

#include "plan/error_object.h"
#include "plan/pages_there.h"

#include <stdio.h>

static void fail(struct findings *out, const char *records, bool absent,
                 const struct error_object *error, struct str body)
{
    char what[64], there[PAGES_THERE_MAX];

    snprintf(what, sizeof what, absent ? "%.40s is absent" : "%.40s is empty",
             records ? records : "the array");
    if (error->at[0]) {
        snprintf(out->why, sizeof out->why, "no records: %s, %.40s says", what, error->at);
        out->said = error_object_words(error);
    } else {
        pages_there(body, PAGES_THERE_ARRAYS, there);
        snprintf(out->why, sizeof out->why, "no records: %s; %s", what, there);
    }
    out->is_no_page = true;
}

/* The page says itself that its listing ends here. An error that repeats "total": 0 says nothing. */
static bool tells_end(struct listing *l, bool has_error)
{
    uint64_t total = 0, before = (uint64_t)l->page.ordinal * l->page.size;

    if (listing_has_more(l) == MORE_NO) {
        return true;
    }
    return !has_error && before > 0 && listing_read_count(l, l->pages.total, l->total, &total) &&
           total <= before;
}

bool listing_is_no_page(struct listing *l)
{
    struct error_object error = { .at = "" };
    bool absent = l->presence == RECORDS_ABSENT, has_error;

    if (l->presence == RECORDS_SOME) {
        return false;
    }
    has_error = error_object_find(l->reply->body, &error) && (absent || error.is_sure);
    /* Some APIs leave out the member on a page without records: only after pages with some is it missed. */
    if ((!has_error && (!absent || l->page.ordinal <= l->page.empty)) || tells_end(l, has_error)) {
        return false;
    }
    if (!has_error) {
        error.at[0] = '\0';
    }
    fail(l->out, l->records, absent, &error, l->reply->body);
    return true;
}

void pages_check_single(const struct job_endpoint *endpoint, struct str body, struct findings *out)
{
    struct error_object error;
    struct json_pointer pointer;
    uint64_t count;

    if (!endpoint->records || body.len > PAGES_CHECK_BODY_MAX ||
        json_pointer_parse(&pointer, str_view(endpoint->records), NULL) != RESULT_OK) {
        return;
    }
    if (records_look(body, &pointer, &count) == RECORDS_ABSENT && error_object_find(body, &error)) {
        fail(out, endpoint->records, true, &error, body);
    }
}
