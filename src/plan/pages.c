#include "plan/pages.h"

#include "base/crc32c.h"
#include "base/json_look.h"
#include "base/url.h"
#include "base/url_make.h"
#include "plan/link.h"
#include "plan/pages_how.h"
#include "plan/pages_there.h"
#include "plan/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 48 /* bytes of somebody else's text in a note */

static struct str shown(struct str text)
{
    return (struct str){ text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX };
}

static uint64_t page_max(const struct job_pages *pages)
{
    return pages->max ? pages->max : JOB_PAGES_MAX;
}

/* --- what the body says --------------------------------------------------------------------------- */

static bool is_header(const char *where)
{
    return str_starts(str_view(where), STR("header:"));
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
        if (wanted[i].pointer && !is_header(wanted[i].pointer) &&
            json_pointer_parse(&pointers[count], str_view(wanted[i].pointer), NULL) == RESULT_OK) {
            of[count++] = i;
        }
    }
    json_look(l->reply->body, pointers, count, values);
    for (size_t i = 0; i < count; i++) {
        *wanted[of[i]].value = values[i];
    }
}

static struct str header(const struct listing *l, struct str name)
{
    return l->reply->header ? l->reply->header(l->reply->context, name, 0) : STR_NONE;
}

/* "header:X-Total-Count": kept names are in lower case. */
static struct str total_header(const struct listing *l, const char *where)
{
    char name[64];
    struct str given = str_view(where + strlen("header:"));

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

/* A number of records or pages: also digits in a string. A bad one is noted on the first page. */
static bool read_count(struct listing *l, const char *where, struct str value, uint64_t *count)
{
    struct str text = value;

    if (!where) {
        return false;
    }
    if (is_header(where)) {
        text = total_header(l, where);
    } else if (json_type_of(value) == JSON_STRING) {
        text = json_string_raw(value);
    }
    if (!text.len || json_type_of(text) == JSON_NULL) {
        return false;
    }
    if (to_count(str_trim(text), count)) {
        return true;
    }
    if (!l->page.ordinal) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_TOTAL, "%s is %.*s, no number of records or pages", where,
                     STR_ARG(shown(value.data ? value : text)));
    }
    return false;
}

enum more { MORE_UNTOLD, MORE_YES, MORE_NO };

static enum more has_more(const struct listing *l)
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

/* --- pages by number ------------------------------------------------------------------------------ */

/* How a listing's pages are numbered, and how many there are, as its page at hand says. */
struct course {
    bool known;     /* how many: else `announced` and `expected` mean nothing */
    bool overtaken; /* more came than was announced */
    uint64_t announced, expected;
    uint64_t number, step; /* of this page; between two pages */
    uint64_t size;         /* records a page that `expected` relies on */
    struct str url;        /* in which `param` is set */
    const char *param;
};

static uint64_t first_number(const struct job_pages *pages)
{
    return pages->has_first ? pages->first : pages->kind == JOB_PAGES_NUMBER;
}

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
    bool of_pages = read_count(l, l->pages.total_pages, l->total_pages, &pages);
    bool of_records = read_count(l, l->pages.total, l->total, &total);

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
static bool is_within(struct listing *l, uint64_t ordinal)
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
    if (is_within(l, at.ordinal)) {
        add_number(l, c, at);
    }
}

/* The page from which on the others are known: mostly the first. Names those up to the end of their
 * block, and the next block too when the page that should do it lies behind. */
static void begin_course(struct listing *l, struct course *c)
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
static void keep_course(struct listing *l, struct course *c, enum more more)
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

static void read_numbered(struct listing *l)
{
    struct course c = { .number = l->page.ordinal ? l->page.number : first_number(&l->pages),
                        .url = l->request->url,
                        .param = l->pages.param };
    enum more more = has_more(l);

    reckon(l, &c);
    if (!l->page.ordinal && c.known && (c.expected > 1 || more != MORE_YES)) {
        begin_course(l, &c);
    } else if (l->page.ordinal && l->page.expected) {
        keep_course(l, &c, more);
    } else {
        add_following(l, &c, more);
    }
}

