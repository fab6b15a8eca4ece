/* What a binding does: by its key, typed as a word, or clicked. */

#include "ui/view.h"

#include "ui/panels.h"

#include "base/units.h"
#include "ui/bar.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REPEAT_US UINT64_C(250000)
#define REPEATS_SLOW 5
#define STEP_FAST 5

struct control view_quit(struct view *v, const struct snapshot *s)
{
    bool draining = v->quitting || s->state == RUN_DRAINING;

    v->quitting = true;
    return (struct control){ .verb = draining ? CONTROL_ABORT : CONTROL_DRAIN };
}

/* Held down, a key of the cap takes larger steps: 200 is soon reached, 201 still can be. */
static int64_t step_of(struct view *v, uint32_t code, uint64_t now_us)
{
    bool again = v->repeated_key == code && now_us - v->repeated_us < REPEAT_US;

    v->repeats = again ? v->repeats + 1 : 0;
    v->repeated_key = code;
    v->repeated_us = now_us;
    return v->repeats < REPEATS_SLOW ? 1 : STEP_FAST;
}

/* --- help ------------------------------------------------------------------------------------------ */

static bool passes_help(const struct view *v, const struct key_binding *binding)
{
    return strcasestr(binding->help, v->help_filter) || strcasestr(binding->name, v->help_filter) ||
           (binding->word && strcasestr(binding->word, v->help_filter));
}

const struct key_binding *view_help_at(const struct view *v, size_t index)
{
    const struct key_binding *binding;

    for (size_t i = 0; (binding = keys_at(i, v->verbs)); i++) {
        if (passes_help(v, binding) && index-- == 0) {
            return binding;
        }
    }
    return NULL;
}

size_t view_help_count(const struct view *v)
{
    const struct key_binding *binding;
    size_t count = 0;

    for (size_t i = 0; (binding = keys_at(i, v->verbs)); i++) {
        count += passes_help(v, binding);
    }
    return count;
}

static void move_help(struct view *v, int64_t by)
{
    size_t count = view_help_count(v), last = count ? count - 1 : 0;

    if (by < 0) {
        v->help_row = v->help_row > (size_t)-by ? v->help_row - (size_t)-by : 0;
    } else {
        v->help_row = v->help_row + (size_t)by < last ? v->help_row + (size_t)by : last;
    }
}

/* --- moving ---------------------------------------------------------------------------------------- */

void view_focus(struct view *v, enum panel_id panel)
{
    v->focus = panel;
    v->help = false;
}

/* The next panel that there is. */
static void walk_panels(struct view *v, const struct snapshot *s, enum panel_id step)
{
    enum panel_id panel = v->focus;

    do {
        panel = (panel + step) % PANEL_COUNT;
    } while (!panel_exists(panel, s) && panel != v->focus);
    view_focus(v, panel);
}

static void go_to_panel(struct view *v, const struct snapshot *s, uint32_t code, uint64_t now_us)
{
    enum panel_id panel = code == '0' ? PANEL_ENDPOINTS : (enum panel_id)(code - '1');

    if (code < '0' || code > '9') {
        view_message(v, now_us, "panels have the numbers 1 to 9, and 0");
    } else if (panel_exists(panel, s)) {
        view_focus(v, panel);
    } else {
        view_message(v, now_us,
                     panel == PANEL_DETAIL ? "select a request, then Enter: its detail"
                                           : "this run keeps no accounts of endpoints");
    }
}

static void move_rows(struct view *v, int64_t by, uint64_t now_us)
{
    struct list *list = view_list(v);

    if (v->help) {
        move_help(v, by);
    } else if (list) {
        list_move(list, panels[v->focus]->source, (int)by);
    } else {
        view_message(v, now_us, "this panel has no rows (Tab goes to the next)");
    }
}

static void move_page(struct view *v, int64_t by, uint64_t now_us)
{
    size_t page = v->help ? 10 : view_list(v) ? view_list(v)->visible : 1;

    move_rows(v, by * (int64_t)(page > 1 ? page - 1 : 1), now_us);
}

static void move_end(struct view *v, bool to_end)
{
    struct list *list = view_list(v);

    if (v->help) {
        move_help(v, to_end ? INT32_MAX : INT32_MIN);
    } else if (list && to_end) {
        list_to_end(list);
    } else if (list) {
        list_to_start(list);
    }
}

static void toggle_whole(struct view *v, enum panel_id panel)
{
    bool back = v->zoomed && v->focus == panel;

    view_focus(v, panel);
    v->zoomed = !back;
}

static void toggle_each_failed(struct view *v, const struct snapshot *s, uint64_t now_us)
{
    if (panel_exists(PANEL_EACH_FAILED, s)) {
        toggle_whole(v, PANEL_EACH_FAILED);
    } else {
        view_message(v, now_us, "nothing has failed");
    }
}

/* --- the detail ------------------------------------------------------------------------------------- */

