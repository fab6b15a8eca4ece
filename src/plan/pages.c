#include "plan/pages.h"

#include "base/crc32c.h"
#include "base/json_look.h"
#include "plan/pages_guess.h"
#include "plan/pages_how.h"
#include "plan/pages_there.h"
#include "plan/records.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_MAX 48 /* bytes of somebody else's text in a note */

struct str page_shown(struct str text)
{
    return (struct str){ text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX };
}
const char *pages_header(const char *where)
{
    bool is_header = where && str_starts(str_view(where), STR("header:"));

    return is_header ? where + strlen("header:") : NULL;
}

struct wanted {
    const char *pointer;
    struct str *value;
};

/* One pass over the body for all that is asked of it. */
static void look_up(struct listing *l)
{
    struct wanted wanted[] = { { l->pages.total, &l->total },
                               { l->pages.total_pages, &l->total_pages },
                               { l->pages.next, &l->next },
                               { l->pages.has_more, &l->has_more } };
    struct json_pointer pointers[4];
    struct str values[4];
    size_t count = 0, of[4];

    for (size_t i = 0; i < 4; i++) {
        if (wanted[i].pointer && !pages_header(wanted[i].pointer) &&
            json_pointer_parse(&pointers[count], str_view(wanted[i].pointer), NULL) == RESULT_OK) {
            of[count++] = i;
        }
    }
    json_look(l->reply->body, pointers, count, values);
    for (size_t i = 0; i < count; i++) {
        *wanted[of[i]].value = values[i];
    }
}

enum more listing_has_more(const struct listing *l)
{
    struct str value = str_trim(l->has_more);

    switch (json_type_of(value)) {
    case JSON_BOOL:
        return value.data[0] == 't' ? MORE_YES : MORE_NO;
    case JSON_NUMBER:
        return str_equal(value, STR("0")) ? MORE_NO : MORE_YES;
    case JSON_STRING:
        value = json_string_raw(value);
        return !value.len || str_equal_nocase(value, STR("false")) || str_equal(value, STR("0"))
                   ? MORE_NO
                   : MORE_YES;
    case JSON_NULL:
        return MORE_NO;
    default:
        return MORE_UNTOLD;
    }
}

/* --- a page ------------------------------------------------------------------------------------------ */

/* On the first page a pointer that finds nothing is a mistake of the job, or the API has changed. Told with
 * what there is instead. */
static void note_no_match(struct listing *l, const char *pointer, struct str found,
                          enum pages_there there)
{
    char text[PAGES_THERE_MAX];

    if (pointer && !found.data && !pages_header(pointer) && !l->page.ordinal) {
        pages_there(l->reply->body, there, text);
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "%s finds nothing; %s", pointer, text);
    }
}

/* Without `records` an object is one record, also on the page after the last: its likeliest array tells
 * better when to stop. */
static void count_records(struct listing *l)
{
    struct json_pointer pointer;

    l->records = l->endpoint->records;
    if (!l->records && pages_guess_records(l->reply->body, l->likely)) {
        l->records = l->likely;
    }
    if (!l->records || json_pointer_parse(&pointer, str_view(l->records), NULL) != RESULT_OK) {
        l->records = NULL;
        pointer.count = 0;
    }
    l->presence = records_look(l->reply->body, &pointer, &l->count);
    l->out->records = l->count;
}

/* Puts what is guessed in the place of what the job says. */
static void decide(struct listing *l, struct pages_guess *guess)
{
    struct pages_guess_input input = { .url = l->request->url,
                                       .body = listing_body(l),
                                       .reply = l->reply,
                                       .count = l->count,
                                       .decided = (enum job_pages_kind)l->page.kind };

    pages_guess(&input, guess);
    guess->pages.max = l->pages.max;
    l->pages = guess->pages;
    l->page.kind = guess->pages.kind;
}

static void note_guess(struct listing *l, const struct pages_guess *guess)
{
    if (guess->is_lost) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT,
                     "auto: %" PRIu64 " records came and there are more, but nothing says how "
                     "they are asked for; give \"pages\"",
                     l->count);
    } else if (guess->is_silent) {
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "auto: nothing in the reply tells of further pages");
    }
}

static void note_no_matches(struct listing *l)
{
    if (l->presence == RECORDS_ABSENT) {
        note_no_match(l, l->records, STR_NONE, PAGES_THERE_ARRAYS);
    }
    note_no_match(l, l->pages.total, l->total, PAGES_THERE_NUMBERS);
    note_no_match(l, l->pages.total_pages, l->total_pages, PAGES_THERE_NUMBERS);
    note_no_match(l, l->pages.next, l->next, PAGES_THERE_TEXTS);
    note_no_match(l, l->pages.has_more, l->has_more, PAGES_THERE_BOOLEANS);
}

static void read_as_kind(struct listing *l)
{
    switch (l->pages.kind) {
    case JOB_PAGES_NUMBER:
    case JOB_PAGES_OFFSET:
        listing_read_numbered(l);
        break;
    case JOB_PAGES_CURSOR:
    case JOB_PAGES_NEXT:
        listing_read_named(l);
        break;
    case JOB_PAGES_LINK:
        listing_read_link(l);
        break;
    case JOB_PAGES_AUTO:
    case JOB_PAGES_NONE:
        break;
    }
}

static void read_listing(struct listing *l)
{
    struct pages_guess guess = { .is_lost = false };

    if (l->page.ordinal && l->page.named_by_crc32c == l->crc32c) {
        LISTING_NOTE(l, PAGE_NOTE_SAME_PAGE, "page %u is byte for byte the one that named it",
                     (unsigned)l->page.ordinal + 1);
        return;
    }
    if (l->pages.kind == JOB_PAGES_AUTO) {
        decide(l, &guess);
    }
    look_up(l);
    if (listing_is_no_page(l)) {
        return;
    }
    note_guess(l, &guess);
    note_no_matches(l);
    read_as_kind(l);
}

enum result pages_read(const struct job *job, const struct request *request,
                       const struct page_reply *reply, struct findings *out)
{
    const struct job_endpoint *endpoint = &job->endpoints[request->endpoint];
    struct listing l = { .endpoint = endpoint,
                         .request = request,
                         .reply = reply,
                         .out = out,
                         .pages = endpoint->pages,
                         .page = request->page,
                         .key_param = job->login.in_query ? job->login.name : NULL };

    if (endpoint->pages.kind == JOB_PAGES_NONE) {
        return RESULT_OK;
    }
    if (!l.page.ordinal) {
        l.page = (struct page_at){ .chain = request->id };
    }
    l.crc32c = crc32c(0, reply->body.data, reply->body.len);
    count_records(&l);
    read_listing(&l);
    return l.result;
}