/* --- pages that name the next one ------------------------------------------------------------------ */

/* What stands where a next page is named, but says that there is none. */
static bool is_no_page(struct str value)
{
    struct str text = str_trim(value);

    if (json_type_of(text) == JSON_STRING) {
        text = json_string_raw(text);
    }
    return !text.len || str_equal(text, STR("null")) || str_equal(text, STR("false")) ||
           str_equal(text, STR("0")) || str_equal(text, STR("-1"));
}

/* The request at hand once more. */
static bool is_itself(const struct listing *l, const struct page_texts *texts)
{
    return str_equal(buf_view(&texts->url), l->request->url) &&
           (!texts->body.len || str_equal(buf_view(&texts->body), listing_body(l)));
}

/* Adds the page unless the listing would go round in a circle, or on for ever. */
static void add_named(struct listing *l, const struct page_texts *texts)
{
    struct page_at at = { .ordinal = l->page.ordinal + 1,
                          .total = PAGE_TOTAL_UNKNOWN,
                          .empty = l->count ? 0 : l->page.empty + 1 };

    if (is_itself(l, texts)) {
        if (l->count) { /* else it is an end: some put it so */
            LISTING_NOTE(l, PAGE_NOTE_BACK, "page %u names itself as the next one",
                         (unsigned)at.ordinal);
        }
    } else if (at.empty > PAGES_EMPTY_MAX) {
        LISTING_NOTE(l, PAGE_NOTE_ENDLESS, "%u pages without a record, and still there is more",
                     (unsigned)at.empty);
    } else if (is_within(l, at.ordinal)) {
        listing_add(l, texts, at);
    }
}

/* Appends the URL that `reference` means, if it may be asked; else notes why not. */
static bool resolve(struct listing *l, struct str reference, struct buf *to)
{
    struct err err = { .result = RESULT_OK };
    struct url here, there;
    char key[URL_ORIGIN_MAX];

    buf_init(to, JOB_URL_MAX);
    switch (url_append_resolved(to, request_url(l->request), reference)) {
    case RESULT_OK:
        break;
    case RESULT_LIMIT:
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page's URL is over %d bytes", JOB_URL_MAX);
        return false;
    default:
        l->result = RESULT_NOMEM;
        return false;
    }
    if (url_split(l->request->url, &here, NULL) != RESULT_OK ||
        url_split(buf_view(to), &there, &err) != RESULT_OK) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page is \"%.*s\": %s",
                     STR_ARG(shown(reference)), err.text);
        return false;
    }
    if (!url_same_origin(&here, &there)) {
        url_origin_key(&there, key);
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page is on %s: not followed there", key);
        return false;
    }
    to->len = there.origin.len + there.target.len;
    return true;
}

static void name_url(struct listing *l, struct str reference)
{
    struct page_texts texts = { .url = { 0 } };

    if (resolve(l, reference, &texts.url)) {
        add_named(l, &texts);
    }
    page_texts_release(&texts);
}

static void name_cursor(struct listing *l)
{
    struct page_texts texts = { .url = { 0 } };
    struct err err = { .result = RESULT_OK };

    switch (
        page_texts_set(&texts, l->pages.param, l->next, l->request->url, listing_body(l), &err)) {
    case RESULT_OK:
        add_named(l, &texts);
        break;
    case RESULT_INVALID:
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s: the cursor %.*s: %s", l->pages.next,
                     STR_ARG(shown(l->next)), err.text);
        break;
    default:
        l->result = RESULT_NOMEM;
        break;
    }
    page_texts_release(&texts);
}

