#include "fetch/multi_uv.h"

#include "fetch/standstill.h"
#include "fetch/watches.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_DEADLINE UINT64_MAX
/* of timers and kicks in one turn of the loop; then the rest waits a millisecond */
#define TURN_US 5000
#define KICK_ROUNDS_MAX 64 /* likewise */
#define SPARE_CONNECTIONS 16

struct lane {
    struct multi_uv *multi;
    CURLM *curl;
    uv_timer_t timer;
    uint64_t deadline_ms; /* libcurl's, on the loop's clock */
    uint64_t armed_ms;    /* when the uv timer fires; never later than the deadline */
    size_t transfers;
    bool kick;   /* libcurl wants to be called at once */
    bool broken; /* its multi handle is only good for being released */
};

struct multi_uv {
    uv_loop_t *loop;
    multi_uv_done on_done;
    multi_uv_broken on_broken;
    multi_uv_stood_still on_stood_still;
    void *context;
    struct lane **lanes;
    size_t lane_count, open_lanes; /* while it closes: those that are not closed */
    struct watches watches;
    struct standstill standstill;
    size_t open_handles; /* of the loop, not yet closed; the socket set counts as one */
    size_t waiting_kicks;
    uint64_t turn_ms;     /* the loop's time in this turn */
    uint64_t turn_end_ns; /* when timers and kicks are to let others have theirs */
    bool driving;         /* inside libcurl or on_done */
    bool dropping;        /* idle connections, or broken lanes */
    bool closing;
    bool looks_first; /* at what a request may be sent on: libcurl before 8.0.0 does not */
    bool (*may_talk)(CURL *easy);
    bool (*has_paused)(void *context);
    void (*acted)(void *context);
    void (*closed)(void *context);
};

static void maybe_closed(struct multi_uv *m)
{
    void (*closed)(void *context) = m->closed;
    void *context = m->context;

    if (!m->closing || m->open_handles) {
        return;
    }
    for (size_t i = 0; i < m->lane_count; i++) {
        free(m->lanes[i]);
    }
    free(m->lanes);
    watches_release(&m->watches);
    free(m);
    closed(context);
}

void multi_uv_opened_socket(void *multi, int fd)
{
    struct watches *watches = &((struct multi_uv *)multi)->watches;
    struct watch *w = watches_at(watches, fd);

    if (w) { /* its socket was closed without a word to us */
        watch_end(w);
    }
    w = watches_begin(watches, fd);
    if (w) { /* without memory it is watched as one of the resolver's: correct, only slower */
        w->connection = true;
    }
}

int multi_uv_close_socket(void *multi, curl_socket_t fd)
{
    struct watch *w = watches_at(&((struct multi_uv *)multi)->watches, fd);

    if (w) {
        watch_end(w);
    }
    return close(fd);
}

static void lane_drive(struct lane *lane, curl_socket_t fd, int flags);

static void hear_if_idle(void *context, int fd, uint32_t serial, int events)
{
    struct multi_uv *m = context;
    struct watch *w = watches_at(&m->watches, fd);

    (void)events;
    if (w && w->serial == serial && w->polling && !w->wanted) {
        watch_hear_idle(w, w->connection && !w->may_talk && !m->has_paused(m->context));
    }
}

