/* Commands on rows: which of them are meant, what is asked before, and what the engine is told. */

#include "base/units.h"
#include "ui/view.h"

#include "ui/panels.h"

#include <stdio.h>

/* What a command on rows means: the marked ones, else the selected one, else all that pass a filter. */
enum meant { MEANT_NONE, MEANT_MARKED, MEANT_SELECTED, MEANT_FILTERED };

static enum meant meant_rows(const struct list *list)
{
    return list->mark_count                 ? MEANT_MARKED
           : list->selecting && list->count ? MEANT_SELECTED
           : list->filter[0] && list->count ? MEANT_FILTERED
                                            : MEANT_NONE;
}

static bool is_meant(const struct list *list, enum meant meant, size_t i)
{
    return meant == MEANT_FILTERED ||
           (meant == MEANT_MARKED && list_is_marked(list, list->ids[i])) ||
           (meant == MEANT_SELECTED && list->selected == i);
}

/* The requests of those rows; `*named`: a server set a deadline of one. */
static void order_requests(struct view *v, const struct snapshot *s, enum meant meant, bool *named)
{
    const struct list *list = view_list(v);

    for (size_t i = 0; i < list->count; i++) {
        uint64_t id = is_meant(list, meant, i) ? panel_request_id(v->focus, s, list->rows[i]) : 0;

        if (id) {
            view_order_number(v, id);
            *named = *named ||
                     (v->focus == PANEL_WAITS && snapshot_wait_is_named(&s->waits[list->rows[i]]));
        }
    }
}

/* The classes of failures of those rows; returns how many requests they stand for. */
static uint64_t order_classes(struct view *v, const struct snapshot *s, enum meant meant)
{
    const struct list *list = view_list(v);
    uint64_t requests = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct snapshot_failure *failure = &s->failures[list->rows[i]];

        if (is_meant(list, meant, i)) {
            failure_format(failure->why, v->orders.classes[v->orders.count]);
            view_order_number(v, 0);
            requests += failure->count;
        }
    }
    return requests;
}

bool view_hold_row(struct view *v, const struct snapshot *s, uint64_t now_us, struct control *out)
{
    const struct list *list = view_list(v);
    const char *host = list->selecting && list->selected < list->count
                           ? panel_host(v->focus, s, list->rows[list->selected])
                           : NULL;

    if (!host) {
        view_message(v, now_us, "select a row that names a host first");
        return false;
    }
    *out = (struct control){ .verb = CONTROL_HOLD };
    snprintf(out->text, sizeof out->text, "%s", host);
    return true;
}

static void retry_classes(struct view *v, const struct snapshot *s, enum meant meant)
{
    char question[VIEW_PROMPT_MAX];
    unsigned long long requests;

    view_order(v, CONTROL_RETRY_FAILED);
    requests = order_classes(v, s, meant);
    if (v->orders.count == 1) {
        snprintf(question, sizeof question, "ask again the %llu of %.40s? y/n", requests,
                 v->orders.classes[0]);
    } else {
        snprintf(question, sizeof question, "ask again the %llu of these %zu kind%s? y/n", requests,
                 v->orders.count, units_plural(v->orders.count));
    }
    prompt_ask(v, question);
}

/* Of more that wait than are shown, those are meant that can be seen. */
static const char *which_words(const struct view *v, const struct snapshot *s, enum meant meant)
{
    if (meant != MEANT_FILTERED) {
        return "";
    }
    return v->focus == PANEL_WAITS && s->waiting > s->wait_count ? " shown that pass the filter"
                                                                 : " that pass the filter";
}

static void drop_requests(struct view *v, const struct snapshot *s, enum meant meant)
{
    char question[VIEW_PROMPT_MAX];
    bool named = false;

    view_order(v, CONTROL_DROP);
    order_requests(v, s, meant, &named);
    snprintf(question, sizeof question, "%s %zu request%s%s, as failed? y/n",
             v->focus == PANEL_FLIGHTS ? "cut off" : "drop", v->orders.count,
             units_plural(v->orders.count), which_words(v, s, meant));
    prompt_ask(v, question);
}