static void name_next(struct listing *l)
{
    struct buf text = { 0 };

    if (json_type_of(l->next) != JSON_STRING) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s is %.*s, no URL", l->pages.next,
                     STR_ARG(shown(l->next)));
        return;
    }
    if (json_unescape(&text, json_string_raw(l->next), NULL) == RESULT_OK) {
        name_url(l, buf_view(&text));
    } else {
        l->result = RESULT_NOMEM;
    }
    buf_release(&text);
}

static void read_named(struct listing *l)
{
    enum more more = has_more(l);

    if (more == MORE_NO) {
        return;
    }
    if (is_no_page(l->next)) {
        if (more == MORE_YES) {
            LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s says there is more, but %s finds nothing",
                         l->pages.has_more, l->pages.next);
        }
    } else if (l->pages.kind == JOB_PAGES_NEXT) {
        name_next(l);
    } else {
        name_cursor(l);
    }
}

/* --- the Link header -------------------------------------------------------------------------------- */

static bool find_link(const struct listing *l, struct str relation, struct str *target)
{
    for (unsigned n = 0; l->reply->header; n++) {
        struct str value = l->reply->header(l->reply->context, STR("link"), n);

        if (!value.data) {
            break;
        }
        if (link_find(value, relation, target)) {
            return true;
        }
    }
    return false;
}

static bool contains_page(struct str name)
{
    for (size_t i = 0; i + 4 <= name.len; i++) {
        if (str_equal_nocase((struct str){ name.data + i, 4 }, STR("page"))) {
            return true;
        }
    }
    return false;
}

