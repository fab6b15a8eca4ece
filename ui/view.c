#include "ui/view.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define REPEAT_US UINT64_C(250000)
#define REPEATS_SLOW 5
#define STEP_FAST 5
#define CAP_LARGEST UINT64_C(1000000)

void view_init(struct view *v, uint32_t verbs)
{
    memset(v, 0, sizeof *v);
    v->verbs = verbs;
}

void view_message(struct view *v, uint64_t now_us, const char *text)
{
    snprintf(v->message, sizeof v->message, "%s", text);
    v->message_until_us = now_us + VIEW_MESSAGE_US;
}

struct control view_quit(struct view *v, const struct snapshot *s)
{
    bool draining = v->quitting || s->state == RUN_DRAINING;

    v->quitting = true;
    return (struct control){ .verb = draining ? CONTROL_ABORT : CONTROL_DRAIN };
}

static struct list *focused_list(struct view *v)
{
    return panels[v->focus]->source ? &v->lists[v->focus] : NULL;
}

static void open_prompt(struct view *v, enum view_prompt prompt)
{
    v->prompt = prompt;
    v->prompt_text[0] = '\0';
    v->message[0] = '\0';
    if (prompt == PROMPT_FILTER) {
        snprintf(v->filter_before, sizeof v->filter_before, "%s", v->lists[v->focus].filter);
        snprintf(v->prompt_text, sizeof v->prompt_text, "%s", v->filter_before);
    }
}

static bool answer_cap(struct view *v, uint64_t now_us, struct control *out)
{
    struct err err;
    uint64_t cap;

    if (units_parse_count(str_view(v->prompt_text), 0, CAP_LARGEST, &cap, &err) != RESULT_OK) {
        view_message(v, now_us, err.text);
        return false;
    }
    *out = (struct control){ .verb = CONTROL_CAP_SET, .number = (int64_t)cap };
    return true;
}

static bool answer_rate(struct view *v, uint64_t now_us, struct control *out)
{
    struct err err;
    struct rate rate;

    if (units_parse_rate(str_view(v->prompt_text), &rate, &err) != RESULT_OK) {
        view_message(v, now_us, err.text);
        return false;
    }
    *out = (struct control){ .verb = CONTROL_RATE_SET };
    snprintf(out->text, sizeof out->text, "%s", v->prompt_text);
    return true;
}

static bool answer(struct view *v, uint64_t now_us, struct control *out)
{
    enum view_prompt prompt = v->prompt;

    v->prompt = PROMPT_NONE;
    if (!v->prompt_text[0]) {
        return false;
    }
    switch (prompt) {
    case PROMPT_CAP:
        return answer_cap(v, now_us, out);
    case PROMPT_RATE:
        return answer_rate(v, now_us, out);
    case PROMPT_MARK:
        *out = (struct control){ .verb = CONTROL_MARK };
        snprintf(out->text, sizeof out->text, "%s", v->prompt_text);
        return true;
    case PROMPT_FILTER: /* it has filtered since the first letter */
    case PROMPT_NONE:
        break;
    }
    return false;
}

static void apply_filter(struct view *v, const char *text)
{
    snprintf(v->lists[v->focus].filter, LIST_FILTER_MAX, "%.*s", LIST_FILTER_MAX - 1, text);
}

/* Takes the last character off, all of its bytes. */
static void erase_last(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80) {
        length--;
    }
    text[length > 0 ? length - 1 : 0] = '\0';
}

static void append_character(char *text, size_t size, uint32_t code)
{
    size_t length = strlen(text);
    char bytes[4];
    size_t count = 0;

    if (code < 0x80) {
        bytes[count++] = (char)code;
    } else if (code < 0x800) {
        bytes[count++] = (char)(0xC0 | code >> 6);
        bytes[count++] = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        bytes[count++] = (char)(0xE0 | code >> 12);
        bytes[count++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (code & 0x3F));
    } else {
        bytes[count++] = (char)(0xF0 | code >> 18);
        bytes[count++] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[count++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (code & 0x3F));
    }
    if (length + count < size) {
        memcpy(text + length, bytes, count);
        text[length + count] = '\0';
    }
}

