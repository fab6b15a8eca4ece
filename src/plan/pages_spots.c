#include "plan/pages_spots.h"

#include "base/crc32c.h"
#include "base/url_make.h"
#include "plan/link.h"
#include "plan/pages_how.h"
#include "plan/plain_name.h"
#include "plan/records.h"

#include <stdio.h>
#include <string.h>

/* --- names ------------------------------------------------------------------------------------------ */

struct role_name {
    const char *name;
    enum role role;
    const char *param; /* of ROLE_NEXT: what takes the cursor; "" the same name, NULL a URL only */
};

/* Plain names (letters and digits, lower case), the surest first. Those of ROLE_MORE and ROLE_LAST stand in
 * pages_more.c. */
static const struct role_name role_names[] = {
    { "odatanextlink", ROLE_NEXT, NULL },
    { "nextlink", ROLE_NEXT, NULL },
    { "nexturl", ROLE_NEXT, NULL },
    { "nexturi", ROLE_NEXT, NULL },
    { "nextpageurl", ROLE_NEXT, NULL },
    { "nextpageuri", ROLE_NEXT, NULL },
    { "nextpagelink", ROLE_NEXT, NULL },
    { "nexthref", ROLE_NEXT, NULL },
    { "nextrecordsurl", ROLE_NEXT, NULL },
    { "nextresults", ROLE_NEXT, NULL },
    { "moretopicsurl", ROLE_NEXT, NULL },
    { "links", ROLE_NEXT, NULL }, /* an array of them */
    { "link", ROLE_NEXT, NULL },
    { "continue", ROLE_NEXT, "*" }, /* MediaWiki: an object of parameters */
    { "nextcursor", ROLE_NEXT, "cursor" },
    { "endcursor", ROLE_NEXT, "after" },
    { "aftercursor", ROLE_NEXT, "cursor" },
    { "nextcursormark", ROLE_NEXT, "cursorMark" },
    { "nextpagetoken", ROLE_NEXT, "page_token" },
    { "nextpagekey", ROLE_NEXT, "" },
    { "nexttoken", ROLE_NEXT, "" },
    { "continuationtoken", ROLE_NEXT, "" },
    { "continuation", ROLE_NEXT, "" },
    { "resumptiontoken", ROLE_NEXT, "" },
    { "nextmarker", ROLE_NEXT, "marker" },
    { "nextmaxid", ROLE_NEXT, "max_id" },
    { "nextsearchafter", ROLE_NEXT, "search_after" },
    { "nextoffset", ROLE_NEXT, "offset" },
    { "nextskip", ROLE_NEXT, "skip" },
    { "nextstart", ROLE_NEXT, "start" },
    { "nextpage", ROLE_NEXT, "page" },
    { "next", ROLE_NEXT, "after" },
    { "scrollid", ROLE_NEXT, "" },
    { "cursor", ROLE_NEXT, "" },
    { "after", ROLE_NEXT, "" },
    { "bookmark", ROLE_NEXT, "" },
    { "offset", ROLE_NEXT, "" }, /* a text: a number there is one of records */
    { "total", ROLE_TOTAL, NULL },
    { "totalcount", ROLE_TOTAL, NULL },
    { "totalresults", ROLE_TOTAL, NULL },
    { "totalrecords", ROLE_TOTAL, NULL },
    { "totalitems", ROLE_TOTAL, NULL },
    { "totalelements", ROLE_TOTAL, NULL },
    { "totalhits", ROLE_TOTAL, NULL },
    { "totalrows", ROLE_TOTAL, NULL },
    { "totalsize", ROLE_TOTAL, NULL },
    { "totalfound", ROLE_TOTAL, NULL },
    { "totalmatches", ROLE_TOTAL, NULL },
    { "opensearchtotalresults", ROLE_TOTAL, NULL },
    { "recordstotal", ROLE_TOTAL, NULL },
    { "numbermatched", ROLE_TOTAL, NULL },
    { "odatacount", ROLE_TOTAL, NULL },
    { "numfound", ROLE_TOTAL, NULL },
    { "nbhits", ROLE_TOTAL, NULL },
    { "matched", ROLE_TOTAL, NULL },
    { "found", ROLE_TOTAL, NULL },
    { "count", ROLE_TOTAL, NULL },
    { "totalpages", ROLE_PAGES, NULL },
    { "pagecount", ROLE_PAGES, NULL },
    { "pagestotal", ROLE_PAGES, NULL },
    { "totalpagecount", ROLE_PAGES, NULL },
    { "numpages", ROLE_PAGES, NULL },
    { "nbpages", ROLE_PAGES, NULL },
    { "lastpage", ROLE_PAGES, NULL },
    { "pages", ROLE_PAGES, NULL },
    { "page", ROLE_PAGE, NULL },
    { "currentpage", ROLE_PAGE, NULL },
    { "pagenumber", ROLE_PAGE, NULL },
    { "pageno", ROLE_PAGE, NULL },
    { "pagenum", ROLE_PAGE, NULL },
    { "pageindex", ROLE_PAGE, NULL },
    { "p", ROLE_PAGE, NULL },
    { "number", ROLE_PAGE, NULL },
    { "offset", ROLE_OFFSET, NULL },
    { "pageoffset", ROLE_OFFSET, NULL },
    { "resultoffset", ROLE_OFFSET, NULL },
    { "skip", ROLE_OFFSET, NULL },
    { "start", ROLE_OFFSET, NULL },
    { "startat", ROLE_OFFSET, NULL },
    { "startindex", ROLE_OFFSET, NULL },
    { "from", ROLE_OFFSET, NULL },
    { "perpage", ROLE_SIZE, NULL },
    { "pagesize", ROLE_SIZE, NULL },
    { "limit", ROLE_SIZE, NULL },
    { "pagelimit", ROLE_SIZE, NULL },
    { "itemsperpage", ROLE_SIZE, NULL },
    { "resultsperpage", ROLE_SIZE, NULL },
    { "hitsperpage", ROLE_SIZE, NULL },
    { "maxresults", ROLE_SIZE, NULL },
    { "resultrecordcount", ROLE_SIZE, NULL },
    { "size", ROLE_SIZE, NULL },
    { "take", ROLE_SIZE, NULL },
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

#define ROLE_NAMES (sizeof role_names / sizeof role_names[0])

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
static bool is_next(const struct role_name *name, struct str value)
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

static bool fits(const struct role_name *name, struct str value)
{
    enum json_type type = json_type_of(value);

    return name->role == ROLE_NEXT ? is_next(name, value)
                                   : type == JSON_NUMBER || type == JSON_STRING;
}

static void put_spot(struct spot *spot, size_t rank, const char *pointer, struct str key,
                     struct str value)
{
    bool has_value = !page_is_none(value);

    if (spot->found &&
        (spot->has_value > has_value || (spot->has_value == has_value && spot->rank <= rank))) {
        return;
    }
    *spot = (struct spot){
        .found = true, .has_value = has_value, .rank = rank, .key = key, .value = value
    };
    snprintf(spot->pointer, sizeof spot->pointer, "%s", pointer);
}

/* A member that says whether there is more: {"has_more": true}, {"isLast": false}, {"next_page": true}. */
static void judge_more(struct spots *spots, const char *pointer, struct str plain, struct str key,
                       struct str value)
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
        put_spot(&spots->of[more == MORE_YES ? ROLE_MORE : ROLE_LAST], !is_sure, pointer, key,
                 value);
        spots->of[more == MORE_YES ? ROLE_MORE : ROLE_LAST].has_value = true;
    }
}

