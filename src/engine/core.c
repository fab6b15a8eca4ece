#include "engine/core.h"

#include "base/crc32c.h"
#include "base/units.h"
#include "engine/auth.h"
#include "engine/engine_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#define TURNS_AT_ONCE_MAX 8
#define TURNS_US UINT64_C(5000) /* then keys, timers and answers */
#define FILE_BOUND_MAX (UNITS_TEXT_MAX + 32)

/* --- the phase ------------------------------------------------------------------------------------ */

static bool may_enter(enum engine_phase from, enum engine_phase next)
{
    static const unsigned before[] = {
        [ENGINE_RUNNING] = 1U << ENGINE_NEW | 1U << ENGINE_TABLE | 1U << ENGINE_DONE,
        [ENGINE_DRAINING] = 1U << ENGINE_RUNNING,
        [ENGINE_TABLE] = 1U << ENGINE_RUNNING | 1U << ENGINE_DRAINING,
        [ENGINE_DONE] = 1U << ENGINE_RUNNING | 1U << ENGINE_DRAINING | 1U << ENGINE_TABLE,
        [ENGINE_CLOSING] = ~0U,
    };

    return before[next] >> from & 1;
}

void engine_enter(struct engine *e, enum engine_phase next)
{
    assert(may_enter(e->phase, next));
    e->phase = next;
    engine_want_turn(e);
}

bool engine_is_active(const struct engine *e)
{
    return e->phase == ENGINE_RUNNING || e->phase == ENGINE_DRAINING;
}

/* What ends while more is started makes room for more at once; but keys and answers have their turn, too. */
static void take_turn(struct engine *e)
{
    uint64_t until_ns = uv_hrtime() + TURNS_US * 1000;

    for (int i = 0; i < TURNS_AT_ONCE_MAX && engine_is_turn_wanted(e) && uv_hrtime() < until_ns;
         i++) {
        uv_idle_stop(&e->turns.idle);
        e->turns.serve(e);
    }
}

static void on_before_poll(uv_idle_t *idle)
{
    take_turn(idle->data);
}

static void on_after_poll(uv_check_t *check)
{
    take_turn(check->data);
}

/* An idle handle that is active is called before the loop polls, and keeps it from waiting. What the poll has
 * brought is served right after it. */
void engine_turns_init(struct engine *e, void (*on_turn)(struct engine *engine))
{
    e->turns.serve = on_turn;
    uv_idle_init(e->options.loop, &e->turns.idle);
    uv_check_init(e->options.loop, &e->turns.after_poll);
    e->turns.idle.data = e->turns.after_poll.data = e;
    uv_check_start(&e->turns.after_poll, on_after_poll);
}

void engine_want_turn(struct engine *e)
{
    uv_idle_start(&e->turns.idle, on_before_poll);
}

bool engine_is_turn_wanted(const struct engine *e)
{
    return uv_is_active((const uv_handle_t *)&e->turns.idle);
}

void engine_stop(struct engine *e, const char *why)
{
    if (!e->ending.why[0]) {
        snprintf(e->ending.why, sizeof e->ending.why, "%s", why);
    }
    if (e->phase == ENGINE_RUNNING) {
        engine_enter(e, ENGINE_DRAINING);
    }
}

void engine_stop_for(struct engine *e, const char *code, const char *why)
{
    if (!e->ending.why[0]) {
        snprintf(e->ending.code, sizeof e->ending.code, "%s", code);
    }
    engine_stop(e, why);
}

void engine_stop_as_wanted(struct engine *e, const char *why)
{
    e->ending.is_wanted |= !e->ending.why[0];
    engine_stop(e, why);
}

uint64_t engine_work_left(const struct engine *e)
{
    const struct metrics *m = &e->metrics;

    return frontier_total(e->frontier) - m->ok - m->ok_before - m->failed - m->failed_before;
}

/* --- time, chance and texts ------------------------------------------------------------------------ */

uint64_t engine_now_us(const struct engine *e)
{
    return clock_now_us(&e->options.clock);
}

uint32_t engine_host_key(const struct engine *e, uint32_t host)
{
    const char *origin = host_at(&e->hosts, host)->origin;

    return crc32c(0, origin, strlen(origin));
}

uint64_t engine_random(struct engine *e)
{
    uint64_t z = e->random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

enum result engine_redact_url(struct engine *e, struct str url, struct buf *out)
{
    buf_reset(&e->scratch.redacted);
    return secrets_redact(&e->secrets, url, SECRETS_WHOLE, &e->scratch.redacted) == RESULT_OK
               ? url_redact(buf_view(&e->scratch.redacted), out)
               : RESULT_NOMEM;
}

/* The login call has an endpoint after the job's own. */
static const char *method_of(const struct engine *e, const struct request *request)
{
    return request->endpoint < e->job->endpoint_count ? e->job->endpoints[request->endpoint].method
                                                      : auth_endpoint(&e->auth).method;
}

void engine_request_text(struct engine *e, const struct request *request,
                         char text[SNAPSHOT_REQUEST_TEXT])
{
    struct str url = request_url(request);
    struct url parts;

    if (url_split(url, &parts, NULL) == RESULT_OK) {
        url = parts.target.len ? parts.target : STR("/");
    }
    buf_reset(&e->scratch.shown);
    if (engine_redact_url(e, url, &e->scratch.shown) == RESULT_OK) {
        url = buf_view(&e->scratch.shown);
    } else {
        url = request->key;
    }
    snprintf(text, SNAPSHOT_REQUEST_TEXT, "%s %.*s",
             request->drop_body ? "GET" : method_of(e, request), STR_ARG(url));
}

void engine_reason_text(struct engine *e, const struct request *request, char *text, size_t size)
{
    text[0] = '\0';
    buf_reset(&e->scratch.shown);
    if (request && secrets_redact(&e->secrets, str_view(request->reason), SECRETS_BEGUN,
                                  &e->scratch.shown) == RESULT_OK) {
        snprintf(text, size, "%.*s", STR_ARG(buf_view(&e->scratch.shown)));
    }
}

uint64_t engine_disk_free_bytes(const struct engine *e)
{
    struct statvfs disk;

    return fstatvfs(e->options.dir->fd, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

/* How large a file of this process may become, where the shell sets a bound (setrlimit(2)): beyond
 * it writes fail as on a full disk, however much is free. */
static void put_file_bound(char text[static FILE_BOUND_MAX])
{
    struct rlimit bound;
    char most[UNITS_TEXT_MAX];

    text[0] = '\0';
    if (getrlimit(RLIMIT_FSIZE, &bound) == 0 && bound.rlim_cur != RLIM_INFINITY) {
        units_format_bytes(bound.rlim_cur, most);
        snprintf(text, FILE_BOUND_MAX, ", files up to %s: ulimit -f", most);
    }
}

void engine_trouble_text(const struct engine *e, char *text, size_t size)
{
    char room[UNITS_TEXT_MAX];
    char bound[FILE_BOUND_MAX];

    if (e->storage.state != RESULT_FULL || e->phase != ENGINE_RUNNING) {
        snprintf(text, size, "%s", e->storage.trouble);
        return;
    }
    units_format_bytes(engine_disk_free_bytes(e), room);
    put_file_bound(bound);
    snprintf(text, size, "%s (%s free%s): paused, goes on by itself when there is space",
             e->storage.trouble, room, bound);
}
