/*
 * Events that are paged by an opaque cursor; the ids in the bodies differ only beyond what a double can hold.
 */
#include "demo/world.h"

#include "demo/cursor.h"
#include "demo/draw.h"
#include "base/json_write.h"

#define EVENTS 1000
#define LIMIT_USUAL 50
#define LIMIT_MAX 200

/* Where to go on; false when the cursor is none of ours. */
static bool read_cursor(const struct world *world, const struct ask *ask, uint64_t *position)
{
    char given[CURSOR_MAX];
    size_t len;

    *position = 0;
    switch (ask_param(ask, "after", given, sizeof given, &len)) {
    case ASK_ABSENT:
        return true;
    case ASK_MALFORMED:
        return false;
    case ASK_FOUND:
        break;
    }
    return cursor_read(world->seed, (struct str){ given, len }, EVENTS, position);
}

static void write_event(struct json_writer *j, uint64_t seed, uint64_t position)
{
    static const char *const types[] = { "created", "updated", "deleted", "moved" };
    struct draw d = draw_start(seed, DRAW_EVENT, position);

    json_write_object(j, NULL);
    json_write_uint(j, "id", WORLD_BIG_ID + position);
    json_write_text(j, "type", str_view(types[draw_below(&d, 4)]));
    json_write_time(j, "at", WORLD_EPOCH_S + (int64_t)position * 37);
    json_write_object(j, "payload");
    json_write_uint(j, "subject", draw_next(&d)); /* up to 2^64 - 1 */
    json_write_fixed(j, "delta", (int64_t)draw_below(&d, 20000) - 10000, 2);
    if (draw_percent(&d, 30)) {
        json_write_null(j, "by");
    }
    json_write_object_end(j);
    json_write_object_end(j);
}

void shape_events(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t limit = LIMIT_USUAL, first, end;
    char cursor[CURSOR_MAX];

    if (!read_cursor(world, ask, &first)) {
        reply_error(reply, 400, "after: no cursor of ours; send it back byte for byte, encoded");
        return;
    }
    if (!ask_param_number(ask, "limit", 1, LIMIT_MAX, &limit)) {
        reply_error(reply, 400, "limit is within 1 and %d", LIMIT_MAX);
        return;
    }
    end = first + limit < EVENTS ? first + limit : EVENTS;
    json_write_object(&j, NULL);
    json_write_array(&j, "events");
    for (uint64_t i = first; i < end; i++) {
        write_event(&j, world->seed, i);
    }
    json_write_array_end(&j);
    if (end < EVENTS) {
        cursor_format(world->seed, end, cursor);
        json_write_text(&j, "next", str_view(cursor));
    } else {
        json_write_null(&j, "next");
    }
    json_write_bool(&j, "has_more", end < EVENTS);
    json_write_object_end(&j);
    reply->result = j.result;
}
