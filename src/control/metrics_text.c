#include "control/metrics_text.h"

#include "base/units.h"
#include "base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The first trouble stays; what comes after it writes nothing. */
struct writer {
    struct buf *out;
    const char *run;
    bool is_open;
    enum result result;
};

static void put(struct writer *w, struct str text)
{
    if (w->result == RESULT_OK) {
        w->result = buf_append_str(w->out, text);
    }
}

static void put_text(struct writer *w, const char *text)
{
    put(w, str_view(text));
}

/* A label's value: backslash, quote and line feed are escaped (OpenMetrics, "escaped-string"), and what is no UTF-8, as
 * where a name was cut, is U+FFFD: else a scraper takes none of the samples. */
static void put_value(struct writer *w, const char *text)
{
    struct str rest = str_view(text);

    while (rest.len) {
        uint32_t code;
        size_t length = utf8_decode(rest, &code);
        struct str one = { rest.data, length ? length : 1 };

        put(w, !length                ? STR("\xEF\xBF\xBD")
               : rest.data[0] == '\\' ? STR("\\\\")
               : rest.data[0] == '"'  ? STR("\\\"")
               : rest.data[0] == '\n' ? STR("\\n")
                                      : one);
        rest.data += one.len;
        rest.len -= one.len;
    }
}

static void begin(struct writer *w, const char *name, const char *type, const char *help)
{
    const char *suffix = !w->is_open && strcmp(type, "counter") == 0 ? "_total" : "";

    put_text(w, "# HELP scrapetop_");
    put_text(w, name);
    put_text(w, suffix);
    put_text(w, " ");
    put_text(w, help);
    put_text(w, "\n# TYPE scrapetop_");
    put_text(w, name);
    put_text(w, suffix);
    put_text(w, " ");
    put_text(w, type);
    put_text(w, "\n");
}

/* One sample, with at most two labels beside the run's. */
static void sample(struct writer *w, const char *name, const char *label, const char *value,
                   const char *label_2, const char *value_2, double number)
{
    char text[40];

    put_text(w, "scrapetop_");
    put_text(w, name);
    put_text(w, "{run=\"");
    put_value(w, w->run);
    if (label) {
        put_text(w, "\",");
        put_text(w, label);
        put_text(w, "=\"");
        put_value(w, value);
    }
    if (label_2) {
        put_text(w, "\",");
        put_text(w, label_2);
        put_text(w, "=\"");
        put_value(w, value_2);
    }
    put_text(w, "\"} ");
    if (isinf(number)) {
        put_text(w, "+Inf\n");
        return;
    }
    snprintf(text, sizeof text, "%.15g\n", number);
    put_text(w, text);
}

static void one(struct writer *w, const char *name, const char *type, const char *help,
                double number)
{
    char full[80];

    begin(w, name, type, help);
    snprintf(full, sizeof full, "%s%s", name, strcmp(type, "counter") == 0 ? "_total" : "");
    sample(w, full, NULL, NULL, NULL, NULL, number);
}

/* "HOST CAP" is host_cap. */
static const char *label_of(const char *word, char room[32])
{
    size_t i = 0;

    for (; word[i] && i + 1 < 32; i++) {
        room[i] = word[i] == ' ' || word[i] == '-' ? '_' : (char)tolower((unsigned char)word[i]);
    }
    room[i] = '\0';
    return room;
}

static void put_requests(struct writer *w, const struct snapshot *s)
{
    begin(w, "requests", "counter", "Requests of the plan that have ended.");
    for (size_t i = 0; i < s->endpoint_count; i++) {
        const struct snapshot_endpoint *e = &s->endpoints[i];

        sample(w, "requests_total", "endpoint", e->name, "outcome", "ok",
               (double)(e->done > e->failed ? e->done - e->failed : 0));
        sample(w, "requests_total", "endpoint", e->name, "outcome", "failed", (double)e->failed);
    }
    if (!s->endpoint_count) {
        sample(w, "requests_total", "endpoint", s->name, "outcome", "ok", (double)s->ok);
        sample(w, "requests_total", "endpoint", s->name, "outcome", "failed", (double)s->failed);
    }
}

