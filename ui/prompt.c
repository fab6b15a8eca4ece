/* Prompts: text that is typed at the foot of the screen, and what becomes of it. */

#include "ui/view.h"

#include "ui/panels.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CAP_LARGEST UINT64_C(1000000)
#define STEP_LARGEST UINT64_C(100000)

/* --- answers ------------------------------------------------------------------------------------- */

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

static void answer_sort(struct view *v, uint64_t now_us)
{
    const struct panel_table *table = panels[v->focus]->table;
    size_t length = strlen(v->prompt_text);
    char text[CONTROL_REPLY_MAX];

    for (size_t i = 0; i < table->column_count; i++) {
        if (strncasecmp(table->columns[i].heading, v->prompt_text, length) == 0) {
            v->lists[v->focus].sort = i + 1;
            return;
        }
    }
    snprintf(text, sizeof text, "no column \"%.40s\" here", v->prompt_text);
    view_message(v, now_us, text);
}

static bool run_command(struct view *v, const struct snapshot *s, uint64_t now_us,
                        struct control *out);

static bool answer(struct view *v, const struct snapshot *s, uint64_t now_us, struct control *out)
{
    enum view_prompt prompt = v->prompt;

    v->prompt = PROMPT_NONE;
    if (!v->prompt_text[0]) {
        if (prompt == PROMPT_SORT) {
            v->lists[v->focus].sort = 0;
        }
        return false;
    }
    switch (prompt) {
    case PROMPT_CAP:
        return answer_cap(v, now_us, out);
    case PROMPT_RATE:
        return answer_rate(v, now_us, out);
    case PROMPT_SWEEP:
    case PROMPT_MARK:
        *out = (struct control){ .verb = prompt == PROMPT_MARK ? CONTROL_MARK : CONTROL_SWEEP };
        snprintf(out->text, sizeof out->text, "%s", v->prompt_text);
        return true;
    case PROMPT_SORT:
        answer_sort(v, now_us);
        return false;
    case PROMPT_COMMAND:
        return run_command(v, s, now_us, out);
    case PROMPT_FILTER: /* these two have acted since the first letter */
    case PROMPT_HELP:
    case PROMPT_QUESTION:
    case PROMPT_NONE:
        break;
    }
    return false;
}

/* --- commands -------------------------------------------------------------------------------------- */

/* What a key asks for in a prompt stands after the word already. */
static bool answer_at_once(struct view *v, const struct snapshot *s,
                           const struct key_binding *binding, const char *argument, uint64_t now_us,
                           struct control *out)
{
    if (view_act(v, s, binding, binding->codes[0], now_us, out)) {
        return true;
    }
    if (v->prompt == PROMPT_NONE) {
        return false; /* the reason is in the message line */
    }
    snprintf(v->prompt_text, sizeof v->prompt_text, "%s", argument);
    if (v->prompt == PROMPT_FILTER) {
        snprintf(v->lists[v->focus].filter, LIST_FILTER_MAX, "%.*s", LIST_FILTER_MAX - 1, argument);
    }
    return answer(v, s, now_us, out);
}

static bool run_with_argument(struct view *v, const struct snapshot *s,
                              const struct key_binding *binding, const char *argument,
                              uint64_t now_us, struct control *out)
{
    struct err err;
    uint64_t number;

    switch (binding->action) {
    case KEY_ASK_CAP:
    case KEY_ASK_RATE:
    case KEY_ASK_SWEEP:
    case KEY_ASK_MARK:
    case KEY_ASK_FILTER:
    case KEY_ASK_SORT:
        return answer_at_once(v, s, binding, argument, now_us, out);
    case KEY_CAP_STEP:
        if (units_parse_count(str_view(argument), 1, STEP_LARGEST, &number, &err) != RESULT_OK) {
            view_message(v, now_us, err.text);
            return false;
        }
        *out =
            (struct control){ .verb = binding->verb, .number = binding->number * (int64_t)number };
        return true;
    case KEY_PANEL:
        return view_act(v, s, binding, (unsigned char)argument[0], now_us, out);
    case KEY_EXPORT:
        view_export(v, argument, now_us);
        return false;
    case KEY_THEME:
        if (!theme_parse(argument, &v->settings.theme)) {
            view_message(v, now_us, "themes: default, blue-orange, contrast");
        }
        return false;
    case KEY_BACKGROUND:
        if (background_parse(str_view(argument), &v->settings.background)) {
            v->forced = BACKGROUND_AUTO;
        } else {
            view_message(v, now_us, "background takes dark, light or auto");
        }
        return false;
    default:
        view_message(v, now_us, "this command takes nothing after it");
        return false;
    }
}

