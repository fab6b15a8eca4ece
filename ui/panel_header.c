/* The lines that never scroll: how it goes, how far, how fast, and what holds it back. */

#include "ui/panel.h"

#include "base/clock.h"
#include "base/units.h"
#include "ui/format.h"
#include "ui/hints.h"
#include "ui/login.h"
#include "ui/pieces.h"

#include <stdio.h>
#include <string.h>

#define STATE_COLUMNS 20 /* " NETWORK DOWN 10:02 ": what stands beside it stays where it is */
#define STATE_COLUMNS_COMPACT 19 /* " NETWORK DOWN 0:02 ", from this width of the screen on: */
#define STATE_FROM 40
#define WORD_COLUMNS 8 /* a narrower screen has no room for a state word and its margin */

static bool is_calm(const struct snapshot *s)
{
    enum run_state state = s->state;

    return state == RUN_STARTING || state == RUN_RUNNING || (state == RUN_DONE && !s->failed) ||
           state == RUN_SWEEP || state == RUN_NORMALISING || state == RUN_RESTING;
}

/* The word, with the one figure that goes with it. */
static void state_text(const struct snapshot *s, char text[PIECE_TEXT_MAX])
{
    const char *word = run_state_word(s->state);
    char time[FORMAT_MAX];

    switch (s->state) {
    case RUN_ALL_WAITING:
    case RUN_HELD:
    case RUN_NETWORK_DOWN:
    case RUN_RESTING:
        if (s->next_due_in_us != TIME_NEVER) {
            units_format_countdown(s->next_due_in_us, time);
            snprintf(text, PIECE_TEXT_MAX, " %s %s ", word, time);
            return;
        }
        break;
    case RUN_NORMALISING:
        format_percent(s->normalise.records_done, s->normalise.records_total, time);
        snprintf(text, PIECE_TEXT_MAX, " %s %s ", word, time);
        return;
    case RUN_DRAINING:
        snprintf(text, PIECE_TEXT_MAX, " %s %llu ", word, (unsigned long long)s->in_flight);
        return;
    case RUN_SWEEP:
        snprintf(text, PIECE_TEXT_MAX, " %s %u/%u ", word, s->sweep_step, s->sweep_steps);
        return;
    case RUN_DONE:
        if (s->failed) {
            snprintf(text, PIECE_TEXT_MAX, " %s, %llu failed ", word,
                     (unsigned long long)s->failed);
            return;
        }
        break;
    case RUN_PAUSED:
        if (s->in_flight) {
            snprintf(text, PIECE_TEXT_MAX, " %s, %llu finish ", word,
                     (unsigned long long)s->in_flight);
            return;
        }
        break;
    default:
        break;
    }
    snprintf(text, PIECE_TEXT_MAX, " %s ", word);
}

static void add_state(struct pieces *line, int width, const struct snapshot *s, const char *frozen)
{
    char text[PIECE_TEXT_MAX];

    if (frozen) {
        pieces_add(line, 0, width, ROLE_ALERT, "", " %s ", frozen);
        return;
    }
    state_text(s, text);
    pieces_add(line, 0, width, is_calm(s) ? ROLE_STATE : ROLE_ALERT, "", "%s", text);
}

static void cap_text(const struct snapshot *s, char text[PIECE_TEXT_MAX])
{
    if (s->cap_before > s->cap) {
        snprintf(text, PIECE_TEXT_MAX, "%u->%u draining %llu", s->cap_before, s->cap,
                 (unsigned long long)s->draining);
    } else {
        snprintf(text, PIECE_TEXT_MAX, "%u", s->cap);
    }
}

