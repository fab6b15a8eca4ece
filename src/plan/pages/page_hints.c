#include "plan/pages/page_hints.h"

#include "base/crc32c.h"
#include "base/url_make.h"
#include "plan/link.h"
#include "plan/pages/page_internal.h"
#include "plan/plain_name.h"
#include "plan/records.h"

#include <stdio.h>
#include <string.h>

/* --- names ------------------------------------------------------------------------------------------ */

struct hint_name {
    const char *name;
    enum page_hint_kind kind;
    const char *param; /* of HINT_NEXT: what takes the cursor; "" the same name, NULL a URL only */
};

/* Plain names (letters and digits, lower case), the surest first. Those of HINT_MORE and HINT_LAST stand in
 * pages_more.c. */
static const struct hint_name hint_names[] = {
    { "odatanextlink", HINT_NEXT, NULL },
    { "nextlink", HINT_NEXT, NULL },
    { "nexturl", HINT_NEXT, NULL },
    { "nexturi", HINT_NEXT, NULL },
    { "nextpageurl", HINT_NEXT, NULL },
    { "nextpageuri", HINT_NEXT, NULL },
    { "nextpagelink", HINT_NEXT, NULL },
    { "nexthref", HINT_NEXT, NULL },
    { "nextrecordsurl", HINT_NEXT, NULL },
    { "nextresults", HINT_NEXT, NULL },
    { "moretopicsurl", HINT_NEXT, NULL },
    { "links", HINT_NEXT, NULL }, /* an array of them */
    { "link", HINT_NEXT, NULL },
    { "continue", HINT_NEXT, "*" }, /* MediaWiki: an object of parameters */
    { "nextcursor", HINT_NEXT, "cursor" },
    { "endcursor", HINT_NEXT, "after" },
    { "aftercursor", HINT_NEXT, "cursor" },
    { "nextcursormark", HINT_NEXT, "cursorMark" },
    { "nextpagetoken", HINT_NEXT, "page_token" },
    { "nextpagekey", HINT_NEXT, "" },
    { "nexttoken", HINT_NEXT, "" },
    { "continuationtoken", HINT_NEXT, "" },
    { "continuation", HINT_NEXT, "" },
    { "resumptiontoken", HINT_NEXT, "" },
    { "nextmarker", HINT_NEXT, "marker" },
    { "nextmaxid", HINT_NEXT, "max_id" },
    { "nextsearchafter", HINT_NEXT, "search_after" },
    { "nextoffset", HINT_NEXT, "offset" },
    { "nextskip", HINT_NEXT, "skip" },
    { "nextstart", HINT_NEXT, "start" },
    { "nextpage", HINT_NEXT, "page" },
    { "next", HINT_NEXT, "after" },
    { "scrollid", HINT_NEXT, "" },
    { "cursor", HINT_NEXT, "" },
    { "after", HINT_NEXT, "" },
    { "bookmark", HINT_NEXT, "" },
    { "offset", HINT_NEXT, "" }, /* a text: a number there is one of records */
    { "total", HINT_TOTAL, NULL },
    { "totalcount", HINT_TOTAL, NULL },
    { "totalresults", HINT_TOTAL, NULL },
    { "totalrecords", HINT_TOTAL, NULL },
    { "totalitems", HINT_TOTAL, NULL },
    { "totalelements", HINT_TOTAL, NULL },
    { "totalhits", HINT_TOTAL, NULL },
    { "totalrows", HINT_TOTAL, NULL },
    { "totalsize", HINT_TOTAL, NULL },
    { "totalfound", HINT_TOTAL, NULL },
    { "totalmatches", HINT_TOTAL, NULL },
    { "opensearchtotalresults", HINT_TOTAL, NULL },
    { "recordstotal", HINT_TOTAL, NULL },
    { "numbermatched", HINT_TOTAL, NULL },
    { "odatacount", HINT_TOTAL, NULL },
    { "numfound", HINT_TOTAL, NULL },
    { "nbhits", HINT_TOTAL, NULL },
    { "matched", HINT_TOTAL, NULL },
    { "found", HINT_TOTAL, NULL },
    { "count", HINT_TOTAL, NULL },
    { "totalpages", HINT_PAGES, NULL },
    { "pagecount", HINT_PAGES, NULL },
    { "pagestotal", HINT_PAGES, NULL },
    { "totalpagecount", HINT_PAGES, NULL },
    { "numpages", HINT_PAGES, NULL },
    { "nbpages", HINT_PAGES, NULL },
    { "lastpage", HINT_PAGES, NULL },
    { "pages", HINT_PAGES, NULL },
    { "page", HINT_PAGE, NULL },
    { "currentpage", HINT_PAGE, NULL },
    { "pagenumber", HINT_PAGE, NULL },
    { "pageno", HINT_PAGE, NULL },
    { "pagenum", HINT_PAGE, NULL },
    { "pageindex", HINT_PAGE, NULL },
    { "p", HINT_PAGE, NULL },
    { "number", HINT_PAGE, NULL },
    { "offset", HINT_OFFSET, NULL },
    { "pageoffset", HINT_OFFSET, NULL },
    { "resultoffset", HINT_OFFSET, NULL },
    { "skip", HINT_OFFSET, NULL },
    { "start", HINT_OFFSET, NULL },
    { "startat", HINT_OFFSET, NULL },
    { "startindex", HINT_OFFSET, NULL },
    { "from", HINT_OFFSET, NULL },
    { "perpage", HINT_SIZE, NULL },
    { "pagesize", HINT_SIZE, NULL },
    { "limit", HINT_SIZE, NULL },
    { "pagelimit", HINT_SIZE, NULL },
    { "itemsperpage", HINT_SIZE, NULL },
    { "resultsperpage", HINT_SIZE, NULL },
    { "hitsperpage", HINT_SIZE, NULL },
    { "maxresults", HINT_SIZE, NULL },
    { "resultrecordcount", HINT_SIZE, NULL },
    { "size", HINT_SIZE, NULL },
    { "take", HINT_SIZE, NULL },
};

