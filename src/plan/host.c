#include "plan/host.h"

#include "base/clock.h"
#include "plan/path_segment.h"
#include "plan/unresponsive.h"

#include <stdio.h>
#include <stdlib.h>

#define DOWN_PART 4                    /* a probe after this part of the time that it is down */
#define WINDOW_GROWS_US (US_PER_S / 2) /* slow start: by one when nothing ends */

/* --- lanes ------------------------------------------------------------------------------------- */

static bool find_lane(const struct host *host, uint32_t endpoint, uint32_t segment, uint16_t *lane)
{
    for (uint16_t i = 0; i < host->lane_count; i++) {
        if (host->lanes[i].endpoint == endpoint && host->lanes[i].segment == segment) {
            *lane = i;
            return true;
        }
    }
    return false;
}

static bool add_lane(struct host *host, uint32_t endpoint, uint32_t segment, uint16_t *lane)
{
    struct lane *lanes;

    if (host->lane_count == HOST_LANES_MAX ||
        !(lanes = realloc(host->lanes, (host->lane_count + 1U) * sizeof *lanes))) {
        return false;
    }
    host->lanes = lanes;
    lanes[host->lane_count] = (struct lane){ .endpoint = endpoint, .segment = segment };
    *lane = host->lane_count++;
    return true;
}

enum result host_lane(struct host *host, uint32_t endpoint, const struct url *url, uint16_t *lane)
{
    uint32_t segment = path_segment_of(url);

    if (find_lane(host, endpoint, segment, lane)) {
        return RESULT_OK;
    }
    if (segment && host->segment_count < HOST_SEGMENTS_MAX &&
        add_lane(host, endpoint, segment, lane)) {
        host->segment_count++;
        return RESULT_OK;
    }
    if (find_lane(host, endpoint, 0, lane) || add_lane(host, endpoint, 0, lane)) {
        return RESULT_OK;
    }
    *lane = 0; /* more endpoints than lanes: they share the first */
    return host->lane_count ? RESULT_OK : RESULT_NOMEM;
}

enum result host_lane_as(struct host *host, const struct lane *other, uint16_t *lane)
{
    if (find_lane(host, other->endpoint, other->segment, lane) ||
        add_lane(host, other->endpoint, other->segment, lane)) {
        return RESULT_OK;
    }
    *lane = 0;
    return host->lane_count ? RESULT_OK : RESULT_NOMEM;
}

/* --- buckets ------------------------------------------------------------------------------------ */

struct bucket *host_bucket_at(const struct host *host, uint16_t index)
{
    return index ? &host->others[index - 1] : &((struct host *)(uintptr_t)host)->bucket;
}

static struct lane *lane_of(const struct host *host, const struct request *request)
{
    return &host->lanes[request->lane < host->lane_count ? request->lane : 0];
}

struct bucket *host_bucket(const struct host *host, const struct request *request)
{
    return host_bucket_at(host, host->lane_count ? lane_of(host, request)->bucket : 0);
}

struct bucket *host_busiest_bucket(const struct host *host)
{
    const struct lane *busiest = NULL;

    for (uint16_t i = 0; i < host->lane_count; i++) {
        const struct lane *lane = &host->lanes[i];

        if (!busiest ||
            lane->ready_count + lane->in_flight > busiest->ready_count + busiest->in_flight) {
            busiest = lane;
        }
    }
    return host_bucket_at(host, busiest ? busiest->bucket : 0);
}

bool host_suspects(struct host *host, const struct request *request, uint64_t now_us)
{
    return host->lane_count &&
           bucket_suspects(host_bucket(host, request), &lane_of(host, request)->suspicion,
                           request->attempt <= 1, now_us);
}

static bool find_bucket(const struct host *host, struct str name, uint16_t *index)
{
    for (uint16_t i = 0; i < host->other_count; i++) {
        if (str_equal(str_view(host->others[i].name), name)) {
            *index = (uint16_t)(i + 1);
            return true;
        }
    }
    return false;
}

