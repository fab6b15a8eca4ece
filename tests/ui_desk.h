/**
 * A user's desk, for tests of keys: a view of a made-up snapshot on 80x24, typed at in bytes.
 *
 * `commands` are those that the keys gave, until a test takes them.
 */
#ifndef SCRAPETOP_TESTS_UI_DESK_H
#define SCRAPETOP_TESTS_UI_DESK_H

#include "ui/input.h"
#include "ui/layout.h"
#include "ui/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct desk {
    struct input input;
    struct view view;
    struct layout layout;
    struct snapshot snapshot;
    uint64_t now_us;
    struct control commands[64];
    size_t count;
};

#define DESK_TEST(name) cmocka_unit_test_setup(name, desk_set_up)

/** SCENE_RUNNING, nothing typed. */
int desk_set_up(void **state);

void desk_press(struct desk *d, const char *bytes, size_t length);
void desk_type(struct desk *d, const char *text);

/** Time in which no key comes. */
void desk_wait(struct desk *d, uint64_t us);

/** Exactly this command was given; takes it. */
void desk_expect(struct desk *d, enum control_verb verb, int64_t number);

/** A question with these words is asked, and nothing was given. */
void desk_expect_question(struct desk *d, const char *words);

/** Those that follow a first one, or a yes. */
void desk_take_orders(struct desk *d);

#endif
