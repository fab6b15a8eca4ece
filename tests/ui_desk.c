#include "tests/ui_desk.h"

#include "base/clock.h"
#include "tests/ui_scenes.h"
#include "ui/screen.h"

#include <string.h>

#define START_US (UINT64_C(1969) * US_PER_S)

int desk_set_up(void **state)
{
    static struct desk d;

    memset(&d, 0, sizeof d);
    input_init(&d.input);
    view_init(&d.view, ~(UINT32_C(1) << CONTROL_LEAVE));
    ui_scene_fill(&d.snapshot, SCENE_RUNNING, 24, START_US);
    screen_arrange(&d.layout, &d.view, &d.snapshot, 24, 80);
    d.now_us = START_US;
    *state = &d;
    return 0;
}

void desk_press(struct desk *d, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        struct input_key keys[INPUT_KEYS_MAX];
        size_t count = input_feed(&d->input, (unsigned char)bytes[i], d->now_us, keys);

        for (size_t k = 0; k < count && d->count < 64; k++) {
            d->count +=
                view_key(&d->view, &d->snapshot, keys[k], d->now_us, &d->commands[d->count]);
        }
    }
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
}

void desk_type(struct desk *d, const char *text)
{
    desk_press(d, text, strlen(text));
}

void desk_wait(struct desk *d, uint64_t us)
{
    struct input_key keys[INPUT_KEYS_MAX];
    size_t count;

    d->now_us += us;
    count = input_idle(&d->input, d->now_us, keys);
    for (size_t k = 0; k < count; k++) {
        d->count += view_key(&d->view, &d->snapshot, keys[k], d->now_us, &d->commands[d->count]);
    }
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
}

void desk_expect(struct desk *d, enum control_verb verb, int64_t number)
{
    assert_int_equal(d->count, 1);
    assert_int_equal(d->commands[0].verb, verb);
    assert_int_equal(d->commands[0].number, number);
    d->count = 0;
}

void desk_expect_question(struct desk *d, const char *words)
{
    assert_int_equal(d->count, 0);
    assert_int_equal(d->view.prompt, PROMPT_QUESTION);
    assert_non_null(strstr(d->view.question, words));
}

void desk_take_orders(struct desk *d)
{
    while (d->count < 64 && view_next(&d->view, &d->commands[d->count])) {
        d->count++;
    }
}