static void add_round(struct pieces *line, const struct snapshot *s)
{
    if (s->rounds_wanted) {
        pieces_add(line, 2, 0, ROLE_STRONG, "round", "%llu/%llu", (unsigned long long)s->rounds,
                   (unsigned long long)s->rounds_wanted);
    } else {
        pieces_add(line, 2, 0, ROLE_STRONG, "round", "%llu", (unsigned long long)s->rounds);
    }
    if (s->rounds_skipped) {
        pieces_add(line, 5, 0, ROLE_WARN, "skipped", "%llu", (unsigned long long)s->rounds_skipped);
    }
}

static void draw_identity(const struct snapshot *s, const char *frozen, bool wide, struct pane pane,
                          int row)
{
    struct pieces line = { .count = 0 };
    char up[UNITS_TEXT_MAX], eta[FORMAT_MAX], cap[PIECE_TEXT_MAX];

    units_format_time(s->started_ago_us, up);
    format_eta(s->eta_known, s->eta_low_us, s->eta_high_us, eta);
    cap_text(s, cap);
    pieces_add(&line, 8, 0, ROLE_DIM, "", "scrapetop");
    pieces_add(&line, 1, 0, ROLE_STRONG, "", "%.40s", s->name);
    add_state(&line, STATE_COLUMNS, s, frozen);
    pieces_add(&line, 4, 6, ROLE_TEXT, "up", "%s", up);
    if (s->rounds) { /* when a run that polls will end, its plan says */
        add_round(&line, s);
    } else {
        pieces_add(&line, 2, 7, ROLE_STRONG, "ETA", "%s", eta);
    }
    if (wide && s->attached) {
        pieces_add(&line, 3, 0, ROLE_NOTICE, "attached", "%u", s->attached);
    }
    if (wide && s->pid) {
        pieces_add(&line, 9, 0, ROLE_DIM, "pid", "%u", s->pid);
    }
    pieces_add(&line, 0, 3, ROLE_STRONG, "cap", "%s", cap)->at_right = true;
    if (wide || s->auto_on) {
        pieces_add(&line, 3, 3, ROLE_TEXT, "auto", "%s", s->auto_on ? "ON" : "off")->at_right =
            true;
    }
    pieces_add(&line, 5, 4, ROLE_TEXT, "rate", "%s", s->rate_limit)->at_right = true;
    pieces_draw(&line, pane, row);
}

static void draw_progress(const struct snapshot *s, struct pane pane, int row)
{
    uint64_t done = s->ok + s->failed;
    char text[PIECE_TEXT_MAX], percent[FORMAT_MAX];
    int width, columns = pane.rect.columns;

    if (s->total_known) {
        format_percent(done, s->total, percent);
        snprintf(text, sizeof text, "%6s  %llu/%llu", percent, (unsigned long long)done,
                 (unsigned long long)s->total);
    } else {
        snprintf(text, sizeof text, "%llu done, %llu known", (unsigned long long)done,
                 (unsigned long long)s->total);
    }
    width = columns - (int)strlen(text) - 6;
    if (width < 4) {
        draw_text(pane, row, 0, columns, ROLE_STRONG, str_view(text));
        return;
    }
    draw_text(pane, row, 1, 1, ROLE_DIM, STR("["));
    draw_bar(pane, row, 2, width, ROLE_BAR,
             s->total_known && s->total ? (double)done / (double)s->total : 0);
    draw_text(pane, row, 2 + width, 1, ROLE_DIM, STR("]"));
    draw_text(pane, row, 4 + width, columns, ROLE_STRONG, str_view(text));
}

static void add_share(struct pieces *line, int rank, const char *label, uint64_t part, uint64_t all,
                      enum role role)
{
    char percent[FORMAT_MAX];

    format_percent(part, all, percent);
    pieces_add(line, rank, 5, part ? role : ROLE_DIM, label, "%5s", percent);
}

static uint64_t mix_total(const struct snapshot_status_mix *m)
{
    return m->ok + m->redirect + m->client_error + m->throttled + m->server_error + m->network;
}