/* The dashboard of a worker's own. */
static void visit(struct view *v, const struct snapshot *s, const struct list *list, size_t row)
{
    const struct snapshot_worker *w = row < list->count ? &s->workers[list->rows[row]] : NULL;

    if (w && w->state == WORKER_AT_WORK && w->pid) {
        view_order(v, CONTROL_VISIT);
        view_order_number(v, 0);
        snprintf(v->orders.worker, sizeof v->orders.worker, "%s", w->name);
    }
}

static void open_detail(struct view *v, const struct snapshot *s)
{
    const struct list *list = view_list(v);
    size_t row = list && list->selecting ? list->selected : list ? list->top : 0;
    uint64_t id = list && row < list->count ? panel_request_id(v->focus, s, list->rows[row]) : 0;

    if (v->focus == PANEL_WORKERS && list && v->verbs >> CONTROL_VISIT & 1) {
        visit(v, s, list, row);
        return;
    }
    if (!id || !(v->verbs >> CONTROL_DETAIL & 1)) {
        v->zoomed = !v->zoomed;
        return;
    }
    if (v->focus != PANEL_DETAIL) {
        v->detail_from = v->focus;
        v->detail_from_zoomed = v->zoomed;
    }
    v->detail_id = id;
    v->zoomed = v->zoomed || !v->detail_has_room;
    view_focus(v, PANEL_DETAIL);
    v->lists[PANEL_DETAIL] = (struct list){ .top = 0 };
    view_order(v, CONTROL_DETAIL);
    view_order_number(v, id);
}

static void close_detail(struct view *v)
{
    v->detail_id = 0;
    v->zoomed = v->detail_from_zoomed;
    view_focus(v, v->detail_from);
    view_order(v, CONTROL_DETAIL);
    view_order_number(v, 0);
}

/* Takes back one thing, the last that came before the eye. */
static void cancel(struct view *v)
{
    struct list *list = view_list(v);

    if (v->help && v->help_filter[0]) {
        v->help_filter[0] = '\0';
    } else if (v->help) {
        v->help = false;
    } else if (v->detail_id && v->focus == PANEL_DETAIL) {
        close_detail(v);
    } else if (v->zoomed) {
        v->zoomed = false;
    } else if (list && list->selecting) {
        list_unselect(list);
    } else if (list && list->mark_count) {
        list->mark_count = 0;
    } else if (list && list->filter[0]) {
        list->filter[0] = '\0';
    } else {
        v->message[0] = '\0';
    }
}

/* --- rows ------------------------------------------------------------------------------------------ */

static bool can_sort(struct view *v, uint64_t now_us)
{
    if (view_list(v) && panels[v->focus]->source->compare && panels[v->focus]->table) {
        return true;
    }
    view_message(v, now_us, "this panel has its own order");
    return false;
}

static void sort_step(struct view *v, int64_t by)
{
    size_t choices = panels[v->focus]->table->column_count + 1; /* 0 is the panel's own order */
    struct list *list = view_list(v);

    list->sort = (list->sort + choices + (size_t)(by > 0 ? 1 : choices - 1)) % choices;
}

static void act_on_list(struct view *v, const struct snapshot *s, const struct key_binding *binding,
                        uint64_t now_us)
{
    struct list *list = view_list(v);

    if (v->help && binding->action == KEY_ASK_FILTER) {
        prompt_open(v, PROMPT_HELP);
        return;
    }
    if (!list) {
        view_message(v, now_us, "this panel has no rows (Tab goes to the next)");
        return;
    }
    switch (binding->action) {
    case KEY_MARK_ROW:
        if (!list->selecting || !panel_request_id(v->focus, s, list->rows[list->selected])) {
            view_message(v, now_us, "select a request first (arrows, or j and k)");
            return;
        }
        list_toggle_mark(list);
        list_move(list, panels[v->focus]->source, 1);
        break;
    case KEY_SORT_STEP:
        if (can_sort(v, now_us)) {
            sort_step(v, binding->number);
        }
        break;
    case KEY_SORT_INVERT:
        list->inverted = can_sort(v, now_us) && !list->inverted;
        break;
    case KEY_ASK_SORT:
        if (can_sort(v, now_us)) {
            prompt_open(v, PROMPT_SORT);
        }
        break;
    default:
        prompt_open(v, PROMPT_FILTER);
        break;
    }
}

/* --- files ------------------------------------------------------------------------------------------- */

void view_export(struct view *v, const char *form, uint64_t now_us)
{
    bool is_json = strcasecmp(form, "json") == 0;

    if (!is_json && strcasecmp(form, "csv") != 0) {
        view_message(v, now_us, "export takes csv or json");
    } else if (!view_list(v)) {
        view_message(v, now_us, "this panel has no rows (Tab goes to the next)");
    } else {
        v->wants.export = is_json ? EXPORT_JSON : EXPORT_CSV;
    }
}

static void copy_request(struct view *v, const struct snapshot *s, uint64_t now_us)
{
    if (!v->detail_id) {
        open_detail(v, s); /* what is copied stands there */
    }
    if (!v->detail_id) {
        v->zoomed = false;
        view_message(v, now_us, "select a request first (arrows, or j and k)");
        return;
    }
    v->wants.copy = true;
}

/* --- keys -------------------------------------------------------------------------------------------- */

