/*
 * VIA-Rail-like: all trains in one object, keyed by train number, different at every second poll.
 * A train that has not left has no position; one that has arrived has no speed. The ETag names the
 * moment shown, so a poll in between can be answered 304.
 */
#include "demo/world.h"

#include "demo/draw.h"
#include "base/json_write.h"

#include <stdio.h>

#define TRAINS 40
#define STOPS_MAX 8
#define TICK_S 30        /* the feed moves on by this much */
#define POLLS_PER_TICK 2 /* so that every second poll finds nothing new */
#define LEG_S 1500       /* between two stations */
#define DWELL_S 120      /* at a station */
#define TICK_LAST UINT64_C(1000000000)

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct station {
    const char *name, *code;
    int64_t lat, lng; /* millionths of a degree */
} line[] = {
    { "WINDSOR", "WDON", 42325000, -83009000 },  { "LONDON", "LNDN", 42981000, -81246000 },
    { "TORONTO", "TRTO", 43645000, -79380000 },  { "OSHAWA", "OSHA", 43871000, -78885000 },
    { "KINGSTON", "KGON", 44257000, -76537000 }, { "OTTAWA", "OTTW", 45416000, -75651000 },
    { "MONTRÉAL", "MTRL", 45500000, -73566000 }, { "DRUMMONDVILLE", "DRMV", 45880000, -72484000 },
    { "QUÉBEC", "QBEC", 46817000, -71214000 },   { "HALIFAX", "HLFX", 44639000, -63567000 },
};

struct train {
    unsigned number;
    size_t from, stops; /* stations line[from] ... in the direction it runs */
    int step;           /* 1 east, -1 west */
    int64_t leaves_s;   /* unix */
    int64_t late_s;
};

static const struct station *stop(const struct train *t, size_t i)
{
    return t->step > 0 ? &line[t->from + i] : &line[t->from - i];
}

/* The run of train `i` that is under way, or next, at `now_s`. */
static struct train train_at(uint64_t seed, unsigned i, int64_t now_s)
{
    struct draw d = draw_start(seed, DRAW_TRAIN, i);
    struct train t = { .number = 20 + i * 2 + (unsigned)draw_below(&d, 2) };
    int64_t period_s, offset_s, run;

    t.step = t.number % 2 ? 1 : -1;
    t.stops = 2 + (size_t)draw_below(&d, STOPS_MAX - 1);
    t.from = (size_t)draw_below(&d, COUNT_OF(line) - t.stops + 1);
    t.from += t.step > 0 ? 0 : t.stops - 1;
    period_s = (int64_t)t.stops * LEG_S + 3600;
    offset_s = (int64_t)draw_below(&d, (uint64_t)period_s);
    run = (now_s - WORLD_EPOCH_S + offset_s) / period_s;
    t.leaves_s = WORLD_EPOCH_S - offset_s + run * period_s + 1200;
    d = draw_start(seed, DRAW_TRAIN, (uint64_t)i << 32 | (uint32_t)run);
    t.late_s = draw_percent(&d, 40) ? (int64_t)draw_below(&d, 20) * 60 : 0;
    return t;
}

static void write_time_pair(struct json_writer *j, const char *key, int64_t planned_s,
                            int64_t late_s)
{
    json_write_object(j, key);
    json_write_time(j, "scheduled", planned_s);
    json_write_time(j, "estimated", planned_s + late_s);
    json_write_object_end(j);
}

static void write_eta(struct json_writer *j, int64_t arrives_s, int64_t now_s)
{
    int64_t minutes = (arrives_s - now_s + 59) / 60;

    if (minutes <= 0) {
        json_write_text(j, "eta", STR("ARR"));
    } else if (minutes < 60) {
        json_write_textf(j, "eta", "%dm", (int)minutes);
    } else {
        json_write_textf(j, "eta", "%dh%02dm", (int)(minutes / 60), (int)(minutes % 60));
    }
}

static void write_times(struct json_writer *j, const struct train *t, int64_t now_s)
{
    json_write_array(j, "times");
    for (size_t i = 0; i < t->stops; i++) {
        int64_t arrives_s = t->leaves_s + (int64_t)i * LEG_S - (i ? DWELL_S : 0);

        json_write_object(j, NULL);
        json_write_text(j, "station", str_view(stop(t, i)->name));
        json_write_text(j, "code", str_view(stop(t, i)->code));
        write_eta(j, arrives_s + t->late_s, now_s);
        if (i > 0) {
            write_time_pair(j, "arrival", arrives_s, t->late_s);
        }
        if (i + 1 < t->stops) {
            write_time_pair(j, "departure", t->leaves_s + (int64_t)i * LEG_S, t->late_s);
        }
        json_write_fixed(j, "diffMin", t->late_s / 60, 0);
        json_write_object_end(j);
    }
    json_write_array_end(j);
}

