#include "engine/refusal.h"

#include "base/clock.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/named_wait.h"
#include "plan/retry.h"
#include "plan/host_hold.h"

#include <stdio.h>
#include <string.h>

#define QUOTA_FIELDS_MAX 32
#define LIMIT_FREE_MOST 24 /* with waits that grow: minutes */

/* Told once a host: it will say so with every refusal. */
static void tell_ignored(struct engine *e, struct host *host, struct str value)
{
    if (host->told_bad_deadline) {
        return;
    }
    host->told_bad_deadline = true;
    events_add_host(&e->events, EVENT_WARNING, "retry-after", host->label, ",\"code\":\"W-RA1\"",
                    "%.*s: ignored Retry-After \"%.*s\" (neither a duration nor a moment) [W-RA1]",
                    STR_ARG(host->label), (int)(value.len < 60 ? value.len : 60), value.data);
}

static void read_retry_after(struct engine *e, struct host *host, const struct response *response,
                             struct deadline *d)
{
    struct named_wait wait = named_wait_read(response, response->fetched_at_us);

    if (wait.ignored.data) {
        tell_ignored(e, host, wait.ignored);
    }
    if (!wait.is_named) {
        return;
    }
    *d = (struct deadline){ .named = true,
                            .wait_us = named_wait_kept_us(wait.us),
                            .by = DUE_RETRY_AFTER };
    snprintf(d->said, sizeof d->said, "%.*s%s", STR_ARG(wait.value),
             wait.unit_us == US_PER_MS ? " ms" : "");
}

/* GraphQL is mostly asked with POST: the bodies of other answers need not be looked at. */
static bool may_tell_cost(const struct engine *e, const struct response *response)
{
    size_t endpoint = response->request->endpoint;

    return endpoint < e->job->endpoint_count &&
           strcmp(e->job->endpoints[endpoint].method, "POST") == 0;
}

struct quota refusal_read_quota(const struct engine *e, const struct response *response)
{
    struct quota_field fields[QUOTA_FIELDS_MAX];
    struct quota_field field;
    struct quota quota;
    size_t count = 0, at = 0;
    bool tells = false; /* more than the server's time, which alone is not worth reading */

    while (count < QUOTA_FIELDS_MAX &&
           response_header_next(response, &at, &field.name, &field.value)) {
        bool is_quota = quota_is_field(field.name);

        if (is_quota || str_equal(field.name, STR("date"))) {
            fields[count++] = field;
        }
        tells |= is_quota;
    }
    quota_read(fields, tells ? count : 0, response->fetched_at_us, &quota);
    if (!quota.has_left && may_tell_cost(e, response)) {
        (void)quota_read_cost(buf_view(&response->body), &quota);
    }
    return quota;
}

struct deadline refusal_deadline(struct engine *e, struct host *host,
                                 const struct response *response)
{
    struct deadline d = { .named = false };
    int status = response->status;

    if (status >= 400) {
        read_retry_after(e, host, response, &d);
    }
    if (!d.named && (status == 429 || status == 403 || status == 503)) {
        struct quota quota = refusal_read_quota(e, response);

        /* A 429 that tells only when the quota comes back says enough. */
        d.named = quota_is_spent(&quota) ||
                  (status == 429 && !quota.has_left && quota.has_reset && quota.reset_us > 0);
        d.wait_us = quota_wait_us(&quota);
        d.by = DUE_QUOTA;
        snprintf(d.said, sizeof d.said, "r=0; t=%llu", (unsigned long long)(d.wait_us / US_PER_S));
    }
    return d;
}

/* A 503 says so when it comes with a deadline, or when its host's limiter is known to use it. */
static bool is_refusing_503(struct engine *e, struct host *host, const struct response *response)
{
    return refusal_deadline(e, host, response).named ||
           host_suspects(host, response->request, engine_now_us(e));
}

bool refusal_is(struct engine *e, struct host *host, const struct response *response)
{
    if (response->calm_down) {
        return true;
    }
    if (response->outcome != OUTCOME_STATUS) {
        return false;
    }
    switch (response->status) {
    case 429:
        return true;
    case 403:
        return refusal_deadline(e, host, response).named;
    case 503:
        return is_refusing_503(e, host, response);
    default:
        return retry_is_load_status(response->status) && refusal_deadline(e, host, response).named;
    }
}

#define HOLD_FIELDS_MAX 128

static void put_hold(const struct due *due, uint64_t us, char fields[HOLD_FIELDS_MAX])
{
    snprintf(fields, HOLD_FIELDS_MAX, ",\"hold_ms\":%llu,\"set_by\":\"%s\",\"status\":%d",
             (unsigned long long)(us / US_PER_MS), due_by_word(due->by), due->status);
}