static void add_mix(struct pieces *line, const struct snapshot *s, int rank, bool wide)
{
    const struct snapshot_status_mix *m = &s->mix;
    uint64_t all = mix_total(m);

    add_share(line, rank, "2xx", m->ok, all, ROLE_GOOD);
    add_share(line, rank, "429", m->throttled, all, ROLE_WARN);
    add_share(line, rank, "5xx", m->server_error, all, ROLE_BAD);
    if (wide) {
        add_share(line, rank + 1, "4xx", m->client_error, all, ROLE_BAD);
        add_share(line, rank + 2, "net", m->network, all, ROLE_BAD);
    }
}

static void add_counts(struct pieces *line, const struct snapshot *s)
{
    pieces_add(line, 0, 6, ROLE_GOOD, "ok", "%llu", (unsigned long long)s->ok);
    pieces_add(line, 0, 4, s->failed ? ROLE_BAD : ROLE_TEXT, "failed", "%llu",
               (unsigned long long)s->failed);
    if (s->rounds) {
        pieces_add(line, 5, 0, ROLE_TEXT, "unchanged", "%llu", (unsigned long long)s->unchanged);
    }
    pieces_add(line, 1, 4, s->waiting ? ROLE_WARN : ROLE_TEXT, "waiting", "%llu",
               (unsigned long long)s->waiting);
}

static struct piece *add_retried(struct pieces *line, int rank, const struct snapshot *s)
{
    return pieces_add(line, rank, 4, ROLE_TEXT, "retried", "%llu", (unsigned long long)s->retried);
}

static void add_speed(struct pieces *line, const struct snapshot *s)
{
    bool ended = run_state_has_ended(s->state) && !s->is_replay;
    double lasted_s = (double)s->started_ago_us / 1e6;
    char rate[FORMAT_MAX], bytes[FORMAT_MAX];

    format_rate(ended ? s->requests_per_s_average : s->requests_per_s, rate);
    format_bytes_rate(!ended         ? s->bytes_per_s
                      : lasted_s > 0 ? (double)s->bytes / lasted_s
                                     : 0,
                      bytes);
    pieces_add(line, 0, 0, ROLE_STRONG, ended ? "average" : "", ended ? "%s req/s" : "%6s req/s",
               rate);
    pieces_add(line, 2, 0, ROLE_TEXT, "", "%8s", bytes);
}

static bool table_is_whole(const struct snapshot *s)
{
    return s->normalise.have_table && s->normalise.state == NORMALISE_IDLE &&
           !s->normalise.new_records;
}

/* A run that has ended is limited by nothing: what can be done now takes that place. */
static void ended_text(const struct snapshot *s, char text[PIECE_TEXT_MAX])
{
    if (s->state == RUN_STOPPED) {
        snprintf(text, PIECE_TEXT_MAX, "what is left is asked when it is run again; q ends");
    } else if (s->failed) {
        snprintf(text, PIECE_TEXT_MAX, "%llu failed: F lists them, R asks again%s, q ends",
                 (unsigned long long)s->failed, table_is_whole(s) ? "" : ", n makes the table");
    } else if (s->state == RUN_INCOMPLETE) {
        snprintf(text, PIECE_TEXT_MAX, "pages are missing: 0 shows which, q ends");
    } else {
        snprintf(text, PIECE_TEXT_MAX, "%s",
                 table_is_whole(s) ? "all is fetched, and the table is made: q ends"
                                   : "all is fetched: n makes the table, q ends");
    }
}

/* Of a run that has ended only that it was the login that ended it. */
static void add_login(struct pieces *line, int rank, const struct snapshot *s, bool brief)
{
    char text[LOGIN_TEXT_MAX];
    enum role role;

    if (login_text(&s->login, brief, text, &role) &&
        (s->login.is_lost || !run_state_has_ended(s->state))) {
        pieces_add(line, rank, 0, role, "login", "%s", text);
    }
}

