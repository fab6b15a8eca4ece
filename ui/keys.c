#include "ui/keys.h"

#define CONTROL_KEY(letter) ((letter)-0x40)

static const struct key_binding bindings[] = {
    { { '+', '=' },
      "+ =",
      "cap",
      1,
      "cap +1: start more at once (held down: faster)",
      KEY_CAP_STEP,
      CONTROL_CAP_ADD,
      1 },
    { { '-', '_' },
      "- _",
      "cap",
      1,
      "cap -1: those in flight finish",
      KEY_CAP_STEP,
      CONTROL_CAP_ADD,
      -1 },
    { { ']' }, "]", "x2", 6, "double the cap", KEY_CONTROL, CONTROL_CAP_DOUBLE, 0 },
    { { '[' }, "[", "/2", 6, "halve the cap", KEY_CONTROL, CONTROL_CAP_HALVE, 0 },
    { { 'c' }, "c", "set", 7, "type a cap (0 pauses)", KEY_ASK_CAP, CONTROL_CAP_SET, 0 },
    { { 't' }, "t", "rate", 8, "type a rate: 10/s, 5/15s, off", KEY_ASK_RATE, CONTROL_RATE_SET, 0 },
    { { 'a' },
      "a",
      "auto",
      5,
      "let the controller set the cap, or take it back",
      KEY_CONTROL,
      CONTROL_AUTO,
      0 },
    { { 'p' }, "p", "pause", 2, "start nothing new, or go on", KEY_CONTROL, CONTROL_PAUSE, 0 },
    { { 'n' },
      "n",
      "normalise",
      2,
      "make the table now; again: cancel",
      KEY_CONTROL,
      CONTROL_NORMALISE,
      0 },
    { { 'r' }, "r", "retry", 7, "retry the selected request now", KEY_ON_ROW, CONTROL_RETRY, 0 },
    { { 'R' }, "R", NULL, 9, "retry all that failed", KEY_CONTROL, CONTROL_RETRY_ALL_FAILED, 0 },
    { { 'd' }, "d", NULL, 9, "drop the selected request", KEY_ON_ROW, CONTROL_DROP, 0 },
    { { 'H' },
      "H",
      "hold",
      8,
      "hold the selected host, or release it",
      KEY_ON_ROW,
      CONTROL_HOLD,
      0 },
    { { 'm' }, "m", NULL, 9, "put a note on the time axis", KEY_ASK_MARK, CONTROL_MARK, 0 },
    { { 'Z' }, "Z", "freeze", 4, "stop the picture, not the work", KEY_FREEZE, CONTROL_NONE, 0 },
    { { '/' },
      "/",
      "filter",
      4,
      "show only rows that have a text; !text: that do not",
      KEY_ASK_FILTER,
      CONTROL_NONE,
      0 },
    { { '\t' }, "Tab", "panel", 8, "next panel", KEY_NEXT_PANEL, CONTROL_NONE, 0 },
    { { INPUT_BACK_TAB },
      "Shift-Tab",
      NULL,
      9,
      "previous panel",
      KEY_PREVIOUS_PANEL,
      CONTROL_NONE,
      0 },
    { { '1', '2', '3', '4' }, "1-4", NULL, 9, "panel by its number", KEY_PANEL, CONTROL_NONE, 0 },
    { { '5', '6', '7', '8' }, "5-8", NULL, 9, "panel by its number", KEY_PANEL, CONTROL_NONE, 0 },
    { { 'z', INPUT_ENTER },
      "z Enter",
      "zoom",
      5,
      "the panel on the whole screen, and back",
      KEY_ZOOM,
      CONTROL_NONE,
      0 },
    { { 'l' }, "l", "log", 7, "the log on the whole screen, and back", KEY_LOG, CONTROL_NONE, 0 },
    { { INPUT_UP, 'k' }, "Up k", NULL, 9, "row up", KEY_MOVE, CONTROL_NONE, -1 },
    { { INPUT_DOWN, 'j' }, "Down j", NULL, 9, "row down", KEY_MOVE, CONTROL_NONE, 1 },
    { { INPUT_PAGE_UP, CONTROL_KEY('B') },
      "PgUp ^B",
      NULL,
      9,
      "screen up",
      KEY_PAGE,
      CONTROL_NONE,
      -1 },
    { { INPUT_PAGE_DOWN, CONTROL_KEY('F') },
      "PgDn ^F",
      NULL,
      9,
      "screen down",
      KEY_PAGE,
      CONTROL_NONE,
      1 },
    { { 'g', INPUT_HOME }, "g Home", NULL, 9, "first row", KEY_TO_START, CONTROL_NONE, 0 },
    { { 'G', INPUT_END }, "G End", NULL, 9, "last row", KEY_TO_END, CONTROL_NONE, 0 },
    { { INPUT_ESCAPE },
      "Esc",
      NULL,
      9,
      "back: help, zoom, selection, filter, in this order",
      KEY_CANCEL,
      CONTROL_NONE,
      0 },
    { { CONTROL_KEY('L') }, "^L", NULL, 9, "draw everything anew", KEY_REDRAW, CONTROL_NONE, 0 },
    { { '?', 'h', INPUT_F1 },
      "? h F1",
      "help",
      3,
      "this list, and back",
      KEY_HELP,
      CONTROL_NONE,
      0 },
    { { 'q' }, "q ^C", "quit", 0, "drain and quit; again: abort now", KEY_QUIT, CONTROL_DRAIN, 0 },
    { { 'Q' },
      "Q",
      NULL,
      9,
      "the same, leaving the last picture in the scrollback",
      KEY_QUIT_LEAVING,
      CONTROL_DRAIN,
      0 },
};

#define BINDING_COUNT (sizeof bindings / sizeof bindings[0])

static bool exists(const struct key_binding *binding, uint32_t verbs)
{
    return binding->verb == CONTROL_NONE || (verbs >> binding->verb & 1);
}

const struct key_binding *keys_find(uint32_t code, uint32_t verbs)
{
    for (size_t i = 0; code && i < BINDING_COUNT; i++) {
        for (size_t k = 0; k < KEY_CODES_MAX; k++) {
            if (bindings[i].codes[k] == code && exists(&bindings[i], verbs)) {
                return &bindings[i];
            }
        }
    }
    return NULL;
}

const struct key_binding *keys_at(size_t index, uint32_t verbs)
{
    for (size_t i = 0; i < BINDING_COUNT; i++) {
        if (exists(&bindings[i], verbs) && index-- == 0) {
            return &bindings[i];
        }
    }
    return NULL;
}