static void put_answers(struct writer *w, const struct report *r)
{
    char code[8];

    one(w, "attempts", "counter", "Requests sent in this session, further tries included.",
        (double)r->session_attempts);
    one(w, "retries", "counter", "Tries of this session beyond a request's first.",
        (double)r->session_retried);
    begin(w, "http_responses", "counter", "Answers by status; 0: none came.");
    for (int status = 0; status < METRICS_STATUS_MAX; status++) {
        if (r->status[status]) {
            snprintf(code, sizeof code, "%d", status);
            sample(w, "http_responses_total", "code", code, NULL, NULL, (double)r->status[status]);
        }
    }
    begin(w, "bytes", "counter", "Bytes of bodies, as they came over the network.");
    sample(w, "bytes_total", "direction", "received", NULL, NULL, (double)r->session_bytes);
}

static void put_latency(struct writer *w, const struct report *r)
{
    char edge[24];

    begin(w, "request_duration_seconds", "histogram",
          "From the start of a transfer to its end, of all answers.");
    for (size_t i = 0; i < REPORT_LATENCY_EDGES; i++) {
        snprintf(edge, sizeof edge, "%.15g", (double)report_latency_edges_us[i] / 1e6);
        sample(w, "request_duration_seconds_bucket", "le", edge, NULL, NULL,
               (double)r->latency_within[i]);
    }
    sample(w, "request_duration_seconds_bucket", "le", "+Inf", NULL, NULL,
           (double)r->latency_count);
    sample(w, "request_duration_seconds_count", NULL, NULL, NULL, NULL, (double)r->latency_count);
    sample(w, "request_duration_seconds_sum", NULL, NULL, NULL, NULL,
           (double)r->latency_sum_us / 1e6);
}

static void put_waiting(struct writer *w, const struct snapshot *s)
{
    begin(w, "waiting", "gauge",
          "Requests that wait to be asked again, by what their last try came to.");
    sample(w, "waiting", "why", "throttled", NULL, NULL, s->wait_mix.throttled);
    sample(w, "waiting", "why", "server", NULL, NULL, s->wait_mix.server);
    sample(w, "waiting", "why", "network", NULL, NULL, s->wait_mix.network);
    sample(w, "waiting", "why", "other", NULL, NULL, s->wait_mix.other);
}

/* With a pool of proxies there is a row for each way to the host. */
static void sample_host(struct writer *w, const char *name, const struct snapshot_host *h,
                        double number)
{
    sample(w, name, "host", h->host, h->proxy[0] ? "proxy" : NULL, h->proxy, number);
}

static bool have_same_labels(const struct snapshot_host *a, const struct snapshot_host *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->proxy, b->proxy) == 0;
}

/* http and https of one host are two rows of one name, and long names are cut: a sample may come only once. The longest
 * hold and the smallest quota are told. False: an earlier row tells of this one. */
static bool merge_rows(const struct snapshot *s, size_t row, struct snapshot_host *merged)
{
    *merged = s->hosts[row];
    for (size_t i = 0; i < s->host_count; i++) {
        const struct snapshot_host *h = &s->hosts[i];

        if (i == row || !have_same_labels(h, merged)) {
            continue;
        }
        if (i < row) {
            return false;
        }
        if (h->hold_in_us > merged->hold_in_us) {
            merged->hold_in_us = h->hold_in_us;
        }
        if (h->quota_left >= 0 && (merged->quota_left < 0 || h->quota_left < merged->quota_left)) {
            merged->quota_left = h->quota_left;
        }
    }
    return true;
}