static void retry_requests(struct view *v, const struct snapshot *s, enum meant meant)
{
    char question[VIEW_PROMPT_MAX];
    bool named = false;

    view_order(v, CONTROL_RETRY);
    order_requests(v, s, meant, &named);
    if (named) {
        prompt_ask(v, "the server named a later time. Ask now all the same? y/n");
    } else if (meant == MEANT_FILTERED) {
        snprintf(question, sizeof question, "ask again now the %zu that pass the filter? y/n",
                 v->orders.count);
        prompt_ask(v, question);
    }
}

/* All that wait, be they shown or not; under a filter all that pass it. */
void view_retry_waiting(struct view *v, const struct snapshot *s, uint64_t now_us)
{
    const char *filter = v->lists[PANEL_WAITS].filter;
    char question[VIEW_PROMPT_MAX];

    if (!s->waiting) {
        view_message(v, now_us, "nothing waits");
        return;
    }
    view_order(v, CONTROL_RETRY_WAITING);
    view_order_number(v, 0);
    snprintf(v->orders.filter, sizeof v->orders.filter, "%s", filter);
    if (filter[0]) {
        snprintf(question, sizeof question, "ask now all that wait with \"%.24s\"? y/n", filter);
    } else {
        snprintf(question, sizeof question, "ask now all %llu that wait, whatever servers say? y/n",
                 (unsigned long long)s->waiting);
    }
    prompt_ask(v, question);
}

void view_act_on_rows(struct view *v, const struct snapshot *s, enum control_verb verb,
                      uint64_t now_us)
{
    struct list *list = view_list(v);
    enum meant meant;
    bool is_drop = verb == CONTROL_DROP;

    if (list) { /* a filter typed ahead of the next frame counts already */
        list_arrange(list, panels[v->focus]->source, s, list->visible);
    }
    meant = list ? meant_rows(list) : MEANT_NONE;
    if (v->focus == PANEL_FAILED ? is_drop : v->focus != PANEL_WAITS && v->focus != PANEL_FLIGHTS) {
        view_message(v, now_us,
                     is_drop ? "d drops what is in flight (1) or waits (2)"
                             : "r asks again what waits (2) or has failed (8)");
    } else if (v->focus == PANEL_FLIGHTS && !is_drop) {
        view_message(v, now_us, "it is being asked: r is for what waits (2) or has failed (8)");
    } else if (meant == MEANT_NONE) {
        view_message(v, now_us,
                     v->focus == PANEL_WAITS ? "select a row first (arrows, or j and k); W asks all"
                                             : "select a row first (arrows, or j and k)");
    } else if (v->focus == PANEL_FAILED) {
        retry_classes(v, s, meant);
    } else if (meant == MEANT_FILTERED && !is_drop && s->waiting > s->wait_count) {
        view_retry_waiting(v, s, now_us); /* not all that pass are among those shown */
    } else if (is_drop) {
        drop_requests(v, s, meant);
    } else {
        retry_requests(v, s, meant);
    }
}

void view_ask_detach(struct view *v)
{
    view_order(v, CONTROL_DETACH);
    view_order_number(v, 0);
    prompt_ask(v, v->can_return ? "detach: the run goes on; scrapetop attach comes back to it. y/n"
                                : "detach: the run goes on, without a screen to come back to? y/n");
}

void view_ask_drain(struct view *v)
{
    view_order(v, CONTROL_DRAIN);
    view_order_number(v, 0);
    prompt_ask(v, "end the run: nothing new is asked, what is in flight finishes? y/n");
}

void view_retry_failed(struct view *v, const struct snapshot *s, uint64_t now_us)
{
    char question[VIEW_PROMPT_MAX];

    if (!s->failed) {
        view_message(v, now_us, "nothing has failed");
        return;
    }
    view_order(v, CONTROL_RETRY_FAILED);
    v->orders.classes[0][0] = '\0';
    view_order_number(v, 0);
    snprintf(question, sizeof question, "ask again all %llu that failed? y/n",
             (unsigned long long)s->failed);
    prompt_ask(v, question);
}
