/* Pages by number: how many there will be, and which of them a page names. */
#include "plan/pages_how.h"

#include "base/json_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t page_max(const struct job_pages *pages)
{
    return pages->max ? pages->max : JOB_PAGES_MAX;
}

/* --- totals --------------------------------------------------------------------------------------- */

static struct str header(const struct listing *l, struct str name)
{
    return l->reply->header ? l->reply->header(l->reply->context, name, 0) : STR_NONE;
}

/* "header:X-Total-Count": kept names are in lower case. */
static struct str total_header(const struct listing *l, const char *where)
{
    char name[64];
    struct str given = str_view(pages_header(where));

    if (given.len >= sizeof name) {
        return STR_NONE;
    }
    for (size_t i = 0; i < given.len; i++) {
        char c = given.data[i];

        name[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return str_trim(header(l, (struct str){ name, given.len }));
}

/* Digits; a fraction of zeros, which some languages write behind whole numbers, is passed over. */
static bool to_count(struct str text, uint64_t *count)
{
    struct str whole = str_cut(&text, '.');

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '0') {
            return false;
        }
    }
    return str_to_u64(whole, count) && *count != PAGE_TOTAL_UNKNOWN;
}

/* Also digits in a string. */
bool listing_read_count(struct listing *l, const char *where, struct str value, uint64_t *count)
{
    struct str text = value;

    if (!where) {
        return false;
    }
    if (pages_header(where)) {
        text = total_header(l, where);
    } else if (json_type_of(value) == JSON_STRING) {
        text = json_string_raw(value);
    }
    if (!text.len && pages_header(where) && !l->page.ordinal) {
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "the answer has no header %s", pages_header(where));
    }
    if (!text.len || json_type_of(text) == JSON_NULL) {
        return false;
    }
    if (to_count(str_trim(text), count)) {
        return true;
    }
    if (!l->page.ordinal) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL, "%s is %.*s, no number of records or pages", where,
                     STR_ARG(page_shown(value.data ? value : text)));
    }
    return false;
}

/* --- pages by number ------------------------------------------------------------------------------ */

/* Records a page. A server that gives fewer than it was asked for, though it has more, has a ceiling of its
 * own: with the size that was asked for, pages would be left out. */
static uint64_t page_size(const struct listing *l, uint64_t total)
{
    if (l->page.size) {
        return l->page.size;
    }
    if (!l->pages.size || (l->count && l->count < l->pages.size && l->count < total)) {
        return l->count < PAGES_SIZE_MAX ? l->count : PAGES_SIZE_MAX;
    }
    return l->pages.size < PAGES_SIZE_MAX ? l->pages.size : PAGES_SIZE_MAX;
}

/* The records before this page and in it are more than all. */
static bool is_too_small(struct listing *l, uint64_t total, uint64_t size)
{
    uint64_t came = l->page.ordinal * size + l->count;

    if (came <= total) {
        return false;
    }
    if (!l->page.ordinal || l->page.ordinal + 1 == l->page.expected) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL,
                     "%s is %" PRIu64 ", but %" PRIu64 " came: asking until a page is empty",
                     l->pages.total, total, came);
    }
    return true;
}

static void reckon(struct listing *l, struct course *c)
{
    uint64_t total = 0, pages = 0;
    bool of_pages = listing_read_count(l, l->pages.total_pages, l->total_pages, &pages);
    bool of_records = listing_read_count(l, l->pages.total, l->total, &total);

    c->size = page_size(l, of_records ? total : 0);
    if (of_pages && (pages || !l->count)) {
        c->known = l->pages.kind == JOB_PAGES_NUMBER || c->size;
        c->announced = pages;
        c->expected = pages;
    } else if (of_records && c->size) {
        c->overtaken = is_too_small(l, total, c->size);
        c->known = !c->overtaken;
        c->announced = total;
        c->expected = total / c->size + (total % c->size != 0);
    } else if ((of_pages || (of_records && total)) && !l->page.ordinal) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL, "%s is %" PRIu64 ", but %" PRIu64 " records came",
                     of_pages ? l->pages.total_pages : l->pages.total, of_pages ? pages : total,
                     l->count);
    }
    if (c->known && !c->expected) {
        c->expected = 1; /* the one that came, without a record */
    }
    c->step = l->pages.kind == JOB_PAGES_OFFSET ? c->size : 1;
}

/* False, and noted once, when `ordinal` is a page too many. */
bool listing_is_within(struct listing *l, uint64_t ordinal)
{
    if (ordinal < page_max(&l->pages)) {
        return true;
    }
    LISTING_NOTE(l, PAGE_NOTE_LIMIT, "more than %" PRIu64 " pages", page_max(&l->pages));
    return false;
}