static void on_ready(void *context, int fd, uint32_t serial, int events)
{
    struct multi_uv *m = context;
    struct watch *w = watches_at(&m->watches, fd);

    if (!w || w->serial != serial || !w->polling || m->closing) {
        return; /* an event of before, or of no use */
    }
    if (!w->wanted) {
        hear_if_idle(context, fd, serial, events);
        return;
    }
    /* An error alone is no CURL_CSELECT_ERR: libcurl would give up without reading what came before it. By
     * reading or writing it finds out by itself. */
    events = events ? events : w->wanted;
    lane_drive(w->lane, fd,
               (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                   (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

/* libcurl 7.88 closes a socket that has not got as far as its first request without asking our
 * callback, and tells of its removal only then. */
static bool is_connected(CURL *easy)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    return us > 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    struct lane *lane = context;
    struct watch *w = watches_at(&lane->multi->watches, fd);

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (w && w->connection && is_connected(easy)) {
            w->wanted = 0;
            w->may_talk = lane->multi->may_talk(easy); /* who was asked for HTTP/2 may have none */
            if (w->polling & UV_WRITABLE) { /* an idle connection always is: the loop would spin */
                watch_arm(w, UV_READABLE);
            }
        } else if (w) {
            watch_end(w);
        }
        return 0;
    }
    if (!w) {
        w = watches_begin(&lane->multi->watches, fd);
        if (!w) {
            return 0;
        }
    }
    w->lane = lane;
    w->may_talk = lane->multi->may_talk(easy);
    w->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (w->polling != w->wanted) {
        watch_arm(w, w->wanted);
    }
    return 0;
}

static void want_kick(struct lane *lane)
{
    if (!lane->kick) {
        lane->kick = true;
        lane->multi->waiting_kicks++;
    }
}

/* Within one turn the loop's clock stands still. */
static bool is_turn_over(struct multi_uv *m)
{
    uint64_t now_ns = uv_hrtime();

    if (uv_now(m->loop) != m->turn_ms) {
        m->turn_ms = uv_now(m->loop);
        m->turn_end_ns = now_ns + TURN_US * UINT64_C(1000);
    }
    return now_ns >= m->turn_end_ns;
}

static void on_timer(uv_timer_t *timer);

/* The uv timer is only ever moved earlier; one that fires before the deadline is armed again. That
 * saves re-arming it with each request. */
static void arm_timer(struct lane *lane)
{
    uint64_t now = uv_now(lane->multi->loop);
    uint64_t in = lane->deadline_ms > now ? lane->deadline_ms - now : 1;

    if (lane->deadline_ms >= lane->armed_ms) {
        return;
    }
    lane->armed_ms = lane->deadline_ms;
    uv_timer_start(&lane->timer, on_timer, in, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct lane *lane = timer->data;

    if (is_turn_over(lane->multi)) {
        lane->armed_ms = uv_now(lane->multi->loop) + 1;
        uv_timer_start(timer, on_timer, 1, 0);
        return;
    }
    lane->armed_ms = NO_DEADLINE;
    if (lane->deadline_ms <= uv_now(lane->multi->loop)) {
        lane->deadline_ms = NO_DEADLINE;
        lane_drive(lane, CURL_SOCKET_TIMEOUT, 0);
    } else if (lane->deadline_ms != NO_DEADLINE) {
        arm_timer(lane);
    }
}

static int on_curl_timer(CURLM *curl, long timeout_ms, void *context)
{
    struct lane *lane = context;

    (void)curl;
    if (timeout_ms < 0) {
        lane->deadline_ms = NO_DEADLINE;
    } else if (timeout_ms == 0) {
        want_kick(lane); /* libcurl must not be called from within its own callback */
    } else {
        lane->deadline_ms = uv_now(lane->multi->loop) + (uint64_t)timeout_ms;
        arm_timer(lane);
    }
    return 0;
}

static void lane_collect(struct lane *lane)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(lane->curl, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        multi_uv_remove(lane, easy); /* the message dies with it */
        lane->multi->on_done(lane->multi->context, easy, code);
    }
}

static void lane_act(struct lane *lane, curl_socket_t fd, int flags)
{
    int running;

    if (lane->broken) {
        return;
    }
    lane->broken = curl_multi_socket_action(lane->curl, fd, flags, &running) != CURLM_OK;
    lane_collect(lane);
    if (lane->broken) {
        lane->multi->dropping = true;
        lane->multi->on_broken(lane->multi->context, lane);
    }
    lane->multi->acted(
        lane->multi->context); /* one call may read three megabytes of each transfer */
}

static CURLM *lane_curl(struct lane *lane)
{
    CURLM *curl = curl_multi_init();

    if (curl) {
        curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, lane);
        curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_curl_timer);
        curl_multi_setopt(curl, CURLMOPT_TIMERDATA, lane);
        curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)MULTI_UV_LANE + SPARE_CONNECTIONS);
    }
    return curl;
}

