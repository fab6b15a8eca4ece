/* Whether a page says that there is more, and how far its listing has come. */
#include "plan/pages/page_style.h"

#include "plan/plain_name.h"

#define FRAME_MEMBERS_MAX 40 /* an object with more is a table by itself, not a page's frame */

/* --- by the pointers of the job ------------------------------------------------------------------------- */

static enum more told_by(struct str value)
{
    value = str_trim(value);
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

static enum more negated(enum more more)
{
    return more == MORE_YES ? MORE_NO : more == MORE_NO ? MORE_YES : MORE_UNTOLD;
}

/* --- by members that the job does not name ---------------------------------------------------------------- */

/* Names in their plain form, of members that are true or false. A sure one means nothing else, wherever it
 * stands in the frame of a page; the others mostly do. */
static const struct {
    const char *name;
    enum more if_true;
    bool is_sure;
} words[] = {
    { "hasmore", MORE_YES, true },
    { "hasnext", MORE_YES, true },
    { "hasnextpage", MORE_YES, true },
    { "hasmorepages", MORE_YES, true },
    { "hasmoreitems", MORE_YES, true },
    { "hasmoreresults", MORE_YES, true },
    { "hasmoredata", MORE_YES, true },
    { "morerecords", MORE_YES, true },
    { "moreavailable", MORE_YES, true },
    { "moreitemsincollection", MORE_YES, true },
    { "exceededtransferlimit", MORE_YES, true },
    { "istruncated", MORE_YES, true },
    { "last", MORE_NO, true },
    { "islast", MORE_NO, true },
    { "islastpage", MORE_NO, true },
    { "lastpage", MORE_NO, true },
    { "endofstream", MORE_NO, true },
    { "isend", MORE_NO, true },
    { "nomore", MORE_NO, true },
    { "nomoreresults", MORE_NO, true },
    { "endofresults", MORE_NO, true },
    { "reachedend", MORE_NO, true },
    { "more", MORE_YES, false },
    { "moreresults", MORE_YES, false },
    { "truncated", MORE_YES, false },
    { "done", MORE_NO, false },
    { "end", MORE_NO, false },
    { "eof", MORE_NO, false },
    { "finished", MORE_NO, false },
    { "complete", MORE_NO, false },
};

struct told {
    enum more sure, mostly;
};

enum more pages_more_word(struct str plain, bool *is_sure)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_equal(plain, str_view(words[i].name))) {
            *is_sure = words[i].is_sure;
            return words[i].if_true;
        }
    }
    return MORE_UNTOLD;
}

static void hear(struct told *told, struct str key, struct str value)
{
    char room[PLAIN_NAME_MAX];
    enum more more;
    bool is_sure;

    if (json_type_of(value) != JSON_BOOL) {
        return;
    }
    more = pages_more_word(plain_name(key, room), &is_sure);
    if (more != MORE_UNTOLD) {
        more = str_trim(value).data[0] == 't' ? more : negated(more);
        told->mostly = more;
        told->sure = is_sure ? more : told->sure;
    }
}

/* The members of one object, unless it has too many for a frame. */
static void hear_object(struct told *told, struct str object)
{
    struct told own = { MORE_UNTOLD, MORE_UNTOLD };
    struct json_walk walk;
    struct str key, value;
    size_t members = 0;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (++members > FRAME_MEMBERS_MAX) {
            return;
        }
        hear(&own, key, value);
    }
    told->sure = own.sure != MORE_UNTOLD ? own.sure : told->sure;
    told->mostly = own.mostly != MORE_UNTOLD ? own.mostly : told->mostly;
}

/* The objects that a pointer leads through, but for the body itself: their members speak of the same list. */
static void hear_path(struct told *told, struct str body, const char *text)
{
    struct json_pointer pointer;
    struct str value;

    if (!text || pages_header(text) ||
        json_pointer_parse(&pointer, str_view(text), NULL) != RESULT_OK) {
        return;
    }
    for (unsigned steps = 1; steps < pointer.count; steps++) {
        struct json_pointer head = pointer;

        head.count = steps;
        if (pointer.steps[steps - 1].every || !json_pointer_find(body, &head, &value) ||
            json_type_of(value) != JSON_OBJECT) {
            return;
        }
        hear_object(told, value);
    }
}

void listing_read_more(struct listing *l)
{
    const char *const paths[] = { l->records, l->pages.total, l->pages.total_pages, l->pages.next };
    struct told told = { MORE_UNTOLD, MORE_UNTOLD };
    struct str body = str_trim(l->reply->body);

    l->more = l->is_last.data ? negated(told_by(l->is_last)) : told_by(l->has_more);
    if (json_type_of(body) == JSON_OBJECT) {
        hear_object(&told, body);
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            hear_path(&told, body, paths[i]);
        }
    }
    if (!l->pages.has_more && !l->pages.is_last && told.sure == MORE_NO) {
        l->more = MORE_NO;
    }
    l->hint = told.sure != MORE_UNTOLD ? told.sure : told.mostly;
}

/* --- how far --------------------------------------------------------------------------------------------- */

uint64_t listing_before(const struct listing *l)
{
    return l->page.expected ? (uint64_t)l->page.ordinal * l->page.size : l->page.came;
}

enum reached listing_reached(const struct listing *l)
{
    bool before = !page_is_numbered(l->pages.kind) && l->page.total != PAGE_TOTAL_UNKNOWN;
    uint64_t total = l->has_told ? l->told : l->page.total, came = listing_before(l) + l->count;

    if ((!l->has_told && (!before || !l->page.ordinal)) ||
        (l->style->counts_pages && l->page.expected)) {
        return REACHED_UNKNOWN;
    }
    return came < total ? REACHED_NOT : came == total ? REACHED_ALL : REACHED_MORE;
}

bool listing_is_short(const struct listing *l)
{
    uint64_t full = l->page.most ? l->page.most : l->pages.size;

    return l->count < full;
}

/* Pages without a record that are borne in a row, and what more of them mean. Who says that there is more
 * (has_more, a total that is not reached) may filter what it gives. A cursor alone says little: some APIs
 * give one with every page. */
bool listing_bears_empty(struct listing *l, uint32_t empty)
{
    enum reached reached = listing_reached(l);
    bool promised = l->more == MORE_YES || reached == REACHED_NOT;
    uint32_t max = l->more == MORE_YES          ? PAGES_EMPTY_MAX
                   : reached == REACHED_NOT     ? PAGES_EMPTY_TOLD_MAX
                   : reached == REACHED_UNKNOWN ? PAGES_EMPTY_UNTOLD_MAX
                                                : 0;

    if (empty <= max) {
        return true;
    }
    if (promised) {
        LISTING_NOTE(l, PAGE_NOTE_ENDLESS, "%u pages without a record, and still there is more",
                     (unsigned)empty);
    }
    listing_end(l, promised                 ? PAGE_END_ENDLESS
                   : reached == REACHED_ALL ? PAGE_END_TOTAL
                                            : PAGE_END_EMPTY);
    return false;
}
