#include "engine/command.h"

#include "engine/core.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/metrics.h"
#include "engine/on_list.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/pump.h"
#include "engine/steer.h"
#include "engine/table.h"

#include <stdio.h>
#include <string.h>

/* Who turns the cap by hand has taken it over from the controller; a rule only lets it go on from there. */
static void set_cap(struct engine *e, int64_t wanted, const char *by, char reply[CONTROL_REPLY_MAX])
{
    unsigned before = e->pace.cap, cap;
    size_t in_flight = fetch_in_flight(e->fetch);
    char why[64];

    snprintf(why, sizeof why, "%s set the cap", by);
    pace_sweep_leave(e, why);
    cap = wanted < 0 ? 0 : wanted > JOB_CAP_MAX ? JOB_CAP_MAX : (unsigned)wanted;
    snprintf(why, sizeof why, "cap %u -> %u by %s", before, cap, by);
    if (!pace_change_cap(e, cap, why)) {
        snprintf(reply, CONTROL_REPLY_MAX, "cap is %u", cap);
        return;
    }
    if (e->pace.auto_on) {
        pace_set_auto(e, strcmp(by, COMMAND_BY_USER) != 0);
    }
    if (!cap) {
        snprintf(reply, CONTROL_REPLY_MAX, "paused: a cap of 0 starts nothing");
    } else if (cap > e->pace.connections_max) {
        pace_tell_files(e);
        snprintf(reply, CONTROL_REPLY_MAX, "cap %u; the limit of open files allows %u (ulimit -n)",
                 cap, e->pace.connections_max);
    } else if (cap < in_flight) {
        snprintf(reply, CONTROL_REPLY_MAX, "cap %u->%u, draining %zu", before, cap,
                 in_flight - cap);
    } /* any other is seen in the header */
}

static void toggle_auto(struct engine *e, char reply[CONTROL_REPLY_MAX])
{
    pace_sweep_leave(e, "auto sets the cap");
    pace_set_auto(e, !e->pace.auto_on);
    if (e->pace.auto_on) {
        snprintf(reply, CONTROL_REPLY_MAX, "auto: from cap %u, at most %u", e->pace.cap,
                 e->pace.tuner.cap_max);
    } else {
        snprintf(reply, CONTROL_REPLY_MAX, "auto off: cap %u stays", e->pace.cap);
    }
}

/* Steps never pass below 1: pausing is another key. */
static void step_cap(struct engine *e, int64_t wanted, const char *by,
                     char reply[CONTROL_REPLY_MAX])
{
    set_cap(e, wanted < 1 ? 1 : wanted, by, reply);
}

static bool set_rate(struct engine *e, const char *text, const char *by,
                     char reply[CONTROL_REPLY_MAX])
{
    struct rate rate;
    struct err err;
    char shown[UNITS_TEXT_MAX], fields[UNITS_TEXT_MAX + 16];

    if (units_parse_rate(str_view(text), &rate, &err) != RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
        return false;
    }
    pacer_set_rate(&e->pace.pacer, rate);
    host_table_forget_learned(&e->hosts);
    units_format_rate(rate, shown);
    snprintf(fields, sizeof fields, ",\"rate\":\"%s\"", shown);
    events_add(&e->events, EVENT_NOTICE, "rate", fields, "rate %s by %s", shown, by);
    snprintf(reply, CONTROL_REPLY_MAX, "rate %s", shown);
    return true;
}

static void toggle_pause(struct engine *e, const char *by, char reply[CONTROL_REPLY_MAX])
{
    e->pace.is_paused = !e->pace.is_paused;
    if (!e->pace.is_paused) {
        host_table_ease(&e->hosts, engine_now_us(e));
    }
    events_add(&e->events, EVENT_NOTICE, e->pace.is_paused ? "pause" : "resume", "", "%s by %s",
               e->pace.is_paused ? "paused" : "resumed", by);
    snprintf(reply, CONTROL_REPLY_MAX,
             e->pace.is_paused ? "paused: %zu in flight finish" : "resumed",
             fetch_in_flight(e->fetch));
}

static void toggle_table(struct engine *e, char reply[CONTROL_REPLY_MAX])
{
    struct err err;

    if (table_is_running(e)) {
        table_cancel(e);
        snprintf(reply, CONTROL_REPLY_MAX, "normalise: cancelling");
    } else if (table_order(e, &err) == RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "normalise: writing %s",
                 e->job->endpoint_count > 1 ? "a table of each endpoint" : e->options.table_path);
    } else {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
    }
}

static int64_t stepped(int64_t cap, const struct control *control)
{
    return control->verb == CONTROL_CAP_ADD      ? cap + control->number
           : control->verb == CONTROL_CAP_DOUBLE ? cap * 2
                                                 : cap / 2;
}