static void add_number(struct listing *l, const struct course *c, struct page_at at)
{
    struct page_texts texts = { .url = { 0 } };
    struct err err = { .result = RESULT_OK };
    char digits[24];
    int len;

    if (__builtin_mul_overflow(at.ordinal - (uint64_t)l->page.ordinal, c->step, &at.number) ||
        __builtin_add_overflow(at.number, c->number, &at.number)) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the number of page %u is too large",
                     (unsigned)at.ordinal + 1);
        return;
    }
    len = snprintf(digits, sizeof digits, "%" PRIu64, at.number);
    switch (page_texts_set(&texts, c->param, (struct str){ digits, (size_t)len }, c->url,
                           listing_body(l), &err)) {
    case RESULT_OK:
        listing_add(l, &texts, at);
        break;
    case RESULT_INVALID:
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page: %s", err.text);
        break;
    default:
        l->result = RESULT_NOMEM;
        break;
    }
    page_texts_release(&texts);
}

/* Names the pages from `from` up to, not with, `to`. */
static void add_numbers(struct listing *l, const struct course *c, uint64_t from, uint64_t to,
                        uint64_t expected)
{
    struct page_at at = { .total = c->announced,
                          .expected = (uint32_t)expected,
                          .size = (uint32_t)c->size };

    for (; from < to && l->result == RESULT_OK; from++) {
        at.ordinal = (uint32_t)from;
        add_number(l, c, at);
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The number goes on by one page; whether there is one, nobody knows. */
static void add_following(struct listing *l, struct course *c, enum more more)
{
    struct page_at at = { .ordinal = l->page.ordinal + 1,
                          .total = PAGE_TOTAL_UNKNOWN,
                          .size = l->page.size,
                          .empty = l->count ? 0 : l->page.empty + 1 };

    if (more == MORE_NO || (more == MORE_UNTOLD && !l->count)) {
        return;
    }
    if (at.empty > PAGES_EMPTY_MAX) {
        LISTING_NOTE(l, PAGE_NOTE_ENDLESS, "%u pages without a record, and still there is more",
                     (unsigned)at.empty);
        return;
    }
    if (l->pages.kind == JOB_PAGES_OFFSET) { /* by what came, so that nothing is left out */
        c->step = l->count ? l->count : c->size;
        if (!c->step) {
            LISTING_NOTE(l, PAGE_NOTE_ENDLESS, "no record came, and no size is known to go on by");
            return;
        }
        at.size = (uint32_t)least(c->step, PAGES_SIZE_MAX);
    }
    if (listing_is_within(l, at.ordinal)) {
        add_number(l, c, at);
    }
}

/* The page from which on the others are known: mostly the first. Names those up to the end of their
 * block, and the next block too when the page that should do it lies behind. */
void listing_begin_course(struct listing *l, struct course *c)
{
    uint64_t max = page_max(&l->pages), from = l->page.ordinal + UINT64_C(1);
    uint64_t to = from + PAGES_BLOCK - (from - 1) % PAGES_BLOCK;

    if (c->expected > max) {
        LISTING_NOTE(l, PAGE_NOTE_LIMIT, "%" PRIu64 " pages, %" PRIu64 " at most are asked for",
                     c->expected, max);
        c->expected = max;
    }
    to += from % PAGES_BLOCK == 1 ? 0 : PAGES_BLOCK;
    add_numbers(l, c, from, least(c->expected, to), c->expected);
}

/* A page whose number of fellows is known: adds what has come to be known since, and its block's
 * successor. */
void listing_keep_course(struct listing *l, struct course *c, enum more more)
{
    uint64_t planned = l->page.expected, ordinal = l->page.ordinal;
    bool is_last = ordinal + 1 == planned;
    uint64_t added = is_last ? PAGES_BLOCK : PAGES_ADDED_MAX, to;

    if (!c->known) {
        if (is_last && (more == MORE_YES || c->overtaken)) {
            add_following(l, c, more);
        }
        return;
    }
    if (c->announced != l->page.total) {
        LISTING_NOTE(l, PAGE_NOTE_TOTAL_CHANGED, "%" PRIu64 " became %" PRIu64 " on page %" PRIu64,
                     l->page.total, c->announced, ordinal + 1);
    }
    c->expected = least(c->expected, page_max(&l->pages));
    if (ordinal % PAGES_BLOCK == 1) {
        to = least(ordinal + 2 * PAGES_BLOCK, c->expected > planned ? c->expected : planned);
        add_numbers(l, c, ordinal + PAGES_BLOCK, to, c->expected > planned ? c->expected : planned);
    }
    if (c->expected > planned) {
        to = least(c->expected, planned + added);
        add_numbers(l, c, planned, to, to);
    } else if (is_last && more == MORE_YES) {
        add_following(l, c, more);
    }
}

void listing_read_numbered(struct listing *l)
{
    struct course c = { .number = l->page.ordinal ? l->page.number : page_first_number(&l->pages),
                        .url = l->request->url,
                        .param = l->pages.param };
    enum more more = listing_has_more(l);

    reckon(l, &c);
    if (!l->page.ordinal && c.known && (c.expected > 1 || more != MORE_YES)) {
        listing_begin_course(l, &c);
    } else if (l->page.ordinal && l->page.expected) {
        listing_keep_course(l, &c, more);
    } else {
        add_following(l, &c, more);
    }
}
