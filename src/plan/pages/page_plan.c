/* Pages by number: how many there will be, and which of them a page names. */
#include "plan/pages/page_style.h"

#include "base/json_scan.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t page_max(const struct job_pages *pages)
{
    return pages->max ? pages->max : JOB_PAGES_MAX;
}

/* --- totals --------------------------------------------------------------------------------------- */

/* Kept names are in lower case. */
struct str listing_header(const struct listing *l, const char *name)
{
    char lower[64];
    struct str given = str_view(name);

    return l->reply->header && given.len < sizeof lower
               ? l->reply->header(l->reply->context, str_lower(given, lower, sizeof lower), 0)
               : STR_NONE;
}

/* "header:X-Total-Count". */
static struct str total_header(const struct listing *l, const char *where)
{
    return pages_total_in(str_trim(listing_header(l, pages_header(where))));
}

/* Digits; a fraction of zeros, which some languages write after whole numbers, is passed over. */
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

/* A number of records or pages: also digits in a string. A bad one is noted on the first page. */
static bool read_count(struct listing *l, const char *where, struct str value, uint64_t *count)
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

void listing_read_totals(struct listing *l)
{
    if (l->pages.until) { /* then not all are wanted */
        return;
    }
    l->has_told_pages = read_count(l, l->pages.total_pages, l->total_pages, &l->told_pages);
    l->has_told = read_count(l, l->pages.total, l->total, &l->told);
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
    uint64_t before = l->page.expected || !l->page.ordinal ? l->page.ordinal * size : l->page.came;
    uint64_t came = before + l->count;

    if (came <= total) {
        return false;
    }
    if (!l->page.ordinal || l->page.ordinal + 1 == l->page.expected ||
        l->page.basis == PAGE_PROOF) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL,
                     "%s is %" PRIu64 ", but %" PRIu64 " came: asking until a page is empty",
                     l->pages.total, total, came);
    }
    return true;
}

static void reckon(struct listing *l, struct page_plan *c)
{
    uint64_t total = l->told, pages = l->told_pages;
    bool of_pages = l->has_told_pages, of_records = l->has_told;

    c->size = page_size(l, of_records ? total : 0);
    if (l->pages.until) { /* how many are wanted shows as they come */
        c->step = l->style->counts_records ? c->size : 1;
        return;
    }
    if (of_pages && (pages || !l->count)) {
        c->known = !l->style->counts_records || c->size;
        c->announced = pages;
        c->expected = pages;
    } else if (of_records && c->size) {
        c->overtaken = is_too_small(l, total, c->size);
        c->known = !c->overtaken;
        c->announced = total;
        c->expected = total / c->size + (total % c->size != 0);
    } else if ((of_pages || (of_records && total)) && !l->page.ordinal) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL, "%s is %" PRIu64 ", but %" PRIu64 " record%s came",
                     of_pages ? l->pages.total_pages : l->pages.total, of_pages ? pages : total,
                     l->count, units_plural(l->count));
    }
    if (c->known && !c->expected) {
        c->expected = 1; /* the one that came, without a record */
    }
    c->step = l->style->counts_records ? c->size : 1;
}

/* False, and noted once, when `ordinal` is a page too many. */
bool listing_is_within(struct listing *l, uint64_t ordinal)
{
    if (ordinal < page_max(&l->pages)) {
        return true;
    }
    LISTING_NOTE(l, PAGE_NOTE_LIMIT, "more than %" PRIu64 " page%s", page_max(&l->pages),
                 units_plural(page_max(&l->pages)));
    listing_end(l, PAGE_END_MAX);
    return false;
}

