/* The last line: what is typed, else what is to be said, else the keys. */

#include "ui/bar.h"
#include "ui/panels.h"

#include <string.h>

#define ENTRY_GAP 2
#define ENTRIES_MAX 40
#define THAW_WORDS " the work goes on, the picture does not - Z thaws "

/** A key and its word, as they stand in the line. */
struct entry {
    const struct key_binding *binding;
    size_t index; /* among keys_at's */
    int column;
};

enum line { LINE_PROMPT, LINE_MESSAGE, LINE_DRAINING, LINE_KEYS };

static enum line line_of(const struct view *v, const struct snapshot *s, uint64_t now_us)
{
    return v->prompt != PROMPT_NONE                        ? LINE_PROMPT
           : v->message[0] && now_us < v->message_until_us ? LINE_MESSAGE
           : s->state == RUN_DRAINING || v->quitting       ? LINE_DRAINING
                                                           : LINE_KEYS;
}

static const char *prompt_label(enum view_prompt prompt)
{
    switch (prompt) {
    case PROMPT_CAP:
        return "cap: ";
    case PROMPT_RATE:
        return "rate (10/s, 5/15s, off): ";
    case PROMPT_MARK:
        return "note: ";
    case PROMPT_SWEEP:
        return "sweep caps: ";
    case PROMPT_FILTER:
        return "filter (!text excludes): ";
    case PROMPT_SORT:
        return "sort by: ";
    case PROMPT_COMMAND:
        return ":";
    case PROMPT_HELP:
        return "search the keys: ";
    case PROMPT_QUESTION:
    case PROMPT_NONE:
        break;
    }
    return "";
}

/* What may stand there: the columns to sort by, the commands that begin so. */
static void draw_choices(const struct view *v, struct pane pane, int at)
{
    const struct panel_table *table = panels[v->focus]->table;
    const struct key_binding *binding;
    size_t typed = strlen(v->prompt_text);

    for (size_t i = 0; v->prompt == PROMPT_SORT && i < table->column_count; i++) {
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM,
                       str_view(table->columns[i].heading)) +
             1;
    }
    for (size_t i = 0; v->prompt == PROMPT_COMMAND && !strchr(v->prompt_text, ' ') &&
                       (binding = keys_by_word(v->prompt_text, typed, i, v->verbs));
         i++) {
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM, str_view(binding->word)) + 1;
        if (binding->argument) {
            at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM, str_view(binding->argument)) +
                 1;
        }
    }
}

static void draw_prompt(const struct view *v, struct pane pane)
{
    struct canvas *canvas = pane.canvas;
    int at;

    if (v->prompt == PROMPT_QUESTION) {
        at = draw_format(pane, 0, 1, pane.rect.columns - 1, ROLE_ALERT, " %s ", v->question);
    } else {
        at = draw_text(pane, 0, 1, pane.rect.columns, ROLE_KEY, str_view(prompt_label(v->prompt)));
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_STRONG, str_view(v->prompt_text));
        draw_choices(v, pane, at + 3);
    }
    if (at >= pane.rect.columns) {
        at = pane.rect.columns - 1;
    }
    canvas->cursor_row = pane.rect.row;
    canvas->cursor_column = pane.rect.column + at;
    canvas->cursor_shown = true;
}

static int entry_columns(const struct key_binding *binding)
{
    return (int)strlen(binding->bar_key) + 1 + (int)strlen(binding->bar_word);
}

/* Columns that the entries up to a rank take. */
static int bar_columns(const struct view *v, int rank)
{
    const struct key_binding *binding;
    int columns = 0;

    for (size_t i = 0; (binding = keys_at(i, v->verbs)) != NULL; i++) {
        if (binding->bar_key && binding->bar_rank <= rank) {
            columns += entry_columns(binding) + ENTRY_GAP;
        }
    }
    return columns;
}

/* As many as there is room for, the most needed ones. */
static size_t place_entries(const struct view *v, int columns, struct entry entries[ENTRIES_MAX])
{
    const struct key_binding *binding;
    int at = v->frozen ? 1 + (int)strlen(THAW_WORDS) + ENTRY_GAP : 1, rank = 9;
    size_t count = 0;

    while (rank > 0 && bar_columns(v, rank) > columns - at) {
        rank--;
    }
    for (size_t i = 0; (binding = keys_at(i, v->verbs)) != NULL && count < ENTRIES_MAX; i++) {
        if (binding->bar_key && binding->bar_rank <= rank) {
            entries[count++] = (struct entry){ binding, i, at };
            at += entry_columns(binding) + ENTRY_GAP;
        }
    }
    return count;
}

static void draw_entries(const struct view *v, struct pane pane)
{
    struct entry entries[ENTRIES_MAX];
    size_t count = place_entries(v, pane.rect.columns, entries);

    if (v->frozen) {
        draw_text(pane, 0, 1, pane.rect.columns, ROLE_ALERT, STR(THAW_WORDS));
    }
    for (size_t i = 0; i < count; i++) {
        const struct key_binding *binding = entries[i].binding;
        int at = draw_text(pane, 0, entries[i].column, pane.rect.columns, ROLE_KEY,
                           str_view(binding->bar_key));

        draw_text(pane, 0, at + 1, pane.rect.columns, ROLE_TEXT, str_view(binding->bar_word));
    }
}

void bar_draw(const struct view *v, const struct snapshot *s, uint64_t now_us, struct pane pane)
{
    switch (line_of(v, s, now_us)) {
    case LINE_PROMPT:
        draw_prompt(v, pane);
        break;
    case LINE_MESSAGE:
        draw_text(pane, 0, 1, pane.rect.columns - 1, ROLE_NOTICE, str_view(v->message));
        break;
    case LINE_DRAINING:
        draw_format(pane, 0, 1, pane.rect.columns - 1, ROLE_ALERT,
                    " draining %llu - q or Ctrl-C again aborts ", (unsigned long long)s->in_flight);
        break;
    case LINE_KEYS:
        draw_entries(v, pane);
        break;
    }
}

const struct key_binding *bar_at(const struct view *v, const struct snapshot *s, uint64_t now_us,
                                 int column)
{
    struct entry entries[ENTRIES_MAX];
    size_t count =
        line_of(v, s, now_us) == LINE_KEYS ? place_entries(v, v->bar.columns, entries) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct key_binding *binding = entries[i].binding;
        const char *second = strchr(binding->bar_key, ' ');
        int within = column - entries[i].column;

        if (within < 0 || within >= entry_columns(binding)) {
            continue;
        }
        /* Two keys under one word stand side by side in the table too: "+ -". */
        if (second && within > second - binding->bar_key &&
            within < (int)strlen(binding->bar_key)) {
            return keys_at(entries[i].index + 1, v->verbs);
        }
        return binding;
    }
    return NULL;
}
