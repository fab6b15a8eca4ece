/*
 * Listings that lie: /traps/KIND?page=N. Each has three pages of twenty honest items and one fault,
 * and is what a client must neither follow forever nor take for whole.
 */
#include "traps.h"

#include "demo/items.h"
#include "base/json_write.h"

#define PAGES 3
#define PAGE_ITEMS 20
#define PAGE_LAST 1000000000
#define LINK_MAX 512

struct trap {
    struct json_writer *j;
    const char *authority;
    uint64_t page;
    const struct ask *ask;
};

/* "next": this listing's page `number`. */
static void write_next(const struct trap *t, uint64_t number)
{
    json_write_textf(t->j, "next", "http://%s%.*s?page=%llu", t->authority, STR_ARG(t->ask->path),
                     (unsigned long long)number);
}

static void write_honest_next(const struct trap *t)
{
    if (t->page < PAGES) {
        write_next(t, t->page + 1);
    } else {
        json_write_null(t->j, "next");
    }
}

static void trap_self(const struct trap *t)
{
    write_next(t, t->page);
}

static void trap_back(const struct trap *t)
{
    write_next(t, t->page < PAGES ? t->page + 1 : 1);
}

/* Wherever to= says, as a test wants a server of its own there. */
static void trap_elsewhere(const struct trap *t)
{
    char link[LINK_MAX] = "http://elsewhere.invalid/list/next?page=2";
    size_t len;

    if (ask_param(t->ask, "to", link, sizeof link, &len) == ASK_MALFORMED) {
        json_write_text(t->j, "next", STR("http://"));
    } else {
        json_write_text(t->j, "next", str_view(link));
    }
}

static void trap_scheme(const struct trap *t)
{
    json_write_text(t->j, "next", STR("file:///etc/passwd"));
}

static void trap_nothing(const struct trap *t)
{
    write_next(t, t->page + 1); /* with items or without: there is always one more */
    json_write_bool(t->j, "has_more", true);
}

static void trap_total_text(const struct trap *t)
{
    json_write_text(t->j, "total", STR("60"));
}

static void trap_total_words(const struct trap *t)
{
    json_write_text(t->j, "total", STR("about sixty"));
}

static void trap_total_negative(const struct trap *t)
{
    json_write_fixed(t->j, "total", -1, 0);
}

static void trap_total_small(const struct trap *t)
{
    json_write_uint(t->j, "total", PAGE_ITEMS - 5);
    write_honest_next(t);
}

static void trap_total_huge(const struct trap *t)
{
    json_write_uint(t->j, "total", UINT64_MAX);
}

static void trap_total_changes(const struct trap *t)
{
    json_write_uint(t->j, "total", PAGES * PAGE_ITEMS + (t->page > 1) * PAGE_ITEMS);
}

static void trap_cursor_crlf(const struct trap *t)
{
    json_write_text(t->j, "cursor", STR("a\r\nX-Injected: 1"));
}

/* Beyond 2^53, and a number: who reads it as a double sends back another one, which is refused. */
static void trap_cursor_number(const struct trap *t)
{
    if (t->page < PAGES) {
        json_write_uint(t->j, "cursor", WORLD_BIG_ID + t->page);
    } else {
        json_write_null(t->j, "cursor");
    }
}

struct trap_kind {
    struct str name;
    void (*write)(const struct trap *);
    uint64_t pages_differ_until; /* beyond this page the body is always that page's */
    bool is_empty;               /* no items beyond page 1 */
};

static const struct trap_kind kinds[] = {
    { STR_INIT("same"), NULL, 1, false },
    { STR_INIT("last"), NULL, PAGES, false },
    { STR_INIT("self"), trap_self, PAGE_LAST, false },
    { STR_INIT("back"), trap_back, PAGE_LAST, false },
    { STR_INIT("elsewhere"), trap_elsewhere, PAGE_LAST, false },
    { STR_INIT("scheme"), trap_scheme, PAGE_LAST, false },
    { STR_INIT("forever"), trap_nothing, PAGE_LAST, false },
    { STR_INIT("empty"), trap_nothing, PAGE_LAST, true },
    { STR_INIT("total-text"), trap_total_text, PAGE_LAST, false },
    { STR_INIT("total-words"), trap_total_words, PAGE_LAST, false },
    { STR_INIT("total-negative"), trap_total_negative, PAGE_LAST, false },
    { STR_INIT("total-small"), trap_total_small, PAGE_LAST, false },
    { STR_INIT("total-huge"), trap_total_huge, PAGE_LAST, false },
    { STR_INIT("total-changes"), trap_total_changes, PAGE_LAST, false },
    { STR_INIT("cursor-crlf"), trap_cursor_crlf, PAGE_LAST, false },
    { STR_INIT("cursor-number"), trap_cursor_number, PAGE_LAST, false },
};

static const struct trap_kind *kind_of(struct str name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_equal(kinds[i].name, name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* The items of page `page`: "forever" has some on every page, the others on three. */
static void write_items(const struct trap *t, const struct trap_kind *kind, uint64_t seed)
{
    uint64_t first = (t->page - 1) * PAGE_ITEMS + 1;
    bool has_items = kind->is_empty ? t->page == 1 : t->page <= PAGES;

    has_items = has_items || str_equal(kind->name, STR("forever"));
    items_write(t->j, "items", seed, first, has_items ? first + PAGE_ITEMS : first);
}

/* page=N, or cursor= as "cursor-number" gives them. */
static bool read_page(const struct ask *ask, uint64_t *page)
{
    uint64_t cursor = WORLD_BIG_ID;

    *page = 1;
    if (!ask_param_number(ask, "cursor", WORLD_BIG_ID + 1, WORLD_BIG_ID + PAGES, &cursor) ||
        !ask_param_number(ask, "page", 1, PAGE_LAST, page)) {
        return false;
    }
    *page = cursor > WORLD_BIG_ID ? cursor - WORLD_BIG_ID + 1 : *page;
    return true;
}

void shape_trap(struct world *world, const struct ask *ask, struct reply *reply)
{
    const struct trap_kind *kind = kind_of(ask->in_path[0]);
    struct json_writer j = json_write_begin(&reply->body);
    char authority[WORLD_AUTHORITY_MAX];
    struct trap trap = { .j = &j, .authority = authority, .ask = ask };

    if (!kind) {
        reply_error(reply, 404,
                    "kinds: same last self back elsewhere scheme forever empty "
                    "total-{text,words,negative,small,huge,changes} "
                    "cursor-{crlf,number}");
        return;
    }
    if (!read_page(ask, &trap.page)) {
        reply_error(reply, 400, "page starts at 1; a cursor is sent back as it came");
        return;
    }
    if (trap.page > kind->pages_differ_until) {
        trap.page = kind->pages_differ_until;
    }
    world_authority(world, ask, authority);
    json_write_object(&j, NULL);
    write_items(&trap, kind, world->seed);
    if (kind->write) {
        kind->write(&trap);
    }
    json_write_object_end(&j);
    reply->result = j.result;
}
