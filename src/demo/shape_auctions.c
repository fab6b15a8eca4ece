/*
 * MaxSold-like: an auction with its lots nested in it, 1 to 40 KB. Everything that makes flattening
 * hard is in here: prices as strings, objects within objects, lists of texts and of objects, keys
 * that only some records have, nulls, empty objects and lists, ids beyond 2^53, and text with
 * quotes, commas and line breaks.
 */
#include "demo/world.h"

#include "demo/draw.h"
#include "base/json_write.h"

#define AUCTION_LAST 10000000
#define LOTS_MIN 3
#define LOTS_MAX 56
#define DAY_S 86400

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct str things[] = {
    STR_INIT("Édouard vase"),
    STR_INIT("oak side table"),
    STR_INIT("日本の花瓶"),
    STR_INIT("set of 6 “Zürich” cups"),
    STR_INIT("naïve painting, framed"),
    STR_INIT("amphora 🏺"),
    STR_INIT("كتاب قديم"),
    STR_INIT("mid-century lamp"),
    STR_INIT("12\" cast-iron pan"),
    STR_INIT("Škoda model car"),
    STR_INIT("box of vinyl; jazz"),
    STR_INIT("garden tools"),
};
static const struct str adjectives[] = {
    STR_INIT("vintage"), STR_INIT("as new"), STR_INIT("signed"),   STR_INIT("chipped"),
    STR_INIT("rare"),    STR_INIT("heavy"),  STR_INIT("restored"), STR_INIT("déco"),
};
static const struct str remarks[] = {
    STR_INIT("Pick-up only, bring \"two strong people\"."),
    STR_INIT("Measures: see photo, approx.\nSome wear; priced to go."),
    STR_INIT("Includes:\n- cable\n- manual, in French\n- box (torn)"),
    STR_INIT("Path on the label reads C:\\attic\\left.\tNot tested."),
    STR_INIT("Seller says: 'works', we say: \"probably\"."),
    STR_INIT("100% wool — ½ price; €5, not $5."),
};
static const struct str cities[] = {
    STR_INIT("Toronto, ON"),  STR_INIT("Montréal, QC"), STR_INIT("Trois-Rivières, QC"),
    STR_INIT("Kingston, ON"), STR_INIT("Québec, QC"),
};
static const struct str tags[] = {
    STR_INIT("estate"),  STR_INIT("furniture"), STR_INIT("art & craft"),
    STR_INIT("kitchen"), STR_INIT("tools"),     STR_INIT("books"),
};

#define PICK(draw, array) ((array)[draw_below((draw), COUNT_OF(array))])

static void write_dimensions(struct json_writer *j, struct draw *d)
{
    uint64_t kind = draw_below(d, 8);

    if (kind == 0) {
        return; /* not every record has the key */
    }
    json_write_object(j, "dimensions");
    if (kind > 1) { /* and some have it empty */
        json_write_object(j, "cm");
        json_write_fixed(j, "width", (int64_t)draw_below(d, 3000), 1);
        json_write_fixed(j, "height", (int64_t)draw_below(d, 3000), 1);
        if (kind > 5) {
            json_write_null(j, "depth");
        }
        json_write_object_end(j);
        json_write_fixed(j, "kg", (int64_t)draw_below(d, 100000), 3);
    }
    json_write_object_end(j);
}

static void write_bids(struct json_writer *j, struct draw *d, int64_t start_s)
{
    uint64_t count = draw_below(d, 4);
    int64_t cents = 100;

    json_write_array(j, "bids");
    for (uint64_t i = 0; i < count; i++) {
        cents += 50 * (int64_t)(1 + draw_below(d, 40));
        json_write_object(j, NULL);
        json_write_fixed_text(j, "amount", cents, 2);
        json_write_time(j, "at", start_s + (int64_t)draw_below(d, 3 * DAY_S));
        json_write_bool(j, "proxy", draw_percent(d, 30));
        json_write_object_end(j);
    }
    json_write_array_end(j);
    json_write_uint(j, "bid_count", count);
    json_write_fixed_text(j, "current_bid", cents, 2);
}

static void write_bidder(struct json_writer *j, struct draw *d)
{
    if (draw_percent(d, 40)) {
        json_write_null(j, "high_bidder");
        return;
    }
    json_write_object(j, "high_bidder");
    json_write_textf(j, "alias", "b%04u", (unsigned)draw_below(d, 10000));
    json_write_object(j, "stats");
    json_write_uint(j, "won", draw_below(d, 500));
    json_write_fixed(j, "rating", (int64_t)draw_below(d, 51), 1);
    json_write_object_end(j);
    json_write_object_end(j);
}

