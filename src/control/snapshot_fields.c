#include "control/snapshot_fields.h"

/* --- words ------------------------------------------------------------------------------------------ */

static const char *word_of(const char *const *words, int value)
{
    return words[value];
}

static const char *state_word(int value)
{
    static const char *const words[RUN_STATE_COUNT] = {
        [RUN_STARTING] = "starting",
        [RUN_RUNNING] = "running",
        [RUN_SWEEP] = "sweep",
        [RUN_PAUSED] = "paused",
        [RUN_DRAINING] = "draining",
        [RUN_ALL_WAITING] = "all-waiting",
        [RUN_HELD] = "held",
        [RUN_AUTH] = "auth",
        [RUN_RESTING] = "resting",
        [RUN_DISK_FULL] = "disk-full",
        [RUN_NETWORK_DOWN] = "network-down",
        [RUN_NORMALISING] = "normalising",
        [RUN_DONE] = "done",
        [RUN_INCOMPLETE] = "incomplete",
        [RUN_FAILED] = "failed",
        [RUN_STOPPED] = "stopped",
    };

    return word_of(words, value);
}

static const char *worker_word(int value)
{
    return worker_state_word((enum worker_state)value);
}

static const char *flight_word(int value)
{
    static const char *const words[] = {
        [FLIGHT_DNS] = "dns",   [FLIGHT_CONNECT] = "connect", [FLIGHT_TLS] = "tls",
        [FLIGHT_WAIT] = "wait", [FLIGHT_RECEIVE] = "receive",
    };

    return word_of(words, value);
}

static const char *level_word(int value)
{
    return event_level_word((enum event_level)value);
}

static const char *table_word(int value)
{
    static const char *const words[] = {
        [NORMALISE_IDLE] = "idle",     [NORMALISE_COLUMNS] = "columns",
        [NORMALISE_ROWS] = "rows",     [NORMALISE_CANCELLING] = "cancelling",
        [NORMALISE_FAILED] = "failed",
    };

    return word_of(words, value);
}

static const char *place_word(int value)
{
    static const char *const words[] = {
        [DETAIL_NONE] = "none",           [DETAIL_UNKNOWN] = "unknown",
        [DETAIL_IN_FLIGHT] = "in-flight", [DETAIL_WAITING] = "waiting",
        [DETAIL_DONE] = "done",           [DETAIL_FAILED] = "failed",
    };

    return word_of(words, value);
}

static const char *limit_word(int value)
{
    return run_limit_word((enum run_limit)value);
}

static const char *by_word(int value)
{
    return limit_by_word((enum limit_by)value);
}

static const char *due_word(int value)
{
    return due_by_word((enum due_by)value);
}

static const char *end_word(int value)
{
    return page_end_name((enum page_end)value);
}

static const struct field_words states = { state_word, RUN_STATE_COUNT };
static const struct field_words workers = { worker_word, WORKER_GONE + 1 };
static const struct field_words flights = { flight_word, FLIGHT_RECEIVE + 1 };
static const struct field_words levels = { level_word, EVENT_ERROR + 1 };
static const struct field_words tables = { table_word, NORMALISE_FAILED + 1 };
static const struct field_words places = { place_word, DETAIL_FAILED + 1 };
static const struct field_words limits = { limit_word, LIMIT_COUNT };
static const struct field_words limit_bys = { by_word, LIMIT_BY_OTHER + 1 };
static const struct field_words due_bys = { due_word, DUE_BY_COUNT };
static const struct field_words ends = { end_word, PAGE_END_FAILED + 1 };

/* --- rows -------------------------------------------------------------------------------------------- */

#define MEMBER(s, m) sizeof(((struct s *)0)->m)
#define AT(s, m) .name = #m, .offset = offsetof(struct s, m), .size = MEMBER(s, m)
#define BOOLEAN(s, m)                                                                              \
    {                                                                                              \
        AT(s, m), .kind = FIELD_BOOL                                                               \
    }
#define UNSIGNED(s, m)                                                                             \
    {                                                                                              \
        AT(s, m), .kind = FIELD_UNSIGNED                                                           \
    }