static bool prompt_key(struct view *v, struct input_key key, uint64_t now_us, struct control *out)
{
    bool filtering = v->prompt == PROMPT_FILTER;

    if (key.code == INPUT_ENTER && !key.pasted) {
        return answer(v, now_us, out);
    }
    if (key.code == INPUT_ESCAPE) {
        if (filtering) {
            apply_filter(v, v->filter_before);
        }
        v->prompt = PROMPT_NONE;
        return false;
    }
    if (key.code == INPUT_BACKSPACE) {
        erase_last(v->prompt_text);
    } else if (key.code == 0x15) { /* Ctrl-U, as in every shell */
        v->prompt_text[0] = '\0';
    } else if (key.code >= 0x20 && key.code < INPUT_UP) {
        append_character(v->prompt_text, filtering ? LIST_FILTER_MAX : sizeof v->prompt_text,
                         key.code);
    }
    if (filtering) {
        apply_filter(v, v->prompt_text);
    }
    return false;
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

static void focus_panel(struct view *v, enum panel_id panel)
{
    v->focus = panel;
    v->help = false;
}

/* Takes back one thing, the last that came before the eye. */
static void cancel(struct view *v)
{
    struct list *list = focused_list(v);

    if (v->help) {
        v->help = false;
    } else if (v->zoomed) {
        v->zoomed = false;
    } else if (list && list->selecting) {
        list_unselect(list);
    } else if (list && list->filter[0]) {
        list->filter[0] = '\0';
    } else {
        v->message[0] = '\0';
    }
}

static void move_rows(struct view *v, int64_t by, uint64_t now_us)
{
    struct list *list = focused_list(v);

    if (v->help) {
        v->help_top = by < 0 && (size_t)-by > v->help_top ? 0 : v->help_top + (size_t)by;
    } else if (list) {
        list_move(list, panels[v->focus]->source, (int)by);
    } else {
        view_message(v, now_us, "this panel has no rows (Tab goes to the next)");
    }
}

static void move_end(struct view *v, bool to_end)
{
    struct list *list = focused_list(v);

    if (v->help) {
        v->help_top = to_end ? SIZE_MAX / 2 : 0; /* drawing brings it back to what there is */
    } else if (list && to_end) {
        list_to_end(list);
    } else if (list) {
        list_to_start(list);
    }
}

static bool on_row(struct view *v, const struct snapshot *s, const struct key_binding *binding,
                   uint64_t now_us, struct control *out)
{
    const struct list *list = focused_list(v);
    const char *host = NULL;
    size_t row;

    if (!list || !list->selecting || list->selected >= list->count) {
        view_message(v, now_us, "select a row first (arrows, or j and k)");
        return false;
    }
    row = list->rows[list->selected];
    *out = (struct control){ .verb = binding->verb };
    if (v->focus == PANEL_FLIGHTS && row < s->flight_count) {
        host = s->flights[row].host;
        out->number = (int64_t)s->flights[row].id;
    } else if (v->focus == PANEL_WAITS && row < s->wait_count) {
        host = s->waits[row].host;
        out->number = (int64_t)s->waits[row].id;
    } else if (v->focus == PANEL_HOSTS && binding->verb == CONTROL_HOLD && row < s->host_count) {
        host = s->hosts[row].host;
    }
    if (!host) {
        view_message(v, now_us, "that is not for a row of this panel");
        return false;
    }
    if (binding->verb == CONTROL_HOLD) {
        snprintf(out->text, sizeof out->text, "%s", host);
    }
    return true;
}

static void toggle_log(struct view *v)
{
    bool back = v->zoomed && v->focus == PANEL_LOG;

    focus_panel(v, PANEL_LOG);
    v->zoomed = !back;
}

/* Keys that change the screen only. */
static void act_on_view(struct view *v, const struct key_binding *binding, uint32_t code,
                        uint64_t now_us)
{
    switch (binding->action) {
    case KEY_FREEZE:
        v->frozen = !v->frozen;
        v->frozen_at_us = now_us;
        break;
    case KEY_HELP:
        v->help = !v->help;
        v->help_top = 0;
        break;
    case KEY_NEXT_PANEL:
        focus_panel(v, (v->focus + 1) % PANEL_COUNT);
        break;
    case KEY_PREVIOUS_PANEL:
        focus_panel(v, (v->focus + PANEL_COUNT - 1) % PANEL_COUNT);
        break;
    case KEY_PANEL:
        focus_panel(v, (enum panel_id)(code - '1'));
        break;
    case KEY_ZOOM:
        v->zoomed = !v->zoomed;
        v->help = false;
        break;
    case KEY_LOG:
        toggle_log(v);
        break;
    case KEY_MOVE:
        move_rows(v, binding->number, now_us);
        break;
    case KEY_PAGE: {
        size_t page = focused_list(v) ? focused_list(v)->visible : 1;

        move_rows(v, binding->number * (int64_t)(page > 1 ? page - 1 : 1), now_us);
        break;
    }
    case KEY_TO_START:
    case KEY_TO_END:
        move_end(v, binding->action == KEY_TO_END);
        break;
    case KEY_CANCEL:
        cancel(v);
        break;
    case KEY_REDRAW:
        v->repaint = true;
        break;
    default:
        break;
    }
}

static bool act(struct view *v, const struct snapshot *s, const struct key_binding *binding,
                uint32_t code, uint64_t now_us, struct control *out)
{
    switch (binding->action) {
    case KEY_CONTROL:
        *out = (struct control){ .verb = binding->verb, .number = binding->number };
        return true;
    case KEY_CAP_STEP:
        *out = (struct control){ .verb = CONTROL_CAP_ADD,
                                 .number = binding->number * step_of(v, code, now_us) };
        return true;
    case KEY_ASK_CAP:
        open_prompt(v, PROMPT_CAP);
        return false;
    case KEY_ASK_RATE:
        open_prompt(v, PROMPT_RATE);
        return false;
    case KEY_ASK_MARK:
        open_prompt(v, PROMPT_MARK);
        return false;
    case KEY_ASK_FILTER:
        if (focused_list(v)) {
            open_prompt(v, PROMPT_FILTER);
        } else {
            view_message(v, now_us, "this panel has no rows to filter (Tab goes to the next)");
        }
        return false;
    case KEY_ON_ROW:
        return on_row(v, s, binding, now_us, out);
    case KEY_QUIT:
    case KEY_QUIT_LEAVING:
        v->leave = binding->action == KEY_QUIT_LEAVING;
        *out = view_quit(v, s);
        return true;
    default:
        act_on_view(v, binding, code, now_us);
        return false;
    }
}

bool view_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
              struct control *out)
{
    const struct key_binding *binding;

    if (v->prompt != PROMPT_NONE) {
        return prompt_key(v, key, now_us, out);
    }
    if (key.pasted) {
        view_message(v, now_us, "pasted text is not taken for keys");
        return false;
    }
    binding = keys_find(key.code, v->verbs);
    if (!binding) {
        if (key.code >= 0x20) {
            view_message(v, now_us, "no such key here; ? lists them");
        }
        return false;
    }
    v->message[0] = '\0';
    return act(v, s, binding, key.code, now_us, out);
}