void host_names_resource(struct host *host, const struct request *request, struct str name)
{
    struct bucket *others;
    struct lane *lane;
    uint16_t index = 0;

    name.len = name.len < BUCKET_NAME_MAX - 1 ? name.len : BUCKET_NAME_MAX - 1;
    if (!host->lane_count) {
        return;
    }
    lane = lane_of(host, request);
    if (name.len && !find_bucket(host, name, &index)) {
        if (host->other_count == HOST_BUCKETS_MAX - 1 ||
            !(others = realloc(host->others, (host->other_count + 1U) * sizeof *others))) {
            return;
        }
        host->others = others;
        others[host->other_count] = (struct bucket){ .hold_until_us = 0 };
        snprintf(others[host->other_count].name, BUCKET_NAME_MAX, "%.*s", STR_ARG(name));
        index = ++host->other_count;
    }
    if (index == lane->bucket) {
        return;
    }
    host_bucket_at(host, lane->bucket)->in_flight -= lane->in_flight;
    host_bucket_at(host, index)->in_flight += lane->in_flight;
    lane->bucket = index;
    lane->moves++;
    lane->moved_start = host_bucket_at(host, index)->starts;
    lane->carried = lane->in_flight;
}

uint64_t host_newer_than(const struct host *host, const struct request *request)
{
    uint64_t starts = host_bucket(host, request)->starts;
    const struct lane *lane = host->lane_count ? lane_of(host, request) : NULL;

    if (!lane || request->lane_moves == lane->moves) {
        return starts - request->host_start;
    }
    return starts - lane->moved_start + lane->carried;
}

/* --- may one more start? -------------------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b)
{
    return !b || (a && a < b) ? a : b;
}

/* A probe is alone for as long as it takes; and where all are refused alike, each is no more than one. */
static bool is_probed(const struct host *host)
{
    const struct host *origin = host_origin(host);

    return origin->down_until_us || ban_is_on(&origin->ban) || same_answer_is_slow(&origin->same);
}

/* With whichever token. */
static unsigned origin_cap(const struct host_table *table, const struct host *host)
{
    return is_probed(host) ? 1 : table->cap_per_host;
}

/* A slow start is not owned by one slow request. */
static unsigned window_now(const struct host *host, uint64_t now_us)
{
    if (!host->window) {
        return 0;
    }
    return host->window + (unsigned)((now_us - host->window_us) / WINDOW_GROWS_US);
}

unsigned host_cap(const struct host_table *table, const struct host *host, uint64_t now_us)
{
    return least(least(origin_cap(table, host), bucket_cap(host_bucket_at(host, 0), now_us)),
                 window_now(host, now_us));
}

unsigned host_own_cap(const struct host_table *table, const struct host *host, uint64_t now_us)
{
    return least(origin_cap(table, host), window_now(host, now_us));
}

bool host_is_well_since(const struct host *host, uint64_t since_us)
{
    return host->well_us && host->well_us >= since_us;
}

bool host_is_well_for(const struct host *host, const struct request *request)
{
    const struct lane *lane = host->lane_count ? lane_of(host, request) : NULL;

    return host->well_us && lane && lane->well_us && !lane->failures && !lane->trouble_since_us;
}

/* What keeps all of its requests back. */
static enum host_answer whole_answer(const struct host_table *table, const struct host *host,
                                     uint64_t now_us)
{
    const struct host *origin = host_origin(host);
    unsigned own = window_now(host, now_us), all = origin_cap(table, host);

    if (origin->is_dead) {
        return HOST_MAY;
    }
    if (host->hold_is_user || host->is_aside || now_us < origin->down_until_us) {
        return HOST_HELD;
    }
    if (host->awaits_login) {
        return HOST_LOGIN;
    }
    if ((own && host->in_flight >= own) || (all && origin->origin_in_flight >= all) ||
        !unresponsive_may_start(table, origin) ||
        (!origin->contacted && origin->origin_in_flight == 0 &&
         table->first_contacts >= HOST_FIRST_CONTACTS_MAX)) {
        return HOST_FULL;
    }
    return pacer_wait_us(&origin->pacer, now_us) ? HOST_PACED : HOST_MAY;
}