#define SIGNED(s, m)                                                                               \
    {                                                                                              \
        AT(s, m), .kind = FIELD_SIGNED                                                             \
    }
#define NEVER(s, m)                                                                                \
    {                                                                                              \
        AT(s, m), .kind = FIELD_NEVER                                                              \
    }
#define ID(s, m)                                                                                   \
    {                                                                                              \
        AT(s, m), .kind = FIELD_ID                                                                 \
    }
#define DOUBLE(s, m)                                                                               \
    {                                                                                              \
        AT(s, m), .kind = FIELD_DOUBLE                                                             \
    }
#define FLOAT(s, m)                                                                                \
    {                                                                                              \
        AT(s, m), .kind = FIELD_FLOAT                                                              \
    }
#define TEXT(s, m)                                                                                 \
    {                                                                                              \
        AT(s, m), .kind = FIELD_TEXT                                                               \
    }
#define BYTES(s, m, n)                                                                             \
    {                                                                                              \
        AT(s, m), .kind = FIELD_BYTES, .count_offset = offsetof(struct s, n)                       \
    }
#define WORD(s, m, w)                                                                              \
    {                                                                                              \
        AT(s, m), .kind = FIELD_WORD, .words = &(w)                                                \
    }
#define FAILURE(s, m)                                                                              \
    {                                                                                              \
        AT(s, m), .kind = FIELD_FAILURE                                                            \
    }
#define GROUP(s, m, g)                                                                             \
    {                                                                                              \
        AT(s, m), .kind = FIELD_GROUP, .of = &(g)                                                  \
    }
#define LIST(s, m, n, g)                                                                           \
    {                                                                                              \
        .name = #m, .kind = FIELD_LIST, .offset = offsetof(struct s, m),                           \
        .size = sizeof(((struct s *)0)->m[0]), .count_offset = offsetof(struct s, n),              \
        .max = MEMBER(s, m) / sizeof(((struct s *)0)->m[0]), .of = &(g)                            \
    }
#define NUMBERS(s, m)                                                                              \
    {                                                                                              \
        .name = #m, .kind = FIELD_NUMBERS, .offset = offsetof(struct s, m),                        \
        .size = sizeof(uint64_t), .max = MEMBER(s, m) / sizeof(uint64_t)                           \
    }
#define GROUP_OF(rows)                                                                             \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof(rows)[0]                                                     \
    }

static const struct field due_rows[] = {
    WORD(due, by, due_bys),    SIGNED(due, status), UNSIGNED(due, wait_us),
    UNSIGNED(due, ceiling_us), TEXT(due, said),     TEXT(due, host),
};
static const struct field_group due_group = GROUP_OF(due_rows);

static const struct field rate_rows[] = {
    DOUBLE(rate, requests),
    UNSIGNED(rate, per_us),
};
static const struct field_group rate_group = GROUP_OF(rate_rows);

static const struct field limit_rows[] = {
    WORD(snapshot_limit, kind, limits),    WORD(snapshot_limit, by, limit_bys),
    BOOLEAN(snapshot_limit, is_only_host), TEXT(snapshot_limit, host),
    GROUP(snapshot_limit, due, due_group), TEXT(snapshot_limit, reason),
    NEVER(snapshot_limit, in_us),          UNSIGNED(snapshot_limit, every_us),
    UNSIGNED(snapshot_limit, cap),         GROUP(snapshot_limit, rate, rate_group),
    DOUBLE(snapshot_limit, refused_at),    BOOLEAN(snapshot_limit, quota_known),
    UNSIGNED(snapshot_limit, quota_left),  UNSIGNED(snapshot_limit, quota_limit),
    DOUBLE(snapshot_limit, cpu_percent),   UNSIGNED(snapshot_limit, threads),
    UNSIGNED(snapshot_limit, flight_us),   TEXT(snapshot_limit, flight),
    BOOLEAN(snapshot_limit, have_waiting),
};
static const struct field_group limit_group = GROUP_OF(limit_rows);