static void write_pictures(struct json_writer *j, struct draw *d, uint64_t auction, uint64_t lot)
{
    uint64_t count = draw_below(d, 3);

    json_write_array(j, "images");
    for (uint64_t i = 1; i <= count; i++) {
        json_write_textf(j, NULL, "https://img.example/%u/%u-%u.jpg?w=800&h=600", (unsigned)auction,
                         (unsigned)lot, (unsigned)i);
    }
    json_write_array_end(j);
}

static void write_lot(struct json_writer *j, struct draw *d, uint64_t auction, uint64_t lot,
                      int64_t start_s)
{
    struct str thing = PICK(d, things), adjective = PICK(d, adjectives);

    json_write_object(j, NULL);
    json_write_uint(j, "id", WORLD_BIG_ID + auction * 1000 + lot);
    json_write_textf(j, "lot", "%04u", (unsigned)lot); /* a number that must stay text */
    json_write_textf(j, "title", "%.*s, %.*s", STR_ARG(thing), STR_ARG(adjective));
    json_write_text(j, "description", PICK(d, remarks));
    write_bids(j, d, start_s);
    json_write_fixed_text(j, "retail_value", (int64_t)(500 + 25 * draw_below(d, 4000)), 2);
    write_bidder(j, d);
    json_write_time(j, "ends_at", start_s + 3 * DAY_S + (int64_t)lot * 60);
    json_write_bool(j, "closed", draw_percent(d, 50));
    write_pictures(j, d, auction, lot);
    write_dimensions(j, d);
    if (draw_percent(d, 25)) {
        json_write_object(j, "attributes");
        json_write_object_end(j);
    }
    if (draw_percent(d, 15)) {
        json_write_text(j, "note", STR("")); /* empty, which is not missing */
    }
    json_write_object_end(j);
}

static void write_place(struct json_writer *j, struct draw *d)
{
    json_write_object(j, "location");
    json_write_text(j, "city", PICK(d, cities));
    json_write_object(j, "geo");
    json_write_fixed(j, "lat", 43600000 + (int64_t)draw_below(d, 3000000), 6);
    json_write_fixed(j, "lng", -79400000 + (int64_t)draw_below(d, 8000000), 6);
    json_write_object_end(j);
    json_write_text(j, "postcode", draw_percent(d, 20) ? STR("") : STR("M5V 2T6"));
    json_write_object_end(j);
}

static void write_head(struct json_writer *j, struct draw *d, uint64_t id, int64_t start_s)
{
    struct str first = PICK(d, things), second = PICK(d, things);

    json_write_uint(j, "auction_id", id);
    json_write_textf(j, "title", "%.*s & %.*s", STR_ARG(first), STR_ARG(second));
    json_write_text(j, "status", draw_percent(d, 60) ? STR("open") : STR("closed"));
    json_write_time(j, "starts_at", start_s);
    json_write_fixed_text(j, "buyer_premium_percent", 1000 + 250 * (int64_t)draw_below(d, 4), 2);
    write_place(j, d);
    json_write_array(j, "tags");
    for (uint64_t i = draw_below(d, 4); i > 0; i--) {
        json_write_text(j, NULL, PICK(d, tags));
    }
    json_write_array_end(j);
    if (draw_percent(d, 50)) {
        json_write_null(j, "partner");
    }
}

void shape_auction_items(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t id = 0, lots;
    int64_t start_s;
    struct draw d;

    if (!ask_param_number(ask, "auctionid", 1, AUCTION_LAST, &id) || id == 0) {
        reply_error(reply, 404, "no such auction; auctionid goes from 1 to %d", AUCTION_LAST);
        return;
    }
    d = draw_start(world->seed, DRAW_AUCTION, id);
    lots = LOTS_MIN + draw_below(&d, 1 + draw_below(&d, LOTS_MAX - LOTS_MIN)); /* few are big */
    start_s = WORLD_EPOCH_S + (int64_t)(id % 300) * DAY_S;
    j.ascii = draw_percent(&d, 25);
    json_write_object(&j, NULL);
    write_head(&j, &d, id, start_s);
    json_write_uint(&j, "item_count", lots);
    json_write_array(&j, "items");
    for (uint64_t lot = 1; lot <= lots; lot++) {
        write_lot(&j, &d, id, lot, start_s);
    }
    json_write_array_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}