/* Names that mean what another name does, in an object of that name: {"next": {"href": ...}}. */
static const struct {
    const char *above, *name, *means;
} within_names[] = {
    { "next", "href", "nexturl" },       { "next", "url", "nexturl" },
    { "next", "link", "nexturl" },       { "next", "uri", "nexturl" },
    { "next", "after", "endcursor" },    { "next", "cursor", "nextcursor" },
    { "next", "page", "nextpage" },      { "next", "offset", "nextoffset" },
    { "next", "start", "nextstart" },    { "cursors", "after", "endcursor" },
    { "cursors", "next", "nextcursor" }, { "cursor", "next", "nextcursor" },
    { "cursor", "after", "endcursor" },  { "total", "value", "total" },
    { "total", "count", "total" },
};

#define HINT_NAMES (sizeof hint_names / sizeof hint_names[0])

/* What a request calls the place of a cursor. */
static const char *const cursor_params[] = {
    "cursor",        "after",           "pagetoken",  "nexttoken",   "marker",
    "startingafter", "pageafter",       "pagecursor", "token",       "continuationtoken",
    "scrollid",      "cursormark",      "maxid",      "searchafter", "nextpagekey",
    "continuation",  "resumptiontoken", "bookmark"
};

/* What an array of records is called, whatever it holds. */
static const char *const records_names[] = { "items",   "results", "records", "data",  "rows",
                                             "entries", "nodes",   "edges",   "value", "content",
                                             "objects", "hits",    "list" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_among(struct str plain, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(plain, str_view(names[i]))) {
            return true;
        }
    }
    return false;
}

/* --- what stands in a body --------------------------------------------------------------------------- */

/* Appends a step; false when there is no room, or the name has escapes, which no frame's has. */
static bool add_step(char pointer[PAGES_GUESS_POINTER_MAX], size_t *len, struct str key)
{
    size_t at = *len;

    if (memchr(key.data, '\\', key.len) || at + 2 * key.len + 2 > PAGES_GUESS_POINTER_MAX) {
        return false;
    }
    pointer[at++] = '/';
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] == '~' || key.data[i] == '/') {
            pointer[at++] = '~';
            pointer[at++] = key.data[i] == '~' ? '0' : '1';
        } else {
            pointer[at++] = key.data[i];
        }
    }
    pointer[at] = '\0';
    *len = at;
    return true;
}

/* A next page is named by a text or a number, by an array of links, or by an object of parameters; null and
 * false say that there is none. */
static bool is_next(const struct hint_name *name, struct str value)
{
    bool is_link = !name->param && (str_equal(str_view(name->name), STR("links")) ||
                                    str_equal(str_view(name->name), STR("link")));
    uint64_t number;

    switch (json_type_of(value)) {
    case JSON_STRING:
        return !is_link && (!str_equal(str_view(name->name), STR("offset")) ||
                            !str_to_u64(json_string_raw(value), &number));
    case JSON_NUMBER:
        return name->param && !str_equal(str_view(name->name), STR("offset"));
    case JSON_NULL:
        return !is_link;
    case JSON_BOOL:
        return !is_link && str_trim(value).data[0] == 'f';
    case JSON_ARRAY:
        return is_link;
    case JSON_OBJECT:
        return name->param && name->param[0] == '*';
    default:
        return false;
    }
}