static bool run_command(struct view *v, const struct snapshot *s, uint64_t now_us,
                        struct control *out)
{
    char text[VIEW_PROMPT_MAX];
    struct str rest, word, argument;
    const struct key_binding *binding;

    snprintf(text, sizeof text, "%s", v->prompt_text);
    rest = str_trim(str_view(text));
    word = str_cut(&rest, ' ');
    argument = str_trim(rest);
    binding = keys_by_word(word.data, word.len, 0, v->verbs);
    if (!binding) {
        view_message(v, now_us, "no such command; ? lists them");
        return false;
    }
    if (keys_by_word(word.data, word.len, 1, v->verbs)) {
        view_message(v, now_us, "several commands begin so: Tab completes, as far as it goes");
        return false;
    }
    if (argument.len) {
        char copy[VIEW_PROMPT_MAX];

        snprintf(copy, sizeof copy, "%.*s", STR_ARG(argument));
        return run_with_argument(v, s, binding, copy, now_us, out);
    }
    return view_act(v, s, binding, binding->codes[0], now_us, out);
}

/* As far as all commands that begin so agree; a space after the only one. */
static void complete(struct view *v)
{
    size_t typed = strlen(v->prompt_text), agreed;
    const struct key_binding *first = keys_by_word(v->prompt_text, typed, 0, v->verbs), *other;

    if (!first || strchr(v->prompt_text, ' ')) {
        return;
    }
    agreed = strlen(first->word);
    for (size_t i = 1; (other = keys_by_word(v->prompt_text, typed, i, v->verbs)); i++) {
        size_t same = typed;

        while (same < agreed && first->word[same] == other->word[same]) {
            same++;
        }
        agreed = same;
    }
    snprintf(v->prompt_text, sizeof v->prompt_text, "%.*s%s", (int)agreed, first->word,
             agreed == strlen(first->word) && first->argument ? " " : "");
}

/* --- keys ------------------------------------------------------------------------------------------ */

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

/* What is typed acts at once, or is taken back by Esc. */
static void apply(struct view *v, const char *text)
{
    if (v->prompt == PROMPT_FILTER) {
        snprintf(v->lists[v->focus].filter, LIST_FILTER_MAX, "%.*s", LIST_FILTER_MAX - 1, text);
    } else if (v->prompt == PROMPT_HELP) {
        snprintf(v->help_filter, LIST_FILTER_MAX, "%.*s", LIST_FILTER_MAX - 1, text);
        v->help_row = 0;
    }
}

static bool question_key(struct view *v, struct input_key key, uint64_t now_us)
{
    v->prompt = PROMPT_NONE;
    if ((key.code != 'y' && key.code != 'Y') || key.pasted) {
        v->orders.count = v->orders.at = 0;
        view_message(v, now_us, "not done");
    }
    return false;
}

bool prompt_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
                struct control *out)
{
    bool is_filter = v->prompt == PROMPT_FILTER || v->prompt == PROMPT_HELP;

    if (v->prompt == PROMPT_QUESTION) {
        return question_key(v, key, now_us);
    }
    if (key.code == INPUT_ENTER && !key.pasted) {
        return answer(v, s, now_us, out);
    }
    if (key.code == INPUT_ESCAPE) {
        apply(v, v->prompt == PROMPT_FILTER ? v->filter_before : "");
        v->prompt = PROMPT_NONE;
        return false;
    }
    if (key.code == '\t' && v->prompt == PROMPT_COMMAND) {
        complete(v);
    } else if (key.code == INPUT_BACKSPACE) {
        erase_last(v->prompt_text);
    } else if (key.code == 0x15) { /* Ctrl-U, as in every shell */
        v->prompt_text[0] = '\0';
    } else if (key.code >= 0x20 && key.code < INPUT_UP) {
        append_character(v->prompt_text, is_filter ? LIST_FILTER_MAX : sizeof v->prompt_text,
                         key.code);
    }
    apply(v, v->prompt_text);
    return false;
}