static void put_hosts(struct writer *w, const struct snapshot *s)
{
    struct snapshot_host h;

    begin(w, "host_hold_seconds", "gauge", "How long a host is still held; +Inf: by hand.");
    for (size_t i = 0; i < s->host_count; i++) {
        if (merge_rows(s, i, &h)) {
            sample_host(w, "host_hold_seconds", &h,
                        h.hold_in_us == UINT64_MAX ? (double)INFINITY : (double)h.hold_in_us / 1e6);
        }
    }
    begin(w, "host_quota_left", "gauge",
          "Requests that a host's quota has left, where it says so.");
    for (size_t i = 0; i < s->host_count; i++) {
        if (merge_rows(s, i, &h) && h.quota_left >= 0) {
            sample_host(w, "host_quota_left", &h, (double)h.quota_left);
        }
    }
}

static void put_limits(struct writer *w, const struct snapshot *s, const struct report *r)
{
    struct rate rate = { 0 };
    char room[32];

    one(w, "cap", "gauge", "Requests that may be in flight at once.", s->cap);
    begin(w, "rate_limit_per_second", "gauge",
          "Starts allowed in a second; absent: as many as the cap allows.");
    if (units_parse_rate(str_view(s->rate_limit), &rate, NULL) == RESULT_OK && rate.per_us) {
        sample(w, "rate_limit_per_second", NULL, NULL, NULL, NULL,
               rate.requests * 1e6 / (double)rate.per_us);
    }
    begin(w, "limited_seconds", "counter", "Time by what kept the run from going faster.");
    for (int i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++) {
        sample(w, "limited_seconds_total", "limit",
               label_of(run_limit_word((enum run_limit)i), room), NULL, NULL, r->limited_s[i]);
    }
}

static void put_rules(struct writer *w, const struct snapshot *s)
{
    char number[16];

    begin(w, "rule_firings", "counter", "Times that a rule by event has fired, by its number.");
    for (size_t i = 0; i < s->on_count; i++) {
        snprintf(number, sizeof number, "%u", s->ons[i].number);
        sample(w, "rule_firings_total", "rule", number, NULL, NULL, (double)s->ons[i].fired);
    }
}

static void put_tables(struct writer *w, const struct snapshot *s)
{
    begin(w, "table_rows", "gauge", "Rows of the last table.");
    for (size_t i = 0; i < s->endpoint_count; i++) {
        sample(w, "table_rows", "table", s->endpoints[i].name, NULL, NULL,
               (double)s->endpoints[i].rows);
    }
    if (!s->endpoint_count) {
        sample(w, "table_rows", "table", s->name, NULL, NULL, (double)s->normalise.rows);
    }
}

enum result metrics_text_write(struct buf *out, const struct snapshot *s, const struct report *r,
                               bool is_open)
{
    struct writer w = { out, s->name, is_open, RESULT_OK };

    put_requests(&w, s);
    put_answers(&w, r);
    put_latency(&w, r);
    one(&w, "known_requests", "gauge", "Requests known of so far.", (double)s->total);
    one(&w, "queued", "gauge", "Requests that are ready to start.", (double)s->queued);
    one(&w, "in_flight", "gauge", "Requests in flight.", (double)s->in_flight);
    put_waiting(&w, s);
    put_limits(&w, s, r);
    put_hosts(&w, s);
    put_rules(&w, s);
    put_tables(&w, s);
    begin(&w, "loop_lag_seconds", "gauge", "How late the event loop's timers were.");
    sample(&w, "loop_lag_seconds", "q", "0.99", NULL, NULL, (double)s->loop_lag_p99_us / 1e6);
    one(&w, "storage_trouble", "gauge", "1: the store cannot write.", s->storage_trouble);
    one(&w, "resident_bytes", "gauge", "Memory of the process.", (double)s->rss_bytes);
    if (s->login.expiry_known) {
        one(&w, "login_expiry_timestamp_seconds", "gauge", "When the login's token expires.",
            (double)s->wall_us / 1e6 + (double)s->login.expires_in_us / 1e6);
    }
    begin(&w, "build_info", "gauge", "The version that runs.");
    sample(&w, "build_info", "version", SCRAPETOP_VERSION, NULL, NULL, 1);
    one(&w, "paused", "gauge", "1: somebody has paused the run.", s->state == RUN_PAUSED);
    if (is_open) {
        put_text(&w, "# EOF\n");
    }
    return w.result;
}
