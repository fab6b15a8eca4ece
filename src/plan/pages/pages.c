#include "plan/pages/pages.h"

#include "base/json_look.h"
#include "base/json_text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "plan/pages/page_style.h"
#include "plan/pages/page_suggest.h"
#include "plan/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
    const char *pointer;
    struct str *value;
};

/* A cursor or URL that a header has becomes what a body would have: a JSON string. */
static void read_next_header(struct listing *l)
{
    struct str value = str_trim(listing_header(l, pages_header(l->pages.next)));
    struct buf text = { .max = sizeof l->next_text };

    if (value.len && json_text_append(&text, value) == RESULT_OK) {
        memcpy(l->next_text, text.data, text.len);
        l->next = (struct str){ l->next_text, text.len };
    }
    buf_release(&text);
}

/* One pass over the body for all that is asked of it. */
static void look_up(struct listing *l)
{
    struct wanted wanted[] = {
        { l->pages.total, &l->total },     { l->pages.total_pages, &l->total_pages },
        { l->pages.next, &l->next },       { l->pages.has_more, &l->has_more },
        { l->pages.is_last, &l->is_last },
    };
    enum { WANTED = sizeof wanted / sizeof wanted[0] };
    struct json_pointer pointers[WANTED];
    struct str values[WANTED];
    size_t count = 0, of[WANTED];

    for (size_t i = 0; i < WANTED; i++) {
        if (wanted[i].pointer && !pages_header(wanted[i].pointer) &&
            json_pointer_parse(&pointers[count], str_view(wanted[i].pointer), NULL) == RESULT_OK) {
            of[count++] = i;
        }
    }
    json_look(l->reply->body, pointers, count, values);
    for (size_t i = 0; i < count; i++) {
        *wanted[of[i]].value = values[i];
    }
    if (pages_header(l->pages.next)) {
        read_next_header(l);
    }
    if (l->style->settle) {
        l->style->settle(l);
    }
}

/* --- a page ------------------------------------------------------------------------------------------ */

/* On the first page a pointer that finds nothing is a mistake of the job, or the API has changed. Told with
 * what there is instead. */
static void note_no_match(struct listing *l, const char *pointer, struct str found,
                          enum page_suggest_kind there)
{
    char text[PAGE_SUGGEST_MAX];

    if (pointer && !found.data && !pages_header(pointer) && !l->page.ordinal) {
        page_suggest(l->reply->body, there, text);
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "%s finds nothing; %s", pointer, text);
    }
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
    guess->pages.until = l->pages.until;
    guess->pages.older_than = l->pages.older_than;
    l->pages = guess->pages;
    l->page.kind = guess->pages.kind;
    l->style = page_style_of(guess->pages.kind);
}

static void note_guess(struct listing *l, const struct pages_guess *guess)
{
    if (guess->is_lost) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT,
                     "auto: %" PRIu64 " record%s came and there are more, but nothing says how "
                     "they are asked for; give \"pages\"",
                     l->count, units_plural(l->count));
        listing_end(l, PAGE_END_UNKNOWN);
    } else if (guess->is_silent) {
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "auto: nothing in the reply tells of further pages");
    }
}

static void note_no_matches(struct listing *l)
{
    if (l->found.presence == RECORDS_ABSENT) {
        note_no_match(l, l->records, STR_NONE, PAGE_SUGGEST_ARRAYS);
    }
    note_no_match(l, l->pages.total, l->total, PAGE_SUGGEST_NUMBERS);
    note_no_match(l, l->pages.total_pages, l->total_pages, PAGE_SUGGEST_NUMBERS);
    note_no_match(l, l->pages.next, l->next, PAGE_SUGGEST_TEXTS);
    note_no_match(l, l->pages.has_more, l->has_more, PAGE_SUGGEST_BOOLEANS);
    note_no_match(l, l->pages.is_last, l->is_last, PAGE_SUGGEST_BOOLEANS);
}

/* The records of the page that named this one again. A server that was asked for the page after its last may
 * give its last page. When the same request was made again because its answer had named it (a cursor that stays
 * the same, as of a scroll), that was a mistake of the server, which a new cursor may have mended. */
static bool ends_by_repeat(struct listing *l)
{
    bool same = l->page.ordinal && l->count && l->found.crc32c == l->page.named_by_crc32c;

    l->out->page.is_repeat = same;
    if (same && l->page.basis == PAGE_PROOF) {
        listing_end(l, PAGE_END_TOTAL);
    } else if (same && !l->page.repeats) {
        listing_note_repeat(l);
    } else if (same) {
        l->count = 0; /* none that is new */
        return false;
    }
    return same;
}

/* --- until ------------------------------------------------------------------------------------------- */

static bool keep_last(void *context, const struct record_view *record)
{
    *(struct str *)context = record->value;
    return true;
}

static bool to_number(struct str text, double *number)
{
    char digits[64];
    char *end;

    if (!text.len || text.len >= sizeof digits) {
        return false;
    }
    snprintf(digits, sizeof digits, "%.*s", STR_ARG(text));
    *number = strtod(digits, &end);
    return !*end;
}

/* Moments by time, numbers by size, and texts letter by letter, as days in ISO 8601 are. */
static bool is_before(struct str value, struct str limit)
{
    int64_t value_us, limit_us;
    double number, limit_number;

    if (timestamp_parse(value, &value_us) && timestamp_parse(limit, &limit_us)) {
        return value_us < limit_us;
    }
    if (to_number(value, &number) && to_number(limit, &limit_number)) {
        return number < limit_number;
    }
    return str_compare(value, limit) < 0;
}