static const struct field login_rows[] = {
    BOOLEAN(snapshot_login, is_used),
    BOOLEAN(snapshot_login, is_called),
    BOOLEAN(snapshot_login, is_asking),
    BOOLEAN(snapshot_login, has_token),
    BOOLEAN(snapshot_login, is_lost),
    BOOLEAN(snapshot_login, expiry_known),
    UNSIGNED(snapshot_login, expires_in_us),
    UNSIGNED(snapshot_login, asked_in_us),
    TEXT(snapshot_login, prompt),
};
static const struct field_group login_group = GROUP_OF(login_rows);

static const struct field mix_rows[] = {
    UNSIGNED(snapshot_status_mix, ok),           UNSIGNED(snapshot_status_mix, redirect),
    UNSIGNED(snapshot_status_mix, client_error), UNSIGNED(snapshot_status_mix, throttled),
    UNSIGNED(snapshot_status_mix, server_error), UNSIGNED(snapshot_status_mix, network),
};
static const struct field_group mix_group = GROUP_OF(mix_rows);

static const struct field second_rows[] = {
    UNSIGNED(snapshot_second, done),      UNSIGNED(snapshot_second, failed),
    UNSIGNED(snapshot_second, throttled), UNSIGNED(snapshot_second, bytes),
    UNSIGNED(snapshot_second, cap),       UNSIGNED(snapshot_second, in_flight),
    UNSIGNED(snapshot_second, p95_ms),    BOOLEAN(snapshot_second, cap_changed),
    BOOLEAN(snapshot_second, marked),
};
static const struct field_group second_group = GROUP_OF(second_rows);

static const struct field core_rows[] = { FLOAT(snapshot_core, busy_percent) };
static const struct field_group core_group = GROUP_OF(core_rows);

static const struct field flight_rows[] = {
    ID(snapshot_flight, id),
    WORD(snapshot_flight, state, flights),
    UNSIGNED(snapshot_flight, attempt),
    UNSIGNED(snapshot_flight, attempts_max),
    UNSIGNED(snapshot_flight, age_us),
    UNSIGNED(snapshot_flight, body_bytes),
    UNSIGNED(snapshot_flight, first_byte_us),
    SIGNED(snapshot_flight, status),
    TEXT(snapshot_flight, host),
    TEXT(snapshot_flight, request),
    TEXT(snapshot_flight, key),
};
static const struct field_group flight_group = GROUP_OF(flight_rows);

static const struct field wait_rows[] = {
    ID(snapshot_wait, id),
    NEVER(snapshot_wait, due_in_us),
    UNSIGNED(snapshot_wait, attempt),
    UNSIGNED(snapshot_wait, attempts_max),
    FAILURE(snapshot_wait, why),
    GROUP(snapshot_wait, due, due_group),
    TEXT(snapshot_wait, reason),
    TEXT(snapshot_wait, host),
    TEXT(snapshot_wait, request),
    TEXT(snapshot_wait, key),
    WORD(snapshot_wait, kept_by, limits),
};
static const struct field_group wait_group = GROUP_OF(wait_rows);

/* A struct without a name: its rows stand for themselves. */
#define WAIT_MIX(m)                                                                                \
    {                                                                                              \
        .name = #m, .kind = FIELD_UNSIGNED,                                                        \
        .offset = offsetof(struct snapshot, wait_mix.m) - offsetof(struct snapshot, wait_mix),     \
        .size = sizeof(((struct snapshot *)0)->wait_mix.m)                                         \
    }

static const struct field wait_mix_rows[] = {
    WAIT_MIX(throttled),
    WAIT_MIX(server),
    WAIT_MIX(network),
    WAIT_MIX(other),
};
static const struct field_group wait_mix_group = GROUP_OF(wait_mix_rows);

