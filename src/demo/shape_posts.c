/*
 * Posts, as jsonplaceholder and json-server have them: small objects, and a listing whose pages are
 * told in the Link header (RFC 8288) and X-Total-Count.
 */
#include "demo/world.h"

#include "demo/draw.h"
#include "base/json_write.h"
#include "demo/links.h"

#define POST_LAST 10000000 /* can be asked for one by one */
#define POSTS_LISTED 1000  /* stand in the listing */
#define COMMENTS 5         /* of each post */
#define LIMIT_USUAL 10
#define LIMIT_MAX 100

static void write_post(struct json_writer *j, uint64_t seed, uint64_t id)
{
    static const struct str words[] = {
        STR_INIT("lorem"), STR_INIT("ipsum"), STR_INIT("dolor"),   STR_INIT("größe"),
        STR_INIT("sit"),   STR_INIT("amet"),  STR_INIT("“quote”"), STR_INIT("elit,"),
    };
    struct draw d = draw_start(seed, DRAW_POST, id);
    struct str a = words[draw_below(&d, 8)], b = words[draw_below(&d, 8)];
    struct str c = words[draw_below(&d, 8)];

    json_write_object(j, NULL);
    json_write_uint(j, "userId", (id - 1) / 10 + 1);
    json_write_uint(j, "id", id);
    json_write_textf(j, "title", "%.*s %.*s %.*s", STR_ARG(a), STR_ARG(b), STR_ARG(c));
    json_write_textf(j, "body", "%.*s %.*s\n%.*s %.*s, number %llu", STR_ARG(c), STR_ARG(a),
                     STR_ARG(b), STR_ARG(c), (unsigned long long)draw_below(&d, 1000000));
    json_write_object_end(j);
}

void shape_post(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t id;

    if (!str_to_u64(ask->in_path[0], &id) || id < 1 || id > POST_LAST) {
        reply_error(reply, 404, "no such post; they go from 1 to %d", POST_LAST);
        return;
    }
    write_post(&j, world->seed, id);
    reply->result = j.result;
}

void shape_post_gzip(struct world *world, const struct ask *ask, struct reply *reply)
{
    shape_post(world, ask, reply);
    shape_compress(reply);
}

void shape_posts(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t page = 1, limit = LIMIT_USUAL, start = UINT64_MAX, end;

    if (!ask_param_number(ask, "_page", 1, POST_LAST, &page) ||
        !ask_param_number(ask, "_limit", 1, LIMIT_MAX, &limit) ||
        !ask_param_number(ask, "_start", 0, POST_LAST, &start)) {
        reply_error(reply, 400, "_page starts at 1, _start at 0, _limit is within 1 and %d",
                    LIMIT_MAX);
        return;
    }
    if (start == UINT64_MAX) {
        start = (page - 1) * limit;
        links_tell(world, ask, reply,
                   &(struct links){ "_page", "_limit", page, limit, POSTS_LISTED });
    }
    reply_header(reply, "X-Total-Count", "%d", POSTS_LISTED);
    end = start + limit < POSTS_LISTED ? start + limit : POSTS_LISTED;
    json_write_array(&j, NULL);
    for (uint64_t i = start; i < end; i++) {
        write_post(&j, world->seed, i + 1);
    }
    json_write_array_end(&j);
    if (reply->result == RESULT_OK) {
        reply->result = j.result;
    }
}

void shape_comments(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t post;
    struct draw d;

    if (!str_to_u64(ask->in_path[0], &post) || post < 1 || post > POST_LAST) {
        reply_error(reply, 404, "no such post; they go from 1 to %d", POST_LAST);
        return;
    }
    d = draw_start(world->seed, DRAW_COMMENT, post);
    json_write_array(&j, NULL);
    for (uint64_t i = 1; i <= COMMENTS; i++) {
        json_write_object(&j, NULL);
        json_write_uint(&j, "postId", post);
        json_write_uint(&j, "id", (post - 1) * COMMENTS + i);
        json_write_textf(&j, "name", "comment %llu", (unsigned long long)draw_below(&d, 1000));
        json_write_textf(&j, "email", "user%llu@example.com",
                         (unsigned long long)draw_below(&d, 500));
        json_write_textf(&j, "body", "no. %llu,\nwith \"quotes\"", (unsigned long long)i);
        json_write_object_end(&j);
    }
    json_write_array_end(&j);
    reply->result = j.result;
}
