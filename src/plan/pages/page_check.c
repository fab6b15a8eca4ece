/* The records of a page: where they are, whether an answer without any is a page of its listing or an error
 * that was told with status 200, and whether a page before it lacks some. */
#include "plan/pages/page_style.h"

#include "base/crc32c.h"
#include "base/units.h"
#include "plan/error_object.h"
#include "plan/pages/page_suggest.h"

#include <inttypes.h>
#include <stdio.h>

#define PRINT_MIN 16 /* bytes of records that tell pages apart; of fewer the whole body has to */

/* --- where they are --------------------------------------------------------------------------------------- */

static uint32_t pointer_crc32c(const char *pointer)
{
    struct str text = str_view(pointer ? pointer : "");

    return crc32c(0, text.data, text.len);
}

/* Without the job's word: where the pages before had them, or else in the likeliest array. An object without
 * an array is one record. False when the pages before had them where there is nothing now. */
static bool guess_records(struct listing *l)
{
    bool is_known = l->page.records_type != JSON_NONE;
    bool is_object = json_type_of(l->reply->body) == JSON_OBJECT;

    if (is_known && l->page.records_at == pointer_crc32c(NULL)) { /* the body itself */
        return (l->page.records_type == JSON_OBJECT) == is_object || !str_trim(l->reply->body).len;
    }
    if (is_known) {
        if (!pages_guess_records_at(l->reply->body, l->page.records_at, l->likely)) {
            return false;
        }
        l->records = l->likely;
    } else if (pages_guess_records(l->reply->body, l->likely)) {
        l->records = l->likely;
    }
    return true;
}

void listing_find_records(struct listing *l)
{
    struct json_pointer pointer = { .count = 0 };

    l->found = (struct records_found){ .presence = RECORDS_ABSENT };
    l->records = l->endpoint->records;
    if ((l->records || guess_records(l)) &&
        (!l->records || json_pointer_parse(&pointer, str_view(l->records), NULL) == RESULT_OK)) {
        l->found = records_look(l->reply->body, &pointer);
    }
    if (l->found.crc32c && l->found.bytes < PRINT_MIN) {
        l->found.crc32c = crc32c(0, l->reply->body.data, l->reply->body.len);
    }
    l->count = l->found.count;
}

void listing_keep_records(const struct listing *l, struct page_at *at)
{
    bool any = l->count > 0;

    at->records_type = any ? (uint32_t)l->found.type : l->page.records_type;
    at->records_at = any ? pointer_crc32c(l->records) : l->page.records_at;
}

/* --- whether it is a page ------------------------------------------------------------------------------- */

static void fail(struct discoveries *out, const char *records, bool absent,
                 const struct error_object *error, struct str body)
{
    char what[64], there[PAGE_SUGGEST_MAX];

    snprintf(what, sizeof what, absent ? "%.40s is absent" : "%.40s is empty",
             records ? records : "the array");
    if (error->at[0]) {
        snprintf(out->why, sizeof out->why, "no records: %s, %.40s says", what, error->at);
        out->said = error_object_words(error);
    } else {
        page_suggest(body, PAGE_SUGGEST_ARRAYS, there);
        snprintf(out->why, sizeof out->why, "no records: %s; %s", what, there);
    }
    out->is_no_page = true;
}

/* The page says itself that its listing ends here. An error that repeats "total": 0 says nothing. */
static bool tells_end(const struct listing *l, bool has_error)
{
    return l->more == MORE_NO || (!has_error && l->has_told && l->told && listing_before(l) &&
                                  l->told <= listing_before(l));
}

/* An object, where pages before had an array, may be a single record: some servers write it so. */
static bool is_error_for_records(const struct listing *l, const struct error_object *error)
{
    struct str record = STR_NONE;
    struct error_object within;

    if (l->found.type != JSON_OBJECT || !l->page.ordinal || l->count != 1) {
        return false;
    }
    if (l->page.records_type == JSON_OBJECT) {
        return !l->records && error->is_sure && error->at[0];
    }
    return l->records && json_find(l->reply->body, str_view(l->records), &record) &&
           error_object_find(record, &within) && within.is_sure;
}

bool listing_is_no_page(struct listing *l)
{
    struct error_object error = { .at = "" };
    bool absent = l->found.presence == RECORDS_ABSENT;
    bool has_error = error_object_find(l->reply->body, &error) && (absent || error.is_sure);

    if (l->found.presence == RECORDS_SOME) {
        if (!is_error_for_records(l, &error)) {
            return false;
        }
        absent = has_error = true;
    }
    /* Some APIs leave out the member on a page without records: only after pages with some is it missed. */
    if (l->page.basis == PAGE_PROOF ||
        (!has_error && (!absent || l->page.ordinal <= l->page.empty)) || tells_end(l, has_error)) {
        return false;
    }
    if (!has_error) {
        error.at[0] = '\0';
    }
    fail(l->out, l->records, absent, &error, l->reply->body);
    return true;
}

void listing_note_gap(struct listing *l)
{
    unsigned here = (unsigned)l->page.ordinal + 1;
    bool tried =
        l->page.basis == PAGE_TRIED && page_is_numbered(l->pages.kind) && !l->style->counts_records;

    if (!tried || !l->count || listing_reached(l) != REACHED_UNKNOWN) {
        return; /* offsets go on by what came, a total tells what is missing */
    }
    if (l->page.empty) {
        LISTING_NOTE(l, PAGE_NOTE_GAP, "page %u came empty, and page %u has records", here - 1,
                     here);
        listing_end(l, PAGE_END_GAP);
    } else if (l->page.previous < l->page.most && l->pages.size == l->page.most) {
        LISTING_NOTE(l, PAGE_NOTE_GAP,
                     "page %u has %" PRIu32 " of %" PRIu32 " record%s, and page %u has more",
                     here - 1, l->page.previous, l->page.most, units_plural(l->page.most), here);
        listing_end(l, PAGE_END_GAP);
    } else if (l->page.previous < l->page.most) {
        LISTING_NOTE(l, PAGE_NOTE_SHORT, "page %u has %" PRIu32 " record%s, others have %" PRIu32,
                     here - 1, l->page.previous, units_plural(l->page.previous), l->page.most);
    }
}

/* --- without pages ---------------------------------------------------------------------------------------- */

void pages_check_single(const struct job_endpoint *endpoint, struct str body,
                        struct discoveries *out)
{
    struct error_object error;
    struct json_pointer pointer;

    if (!endpoint->records || body.len > PAGES_CHECK_BODY_MAX ||
        json_pointer_parse(&pointer, str_view(endpoint->records), NULL) != RESULT_OK) {
        return;
    }
    if (records_look(body, &pointer).presence == RECORDS_ABSENT &&
        error_object_find(body, &error)) {
        fail(out, endpoint->records, true, &error, body);
    }
}