static const struct field host_rows[] = {
    TEXT(snapshot_host, host),
    TEXT(snapshot_host, proxy),
    TEXT(snapshot_host, token),
    UNSIGNED(snapshot_host, cap),
    UNSIGNED(snapshot_host, in_flight),
    UNSIGNED(snapshot_host, queued),
    UNSIGNED(snapshot_host, requests),
    UNSIGNED(snapshot_host, throttled),
    DOUBLE(snapshot_host, requests_per_s),
    NEVER(snapshot_host, hold_in_us),
    GROUP(snapshot_host, due, due_group),
    SIGNED(snapshot_host, quota_left),
    SIGNED(snapshot_host, quota_limit),
    UNSIGNED(snapshot_host, quota_reset_in_us),
};
static const struct field_group host_group = GROUP_OF(host_rows);

static const struct field failure_rows[] = {
    FAILURE(snapshot_failure, why),
    UNSIGNED(snapshot_failure, count),
    UNSIGNED(snapshot_failure, last_ago_us),
    TEXT(snapshot_failure, example),
    TEXT(snapshot_failure, said),
    ID(snapshot_failure, example_id),
};
static const struct field_group failure_group = GROUP_OF(failure_rows);

static const struct field failed_rows[] = {
    ID(snapshot_failed, id),          FAILURE(snapshot_failed, why),
    BOOLEAN(snapshot_failed, before), UNSIGNED(snapshot_failed, ago_us),
    TEXT(snapshot_failed, request),   TEXT(snapshot_failed, said),
};
static const struct field_group failed_group = GROUP_OF(failed_rows);

static const struct field event_rows[] = {
    UNSIGNED(snapshot_event, serial),    UNSIGNED(snapshot_event, repeats),
    SIGNED(snapshot_event, wall_us),     WORD(snapshot_event, level, levels),
    BOOLEAN(snapshot_event, is_failure), TEXT(snapshot_event, text),
};
static const struct field_group event_group = GROUP_OF(event_rows);

static const struct field normalise_rows[] = {
    WORD(snapshot_normalise, state, tables),     UNSIGNED(snapshot_normalise, records_done),
    UNSIGNED(snapshot_normalise, records_total), UNSIGNED(snapshot_normalise, rows),
    UNSIGNED(snapshot_normalise, columns),       UNSIGNED(snapshot_normalise, skipped),
    UNSIGNED(snapshot_normalise, elapsed_us),    UNSIGNED(snapshot_normalise, new_records),
    UNSIGNED(snapshot_normalise, workers_busy),  UNSIGNED(snapshot_normalise, workers),
    BOOLEAN(snapshot_normalise, have_table),     TEXT(snapshot_normalise, output),
    TEXT(snapshot_normalise, message),
};
static const struct field_group normalise_group = GROUP_OF(normalise_rows);

static const struct field attempt_rows[] = {
    UNSIGNED(snapshot_attempt, attempt),
    SIGNED(snapshot_attempt, status),
    SIGNED(snapshot_attempt, ended_wall_us),
    UNSIGNED(snapshot_attempt, dns_us),
    UNSIGNED(snapshot_attempt, connect_us),
    UNSIGNED(snapshot_attempt, tls_us),
    UNSIGNED(snapshot_attempt, first_byte_us),
    UNSIGNED(snapshot_attempt, total_us),
    UNSIGNED(snapshot_attempt, wire_bytes),
    BOOLEAN(snapshot_attempt, reused),
    TEXT(snapshot_attempt, why),
};
static const struct field_group attempt_group = GROUP_OF(attempt_rows);

static const struct field detail_rows[] = {
    ID(snapshot_detail, id),
    WORD(snapshot_detail, place, places),
    TEXT(snapshot_detail, request),
    TEXT(snapshot_detail, key),
    TEXT(snapshot_detail, host),
    TEXT(snapshot_detail, endpoint),
    TEXT(snapshot_detail, method),
    TEXT(snapshot_detail, url),
    TEXT(snapshot_detail, sent),
    UNSIGNED(snapshot_detail, attempt),
    UNSIGNED(snapshot_detail, attempts_max),
    UNSIGNED(snapshot_detail, age_us),
    NEVER(snapshot_detail, due_in_us),
    GROUP(snapshot_detail, due, due_group),
    LIST(snapshot_detail, attempts, attempt_count, attempt_group),
    TEXT(snapshot_detail, headers),
    UNSIGNED(snapshot_detail, body_bytes),
    BYTES(snapshot_detail, body, body_shown),
};
static const struct field_group detail_group = GROUP_OF(detail_rows);