static enum host_answer lane_answer(const struct host_table *table, struct host *host,
                                    const struct lane *lane, uint64_t now_us)
{
    if (host_origin(host)->is_dead) {
        return HOST_MAY;
    }
    switch (bucket_may_start(host_bucket_at(host, lane->bucket), table->work_left, now_us)) {
    case BUCKET_HELD:
        return HOST_HELD;
    case BUCKET_FULL:
        return HOST_FULL;
    case BUCKET_QUOTA:
        return HOST_QUOTA;
    case BUCKET_LEARNED:
        return HOST_LEARNED;
    case BUCKET_MAY:
        break;
    }
    return lane_wait_us(lane, host_is_well_since(host, lane->trouble_since_us), now_us)
               ? HOST_TROUBLE
               : HOST_MAY;
}

enum host_answer host_may_start(const struct host_table *table, struct host *host, uint16_t lane,
                                uint64_t now_us)
{
    enum host_answer answer = whole_answer(table, host, now_us);

    return answer == HOST_MAY ? lane_answer(table, host, &host->lanes[lane], now_us) : answer;
}

struct request *host_next(const struct host_table *table, struct host *host, uint64_t now_us,
                          enum host_answer *why)
{
    enum host_answer answer = whole_answer(table, host, now_us);

    *why = HOST_MAY;
    for (uint16_t n = 0; n < host->lane_count; n++) {
        uint16_t at = (uint16_t)((host->lane_turn + n) % host->lane_count);
        struct lane *lane = &host->lanes[at];
        enum host_answer own = answer;

        if (!lane->ready_count) {
            continue;
        }
        if (answer == HOST_MAY) {
            own = lane_answer(table, host, lane, now_us);
        }
        if (own == HOST_MAY) {
            host->lane_turn = (uint16_t)(at + 1);
            host->ready_count--;
            return lane_pop(lane);
        }
        if (*why == HOST_MAY || own > *why) {
            *why = own;
        }
    }
    return NULL;
}

enum host_answer host_why(const struct host_table *table, struct host *host, uint64_t now_us)
{
    enum host_answer whole = whole_answer(table, host, now_us), why = HOST_MAY;

    for (uint16_t i = 0; whole == HOST_MAY && i < host->lane_count; i++) {
        if (host->lanes[i].ready_count) {
            enum host_answer own = lane_answer(table, host, &host->lanes[i], now_us);

            why = own > why ? own : why;
        }
    }
    return whole == HOST_MAY ? why : whole;
}

struct bucket *host_bucket_why(const struct host_table *table, struct host *host,
                               enum host_answer why, uint64_t now_us)
{
    const struct lane *most = NULL;

    if (whole_answer(table, host, now_us) != HOST_MAY) {
        return NULL;
    }
    for (uint16_t i = 0; i < host->lane_count; i++) {
        const struct lane *lane = &host->lanes[i];

        if (lane->ready_count && (!most || lane->ready_count > most->ready_count) &&
            lane_answer(table, host, lane, now_us) == why) {
            most = lane;
        }
    }
    return most ? host_bucket_at(host, most->bucket) : NULL;
}

bool host_wants_fresh(const struct host *host)
{
    for (uint16_t i = 0; i < host->lane_count; i++) {
        if (lane_wants_fresh(&host->lanes[i])) {
            return true;
        }
    }
    return false;
}

static void wake_earlier(struct host_wake *wake, uint64_t at_us, bool is_named)
{
    if (at_us < wake->at_us) {
        *wake = (struct host_wake){ at_us, is_named };
    }
}

static struct host_wake lane_wake(const struct host_table *table, struct host *host,
                                  const struct lane *lane, uint64_t now_us)
{
    struct bucket *bucket = host_bucket_at(host, lane->bucket);
    struct host_wake wake = { TIME_NEVER, false };
    uint64_t trouble_us;

    switch (bucket_may_start(bucket, table->work_left, now_us)) {
    case BUCKET_MAY:
        trouble_us = lane_wait_us(lane, host_is_well_since(host, lane->trouble_since_us), now_us);
        wake.at_us = trouble_us ? now_us + trouble_us : TIME_NEVER;
        return wake;
    case BUCKET_HELD:
        wake.is_named = due_is_named(bucket->hold_due.by);
        break;
    case BUCKET_QUOTA:
        wake.is_named = true;
        break;
    case BUCKET_FULL:
    case BUCKET_LEARNED:
        break;
    }
    wake.at_us = bucket_wake_us(bucket, table->work_left, now_us);
    return wake;
}