static void add_number(struct listing *l, const struct page_plan *c, struct page_at at)
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
static void add_numbers(struct listing *l, const struct page_plan *c, uint64_t from, uint64_t to,
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

/* Adds the page after this one. */
static void add_next(struct listing *l, struct page_plan *c, struct page_at at)
{
    at.ordinal = l->page.ordinal + 1;
    if (l->style->counts_records) { /* by what came, so that nothing is left out */
        c->step = l->count ? l->count : c->size;
        if (!c->step) {
            LISTING_NOTE(l, PAGE_NOTE_ENDLESS, "no record came, and no size is known to go on by");
            listing_end(l, PAGE_END_ENDLESS);
            return;
        }
        at.size = (uint32_t)least(c->step, PAGES_SIZE_MAX);
    }
    if (listing_is_within(l, at.ordinal)) {
        add_number(l, c, at);
    }
}

/* An empty page after full ones may be a mistake of the server, unless something else says that it is the
 * end: the page after it will show. A listing of which only one page is known so far is let be. Where an
 * empty page itself says that there is more, the next one shows it, too, whatever came before. */
static bool is_doubtful(const struct listing *l)
{
    bool says_more = l->hint == MORE_YES && listing_reached(l) != REACHED_ALL;
    bool was_full = l->pages.size ? l->page.previous >= l->pages.size
                                  : l->page.ordinal > 1 && l->page.previous >= l->page.most;
    bool is_tried = l->page.basis == PAGE_TRIED || (says_more && !l->page.ordinal);

    return !l->page.empty && is_tried && !l->pages.has_more && !l->pages.is_last &&
           (says_more ||
            (was_full && l->hint == MORE_UNTOLD && listing_reached(l) == REACHED_UNKNOWN));
}

/* The number goes on by one page; whether there is one, nobody knows. */
static void add_following(struct listing *l, struct page_plan *c)
{
    struct page_at at = { .total = PAGE_TOTAL_UNKNOWN,
                          .size = l->page.size,
                          .empty = l->count ? 0 : l->page.empty + 1,
                          .basis = l->more == MORE_YES ? PAGE_NAMED : PAGE_TRIED };

    if (l->more == MORE_NO) {
        listing_end(l, PAGE_END_NO_MORE);
    } else if (l->more == MORE_UNTOLD && !l->count && !is_doubtful(l)) {
        listing_end(l, l->page.basis == PAGE_PROOF || listing_reached(l) == REACHED_ALL
                           ? PAGE_END_TOTAL
                           : PAGE_END_EMPTY);
    } else if (l->count || l->more == MORE_UNTOLD || listing_bears_empty(l, at.empty)) {
        add_next(l, c, at);
    }
}

/* Two things agree that this is the last page: the number of records, the number of pages, or that there is no
 * more. A header comes from a library that counts, not from somebody's hand. */
static bool is_confirmed(const struct listing *l, uint64_t expected)
{
    uint64_t came = listing_before(l) + l->count;
    struct pages_told told;

    if (l->more == MORE_NO || l->hint == MORE_NO || pages_header(l->pages.total) ||
        pages_header(l->pages.total_pages)) {
        return true;
    }
    pages_guess_told(l->reply->body, &told);
    if (l->has_told) {
        told.has_total = true;
        told.total = l->told;
    }
    if (l->has_told_pages) {
        told.has_pages = true;
        told.pages = l->told_pages;
    }
    return told.has_total && told.total == came && told.has_pages && told.pages == expected;
}

/* The last page by the total that was told. When it is full, that total may be too small: one page more
 * shows it, unless something else on this page agrees. */
static void end_plan(struct listing *l, struct page_plan *c)
{
    uint64_t full = l->page.ordinal ? l->page.size : l->pages.size;
    struct page_at at = { .total = PAGE_TOTAL_UNKNOWN,
                          .size = (uint32_t)c->size,
                          .basis = PAGE_PROOF };

    if (c->known && (l->has_told || l->has_told_pages) && full && l->count >= full &&
        c->expected == l->page.ordinal + UINT64_C(1) && c->expected < page_max(&l->pages) &&
        !is_confirmed(l, c->expected)) {
        add_next(l, c, at);
    } else {
        listing_end(l, PAGE_END_TOTAL);
    }
}

/* The page from which on the others are known: mostly the first. Names those up to the end of their
 * block, and the next block too when the page that should do it has been read already. */
void listing_begin_plan(struct listing *l, struct page_plan *c)
{
    uint64_t max = page_max(&l->pages), from = l->page.ordinal + UINT64_C(1);
    uint64_t to = from + PAGES_BLOCK - (from - 1) % PAGES_BLOCK;

    if (c->expected > max) {
        LISTING_NOTE(l, PAGE_NOTE_LIMIT, "%" PRIu64 " pages, %" PRIu64 " at most are asked for",
                     c->expected, max);
        listing_end(l, PAGE_END_MAX);
        c->expected = max;
    }
    to += from % PAGES_BLOCK == 1 ? 0 : PAGES_BLOCK;
    add_numbers(l, c, from, least(c->expected, to), c->expected);
    l->page.expected = (uint32_t)c->expected;
    l->page.size = (uint32_t)c->size;
    if (c->expected <= from) {
        end_plan(l, c);
    }
}

/* The last page that was planned. */
static void keep_last(struct listing *l, struct page_plan *c)
{
    uint64_t planned = l->page.expected, to;

    if (c->known && c->expected > planned) {
        to = least(c->expected, planned + PAGES_BLOCK);
        add_numbers(l, c, planned, to, to);
    } else if (l->more == MORE_YES || c->overtaken ||
               (l->more == MORE_UNTOLD && l->hint == MORE_YES && l->count)) {
        add_following(l, c);
    } else {
        end_plan(l, c);
    }
}

/* A page in the middle that has fewer records than the others: where no total tells what is missing. */
static void note_short(struct listing *l)
{
    if (l->count >= l->page.size || l->has_told || l->pages.total) {
        return;
    }
    if (!l->count || l->pages.size == l->page.size) {
        LISTING_NOTE(l, PAGE_NOTE_GAP, "page %u of %u has %" PRIu64 " of %u record%s",
                     (unsigned)l->page.ordinal + 1, (unsigned)l->page.expected, l->count,
                     (unsigned)l->page.size, units_plural(l->page.size));
        listing_end(l, PAGE_END_GAP);
    } else {
        LISTING_NOTE(l, PAGE_NOTE_SHORT, "page %u has %" PRIu64 " record%s, others have %u",
                     (unsigned)l->page.ordinal + 1, l->count, units_plural(l->count),
                     (unsigned)l->page.size);
    }
}

/* A page whose number of fellows is known: adds what has come to be known since, and its block's
 * successor. */
void listing_keep_plan(struct listing *l, struct page_plan *c)
{
    uint64_t planned = l->page.expected, ordinal = l->page.ordinal, to;

    if (c->known && c->announced != l->page.total) {
        LISTING_NOTE(l, PAGE_NOTE_TOTAL_CHANGED, "%" PRIu64 " became %" PRIu64 " on page %" PRIu64,
                     l->page.total, c->announced, ordinal + 1);
    }
    c->expected = least(c->expected, page_max(&l->pages));
    if (c->known && ordinal % PAGES_BLOCK == 1) {
        to = least(ordinal + 2 * PAGES_BLOCK, c->expected > planned ? c->expected : planned);
        add_numbers(l, c, ordinal + PAGES_BLOCK, to, c->expected > planned ? c->expected : planned);
    }
    if (ordinal + 1 == planned) {
        keep_last(l, c);
        return;
    }
    note_short(l);
    if (c->known && c->expected > planned) {
        to = least(c->expected, planned + PAGES_ADDED_MAX);
        add_numbers(l, c, planned, to, to);
    }
}

void listing_read_numbered(struct listing *l)
{
    struct page_plan c = { .number =
                               l->page.ordinal ? l->page.number : page_first_number(&l->pages),
                           .url = l->request->url,
                           .param = l->pages.param };

    reckon(l, &c);
    if (!l->page.ordinal && c.known && (c.expected > 1 || l->more != MORE_YES)) {
        listing_begin_plan(l, &c);
    } else if (l->page.ordinal && l->page.expected) {
        listing_keep_plan(l, &c);
    } else {
        add_following(l, &c);
    }
}

void listing_read_past_end(struct listing *l)
{
    struct page_plan c = { .number = l->page.number,
                           .size = l->page.size,
                           .step = 1,
                           .url = l->request->url,
                           .param = l->pages.param };
    struct page_at at = { .total = PAGE_TOTAL_UNKNOWN,
                          .size = l->page.size,
                          .empty = l->page.empty + 1,
                          .basis = PAGE_TRIED };

    if (l->pages.param && is_doubtful(l)) { /* `auto` would have to find it out of an answer */
        add_next(l, &c, at);
    }
}