static void draw_limits(const struct snapshot *s, bool wide, struct pane pane, int row)
{
    char ended[PIECE_TEXT_MAX], limit[LIMIT_TEXT_MAX];
    struct pieces line = { .count = 0 };

    if (s->trouble[0]) {
        draw_text(pane, row, 1, pane.rect.columns - 2, s->storage_trouble ? ROLE_ALERT : ROLE_BAD,
                  str_view(s->trouble));
        return;
    }
    if (run_state_has_ended(s->state) && !s->is_replay) {
        ended_text(s, ended);
        pieces_add(&line, 0, 20, ROLE_STRONG, "", "%s", ended);
    } else {
        hints_limit(s, limit);
        pieces_add(&line, 0, 20, ROLE_STRONG, "limited by", "%s", limit);
    }
    add_login(&line, 2, s, false);
    /* At the right, where no longer or shorter reason moves them; what is left out first stands outermost. */
    if (s->is_fleet) { /* of machines nothing is known here */
        pieces_draw(&line, pane, row);
        return;
    }
    if (wide && !s->is_replay) {
        char disk[UNITS_TEXT_MAX];

        units_format_bytes(s->disk_free_bytes, disk);
        pieces_add(&line, 8, 6, ROLE_TEXT, "reused", "%.1f%%", s->reuse_ratio * 100)->at_right =
            true;
        pieces_add(&line, 7, 8, ROLE_TEXT, "disk free", "%s", disk)->at_right = true;
        pieces_add(&line, 5, 4, ROLE_TEXT, "storing", "%llu", (unsigned long long)s->storing)
            ->at_right = true;
    }
    if (wide) {
        pieces_add(&line, 4, 5, ROLE_TEXT, "queued", "%llu", (unsigned long long)s->queued)
            ->at_right = true;
        add_retried(&line, 3, s)->at_right = true;
    }
    if (!wide && s->attached) { /* in the first line there is no room */
        pieces_add(&line, 1, 0, ROLE_NOTICE, "attached", "%u", s->attached)->at_right = true;
    }
    pieces_add(&line, 3, 0, ROLE_TEXT, "I/O", "%3.0f%% of wall", s->io_ratio * 100)->at_right =
        true;
    pieces_draw(&line, pane, row);
}

static void draw_full(const struct snapshot *s, const char *frozen, struct pane pane)
{
    struct pieces counts = { .count = 0 }, mix = { .count = 0 };
    char p95[FORMAT_MAX];
    int spark;

    draw_identity(s, frozen, false, pane, 0);
    draw_progress(s, pane, 1);
    add_counts(&counts, s);
    add_retried(&counts, 6, s);
    add_speed(&counts, s);
    format_ms(s->p95_us, p95);
    pieces_add(&counts, 3, 0, ROLE_TEXT, "p95", "%s ms", p95)->at_right = true;
    pieces_draw(&counts, pane, 2);

    add_mix(&mix, s, 1, false);
    spark = pane.rect.columns - pieces_columns(&mix) - 14;
    draw_text(pane, 3, 1, 8, ROLE_DIM, STR("rate 60s"));
    rate_draw_graph(s, pane_part(pane, 3, 10, 1, spark), 1);
    pieces_draw(&mix, pane_part(pane, 3, 11 + spark, 1, pane.rect.columns), 0);

    draw_limits(s, false, pane, 4);
    if (s->core_count) { /* a replay knows none */
        draw_text(pane, 5, 1, 3, ROLE_DIM, STR("cpu"));
    }
    cores_draw_grid(s, pane_part(pane, 5, 5, 1, pane.rect.columns - 6), 0, 1);
}

static void draw_wide(const struct snapshot *s, const char *frozen, struct pane pane)
{
    struct pieces counts = { .count = 0 };
    char average[FORMAT_MAX];

    draw_identity(s, frozen, true, pane, 0);
    draw_progress(s, pane, 1);
    add_counts(&counts, s);
    add_speed(&counts, s);
    format_rate(s->requests_per_s_average, average);
    add_mix(&counts, s, 4, true);
    if (!run_state_has_ended(s->state)) { /* else it stands there already */
        pieces_add(&counts, 9, 5, ROLE_TEXT, "average", "%s", average);
    }
    pieces_draw(&counts, pane, 2);
    draw_limits(s, true, pane, 3);
}