/* One that is longer than anybody would sit through is said with its end, and what can be done. */
static void tell_hold(struct engine *e, struct host *host, const struct bucket *bucket,
                      uint64_t now_us)
{
    char length[UNITS_TEXT_MAX], end[CLOCK_TEXT_SIZE], fields[HOLD_FIELDS_MAX], why[DUE_TEXT_MAX];
    uint64_t us = bucket->hold_until_us - now_us;

    e->held.holds++;
    e->held.hosts += !host->was_held;
    host->was_held = true;
    units_format_time(us, length);
    due_format_hold(&bucket->hold_due, why);
    put_hold(&bucket->hold_due, us, fields);
    if (!due_is_named(bucket->hold_due.by) || us <= e->job->retry.max_wait_us) {
        events_add_host(&e->events, EVENT_WARNING, "hold", host->label, fields, "%.*s held %s (%s)",
                        STR_ARG(host->label), length, why);
        return;
    }
    clock_format_utc(clock_wall_us(&e->options.clock) + (int64_t)us, end);
    snprintf(fields + strlen(fields), sizeof fields - strlen(fields), ",\"code\":\"W-RA2\"");
    events_add_host(&e->events, EVENT_WARNING, "hold", host->label, fields,
                    "%.*s asks to wait %s (%s); parked until %s [W-RA2]", STR_ARG(host->label),
                    length, why, end);
}

/* Learned first, or changed by much. A rate above the one that was refused keeps nothing back yet. */
static bool is_news(const struct learned_limit *l, double told_rate)
{
    return l->phase == LEARNED_NARROW && l->rate < l->refused_at &&
           (l->rate < 0.8 * told_rate || l->rate > 1.25 * told_rate);
}

static void tell_learned(struct engine *e, struct host *host, struct bucket *bucket)
{
    const struct learned_limit *l = &bucket->learned;
    char fields[96];

    if (l->at_once.most && l->at_once.most != bucket->told_at_once) {
        bucket->told_at_once = l->at_once.most;
        snprintf(fields, sizeof fields, ",\"at_once\":%u", l->at_once.most);
        events_add_host(&e->events, EVENT_NOTICE, "learned", host->label, fields,
                        "%.*s refuses more than %u at once: no more are sent", STR_ARG(host->label),
                        l->at_once.most);
    }
    if (l->shared.is_on && !bucket->told_shared) {
        bucket->told_shared = true;
        events_add_host(&e->events, EVENT_NOTICE, "learned", host->label, "",
                        "%.*s refuses a part at any rate, as where others spend of the same limit",
                        STR_ARG(host->label));
    }
    if (is_news(l, bucket->told_rate)) {
        bucket->told_rate = l->rate;
        snprintf(fields, sizeof fields, ",\"rate\":%.2f,\"refused_at\":%.2f", l->rate,
                 l->refused_at);
        events_add_host(&e->events, EVENT_NOTICE, "learned", host->label, fields,
                        "%.*s refuses at %.1f/s: going on at %.1f/s", STR_ARG(host->label),
                        l->refused_at, l->rate);
    }
}

void refusal_hold(struct engine *e, struct host *host, const struct response *response,
                  const struct deadline *deadline)
{
    struct bucket *bucket = host_bucket(host, response->request);
    uint64_t now_us = engine_now_us(e), added_us, until_us = 0;
    uint64_t before_us = bucket->hold_until_us > now_us ? bucket->hold_until_us : now_us;
    struct learned_answer answer = host_answer_of(response->request, now_us);
    struct due due = { .by = DUE_HOST_HOLD, .status = response->calm_down ? 0 : response->status };
    bool news;

    host->throttled++;
    if (deadline->named && deadline->wait_us > 0) {
        until_us = now_us + deadline->wait_us;
        due.by = deadline->by;
        memcpy(due.said, deadline->said, sizeof due.said);
    }
    snprintf(due.host, sizeof due.host, "%.*s", STR_ARG(host->label));
    news = bucket_refused(bucket, &answer, until_us, &due, engine_random(e), now_us);
    added_us = bucket->hold_until_us > before_us ? bucket->hold_until_us - before_us : 0;
    if (due_is_named(bucket->hold_due.by)) {
        e->held.asked_us += added_us;
    } else {
        e->held.backed_off_us += added_us;
    }
    if (news) {
        tell_hold(e, host, bucket, now_us);
    }
    tell_learned(e, host, bucket);
}

bool refusal_is_limits(const struct host *host, struct request *request)
{
    const struct bucket *bucket = host_bucket(host, request);
    uint32_t refused = (uint32_t)bucket->refused, accepted = (uint32_t)bucket->accepted;
    bool is_first = !request->limit_refused;
    bool others_were = refused - request->limit_refused > 1 && accepted != request->limit_accepted;

    request->limit_refused = refused;
    request->limit_accepted = accepted;
    if (is_first || !others_were || request->limit_free >= LIMIT_FREE_MOST) {
        return false;
    }
    request->limit_free++;
    return true;
}

bool refusal_by_problem(struct engine *e, struct host *host, const struct response *response)
{
    enum quota_problem problem = quota_problem_read(response_header(response, STR("content-type")),
                                                    buf_view(&response->body));
    struct request *request = response->request;
    char why[160];

    if (problem == QUOTA_PROBLEM_NONE) {
        return false;
    }
    snprintf(request->reason, sizeof request->reason, "HTTP %d, %s", response->status,
             quota_problem_name(problem));
    if (problem != QUOTA_PROBLEM_ABNORMAL) {
        return true;
    }
    snprintf(why, sizeof why, "%.*s says: abnormal usage detected", STR_ARG(host->label));
    events_add_host(&e->events, EVENT_WARNING, "abnormal", host->label, "", "%s; %s", why,
                    e->options.attended ? "held until you release it" : "stopping, resumable");
    if (!e->options.attended) {
        engine_stop(e, why);
    } else if (!host->is_stopped) { /* else it is held already, and for another reason */
        host_hold_user(host, true, engine_now_us(e));
    }
    return true;
}