static bool is_offset_name(struct str name)
{
    static const struct str names[] = { STR_INIT("offset"), STR_INIT("start"), STR_INIT("_start"),
                                        STR_INIT("skip") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The one parameter in which two URLs differ, and its two numbers. */
static bool differing_number(struct str a, struct str b, struct str *name, uint64_t *of_a,
                             uint64_t *of_b)
{
    struct url_params in_a, in_b;
    struct str a_name, b_name, a_value, b_value;
    size_t differing = 0;
    bool more_a, more_b, numbers = true;

    url_params_begin(&in_a, a);
    url_params_begin(&in_b, b);
    if (!in_a.rest.data || !in_b.rest.data || in_a.rest.data - a.data != in_b.rest.data - b.data ||
        memcmp(a.data, b.data, (size_t)(in_a.rest.data - a.data)) != 0) {
        return false;
    }
    do {
        more_a = url_params_next(&in_a, &a_name, &a_value);
        more_b = url_params_next(&in_b, &b_name, &b_value);
        if (more_a != more_b || (more_a && !str_equal(a_name, b_name))) {
            return false;
        }
        if (more_a && !str_equal(a_value, b_value)) {
            differing++;
            *name = a_name;
            numbers = str_to_u64(a_value, of_a) && str_to_u64(b_value, of_b);
        }
    } while (more_a);
    return differing == 1 && numbers;
}

/* Whether the pages from the next to the last can be counted: their links differ in one number, of which
 * it is known by how much it grows from page to page. `name` gets room for the parameter's name. */
static bool link_course(const struct listing *l, struct str next, struct str last, struct course *c,
                        struct buf *name)
{
    struct str param, own;
    uint64_t of_next, of_last, of_own;

    if (!differing_number(next, last, &param, &of_next, &of_last) || of_last <= of_next) {
        return false;
    }
    if (url_append_decoded(name, param) != RESULT_OK || !buf_cstr(name) || name->data[0] == '/') {
        return false;
    }
    if (url_param(l->request->url, buf_view(name), &own) && str_to_u64(own, &of_own) &&
        of_own < of_next) {
        c->step = of_next - of_own;
    } else if (contains_page(buf_view(name))) {
        c->step = 1;
    } else if (is_offset_name(buf_view(name))) {
        c->step = of_next;
    } else {
        return false;
    }
    if (!c->step || c->step > of_next || c->step > PAGES_SIZE_MAX ||
        (of_last - of_next) % c->step) {
        return false;
    }
    c->known = true;
    c->number = of_next - c->step;
    c->size = c->step;
    c->expected = (of_last - of_next) / c->step + l->page.ordinal + 2;
    c->announced = c->expected;
    c->url = next;
    c->param = name->data;
    return true;
}

static void read_link(struct listing *l)
{
    struct str next, last;
    struct buf next_url = { 0 }, last_url = { 0 }, name = { 0 };
    struct course c = { .known = false };
    bool has_last = find_link(l, STR("last"), &last);

    if (find_link(l, STR("next"), &next) && resolve(l, next, &next_url)) {
        if (has_last && resolve(l, last, &last_url) &&
            link_course(l, buf_view(&next_url), buf_view(&last_url), &c, &name)) {
            if (l->page.expected) {
                keep_course(l, &c, MORE_UNTOLD);
            } else {
                begin_course(l, &c);
            }
        } else if (!l->page.expected || l->page.ordinal + 1 == l->page.expected) {
            name_url(l, next);
        }
    }
    buf_release(&next_url);
    buf_release(&last_url);
    buf_release(&name);
}

/* --- a page ------------------------------------------------------------------------------------------ */

/* On the first page a pointer that finds nothing is a mistake of the job, or the API has changed. Told with
 * what there is instead. */
static void note_no_match(struct listing *l, const char *pointer, struct str found,
                          enum pages_there there)
{
    char text[PAGES_THERE_MAX];

    if (pointer && !found.data && !is_header(pointer) && !l->page.ordinal) {
        pages_there(l->reply->body, there, text);
        LISTING_NOTE(l, PAGE_NOTE_NO_MATCH, "%s finds nothing; %s", pointer, text);
    }
}

static void count_records(struct listing *l)
{
    struct json_pointer pointer;
    struct str found = STR_NONE;
    bool points = l->endpoint->records &&
                  json_pointer_parse(&pointer, str_view(l->endpoint->records), NULL) == RESULT_OK;

    l->count = records_each(l->reply->body, points ? &pointer : NULL, NULL, NULL);
    l->out->records = l->count;
    if (points && !l->count && !json_pointer_find(l->reply->body, &pointer, &found)) {
        note_no_match(l, l->endpoint->records, STR_NONE, PAGES_THERE_ARRAYS);
    }
}

static void read_as_kind(struct listing *l)
{
    switch (l->pages.kind) {
    case JOB_PAGES_NUMBER:
    case JOB_PAGES_OFFSET:
        read_numbered(l);
        break;
    case JOB_PAGES_CURSOR:
    case JOB_PAGES_NEXT:
        read_named(l);
        break;
    case JOB_PAGES_LINK:
        read_link(l);
        break;
    case JOB_PAGES_AUTO:
    case JOB_PAGES_NONE:
        break;
    }
}

static void read_listing(struct listing *l)
{
    l->crc32c = crc32c(0, l->reply->body.data, l->reply->body.len);
    if (!l->page.ordinal) {
        l->page = (struct page_at){ .chain = l->request->id };
    }
    if (l->page.ordinal && l->page.named_by_crc32c == l->crc32c) {
        LISTING_NOTE(l, PAGE_NOTE_SAME_PAGE, "page %u is byte for byte the one that named it",
                     (unsigned)l->page.ordinal + 1);
        return;
    }
    look_up(l);
    note_no_match(l, l->pages.total, l->total, PAGES_THERE_NUMBERS);
    note_no_match(l, l->pages.total_pages, l->total_pages, PAGES_THERE_NUMBERS);
    note_no_match(l, l->pages.next, l->next, PAGES_THERE_TEXTS);
    note_no_match(l, l->pages.has_more, l->has_more, PAGES_THERE_BOOLEANS);
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
                         .page = request->page };

    if (endpoint->pages.kind != JOB_PAGES_NONE) {
        count_records(&l);
        read_listing(&l);
    }
    return l.result;
}