static void run_kicks(struct multi_uv *m)
{
    bool is_over = false;

    if (m->waiting_kicks && m->looks_first) {
        socket_set_look(m->watches.sockets, hear_if_idle);
    }
    for (int round = 0; m->waiting_kicks && !is_over && round < KICK_ROUNDS_MAX; round++) {
        for (size_t i = 0; i < m->lane_count && !(is_over = is_turn_over(m)); i++) {
            struct lane *lane = m->lanes[i];

            if (lane->kick) {
                lane->kick = false;
                m->waiting_kicks--;
                multi_uv_look(m);
                lane_act(lane, CURL_SOCKET_TIMEOUT, 0);
            }
        }
    }
    for (size_t i = 0; m->waiting_kicks && i < m->lane_count; i++) {
        struct lane *lane = m->lanes[i];

        if (lane->kick) {
            lane->kick = false;
            m->waiting_kicks--;
            lane->deadline_ms = uv_now(m->loop) + 1;
            arm_timer(lane);
        }
    }
}

/* A multi handle gives up its idle connections only with itself. */
static void drop_idle(struct multi_uv *m)
{
    m->dropping = false;
    for (size_t i = 0; i < m->lane_count; i++) {
        struct lane *lane = m->lanes[i];
        CURLM *fresh = lane->transfers == 0 ? lane_curl(lane) : NULL;

        if (fresh) {
            curl_multi_cleanup(lane->curl);
            lane->curl = fresh;
            lane->deadline_ms = NO_DEADLINE;
            lane->broken = false;
        }
        m->dropping |= lane->broken; /* there was no memory for another: the next time, then */
    }
}

static void end_driving(struct multi_uv *m)
{
    m->acted(m->context);
    run_kicks(m);
    if (m->dropping) {
        drop_idle(m);
    }
    m->driving = false;
}

void multi_uv_look(struct multi_uv *m)
{
    struct standstill_time lost;

    if (standstill_look(&m->standstill, &lost)) {
        m->on_stood_still(m->context, &lost);
    }
}

void multi_uv_note_standstill(struct multi_uv *m, uint64_t lost_us)
{
    struct standstill_time lost = { lost_us, lost_us };

    standstill_forgive(&m->standstill);
    m->on_stood_still(m->context, &lost);
}

static void lane_drive(struct lane *lane, curl_socket_t fd, int flags)
{
    multi_uv_look(lane->multi); /* else libcurl would take it for the servers' time */
    lane->multi->driving = true;
    lane_act(lane, fd, flags);
    end_driving(lane->multi);
}

void multi_uv_kick(struct multi_uv *m)
{
    if (!m->driving) {
        m->driving = true;
        end_driving(m);
    }
}

void multi_uv_drop_idle(struct multi_uv *m)
{
    m->dropping = true;
    if (!m->driving) {
        drop_idle(m);
    }
}

static struct lane *lane_new(struct multi_uv *m)
{
    struct lane **lanes = realloc(m->lanes, (m->lane_count + 1) * sizeof(struct lane *));
    struct lane *lane;

    if (!lanes) {
        return NULL;
    }
    m->lanes = lanes;
    lane = calloc(1, sizeof *lane);
    if (!lane) {
        return NULL;
    }
    lane->multi = m;
    lane->deadline_ms = lane->armed_ms = NO_DEADLINE;
    lane->curl = lane_curl(lane);
    if (!lane->curl) {
        free(lane);
        return NULL;
    }
    uv_timer_init(m->loop, &lane->timer);
    lane->timer.data = lane;
    m->open_handles++;
    m->lanes[m->lane_count++] = lane;
    return lane;
}

