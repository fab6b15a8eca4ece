/* What keys change of the settings, and how the panels' sorting gets into them and out of them. */

#include "ui/view.h"

#include "ui/panels.h"

#include <stdio.h>
#include <string.h>

/* A panel or column of another version is passed over. */
void view_take_sorts(struct view *v)
{
    for (size_t i = 0; i < v->settings.sort_count; i++) {
        const struct settings_sort *sort = &v->settings.sorts[i];

        for (size_t p = 0; p < PANEL_COUNT; p++) {
            const struct panel_table *table = panels[p]->table;
            bool is_it =
                table && panels[p]->source->compare && !strcmp(panels[p]->name, sort->panel);

            for (size_t c = 0; is_it && c < table->column_count; c++) {
                if (strcmp(table->columns[c].heading, sort->column) == 0) {
                    v->lists[p].sort = c + 1;
                    v->lists[p].inverted = sort->inverted;
                }
            }
        }
    }
}

void view_note_sorts(struct view *v)
{
    v->settings.sort_count = 0;
    for (size_t p = 0; p < PANEL_COUNT; p++) {
        struct settings_sort *sort = &v->settings.sorts[v->settings.sort_count];
        const struct list *list = &v->lists[p];

        if (panels[p]->table && list->sort) {
            snprintf(sort->panel, sizeof sort->panel, "%s", panels[p]->name);
            snprintf(sort->column, sizeof sort->column, "%s",
                     panels[p]->table->columns[list->sort - 1].heading);
            sort->inverted = list->inverted;
            v->settings.sort_count++;
        }
    }
}

void view_act_on_settings(struct view *v, enum key_action action, uint64_t now_us)
{
    struct settings *settings = &v->settings;
    char text[CONTROL_REPLY_MAX];

    switch (action) {
    case KEY_THEME:
        settings->theme = (settings->theme + 1) % THEME_COUNT;
        snprintf(text, sizeof text, "theme %s (S keeps it)", theme_name(settings->theme));
        break;
    case KEY_BACKGROUND:
        settings->background = view_is_light(v) ? BACKGROUND_DARK : BACKGROUND_LIGHT;
        v->forced = BACKGROUND_AUTO;
        snprintf(text, sizeof text, "for a %s background (S keeps it)",
                 background_name(settings->background));
        break;
    case KEY_MOUSE:
        settings->mouse = !settings->mouse;
        snprintf(text, sizeof text, "mouse %s (S keeps it)", settings->mouse ? "on" : "off");
        break;
    default:
        settings->notify = !settings->notify;
        snprintf(text, sizeof text, "notify %s (S keeps it)", settings->notify ? "on" : "off");
        break;
    }
    view_message(v, now_us, text);
}