static bool fits(const struct hint_name *name, struct str value)
{
    enum json_type type = json_type_of(value);

    return name->kind == HINT_NEXT ? is_next(name, value)
                                   : type == JSON_NUMBER || type == JSON_STRING;
}

static void put_hint(struct page_hint *hint, size_t rank, const char *pointer, struct str key,
                     struct str value)
{
    bool has_value = !page_is_none(value);

    if (hint->found &&
        (hint->has_value > has_value || (hint->has_value == has_value && hint->rank <= rank))) {
        return;
    }
    *hint = (struct page_hint){
        .found = true, .has_value = has_value, .rank = rank, .key = key, .value = value
    };
    snprintf(hint->pointer, sizeof hint->pointer, "%s", pointer);
}

/* A member that says whether there is more: {"has_more": true}, {"isLast": false}, {"next_page": true}. */
static void judge_more(struct page_hints *hints, const char *pointer, struct str plain,
                       struct str key, struct str value)
{
    bool is_sure = false;
    enum more more = pages_more_word(plain, &is_sure);

    if (more == MORE_UNTOLD &&
        (str_equal(plain, STR("next")) || str_equal(plain, STR("nextpage")))) {
        more = MORE_YES;
    }
    if (more == MORE_YES && str_equal(plain, STR("truncated"))) {
        return; /* a record may be, too */
    }
    if (more == MORE_YES || (more == MORE_NO && is_sure)) {
        put_hint(&hints->of[more == MORE_YES ? HINT_MORE : HINT_LAST], !is_sure, pointer, key,
                 value);
        hints->of[more == MORE_YES ? HINT_MORE : HINT_LAST].has_value = true;
    }
}

/* By its name and that of the object it stands in. */
static void judge(struct page_hints *hints, const char *pointer, struct str above, struct str key,
                  struct str value)
{
    char own[PLAIN_NAME_MAX], parent[PLAIN_NAME_MAX];
    struct str plain = plain_name(key, own), over = plain_name(above, parent), next;

    if (is_among(plain, cursor_params, COUNT(cursor_params))) {
        put_hint(&hints->cursor_param, 0, pointer, key, value);
    }
    hints->is_cut_short |= str_equal(plain, STR("lastevaluatedkey")) && !page_is_none(value);
    if (json_type_of(value) == JSON_BOOL) {
        judge_more(hints, pointer, plain, key, value);
    }
    for (size_t i = 0; i < COUNT(within_names); i++) {
        if (str_equal(over, str_view(within_names[i].above)) &&
            str_equal(plain, str_view(within_names[i].name))) {
            plain = str_view(within_names[i].means);
            break;
        }
    }
    for (size_t i = 0; i < HINT_NAMES; i++) {
        if (!str_equal(plain, str_view(hint_names[i].name)) || !fits(&hint_names[i], value)) {
            continue;
        }
        if (json_type_of(value) == JSON_ARRAY && !link_in_array(value, STR("next"), &next)) {
            next = link_in_array(value, STR("self"), &next) ? STR("null") : STR_NONE;
        } else if (json_type_of(value) != JSON_ARRAY) {
            next = value;
        }
        if (next.data) {
            put_hint(&hints->of[hint_names[i].kind], i, pointer, key, next);
        }
    }
}

struct scan {
    void (*visit)(void *context, const char *pointer, struct str above, struct str key,
                  struct str value);
    void *context;
    char pointer[PAGES_GUESS_POINTER_MAX];
};

static bool is_small(struct str object)
{
    struct json_walk walk;
    size_t members = 0;

    json_walk_begin(&walk, object);
    while (members <= PAGES_GUESS_MEMBERS_MAX && json_walk_next(&walk, NULL, NULL)) {
        members++;
    }
    return members <= PAGES_GUESS_MEMBERS_MAX;
}

/* All members of objects within objects. */
static void scan_object(struct scan *s, struct str object, struct str above, size_t len,
                        unsigned depth)
{
    struct json_walk walk;
    struct str key, value;

    if (json_type_of(object) != JSON_OBJECT || depth >= PAGES_GUESS_DEPTH || !is_small(object)) {
        return;
    }
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        size_t end = len;

        if (!add_step(s->pointer, &end, key)) {
            continue;
        }
        s->visit(s->context, s->pointer, above, key, value);
        if (json_type_of(value) == JSON_OBJECT) {
            scan_object(s, value, key, end, depth + 1);
        }
    }
}