struct host_wake host_wake(const struct host_table *table, struct host *host, uint64_t now_us)
{
    return host_wake_of(table, host, host, now_us);
}

struct host_wake host_wake_of(const struct host_table *table, struct host *host, struct host *queue,
                              uint64_t now_us)
{
    struct host_wake wake = { TIME_NEVER, false };
    unsigned window = window_now(host, now_us);
    uint64_t grown_us = (host->in_flight + 1U - host->window) * WINDOW_GROWS_US;

    switch (whole_answer(table, host, now_us)) {
    case HOST_HELD:
        wake.at_us =
            host->hold_is_user || host->is_aside ? TIME_NEVER : host_origin(host)->down_until_us;
        return wake;
    case HOST_FULL:
        if (window && host->in_flight >= window && !is_probed(host)) {
            wake.at_us = host->window_us + grown_us;
        }
        return wake;
    case HOST_PACED:
        wake.at_us = now_us + pacer_wait_us(&host_origin(host)->pacer, now_us);
        return wake;
    case HOST_LOGIN:
        return wake;
    default:
        break;
    }
    for (uint16_t i = 0; i < queue->lane_count; i++) {
        uint16_t at = i;

        if (queue->lanes[i].ready_count &&
            (queue == host || host_lane_as(host, &queue->lanes[i], &at) == RESULT_OK)) {
            struct host_wake one = lane_wake(table, host, &host->lanes[at], now_us);

            wake_earlier(&wake, one.at_us, one.is_named);
        }
    }
    return wake;
}

/* --- starts and ends ------------------------------------------------------------------------------- */

void host_started(struct host_table *table, struct host *host, struct request *request)
{
    struct bucket *bucket = host_bucket(host, request);
    struct host *origin = host_origin(host);
    uint64_t now_us = table->now_us;

    table->first_contacts += !origin->contacted && origin->origin_in_flight == 0;
    if (table->is_gentle && !host->contacted && host->in_flight == 0 && !host->window) {
        host->window = HOST_GENTLE_WINDOW;
        host->window_us = now_us;
        host->gentle_us = now_us + HOST_GENTLE_US;
    }
    host->in_flight++;
    origin->origin_in_flight++;
    unresponsive_started(table, origin);
    bucket_started(bucket, now_us);
    request->host_start = bucket->starts;
    request->host_crowd = bucket->in_flight;
    request->started_us = now_us;
    pacer_start(&origin->pacer, now_us);
    if (host->lane_count) {
        struct lane *lane = lane_of(host, request);

        request->lane_moves = lane->moves;
        lane_started(lane, request_is_retry(request),
                     host_is_well_since(host, lane->trouble_since_us), now_us);
    }
}

struct learned_answer host_answer_of(const struct request *request, uint64_t now_us)
{
    return (struct learned_answer){
        .started_us = request->started_us,
        .crowd = request->host_crowd,
        .latency_us = now_us > request->started_us ? now_us - request->started_us : 0,
    };
}

void host_begin_slowly(const struct host_table *table, struct host *host, uint64_t now_us)
{
    struct host *origin = host_origin(host);
    uint32_t count = origin->twin ? table->twin_count : 1;

    for (uint32_t i = 0; i < count; i++) {
        struct host *one = origin->twin ? table->twins[i] : origin;

        one->window = 1;
        one->window_us = now_us;
    }
}

static enum host_news note_answered(const struct host_table *table, struct host *host,
                                    uint64_t now_us)
{
    struct host *origin = host_origin(host);
    bool was_down = origin->down_until_us != 0;

    host->answered_us = origin->answered_us = now_us;
    origin->is_dead = false;
    origin->silent_in_row = origin->probes = 0;
    origin->down_until_us = 0;
    if (was_down) {
        host_begin_slowly(table, host, now_us);
    }
    if (now_us < host->gentle_us) {
        return was_down ? HOST_NEWS_UP : HOST_NEWS_NONE;
    }
    if (host->window && ++host->window > 2 * (host->in_flight + 1)) {
        host->window = 0; /* the queue, no longer the window, keeps it back */
    }
    host->window_us = now_us;
    return was_down ? HOST_NEWS_UP : HOST_NEWS_NONE;
}

