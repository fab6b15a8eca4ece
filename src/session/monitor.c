#include "session/monitor.h"

#include "base/message.h"
#include "base/say.h"
#include "control/health.h"
#include "control/metrics_text.h"
#include "control/snapshot_json.h"
#include "ui/plain.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS 1000
#define METRICS_FILE_US (UINT64_C(15) * US_PER_S)

static enum result write_metrics(void *context, struct buf *out, bool is_open)
{
    struct monitor *m = context;
    struct report report = { .exit = EXIT_WELL };
    enum result result;

    if (m->is_ending) {
        return RESULT_CANCELLED;
    }
    engine_snapshot(*m->engine, m->snapshot);
    engine_report(*m->engine, &report);
    result = metrics_text_write(out, m->snapshot, &report, is_open);
    report_release(&report);
    return result;
}

static bool is_well(void *context, char *why)
{
    struct monitor *m = context;

    if (!m->is_ending) {
        engine_snapshot(*m->engine, m->snapshot);
    }
    return health_is_well(m->snapshot, why);
}

static void put_metrics(struct monitor *m)
{
    struct buf text = { 0 };

    if (write_metrics(m, &text, false) == RESULT_OK) {
        published_file_put(m->metrics_file, &text);
    }
    buf_release(&text);
}

static void put_status(struct monitor *m)
{
    struct buf text = { 0 };

    if (snapshot_json_write(&text, &totals_fields, m->snapshot) == RESULT_OK &&
        buf_append_char(&text, '\n') == RESULT_OK) {
        published_file_put(m->status_file, &text);
    }
    buf_release(&text);
}

static void warn_once(struct monitor *m, const struct published_file *file, const char *path)
{
    if (file && published_file_trouble(file) && !m->has_warned) {
        char text[512];

        m->has_warned = true;
        snprintf(text, sizeof text, "cannot write %s: %s", path,
                 strerror(published_file_trouble(file)));
        message_warning("W-MET1", text);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct monitor *m = timer->data;
    uint64_t now_us = clock_now_us(&m->clock);
    char line[PLAIN_LINE_MAX];

    if (m->is_ending) {
        service_still_ending(&m->service, now_us);
        return;
    }
    engine_snapshot(*m->engine, m->snapshot);
    plain_progress(m->snapshot, line);
    service_tick(&m->service, now_us, line);
    if (m->status_file) {
        put_status(m);
    }
    if (m->metrics_file && now_us - m->metrics_us >= METRICS_FILE_US) {
        m->metrics_us = now_us;
        put_metrics(m);
    }
    warn_once(m, m->status_file, m->options->status_file);
    warn_once(m, m->metrics_file, m->options->metrics_file);
}

static enum result open_server(struct monitor *m, uv_loop_t *loop, struct err *err)
{
    static const struct metrics_calls calls = { write_metrics, is_well };
    enum result result;

    if (!m->options->metrics) {
        return RESULT_OK;
    }
    result = metrics_server_new(&m->server, loop, m->options->metrics, &calls, m, err);
    if (result == RESULT_OK) {
        const char *address = m->options->metrics;
        int host_len = (int)(strrchr(address, ':') - address);

        say(stderr, "scrapetop: metrics at http://%.*s:%u/metrics, health at /healthz%s",
            host_len ? host_len : (int)sizeof "0.0.0.0" - 1, host_len ? address : "0.0.0.0",
            metrics_server_port(m->server), host_len ? "" : " (all addresses of this machine)");
    }
    return result;
}

enum result monitor_open(struct monitor *m, uv_loop_t *loop, struct engine **engine,
                         const struct monitor_options *options, struct err *err)
{
    enum result result = RESULT_OK;

    *m = (struct monitor){ .options = options, .engine = engine, .clock = clock_system() };
    service_open(&m->service);
    uv_timer_init(loop, &m->timer);
    m->timer.data = m;
    m->is_open = true;
    m->snapshot = calloc(1, sizeof *m->snapshot);
    if (!m->snapshot) {
        return err_nomem(err, "opening the metrics");
    }
    if (options->metrics_file) {
        result = published_file_new(&m->metrics_file, loop, options->metrics_file, err);
    }
    if (result == RESULT_OK && options->status_file) {
        result = published_file_new(&m->status_file, loop, options->status_file, err);
    }
    return result == RESULT_OK ? open_server(m, loop, err) : result;
}

void monitor_ready(struct monitor *m)
{
    service_ready(&m->service);
    if (m->service.fd >= 0 || m->metrics_file || m->status_file) {
        uv_timer_start(&m->timer, on_tick, 0, TICK_MS);
    }
}

void monitor_draining(struct monitor *m, uint64_t us)
{
    service_stopping(&m->service, us);
}

void monitor_finish(struct monitor *m)
{
    engine_snapshot(*m->engine, m->snapshot);
    if (m->status_file) {
        put_status(m);
    }
    if (m->metrics_file) {
        put_metrics(m);
    }
    m->is_ending = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    (void)handle;
}

void monitor_close(struct monitor *m)
{
    if (!m->is_open) {
        return;
    }
    m->is_open = false;
    m->is_ending = true;
    uv_close((uv_handle_t *)&m->timer, on_timer_closed);
    metrics_server_close(m->server);
    published_file_close(m->metrics_file);
    published_file_close(m->status_file);
    free(m->snapshot);
    m->snapshot = NULL;
}

void monitor_still_ending(struct monitor *m)
{
    service_still_ending(&m->service, clock_now_us(&m->clock));
}

void monitor_release(struct monitor *m)
{
    service_close(&m->service);
}