/* Keys that change the screen only. */
static void act_on_view(struct view *v, const struct snapshot *s, const struct key_binding *binding,
                        uint32_t code, uint64_t now_us)
{
    switch (binding->action) {
    case KEY_FREEZE:
        v->frozen = !v->frozen;
        v->frozen_at_us = now_us;
        break;
    case KEY_HELP:
        v->help = !v->help;
        v->help_row = v->help_top = 0;
        v->help_filter[0] = '\0';
        break;
    case KEY_NEXT_PANEL:
        walk_panels(v, s, 1);
        break;
    case KEY_PREVIOUS_PANEL:
        walk_panels(v, s, PANEL_COUNT - 1);
        break;
    case KEY_PANEL:
        go_to_panel(v, s, code, now_us);
        break;
    case KEY_ZOOM:
        v->zoomed = !v->zoomed;
        v->help = false;
        break;
    case KEY_LOG:
        toggle_whole(v, PANEL_LOG);
        break;
    case KEY_EACH_FAILED:
        toggle_each_failed(v, s, now_us);
        break;
    case KEY_MOVE:
        move_rows(v, binding->number, now_us);
        break;
    case KEY_PAGE:
        move_page(v, binding->number, now_us);
        break;
    case KEY_TO_START:
    case KEY_TO_END:
        move_end(v, binding->action == KEY_TO_END);
        break;
    case KEY_CANCEL:
        cancel(v);
        break;
    case KEY_REDRAW:
        v->wants.repaint = true;
        break;
    case KEY_SAVE_PICTURE:
        v->wants.save_picture = true;
        break;
    case KEY_SAVE_SETTINGS:
        v->wants.save_settings = true;
        break;
    default:
        break;
    }
}

/* Enter in the help does what the selected line says. */
static bool act_by_help(struct view *v, const struct snapshot *s, uint64_t now_us,
                        struct control *out)
{
    const struct key_binding *binding = view_help_at(v, v->help_row);

    if (!binding || binding->action == KEY_HELP) {
        return false;
    }
    v->help = false;
    return view_act(v, s, binding, binding->codes[0], now_us, out);
}

static bool give(struct control *out, enum control_verb verb, int64_t number)
{
    *out = (struct control){ .verb = verb, .number = number };
    return true;
}

static void open_by_key(struct view *v, enum key_action action)
{
    prompt_open(v, action == KEY_ASK_CAP     ? PROMPT_CAP
                   : action == KEY_ASK_RATE  ? PROMPT_RATE
                   : action == KEY_ASK_SWEEP ? PROMPT_SWEEP
                   : action == KEY_ASK_MARK  ? PROMPT_MARK
                                             : PROMPT_COMMAND);
}

bool view_act(struct view *v, const struct snapshot *s, const struct key_binding *binding,
              uint32_t code, uint64_t now_us, struct control *out)
{
    switch (binding->action) {
    case KEY_CONTROL:
        return give(out, binding->verb, binding->number);
    case KEY_CAP_STEP:
        return give(out, binding->verb, binding->number * step_of(v, code, now_us));
    case KEY_ASK_SWEEP:
    case KEY_ASK_CAP:
    case KEY_ASK_RATE:
    case KEY_ASK_MARK:
    case KEY_ASK_COMMAND:
        if (binding->action == KEY_ASK_SWEEP && s->sweep_steps) {
            return give(out, CONTROL_SWEEP, 0);
        }
        open_by_key(v, binding->action);
        break;
    case KEY_ASK_FILTER:
    case KEY_ASK_SORT:
    case KEY_MARK_ROW:
    case KEY_SORT_STEP:
    case KEY_SORT_INVERT:
        act_on_list(v, s, binding, now_us);
        break;
    case KEY_ON_ROWS:
        if (binding->verb == CONTROL_HOLD && view_list(v)) {
            return view_hold_row(v, s, now_us, out);
        }
        view_act_on_rows(v, s, binding->verb, now_us);
        break;
    case KEY_RETRY_FAILED:
        view_retry_failed(v, s, now_us);
        break;
    case KEY_RETRY_WAITING:
        view_retry_waiting(v, s, now_us);
        break;
    case KEY_DETACH:
        view_ask_detach(v);
        break;
    case KEY_ASK_DRAIN:
        view_ask_drain(v);
        break;
    case KEY_EXPORT:
        view_export(v, "csv", now_us);
        break;
    case KEY_DETAIL:
        if (v->help) {
            return act_by_help(v, s, now_us, out);
        }
        open_detail(v, s);
        break;
    case KEY_COPY:
        copy_request(v, s, now_us);
        break;
    case KEY_THEME:
    case KEY_BACKGROUND:
    case KEY_MOUSE:
    case KEY_NOTIFY:
        view_act_on_settings(v, binding->action, now_us);
        break;
    case KEY_QUIT:
    case KEY_QUIT_LEAVING:
        v->leave = binding->action == KEY_QUIT_LEAVING;
        *out = view_quit(v, s);
        return true;
    default:
        act_on_view(v, s, binding, code, now_us);
        break;
    }
    return false;
}