static enum host_news note_silent(const struct host_table *table, struct host *host,
                                  const struct request *request, bool is_hopeless, uint64_t now_us)
{
    uint64_t wait_us;

    if (!host->silent_in_row++) {
        host->silent_since_us = request->started_us;
    }
    host->is_hopeless = is_hopeless;
    if (host->silent_in_row < HOST_DOWN_FAILURES || host->silent_in_row <= host->origin_in_flight ||
        host->refs <= HOST_DOWN_FAILURES || now_us < host->down_until_us ||
        (host->down_until_us && request->started_us < host->down_until_us)) {
        return HOST_NEWS_NONE;
    }
    host->probes += host->down_until_us != 0;
    wait_us = (now_us - host->silent_since_us) / DOWN_PART;
    wait_us = wait_us < HOST_DOWN_MIN_US ? HOST_DOWN_MIN_US : wait_us;
    wait_us = wait_us < HOST_DOWN_MAX_US ? wait_us : HOST_DOWN_MAX_US;
    host->down_until_us = now_us + wait_us;
    host_begin_slowly(table, host, now_us);
    host->down_due = (struct due){ .by = DUE_BREAKER, .wait_us = wait_us };
    return HOST_NEWS_DOWN;
}

enum host_news host_ended(struct host_table *table, struct host *host,
                          const struct request *request, enum host_end end, uint64_t now_us)
{
    struct bucket *bucket = host_bucket(host, request);
    struct learned_answer answer = host_answer_of(request, now_us);
    struct lane none = { .in_flight = 1 };
    struct lane *lane = host->lane_count ? lane_of(host, request) : &none;
    enum host_news news = HOST_NEWS_NONE;
    struct host *origin = host_origin(host);
    bool answered = end <= HOST_END_BROKEN;

    host->in_flight--;
    origin->origin_in_flight--;
    unresponsive_ended(table, origin);
    bucket->in_flight--;
    lane->carried -= lane->carried && request->lane_moves != lane->moves;
    lane_ended(lane);
    table->now_us = now_us;
    if (!origin->contacted && (answered || origin->origin_in_flight == 0)) {
        table->first_contacts--;
        origin->contacted = answered;
    }
    host->contacted |= answered;
    if (answered) {
        unresponsive_answered(table, origin);
        news = note_answered(table, host, now_us);
    }
    switch (end) {
    case HOST_END_WELL:
        host->well_us = now_us;
        bucket_accepted(bucket, &answer, now_us);
        lane_well(lane, now_us);
        break;
    case HOST_END_BROKEN:
        if (lane_failed(lane, request->attempt <= 1, now_us) && news == HOST_NEWS_NONE) {
            news = HOST_NEWS_TROUBLE;
        }
        break;
    case HOST_END_SILENT:
    case HOST_END_HOPELESS:
        news = note_silent(table, origin, request, end == HOST_END_HOPELESS, now_us);
        break;
    case HOST_END_REFUSED:
    case HOST_END_OURS:
        break;
    }
    return news;
}

/* --- ready requests -------------------------------------------------------------------------------------- */

void host_push(struct host *host, struct request *request, enum lane_place place)
{
    lane_push(lane_of(host, request), request, place);
    host->ready_count++;
}

struct request *host_pop(struct host *host)
{
    for (uint16_t i = 0; i < host->lane_count; i++) {
        struct request *request = lane_pop(&host->lanes[i]);

        if (request) {
            host->ready_count--;
            return request;
        }
    }
    return NULL;
}

struct request *host_take(struct host *host, uint64_t id)
{
    for (uint16_t i = 0; i < host->lane_count; i++) {
        struct request *request = lane_take(&host->lanes[i], id);

        if (request) {
            host->ready_count--;
            return request;
        }
    }
    return NULL;
}