static double busiest_percent(const struct snapshot *s)
{
    float busiest = 0;

    for (size_t core = 0; core < s->core_count; core++) {
        busiest = s->cores[core].busy_percent > busiest ? s->cores[core].busy_percent : busiest;
    }
    return (double)busiest;
}

/* Of a text that has no room, the part up to a blank: half a number would be another one. */
static int whole_words(const char *text, int room)
{
    int len = (int)strlen(text);

    if (len <= room) {
        return len;
    }
    while (room > 0 && text[room] != ' ') {
        room--;
    }
    while (room > 0 && (text[room - 1] == ' ' || text[room - 1] == ',')) {
        room--;
    }
    return room;
}

/* Cut rather than left out: its beginning says most. */
static void add_short_limit(struct pieces *line, const struct snapshot *s, int room)
{
    char limit[LIMIT_TEXT_MAX];
    bool ended = run_state_has_ended(s->state);
    const char *label = s->trouble[0] || ended ? "" : "limit";
    const char *text = s->trouble[0]                ? s->trouble
                       : s->state == RUN_STOPPED    ? "resumable, q ends"
                       : !ended                     ? limit
                       : s->failed                  ? "R again, q ends"
                       : s->state == RUN_INCOMPLETE ? "pages missing (0)"
                       : table_is_whole(s)          ? "table made, q ends"
                                                    : "n table, q ends";

    hints_limit(s, limit);
    room -= label[0] ? (int)strlen(label) + 1 : 0;
    if (room > 0) {
        pieces_add(line, 1, 0, ROLE_STRONG, label, "%.*s", whole_words(text, room), text);
    }
}

/* Short lines, each complete by itself, the most needed first. */
static void draw_compact_pieces(const struct snapshot *s, const char *frozen, struct pane pane,
                                int i)
{
    bool ended = run_state_has_ended(s->state) && !s->is_replay;
    struct pieces line = { .count = 0 };
    char a[FORMAT_MAX], b[FORMAT_MAX], cap[PIECE_TEXT_MAX], next[UNITS_TEXT_MAX];

    switch (i) {
    case 0:
        cap_text(s, cap);
        add_state(&line, pane.rect.columns < STATE_FROM ? 0 : STATE_COLUMNS_COMPACT, s, frozen);
        pieces_add(&line, 3, 0, ROLE_TEXT, "", "%.40s", s->name);
        pieces_add(&line, 2, 0, ROLE_STRONG, "cap", "%s", cap)->at_right = true;
        break;
    case 1:
        format_percent(s->ok + s->failed, s->total_known ? s->total : 0, a);
        format_eta(s->eta_known, s->eta_low_us, s->eta_high_us, b);
        pieces_add(&line, 0, 0, ROLE_STRONG, "", "%llu/%llu",
                   (unsigned long long)(s->ok + s->failed), (unsigned long long)s->total);
        pieces_add(&line, 1, 0, ROLE_STRONG, "", "%s", a);
        if (s->rounds) {
            add_round(&line, s);
        } else {
            pieces_add(&line, 2, 0, ROLE_TEXT, "ETA", "%s", b);
        }
        break;
    case 2:
        format_rate(ended ? s->requests_per_s_average : s->requests_per_s, a);
        format_ms(s->p95_us, b);
        pieces_add(&line, 0, 0, ROLE_STRONG, ended ? "average" : "", "%s req/s", a);
        pieces_add(&line, 1, 0, ROLE_TEXT, "p95", "%s ms", b);
        add_share(&line, 2, "429", s->mix.throttled, mix_total(&s->mix), ROLE_WARN);
        break;
    case 3:
        pieces_add(&line, 0, 0, ROLE_TEXT, "fly", "%llu", (unsigned long long)s->in_flight);
        pieces_add(&line, 0, 0, ROLE_TEXT, "wait", "%llu", (unsigned long long)s->waiting);
        if (s->waiting && s->next_due_in_us != TIME_NEVER) {
            units_format_countdown(s->next_due_in_us, next);
            pieces_add(&line, 1, 0, ROLE_TEXT, "next", "%s", next);
        }
        break;
    case 4:
        pieces_add(&line, 0, 0, s->failed ? ROLE_BAD : ROLE_TEXT, "failed", "%llu",
                   (unsigned long long)s->failed);
        add_short_limit(&line, s, pane.rect.columns - pieces_columns(&line) - PIECE_GAP);
        break;
    case 5:
        if (s->is_fleet) { /* of machines and tables nothing is known here */
            pieces_add(&line, 0, 0, ROLE_TEXT, "workers", "%zu", s->worker_count);
            break;
        }
        pieces_add(&line, 0, 0, ROLE_TEXT, "cpu", "max %.0f%%", busiest_percent(s));
        pieces_add(&line, 1, 0, ROLE_TEXT, "loop", "%.0f%%", s->loop_cpu_percent);
        add_login(&line, 2, s, true);
        break;
    default:
        if (s->normalise.state == NORMALISE_COLUMNS || s->normalise.state == NORMALISE_ROWS) {
            format_percent(s->normalise.records_done, s->normalise.records_total, a);
            pieces_add(&line, 0, 0, ROLE_TEXT, "normalise", "%s", a);
        } else if (!s->is_fleet) {
            pieces_add(&line, 0, 0, ROLE_TEXT, "n: table of", "%llu new",
                       (unsigned long long)s->normalise.new_records);
        }
        break;
    }
    pieces_draw(&line, pane, i);
}

