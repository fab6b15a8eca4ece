/*
 * Catalog-like: a shop behind a login. The listing gives its total, so that a client can ask for all
 * pages at once; each product leads to its reviews.
 */
#include "demo/access.h"

#include "demo/draw.h"
#include "base/json_write.h"

#define PER_PAGE_USUAL 20
#define PER_PAGE_MAX 100
#define PAGE_LAST 1000000000

static uint64_t review_count(uint64_t seed, uint64_t product)
{
    struct draw d = draw_start(seed, DRAW_REVIEW, product);

    return draw_below(&d, 9);
}

static void write_product(struct json_writer *j, uint64_t seed, uint64_t id)
{
    static const char *const names[] = { "Kettle",    "Crème brûlée torch", "Desk, \"Ergo\"",
                                         "Sac à dos", "Ladder 3,5 m",       "Tea; green" };
    struct draw d = draw_start(seed, DRAW_PRODUCT, id);

    json_write_object(j, NULL);
    json_write_uint(j, "id", id);
    json_write_textf(j, "sku", "%08u", (unsigned)draw_below(&d, 100000000));
    json_write_textf(j, "name", "%s %u", names[draw_below(&d, 6)], (unsigned)id);
    json_write_object(j, "price");
    json_write_fixed_text(j, "amount", 99 + (int64_t)draw_below(&d, 50000), 2);
    json_write_text(j, "currency", draw_percent(&d, 50) ? STR("EUR") : STR("CAD"));
    json_write_object_end(j);
    if (draw_percent(&d, 90)) {
        json_write_uint(j, "stock", draw_below(&d, 1000));
    } else {
        json_write_null(j, "stock");
    }
    json_write_array(j, "tags");
    for (uint64_t i = draw_below(&d, 3); i > 0; i--) {
        json_write_textf(j, NULL, "t%u", (unsigned)draw_below(&d, 30));
    }
    json_write_array_end(j);
    json_write_uint(j, "review_count", review_count(seed, id));
    json_write_time(j, "created_at", WORLD_EPOCH_S + (int64_t)draw_below(&d, 365 * 86400));
    json_write_object_end(j);
}

static void write_pagination(struct json_writer *j, uint64_t total, uint64_t page,
                             uint64_t per_page)
{
    json_write_object(j, "pagination");
    json_write_uint(j, "page", page);
    json_write_uint(j, "per_page", per_page);
    json_write_uint(j, "total", total);
    json_write_uint(j, "total_pages", (total + per_page - 1) / per_page);
    json_write_object_end(j);
}

void shape_products(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t page = 1, per_page = PER_PAGE_USUAL, first, last;

    if (!access_by_bearer(world, ask, reply)) {
        return;
    }
    if (!ask_param_number(ask, "page", 1, PAGE_LAST, &page) ||
        !ask_param_number(ask, "per_page", 1, PER_PAGE_MAX, &per_page)) {
        reply_error(reply, 400, "page starts at 1, per_page is within 1 and %d", PER_PAGE_MAX);
        return;
    }
    first = (page - 1) * per_page + 1;
    last = first + per_page - 1 < world->products ? first + per_page - 1 : world->products;
    json_write_object(&j, NULL);
    json_write_array(&j, "products");
    for (uint64_t id = first; id <= last; id++) {
        write_product(&j, world->seed, id);
    }
    json_write_array_end(&j);
    write_pagination(&j, world->products, page, per_page);
    json_write_object_end(&j);
    reply->result = j.result;
}

/* The product that the path names; 0, and the 404 said, when there is none. */
static uint64_t product_in_path(const struct world *world, const struct ask *ask,
                                struct reply *reply)
{
    uint64_t id;

    if (str_to_u64(ask->in_path[0], &id) && id >= 1 && id <= world->products) {
        return id;
    }
    reply_error(reply, 404, "no such product; they go from 1 to %llu",
                (unsigned long long)world->products);
    return 0;
}

void shape_product(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t id = access_by_bearer(world, ask, reply) ? product_in_path(world, ask, reply) : 0;

    if (id) {
        write_product(&j, world->seed, id);
        reply->result = j.result;
    }
}

static void write_review(struct json_writer *j, struct draw *d, uint64_t product, uint64_t i)
{
    static const char *const texts[] = { "Très bien!", "\"Broke\" after a week.\nSad.", "5/5 👍",
                                         "Good, cheap, ok", "" };

    json_write_object(j, NULL);
    json_write_uint(j, "id", product * 100 + i);
    json_write_uint(j, "stars", 1 + draw_below(d, 5));
    json_write_text(j, "text", str_view(texts[draw_below(d, 5)]));
    json_write_object(j, "author");
    json_write_textf(j, "name", "user%u", (unsigned)draw_below(d, 5000));
    json_write_bool(j, "verified", draw_percent(d, 70));
    json_write_object_end(j);
    json_write_object_end(j);
}

void shape_reviews(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t id = access_by_bearer(world, ask, reply) ? product_in_path(world, ask, reply) : 0;
    struct draw d = draw_start(world->seed, DRAW_REVIEW, id);
    uint64_t count = draw_below(&d, 9); /* the draw that review_count makes */

    if (!id) {
        return;
    }
    json_write_object(&j, NULL);
    json_write_uint(&j, "product_id", id);
    json_write_array(&j, "items");
    for (uint64_t i = 1; i <= count; i++) {
        write_review(&j, &d, id, i);
    }
    json_write_array_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}