static const struct field on_rows[] = {
    UNSIGNED(snapshot_on, number),  UNSIGNED(snapshot_on, fired), BOOLEAN(snapshot_on, holds),
    BOOLEAN(snapshot_on, is_added), TEXT(snapshot_on, value),     TEXT(snapshot_on, rule),
};
static const struct field_group on_group = GROUP_OF(on_rows);

static const struct field rule_rows[] = {
    UNSIGNED(snapshot_rule, count),
    TEXT(snapshot_rule, name),
    TEXT(snapshot_rule, action),
    TEXT(snapshot_rule, text),
};
static const struct field_group rule_group = GROUP_OF(rule_rows);

static const struct field rung_rows[] = {
    UNSIGNED(snapshot_rung, cap),       UNSIGNED(snapshot_rung, time_us),
    UNSIGNED(snapshot_rung, requests),  DOUBLE(snapshot_rung, requests_per_s),
    DOUBLE(snapshot_rung, ideal_per_s), UNSIGNED(snapshot_rung, p50_us),
    UNSIGNED(snapshot_rung, p95_us),    DOUBLE(snapshot_rung, throttled_part),
    TEXT(snapshot_rung, note),
};
static const struct field_group rung_group = GROUP_OF(rung_rows);

static const struct field endpoint_rows[] = {
    TEXT(snapshot_endpoint, name),
    UNSIGNED(snapshot_endpoint, planned),
    UNSIGNED(snapshot_endpoint, done),
    UNSIGNED(snapshot_endpoint, failed),
    UNSIGNED(snapshot_endpoint, waiting),
    DOUBLE(snapshot_endpoint, requests_per_s),
    UNSIGNED(snapshot_endpoint, p50_us),
    UNSIGNED(snapshot_endpoint, p95_us),
    DOUBLE(snapshot_endpoint, throttled_part),
    DOUBLE(snapshot_endpoint, server_error_part),
    UNSIGNED(snapshot_endpoint, rows),
    BOOLEAN(snapshot_endpoint, pages_known),
    UNSIGNED(snapshot_endpoint, pages_expected),
    UNSIGNED(snapshot_endpoint, pages_got),
    UNSIGNED(snapshot_endpoint, pages_missing),
    BOOLEAN(snapshot_endpoint, pages_cut),
    UNSIGNED(snapshot_endpoint, listings),
    WORD(snapshot_endpoint, pages_end, ends),
    UNSIGNED(snapshot_endpoint, records),
    UNSIGNED(snapshot_endpoint, records_missing),
    TEXT(snapshot_endpoint, note),
};
static const struct field_group endpoint_group = GROUP_OF(endpoint_rows);

static const struct field worker_rows[] = {
    TEXT(snapshot_worker, name),
    TEXT(snapshot_worker, host),
    TEXT(snapshot_worker, run),
    WORD(snapshot_worker, state, workers),
    UNSIGNED(snapshot_worker, pid),
    UNSIGNED(snapshot_worker, in_flight),
    UNSIGNED(snapshot_worker, ok),
    UNSIGNED(snapshot_worker, failed),
    UNSIGNED(snapshot_worker, found),
    DOUBLE(snapshot_worker, requests_per_s),
    UNSIGNED(snapshot_worker, heard_ago_us),
};
static const struct field_group worker_group = GROUP_OF(worker_rows);