/* The last record of the page is older than the job wants: so are those of the pages after it, as a listing that is
 * asked until then begins with the newest. */
static bool is_old(const struct listing *l)
{
    struct json_pointer pointer;
    struct str last = STR_NONE, value;

    if (!l->pages.older_than || !l->count ||
        json_pointer_parse(&pointer, str_view(l->records), NULL) != RESULT_OK) {
        return false;
    }
    records_each(l->reply->body, l->records ? &pointer : NULL, keep_last, &last);
    if (!last.data || !json_find(last, str_view(l->pages.until), &value)) {
        return false;
    }
    value = json_type_of(value) == JSON_STRING ? json_string_raw(value) : str_trim(value);
    return value.len && !str_equal(value, STR("null")) &&
           is_before(value, str_view(l->pages.older_than));
}

static void read_listing(struct listing *l)
{
    struct pages_guess guess = { .is_lost = false };

    if (ends_by_repeat(l)) {
        return;
    }
    if (l->pages.kind == JOB_PAGES_AUTO) {
        decide(l, &guess);
    }
    look_up(l);
    if (l->page.basis != PAGE_PART) {
        listing_read_totals(l);
    }
    listing_read_more(l);
    if (listing_is_no_page(l)) {
        return;
    }
    if (l->page.basis == PAGE_PART) {
        return; /* other pages name further ones, and tell of totals */
    }
    note_guess(l, &guess);
    note_no_matches(l);
    listing_note_gap(l);
    if (is_old(l)) {
        listing_end(l, PAGE_END_OLD);
    } else if (l->endpoint->since.stops_seen && since_has_no_news(&l->out->since)) {
        listing_end(l, PAGE_END_SEEN);
    } else {
        l->style->read(l);
    }
}

/* What the ledger is to know of the page. */
static void tell_result(const struct listing *l)
{
    struct page_result *page = &l->out->page;

    page->is_page = true;
    page->records = page->is_repeat ? 0 : l->count;
    page->total = l->has_told ? l->told : PAGE_TOTAL_UNKNOWN;
    page->ordinal = l->page.ordinal;
    page->expected = l->page.expected;
    page->size = l->page.size;
    page->crc32c = page->is_repeat ? 0 : l->found.crc32c;
}

enum result pages_read(const struct job *job, const struct request *request,
                       const struct page_reply *reply, struct discoveries *out)
{
    const struct job_endpoint *endpoint = &job->endpoints[request->endpoint];
    struct listing l = { .endpoint = endpoint,
                         .request = request,
                         .reply = reply,
                         .out = out,
                         .pages = endpoint->pages,
                         .style = page_style_of(endpoint->pages.kind),
                         .page = request->page,
                         .key_param = job->login.in_query ? job->login.name : NULL };

    if (endpoint->pages.kind == JOB_PAGES_NONE) {
        return RESULT_OK;
    }
    if (!l.page.ordinal) {
        l.page = (struct page_at){ .chain = request->id, .total = PAGE_TOTAL_UNKNOWN };
    }
    if (endpoint->since.stops_seen && !l.pages.until) {
        l.pages.until = endpoint->since.at; /* how many pages are wanted shows as they come */
    }
    listing_find_records(&l);
    read_listing(&l);
    tell_result(&l);
    return l.result;
}

/* --- a page that was refused --------------------------------------------------------------------------- */

/* So many records are what search engines and APIs often let anybody page through, and no more. */
static bool is_window(uint64_t records)
{
    static const uint64_t windows[] = { 1000, 2000, 5000, 10000, 50000, 100000 };

    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        if (records == windows[i]) {
            return true;
        }
    }
    return false;
}

/* What a status says of a page that nobody had told of: PAGE_END_NONE when it has just failed. */
static enum page_end end_by_status(const struct listing *l, int status)
{
    const struct page_at *at = &l->page;
    bool is_short = at->previous < (at->most ? at->most : l->pages.size);

    if (!at->ordinal || at->basis == PAGE_NAMED || !page_is_numbered(l->pages.kind)) {
        return PAGE_END_NONE;
    }
    switch (status) {
    case 404:
    case 410:
    case 416:
        return PAGE_END_STATUS;
    case 400:
        return is_short || !is_window(at->came) ? PAGE_END_STATUS : PAGE_END_NONE;
    case 422:
        return is_short ? PAGE_END_STATUS : PAGE_END_NONE;
    default:
        return PAGE_END_NONE;
    }
}

enum result pages_read_refused(const struct job *job, const struct request *request, int status,
                               struct discoveries *out)
{
    const struct job_endpoint *endpoint = &job->endpoints[request->endpoint];
    struct page_reply reply = { .body = STR_NONE };
    struct listing l = { .endpoint = endpoint,
                         .request = request,
                         .reply = &reply,
                         .out = out,
                         .pages = endpoint->pages,
                         .page = request->page };
    enum page_end end;

    if (l.pages.kind == JOB_PAGES_AUTO) {
        l.pages.kind = (enum job_pages_kind)l.page.kind;
    }
    l.style = page_style_of(l.pages.kind);
    end = l.page.basis == PAGE_PROOF ? PAGE_END_TOTAL : end_by_status(&l, status);
    if (end == PAGE_END_NONE) {
        return RESULT_OK;
    }
    listing_read_past_end(&l);
    if (!l.out->first) {
        listing_end(&l, end);
    }
    tell_result(&l);
    return l.result;
}