/* First one with room, counted from where this affinity's connections are likely to be. */
static struct lane *lane_with_room(struct multi_uv *m, uint32_t affinity)
{
    size_t start = m->lane_count ? affinity % m->lane_count : 0;

    for (size_t i = 0; i < m->lane_count; i++) {
        struct lane *lane = m->lanes[(start + i) % m->lane_count];

        if (lane->transfers < MULTI_UV_LANE && !lane->broken) {
            return lane;
        }
    }
    return lane_new(m);
}

static void on_standstill_closed(uv_handle_t *handle)
{
    struct multi_uv *m = handle->data;

    m->open_handles--;
    maybe_closed(m);
}

enum result multi_uv_new(struct multi_uv **multi, uv_loop_t *loop,
                         const struct multi_uv_callbacks *callbacks, void *context, struct err *err)
{
    struct multi_uv *m = calloc(1, sizeof *m);
    enum result result;

    if (!m) {
        return err_nomem(err, "setting up the network");
    }
    m->loop = loop;
    m->on_done = callbacks->on_done;
    m->on_broken = callbacks->on_broken;
    m->on_stood_still = callbacks->on_stood_still;
    m->has_paused = callbacks->has_paused;
    m->may_talk = callbacks->may_talk;
    m->acted = callbacks->acted;
    m->context = context;
    result = socket_set_new(&m->watches.sockets, loop, on_ready, m, err);
    if (result != RESULT_OK) {
        free(m);
        return result;
    }
    m->looks_first = curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
    standstill_watch(&m->standstill, loop);
    m->open_handles = 2;
    *multi = m;
    return RESULT_OK;
}

struct lane *multi_uv_add(struct multi_uv *m, CURL *easy, uint32_t affinity)
{
    struct lane *lane = lane_with_room(m, affinity);

    if (!lane || curl_multi_add_handle(lane->curl, easy) != CURLM_OK) {
        return NULL;
    }
    lane->transfers++;
    want_kick(lane);
    return lane;
}

void multi_uv_remove(struct lane *lane, CURL *easy)
{
    curl_multi_remove_handle(lane->curl, easy);
    lane->transfers--;
}

static void on_lane_closed(uv_handle_t *handle)
{
    struct lane *lane = handle->data;

    lane->multi->open_handles--;
    maybe_closed(lane->multi);
}

static void on_sockets_closed(void *multi)
{
    struct multi_uv *m = multi;

    m->open_handles--;
    maybe_closed(m);
}

/* Their sockets are in the set as long as there are lanes. */
static void close_rest(struct multi_uv *m)
{
    socket_set_close(m->watches.sockets, on_sockets_closed);
    standstill_close(&m->standstill, on_standstill_closed, m);
}

static void on_closing_turn(uv_timer_t *timer)
{
    struct lane *lane = timer->data;
    struct multi_uv *m = lane->multi;

    if (is_turn_over(m)) { /* a connection takes 20 us to close, and with TLS more */
        uv_timer_start(timer, on_closing_turn, 1, 0);
        return;
    }
    curl_multi_cleanup(lane->curl);
    uv_close((uv_handle_t *)timer, on_lane_closed);
    if (--m->open_lanes == 0) {
        close_rest(m);
    }
}

void multi_uv_close(struct multi_uv *m, void (*closed)(void *context))
{
    assert(!m->driving);
    m->closing = true;
    m->closed = closed;
    m->open_lanes = m->lane_count;
    for (size_t i = 0; i < m->lane_count; i++) {
        assert(m->lanes[i]->transfers == 0);
        uv_timer_start(&m->lanes[i]->timer, on_closing_turn, 0, 0);
    }
    if (!m->lane_count) {
        close_rest(m);
    }
}