/* The rows that a line of progress needs, which all frames have. */
#define TOTALS_ROWS                                                                                \
    TEXT(snapshot, name), TEXT(snapshot, run_dir), UNSIGNED(snapshot, pid),                        \
        UNSIGNED(snapshot, attached), UNSIGNED(snapshot, now_us), SIGNED(snapshot, wall_us),       \
        UNSIGNED(snapshot, started_ago_us), WORD(snapshot, state, states),                         \
        UNSIGNED(snapshot, draining), GROUP(snapshot, limit, limit_group),                         \
        BOOLEAN(snapshot, storage_trouble), TEXT(snapshot, trouble),                               \
        BOOLEAN(snapshot, total_known), UNSIGNED(snapshot, total), UNSIGNED(snapshot, ok),         \
        UNSIGNED(snapshot, failed), UNSIGNED(snapshot, retried), UNSIGNED(snapshot, waiting),      \
        UNSIGNED(snapshot, queued), UNSIGNED(snapshot, in_flight), UNSIGNED(snapshot, unchanged),  \
        UNSIGNED(snapshot, rounds), UNSIGNED(snapshot, rounds_wanted),                             \
        UNSIGNED(snapshot, rounds_skipped), UNSIGNED(snapshot, storing),                           \
        NEVER(snapshot, next_due_in_us), BOOLEAN(snapshot, eta_known),                             \
        UNSIGNED(snapshot, eta_low_us), UNSIGNED(snapshot, eta_high_us), UNSIGNED(snapshot, cap),  \
        UNSIGNED(snapshot, cap_max), UNSIGNED(snapshot, cap_before), TEXT(snapshot, rate_limit),   \
        BOOLEAN(snapshot, auto_on), DOUBLE(snapshot, requests_per_s),                              \
        DOUBLE(snapshot, requests_per_s_average), DOUBLE(snapshot, bytes_per_s),                   \
        UNSIGNED(snapshot, bytes), UNSIGNED(snapshot, p50_us), UNSIGNED(snapshot, p90_us),         \
        UNSIGNED(snapshot, p95_us), UNSIGNED(snapshot, p99_us)

static const struct field totals_rows[] = { TOTALS_ROWS };

static const struct field snapshot_rows[] = {
    TOTALS_ROWS,
    BOOLEAN(snapshot, is_fleet),
    BOOLEAN(snapshot, is_replay),
    UNSIGNED(snapshot, replay_speed),
    BOOLEAN(snapshot, replay_is_stopped),
    BOOLEAN(snapshot, replay_is_at_end),
    GROUP(snapshot, login, login_group),
    UNSIGNED(snapshot, sweep_step),
    UNSIGNED(snapshot, sweep_steps),
    NUMBERS(snapshot, latency_low_us),
    NUMBERS(snapshot, latency_count),
    GROUP(snapshot, mix, mix_group),
    LIST(snapshot, seconds, second_count, second_group),
    LIST(snapshot, cores, core_count, core_group),
    DOUBLE(snapshot, loop_cpu_percent),
    UNSIGNED(snapshot, fetch_threads),
    DOUBLE(snapshot, fetch_cpu_percent),
    DOUBLE(snapshot, cpu_s),
    DOUBLE(snapshot, io_ratio),
    UNSIGNED(snapshot, loop_lag_p99_us),
    UNSIGNED(snapshot, rss_bytes),
    UNSIGNED(snapshot, descriptors),
    UNSIGNED(snapshot, descriptors_max),
    UNSIGNED(snapshot, disk_free_bytes),
    DOUBLE(snapshot, reuse_ratio),
    LIST(snapshot, flights, flight_count, flight_group),
    LIST(snapshot, waits, wait_count, wait_group),
    GROUP(snapshot, wait_mix, wait_mix_group),
    LIST(snapshot, hosts, host_count, host_group),
    LIST(snapshot, failures, failure_count, failure_group),
    LIST(snapshot, failed_ones, failed_one_count, failed_group),
    LIST(snapshot, events, event_count, event_group),
    GROUP(snapshot, normalise, normalise_group),
    GROUP(snapshot, detail, detail_group),
    LIST(snapshot, rules, rule_count, rule_group),
    LIST(snapshot, ons, on_count, on_group),
    LIST(snapshot, rungs, rung_count, rung_group),
    LIST(snapshot, endpoints, endpoint_count, endpoint_group),
    LIST(snapshot, workers, worker_count, worker_group),
};

const struct field_group snapshot_fields = GROUP_OF(snapshot_rows);
const struct field_group totals_fields = GROUP_OF(totals_rows);