static void visit_member(void *context, const char *pointer, struct str above, struct str key,
                         struct str value)
{
    judge(context, pointer, above, key, value);
}

void page_hints_find(struct str body, struct page_hints *hints)
{
    struct scan scan = { .visit = visit_member, .context = hints };

    *hints = (struct page_hints){ .of = { { .found = false } } };
    scan_object(&scan, str_trim(body), STR_NONE, 0, 0);
}

const char *page_hint_param(const struct page_hint *next)
{
    return hint_names[next->rank].param;
}

/* --- parameters of the request ------------------------------------------------------------------------- */

bool page_hints_in_url(struct str url, enum page_hint_kind kind, struct str *name, uint64_t *number)
{
    struct url_params params;
    struct str each, value;
    size_t best = HINT_NAMES;

    url_params_begin(&params, url);
    while (url_params_next(&params, &each, &value)) {
        char plain_bytes[PLAIN_NAME_MAX], decoded[PAGE_HINT_PARAM_MAX];
        struct str plain;

        if (each.len > sizeof decoded) {
            continue;
        }
        plain = plain_name(url_decode(each, decoded), plain_bytes);
        for (size_t i = 0; i < best; i++) {
            if (hint_names[i].kind == kind && str_equal(plain, str_view(hint_names[i].name))) {
                best = i;
                *name = each;
                *number = 0;
                (void)str_to_u64(value, number);
            }
        }
    }
    return best < HINT_NAMES;
}

bool page_hints_cursor_in_url(struct str url, struct str *name)
{
    struct url_params params;
    struct str value;
    char plain[PLAIN_NAME_MAX], decoded[PAGE_HINT_PARAM_MAX];

    url_params_begin(&params, url);
    while (url_params_next(&params, name, &value)) {
        if (name->len <= sizeof decoded && is_among(plain_name(url_decode(*name, decoded), plain),
                                                    cursor_params, COUNT(cursor_params))) {
            return true;
        }
    }
    return false;
}

/* --- records ----------------------------------------------------------------------------------------------- */

struct longest {
    uint64_t count;
    bool found, named;
    char pointer[PAGES_GUESS_POINTER_MAX];
};

static void visit_array(void *context, const char *pointer, struct str above, struct str key,
                        struct str value)
{
    struct longest *longest = context;
    char plain[PLAIN_NAME_MAX];
    uint64_t count;
    bool named;

    (void)above;
    if (json_type_of(value) != JSON_ARRAY) {
        return;
    }
    count = records_each(value, NULL, NULL, NULL);
    named = is_among(plain_name(key, plain), records_names, COUNT(records_names));
    if (!longest->found || named > longest->named ||
        (named == longest->named && count > longest->count)) {
        longest->found = true;
        longest->named = named;
        longest->count = count;
        snprintf(longest->pointer, sizeof longest->pointer, "%s", pointer);
    }
}

struct wanted_array {
    uint32_t crc32c;
    bool found;
    char *pointer;
};

static void visit_wanted(void *context, const char *pointer, struct str above, struct str key,
                         struct str value)
{
    struct wanted_array *wanted = context;

    (void)above;
    (void)key;
    if ((json_type_of(value) == JSON_ARRAY || json_type_of(value) == JSON_NULL) &&
        crc32c(0, pointer, strlen(pointer)) == wanted->crc32c) {
        wanted->found = true;
        snprintf(wanted->pointer, PAGES_GUESS_POINTER_MAX, "%s", pointer);
    }
}

bool pages_guess_records_at(struct str body, uint32_t crc32c, char pointer[PAGES_GUESS_POINTER_MAX])
{
    struct wanted_array wanted = { .crc32c = crc32c, .pointer = pointer };
    struct scan scan = { .visit = visit_wanted, .context = &wanted };

    scan_object(&scan, str_trim(body), STR_NONE, 0, 0);
    return wanted.found;
}

bool pages_guess_records(struct str body, char pointer[PAGES_GUESS_POINTER_MAX])
{
    struct longest longest = { .found = false };
    struct scan scan = { .visit = visit_array, .context = &longest };

    scan_object(&scan, str_trim(body), STR_NONE, 0, 0);
    if (longest.found) {
        snprintf(pointer, PAGES_GUESS_POINTER_MAX, "%s", longest.pointer);
    }
    return longest.found;
}