/* By its name and that of the object it stands in. */
static void judge(struct spots *spots, const char *pointer, struct str above, struct str key,
                  struct str value)
{
    char own[PLAIN_NAME_MAX], parent[PLAIN_NAME_MAX];
    struct str plain = plain_name(key, own), over = plain_name(above, parent), next;

    if (is_among(plain, cursor_params, COUNT(cursor_params))) {
        put_spot(&spots->cursor_param, 0, pointer, key, value);
    }
    spots->is_cut_short |= str_equal(plain, STR("lastevaluatedkey")) && !page_is_none(value);
    if (json_type_of(value) == JSON_BOOL) {
        judge_more(spots, pointer, plain, key, value);
    }
    for (size_t i = 0; i < COUNT(within_names); i++) {
        if (str_equal(over, str_view(within_names[i].above)) &&
            str_equal(plain, str_view(within_names[i].name))) {
            plain = str_view(within_names[i].means);
            break;
        }
    }
    for (size_t i = 0; i < ROLE_NAMES; i++) {
        if (!str_equal(plain, str_view(role_names[i].name)) || !fits(&role_names[i], value)) {
            continue;
        }
        if (json_type_of(value) == JSON_ARRAY && !link_in_array(value, STR("next"), &next)) {
            next = link_in_array(value, STR("self"), &next) ? STR("null") : STR_NONE;
        } else if (json_type_of(value) != JSON_ARRAY) {
            next = value;
        }
        if (next.data) {
            put_spot(&spots->of[role_names[i].role], i, pointer, key, next);
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

void spots_find(struct str body, struct spots *spots)
{
    struct scan scan = { .visit = visit_member, .context = spots };

    *spots = (struct spots){ .of = { { .found = false } } };
    scan_object(&scan, str_trim(body), STR_NONE, 0, 0);
}

const char *spot_cursor_param(const struct spot *next)
{
    return role_names[next->rank].param;
}

/* --- parameters of the request ------------------------------------------------------------------------- */

bool spots_in_url(struct str url, enum role role, struct str *name, uint64_t *number)
{
    struct url_params params;
    struct str each, value;
    size_t best = ROLE_NAMES;

    url_params_begin(&params, url);
    while (url_params_next(&params, &each, &value)) {
        char plain_bytes[PLAIN_NAME_MAX], decoded[SPOT_PARAM_MAX];
        struct str plain;

        if (each.len > sizeof decoded) {
            continue;
        }
        plain = plain_name(url_decode(each, decoded), plain_bytes);
        for (size_t i = 0; i < best; i++) {
            if (role_names[i].role == role && str_equal(plain, str_view(role_names[i].name))) {
                best = i;
                *name = each;
                *number = 0;
                (void)str_to_u64(value, number);
            }
        }
    }
    return best < ROLE_NAMES;
}

bool spots_cursor_in_url(struct str url, struct str *name)
{
    struct url_params params;
    struct str value;
    char plain[PLAIN_NAME_MAX], decoded[SPOT_PARAM_MAX];

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
