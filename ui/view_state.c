/* What a view is asked for and told by all who act on it; the lowest of its files. */

#include "ui/view.h"

#include "ui/panels.h"

#include <stdio.h>

#define SWEEP_USUAL "5,10,20,40"

void view_message(struct view *v, uint64_t now_us, const char *text)
{
    snprintf(v->message, sizeof v->message, "%s", text);
    v->message_until_us = now_us + VIEW_MESSAGE_US;
}

bool view_is_light(const struct view *v)
{
    enum background background = v->forced != BACKGROUND_AUTO ? v->forced
                                 : v->settings.background != BACKGROUND_AUTO
                                     ? v->settings.background
                                     : v->told;

    return background == BACKGROUND_LIGHT;
}

struct list *view_list(struct view *v)
{
    return panels[v->focus]->source ? &v->lists[v->focus] : NULL;
}

void view_order(struct view *v, enum control_verb verb)
{
    v->orders.verb = verb;
    v->orders.count = v->orders.at = 0;
}

void view_order_number(struct view *v, uint64_t number)
{
    v->orders.numbers[v->orders.count++] = number;
}

void prompt_open(struct view *v, enum view_prompt prompt)
{
    v->prompt = prompt;
    v->prompt_text[0] = '\0';
    v->message[0] = '\0';
    if (prompt == PROMPT_FILTER) {
        snprintf(v->filter_before, sizeof v->filter_before, "%s", v->lists[v->focus].filter);
        snprintf(v->prompt_text, sizeof v->prompt_text, "%s", v->filter_before);
    } else if (prompt == PROMPT_HELP) {
        snprintf(v->prompt_text, sizeof v->prompt_text, "%s", v->help_filter);
    } else if (prompt == PROMPT_SWEEP) {
        snprintf(v->prompt_text, sizeof v->prompt_text, SWEEP_USUAL);
    }
}

void prompt_ask(struct view *v, const char *question)
{
    prompt_open(v, PROMPT_QUESTION);
    snprintf(v->question, sizeof v->question, "%s", question);
}
