#include "plan/pages_spots.h"

#include "base/crc32c.h"
#include "base/url_make.h"
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

/* Plain names (letters and digits, lower case), the surest first. */
static const struct role_name role_names[] = {
    { "odatanextlink", ROLE_NEXT, NULL },
    { "nextlink", ROLE_NEXT, NULL },
    { "nexturl", ROLE_NEXT, NULL },
    { "nextpageurl", ROLE_NEXT, NULL },
    { "nextpagelink", ROLE_NEXT, NULL },
    { "nexthref", ROLE_NEXT, NULL },
    { "nextrecordsurl", ROLE_NEXT, NULL },
    { "nextcursor", ROLE_NEXT, "cursor" },
    { "endcursor", ROLE_NEXT, "after" },
    { "nextpagetoken", ROLE_NEXT, "page_token" },
    { "nexttoken", ROLE_NEXT, "" },
    { "continuationtoken", ROLE_NEXT, "" },
    { "nextmarker", ROLE_NEXT, "marker" },
    { "nextoffset", ROLE_NEXT, "offset" },
    { "nextpage", ROLE_NEXT, "page" },
    { "next", ROLE_NEXT, "after" },
    { "scrollid", ROLE_NEXT, "" },
    { "cursor", ROLE_NEXT, "" },
    { "hasmore", ROLE_MORE, NULL },
    { "hasnextpage", ROLE_MORE, NULL },
    { "hasnext", ROLE_MORE, NULL },
    { "moreresults", ROLE_MORE, NULL },
    { "hasmoreresults", ROLE_MORE, NULL },
    { "hasmoreitems", ROLE_MORE, NULL },
    { "more", ROLE_MORE, NULL },
    { "total", ROLE_TOTAL, NULL },
    { "totalcount", ROLE_TOTAL, NULL },
    { "totalresults", ROLE_TOTAL, NULL },
    { "totalrecords", ROLE_TOTAL, NULL },
    { "totalitems", ROLE_TOTAL, NULL },
    { "totalelements", ROLE_TOTAL, NULL },
    { "totalhits", ROLE_TOTAL, NULL },
    { "totalrows", ROLE_TOTAL, NULL },
    { "recordstotal", ROLE_TOTAL, NULL },
    { "numfound", ROLE_TOTAL, NULL },
    { "nbhits", ROLE_TOTAL, NULL },
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
    { "size", ROLE_SIZE, NULL },
    { "take", ROLE_SIZE, NULL },
};

#define ROLE_NAMES (sizeof role_names / sizeof role_names[0])

/* What a request calls the place of a cursor. */
static const char *const cursor_params[] = {
    "cursor",    "after",      "pagetoken", "nexttoken",         "marker",  "startingafter",
    "pageafter", "pagecursor", "token",     "continuationtoken", "scrollid"
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

static bool fits(enum role role, enum json_type type)
{
    switch (role) {
    case ROLE_NEXT:
        return type == JSON_STRING || type == JSON_NUMBER || type == JSON_NULL ||
               type == JSON_BOOL; /* false: no next */
    case ROLE_MORE:
        return type == JSON_BOOL;
    default:
        return type == JSON_NUMBER || type == JSON_STRING;
    }
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

/* A scalar, by its name and that of the object it stands in: {"next": {"href": ...}}. */
static void judge(struct spots *spots, const char *pointer, struct str above, struct str key,
                  struct str value)
{
    char own[PLAIN_NAME_MAX], parent[PLAIN_NAME_MAX];
    struct str plain = plain_name(key, own), over = plain_name(above, parent);

    if (is_among(plain, cursor_params, COUNT(cursor_params))) {
        put_spot(&spots->cursor_param, 0, pointer, key, value);
    }
    if (str_equal(over, STR("next")) &&
        (str_equal(plain, STR("href")) || str_equal(plain, STR("url")))) {
        plain = STR("nexturl");
    } else if (str_equal(over, STR("cursors")) && str_equal(plain, STR("after"))) {
        plain = STR("endcursor");
    }
    for (size_t i = 0; i < ROLE_NAMES; i++) {
        if (str_equal(plain, str_view(role_names[i].name)) &&
            fits(role_names[i].role, json_type_of(value))) {
            put_spot(&spots->of[role_names[i].role], i, pointer, key, value);
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

/* All members of objects within objects that are no objects themselves. */
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
        if (json_type_of(value) == JSON_OBJECT) {
            scan_object(s, value, key, end, depth + 1);
        } else {
            s->visit(s->context, s->pointer, above, key, value);
        }
    }
}

static void visit_scalar(void *context, const char *pointer, struct str above, struct str key,
                         struct str value)
{
    if (json_type_of(value) != JSON_ARRAY) {
        judge(context, pointer, above, key, value);
    }
}

void spots_find(struct str body, struct spots *spots)
{
    struct scan scan = { .visit = visit_scalar, .context = spots };

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
