/* Keys and mouse, on their way to what they mean. */

#include "ui/view.h"

#include "ui/bar.h"
#include "ui/panels.h"

#include <stdio.h>
#include <string.h>

#define WHEEL_ROWS 3

void view_init(struct view *v, uint32_t verbs)
{
    memset(v, 0, sizeof *v);
    v->verbs = verbs;
}

bool view_next(struct view *v, struct control *out)
{
    struct view_orders *orders = &v->orders;

    if (v->prompt == PROMPT_QUESTION || orders->at == orders->count) {
        return false;
    }
    *out = (struct control){ .verb = orders->verb, .number = (int64_t)orders->numbers[orders->at] };
    if (orders->verb == CONTROL_RETRY_FAILED) {
        snprintf(out->text, sizeof out->text, "%s", orders->classes[orders->at]);
    }
    if (orders->verb == CONTROL_RETRY_WAITING) {
        snprintf(out->text, sizeof out->text, "%s", orders->filter);
    }
    if (orders->verb == CONTROL_VISIT) {
        snprintf(out->text, sizeof out->text, "%s", orders->worker);
    }
    orders->at++;
    return true;
}

static bool contains(struct rect rect, int row, int column)
{
    return row >= rect.row && row < rect.row + rect.rows && column >= rect.column &&
           column < rect.column + rect.columns;
}

/* A click selects its row, the wheel moves in the panel under it. */
static void act_on_panel(struct view *v, struct input_key key)
{
    for (size_t i = 0; i < PANEL_COUNT && !v->help; i++) {
        struct rect rect = v->rects[i];
        struct list *list = &v->lists[i];
        int line = key.row - (rect.row + rect.rows - (int)list->visible);

        if (!contains(rect, key.row, key.column)) {
            continue;
        }
        view_focus(v, (enum panel_id)i);
        if (!panels[i]->source) {
            return;
        }
        if (key.code != INPUT_CLICK) {
            list_move(list, panels[i]->source,
                      key.code == INPUT_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
        } else if (line >= 0) {
            list_select_line(list, (size_t)line);
        }
        return;
    }
}

/* A click on the key bar is the key that stands there. */
static bool act_on_mouse(struct view *v, const struct snapshot *s, struct input_key key,
                         uint64_t now_us, struct control *out)
{
    const struct key_binding *binding;

    if (!v->settings.mouse) {
        return false;
    }
    if (key.code != INPUT_CLICK || !contains(v->bar, key.row, key.column)) {
        act_on_panel(v, key);
        return false;
    }
    binding = bar_at(v, s, now_us, key.column - v->bar.column);
    v->message[0] = '\0';
    return binding && view_act(v, s, binding, binding->codes[0], now_us, out);
}

static bool obey_key(struct view *v, const struct snapshot *s, struct input_key key,
                     uint64_t now_us, struct control *out)
{
    const struct key_binding *binding;

    if (v->prompt != PROMPT_NONE) {
        return prompt_key(v, s, key, now_us, out);
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
    return view_act(v, s, binding, key.code, now_us, out);
}

bool view_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
              struct control *out)
{
    if (key.code == INPUT_CLICK || key.code == INPUT_WHEEL_UP || key.code == INPUT_WHEEL_DOWN) {
        return act_on_mouse(v, s, key, now_us, out) || view_next(v, out);
    }
    return obey_key(v, s, key, now_us, out) || view_next(v, out);
}