uint32_t engine_verbs(void)
{
    return 1U << CONTROL_CAP_SET | 1U << CONTROL_CAP_ADD | 1U << CONTROL_CAP_DOUBLE |
           1U << CONTROL_CAP_HALVE | 1U << CONTROL_RATE_SET | 1U << CONTROL_AUTO |
           1U << CONTROL_SWEEP | 1U << CONTROL_PAUSE | 1U << CONTROL_NORMALISE |
           1U << CONTROL_RETRY_FAILED | 1U << CONTROL_RETRY_WAITING | 1U << CONTROL_RETRY |
           1U << CONTROL_DROP | 1U << CONTROL_DETAIL | 1U << CONTROL_HOLD | 1U << CONTROL_MARK |
           1U << CONTROL_DRAIN | 1U << CONTROL_ABORT | 1U << CONTROL_ON_ADD |
           1U << CONTROL_ON_REMOVE;
}

bool command_obey(struct engine *e, const struct control *control, const char *by,
                  char reply[CONTROL_REPLY_MAX])
{
    bool is_good = true;

    reply[0] = '\0';
    switch (control->verb) {
    case CONTROL_CAP_SET:
        set_cap(e, control->number, by, reply);
        break;
    case CONTROL_CAP_ADD:
    case CONTROL_CAP_DOUBLE:
    case CONTROL_CAP_HALVE:
        step_cap(e, stepped(e->pace.cap, control), by, reply);
        break;
    case CONTROL_RATE_SET:
        is_good = set_rate(e, control->text, by, reply);
        break;
    case CONTROL_AUTO:
        toggle_auto(e, reply);
        break;
    case CONTROL_SWEEP:
        pace_sweep_by_user(e, str_view(control->text), reply);
        break;
    case CONTROL_PAUSE:
        toggle_pause(e, by, reply);
        break;
    case CONTROL_NORMALISE:
        toggle_table(e, reply);
        break;
    case CONTROL_RETRY:
        steer_retry(e, (uint64_t)control->number, reply);
        break;
    case CONTROL_RETRY_WAITING:
        steer_retry_waiting(e, control->text, reply);
        break;
    case CONTROL_DROP:
        steer_drop(e, (uint64_t)control->number, reply);
        break;
    case CONTROL_HOLD:
        steer_hold(e, control->text, reply);
        break;
    case CONTROL_RETRY_FAILED:
        steer_retry_failed(e, control->text, by, reply);
        break;
    case CONTROL_DETAIL:
        e->detail.id = (uint64_t)control->number;
        break;
    case CONTROL_MARK:
        metrics_mark(&e->metrics);
        events_add(&e->events, EVENT_NOTICE, "mark", "", "note: %s", control->text);
        break;
    case CONTROL_DRAIN:
        pump_drain(e);
        snprintf(reply, CONTROL_REPLY_MAX, "draining %zu", fetch_in_flight(e->fetch));
        break;
    case CONTROL_ABORT:
        pump_abort(e, control->number ? (enum exit_code)control->number : EXIT_INTERRUPTED);
        break;
    case CONTROL_ON_ADD:
        is_good = on_list_add(e, str_view(control->text), reply);
        break;
    case CONTROL_ON_REMOVE:
        is_good = on_list_remove(e, (uint64_t)control->number, reply);
        break;
    default:
        snprintf(reply, CONTROL_REPLY_MAX, "not possible in this run");
        break;
    }
    return is_good;
}

bool engine_control(struct engine *e, const struct control *control, char reply[CONTROL_REPLY_MAX])
{
    bool is_good = command_obey(e, control, COMMAND_BY_USER, reply);

    pump_turn(e);
    return is_good;
}

/* Waiting requests may start by now, but not all at once. */
void command_stood_still(void *context, uint64_t lost_us)
{
    struct engine *e = context;
    char length[UNITS_TEXT_MAX];

    e->judging.slept_from_us = engine_now_us(e);
    e->ticks.due_us = e->judging.slept_from_us;
    host_table_ease(&e->hosts, e->judging.slept_from_us);
    units_format_time(lost_us, length);
    events_add(&e->events, EVENT_NOTICE, "continued", "",
               "goes on after %s in which the process was stopped or the machine slept", length);
}

void engine_continued(struct engine *e, uint64_t slept_us)
{
    if (e->fetch) {
        fetch_note_standstill(e->fetch, slept_us);
    }
    pump_turn(e);
}

void engine_set_attended(struct engine *e, bool attended)
{
    e->options.attended = attended;
    if (!attended) {
        steer_release_all(e);
    }
    pump_turn(e);
}

void engine_set_can_return(struct engine *e, bool can_return)
{
    e->on.can_return = can_return;
}

void engine_note_steered(struct engine *e, const char *who, struct str words, const char *reply)
{
    struct buf fields = { 0 };

    if (events_put_text(&e->events, &fields, "who", str_view(who)) == RESULT_OK &&
        events_put_text(&e->events, &fields, "words", words) == RESULT_OK) {
        events_add(&e->events, EVENT_NOTICE, "steered", buf_cstr(&fields), "%s: %.*s%s%s",
                   who[0] ? who : "another terminal", (int)(words.len < 64 ? words.len : 64),
                   words.data, reply[0] ? ": " : "", reply);
    }
    buf_release(&fields);
}

void engine_note_copy(struct engine *e, const struct err *err)
{
    if (err->result == RESULT_OK) {
        events_add(&e->events, EVENT_NOTICE, "copy", "", "lines are copied again");
    } else {
        events_add(&e->events, EVENT_WARNING, "copy", "", "lines are not copied for now: %s [%s]",
                   err->text, err->code);
    }
}
