#include "demo/items.h"

#include "demo/draw.h"
#include "demo/world.h"

static void write_item(struct json_writer *j, uint64_t seed, uint64_t number)
{
    static const char *const names[] = { "Anchor", "Bell, brass", "Chain \"heavy\"",
                                         "Dérive", "Écoute",      "Fender" };
    struct draw d = draw_start(seed, DRAW_ITEM, number);

    json_write_object(j, NULL);
    json_write_uint(j, "id", WORLD_BIG_ID - 1 + number);
    json_write_uint(j, "number", number);
    json_write_textf(j, "name", "%s %u", names[draw_below(&d, 6)], (unsigned)draw_below(&d, 1000));
    json_write_object(j, "owner");
    json_write_uint(j, "id", 1 + draw_below(&d, 50));
    json_write_bool(j, "active", draw_percent(&d, 80));
    json_write_object_end(j);
    json_write_object_end(j);
}

static void write_issue(struct json_writer *j, uint64_t seed, uint64_t number, const char *author)
{
    static const char *const titles[] = { "Crash when empty", "Docs: typo",   "\"--all\" is slow",
                                          "Größe falsch",     "Support IPv6", "Timeout, again" };
    struct draw d = draw_start(seed, DRAW_ITEM, number);

    json_write_object(j, NULL);
    json_write_uint(j, "number", number);
    json_write_text(j, "title", str_view(titles[draw_below(&d, 6)]));
    json_write_text(j, "state", draw_percent(&d, 70) ? STR("closed") : STR("open"));
    json_write_object(j, author);
    json_write_textf(j, "login", "user%u", (unsigned)draw_below(&d, 40));
    json_write_object_end(j);
    json_write_uint(j, "comments", draw_below(&d, 30));
    json_write_object_end(j);
}

void items_write(struct json_writer *j, const char *key, uint64_t seed, uint64_t first,
                 uint64_t end)
{
    json_write_array(j, key);
    for (uint64_t i = first; i < end; i++) {
        write_item(j, seed, i);
    }
    json_write_array_end(j);
}

void items_write_issues(struct json_writer *j, const char *key, uint64_t seed, uint64_t first,
                        uint64_t end, const char *author)
{
    json_write_array(j, key);
    for (uint64_t i = first; i < end; i++) {
        write_issue(j, seed, i, author);
    }
    json_write_array_end(j);
}