static void draw_compact_line(const struct snapshot *s, const char *frozen, struct pane pane, int i)
{
    if (i == 0 && pane.rect.columns < WORD_COLUMNS) { /* as much of the word as there is room for */
        const char *word = frozen ? frozen : run_state_word(s->state);

        draw_format(pane, 0, 0, pane.rect.columns, is_calm(s) ? ROLE_STATE : ROLE_ALERT, "%.*s",
                    pane.rect.columns, word);
        return;
    }
    draw_compact_pieces(s, frozen, pane, i);
}

void header_draw(const struct snapshot *s, enum layout_header kind, const char *frozen,
                 struct pane pane)
{
    switch (kind) {
    case LAYOUT_HEADER_COMPACT:
        for (int i = 0; i < pane.rect.rows; i++) {
            draw_compact_line(s, frozen, pane, i);
        }
        break;
    case LAYOUT_HEADER_FULL:
        draw_full(s, frozen, pane);
        break;
    case LAYOUT_HEADER_WIDE:
        draw_wide(s, frozen, pane);
        break;
    }
}

void header_draw_remains(const struct snapshot *s, struct pane pane)
{
    int rows = pane.rect.rows;

    if (rows >= 2 && s->event_count) {
        char clock[FORMAT_MAX];

        rows--;
        format_clock(s->events[0].wall_us, clock);
        draw_text(pane, rows, 0, 8, ROLE_DIM, str_view(clock));
        draw_text(pane, rows, 9, pane.rect.columns, ROLE_TEXT, str_view(s->events[0].text));
    }
    for (int i = 0; i < rows && (size_t)i < s->flight_count; i++) {
        const struct snapshot_flight *f = &s->flights[i];
        char age[FORMAT_MAX];
        int at;

        format_age(f->age_us, age);
        at = draw_format(pane, i, 0, 12, ROLE_TEXT, "%5s %-5s", age, flight_state_word(f->state));
        draw_elided(pane, i, at + 1, pane.rect.columns, ROLE_TEXT, str_view(f->request),
                    str_view(f->key));
    }
}