/* Straight between two stations, standing for the last DWELL_S of each leg. */
static void write_position(struct json_writer *j, const struct train *t, int64_t under_way_s)
{
    size_t leg = (size_t)(under_way_s / LEG_S);
    int64_t in_leg_s = under_way_s % LEG_S;
    int64_t driving_s = LEG_S - DWELL_S;
    const struct station *a = stop(t, leg), *b = stop(t, leg + 1);
    bool stands = in_leg_s >= driving_s;

    in_leg_s = stands ? driving_s : in_leg_s;
    json_write_fixed(j, "lat", a->lat + (b->lat - a->lat) * in_leg_s / driving_s, 6);
    json_write_fixed(j, "lng", a->lng + (b->lng - a->lng) * in_leg_s / driving_s, 6);
    json_write_uint(j, "speed", stands ? 0 : 80 + (uint64_t)(in_leg_s * 7 % 71));
    json_write_uint(j, "direction", t->step > 0 ? 70 : 250);
}

static void write_train(struct json_writer *j, const struct train *t, int64_t now_s)
{
    int64_t under_way_s = now_s - t->leaves_s - t->late_s;
    int64_t takes_s = (int64_t)(t->stops - 1) * LEG_S;
    bool departed = under_way_s >= 0, arrived = under_way_s >= takes_s;
    char key[16];

    snprintf(key, sizeof key, "%u", t->number);
    json_write_object(j, key);
    json_write_text(j, "from", str_view(stop(t, 0)->name));
    json_write_text(j, "to", str_view(stop(t, t->stops - 1)->name));
    json_write_bool(j, "departed", departed);
    json_write_bool(j, "arrived", arrived);
    if (departed && !arrived) {
        write_position(j, t, under_way_s);
        json_write_time(j, "poll", now_s - (int64_t)(t->number % 25));
    } else if (arrived) {
        json_write_fixed(j, "lat", stop(t, t->stops - 1)->lat, 6);
        json_write_fixed(j, "lng", stop(t, t->stops - 1)->lng, 6);
        json_write_null(j, "speed");
        json_write_null(j, "direction");
        json_write_time(j, "poll", t->leaves_s + t->late_s + takes_s);
    }
    write_times(j, t, now_s);
    json_write_object_end(j);
}

/* The tick asked for, or the one that is due at this poll. False when `tick` is no number. */
static bool tick_of(struct world *world, const struct ask *ask, uint64_t *tick)
{
    *tick = TICK_LAST + 1;
    if (!ask_param_number(ask, "tick", 0, TICK_LAST, tick)) {
        return false;
    }
    if (*tick > TICK_LAST) {
        *tick = world->train_polls++ / POLLS_PER_TICK % TICK_LAST;
    }
    return true;
}

/* RFC 9110 section 13.1.2: "*", or a list with our tag in it; W/ counts as the same. */
static bool none_match(const struct ask *ask, const char *etag)
{
    struct str list = ask_header(ask, STR("If-None-Match"));

    while (list.len) {
        struct str one = str_trim(str_cut(&list, ','));

        if (str_starts(one, STR("W/"))) {
            one.data += 2;
            one.len -= 2;
        }
        if (str_equal(one, STR("*")) || str_equal(one, str_view(etag))) {
            return false;
        }
    }
    return true;
}

void shape_trains(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char etag[48];
    uint64_t tick;
    int64_t now_s;

    if (!tick_of(world, ask, &tick)) {
        reply_error(reply, 400, "tick: want a whole number up to %llu",
                    (unsigned long long)TICK_LAST);
        return;
    }
    snprintf(etag, sizeof etag, "\"%llx-%llu\"", (unsigned long long)world->seed,
             (unsigned long long)tick);
    reply_header(reply, "ETag", "%s", etag);
    reply_header(reply, "Cache-Control", "no-cache");
    if (!none_match(ask, etag)) {
        reply->status = 304;
        reply->type = NULL;
        return;
    }
    now_s = WORLD_EPOCH_S + (int64_t)tick * TICK_S;
    json_write_object(&j, NULL);
    for (unsigned i = 0; i < TRAINS; i++) {
        struct train t = train_at(world->seed, i, now_s);

        write_train(&j, &t, now_s);
    }
    json_write_object_end(&j);
    reply->result = j.result;
}
