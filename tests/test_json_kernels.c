#include "base/json_kernel.h"
#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DEPTH 200

/* By each kernel. */
static void assert_all_agree(struct str text, unsigned depth_max)
{
    const struct json_kernel *kernels[JSON_KERNELS_MAX];
    size_t count = json_kernels(kernels);
    bool is_json = json_check_closely(text, depth_max, NULL);

    for (size_t i = 0; i < count; i++) {
        const char *end = text.data + text.len;

        if ((kernels[i]->verify(text.data, end, depth_max) == end) != is_json) {
            print_error("%s at depth %u: %.*s\n", kernels[i]->name, depth_max, STR_ARG(text));
            fail();
        }
    }
}

/* Whether a token may follow another depends on the two and on their container: all rows of five,
 * in both kinds of container, with a block's end within them. */
static void json_kernels__say_what_the_judge_says__when_tokens_stand_in_any_order(void **state)
{
    static const char *const tokens[] = { "{", "}", "[", "]", ",", ":", "\"a\"", "1", "true" };
    const unsigned count = sizeof tokens / sizeof tokens[0];
    unsigned rows = 1;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        rows *= count;
    }
    for (unsigned row = 0; row < 2 * rows; row++) {
        char text[128];
        unsigned left = row % rows;
        size_t pad = row % 7 ? 0 : 50 + row % 12;
        int len = snprintf(text, sizeof text, "%s%*s", row < rows ? "[" : "{", (int)pad, "");

        for (unsigned i = 0; i < 5; i++, left /= count) {
            len += snprintf(text + len, sizeof text - (size_t)len, "%s%s", tokens[left % count],
                            row % 5 ? "" : " ");
        }
        len += snprintf(text + len, sizeof text - (size_t)len, "%s", row < rows ? "]" : "}");
        assert_all_agree((struct str){ text, (size_t)len }, 16);
    }
}

/* Of more containers than a word has bits the kernels still know which are objects. */
static void json_kernels__know_each_container__when_many_are_open(void **state)
{
    char text[DEPTH * 8], *at = text;
    size_t closing;

    (void)state;
    for (unsigned i = 0; i < DEPTH; i++) {
        at = stpcpy(at, i % 3 ? "{\"a\":" : "[");
    }
    *at++ = '1';
    closing = (size_t)(at - text);
    for (unsigned i = DEPTH; i--;) {
        *at++ = i % 3 ? '}' : ']';
    }
    assert_all_agree((struct str){ text, (size_t)(at - text) }, DEPTH);
    assert_true(json_check((struct str){ text, (size_t)(at - text) }, DEPTH, NULL));
    assert_all_agree((struct str){ text, (size_t)(at - text) }, DEPTH - 1);
    for (unsigned i = 0; i < DEPTH; i++) {
        text[closing + i] ^= '}' ^ ']';
        assert_all_agree((struct str){ text, (size_t)(at - text) }, DEPTH);
        text[closing + i] ^= '}' ^ ']';
    }
}

/* Numbers are judged by masks, wherever in a block they begin and end. */
static void json_kernels__say_what_the_judge_says__when_numbers_are_odd(void **state)
{
    static const char *const numbers[] = {
        "0",    "-0",    "10",   "01",  "-01",   "00",   "1.5",   "0.5",   "-0.5",
        "1.",   ".5",    "-",    "--1", "1-2",   "1e5",  "1e",    "1E+",   "1e-2",
        "1.e",  "1.5.2", "1x",   "0x1", "-a",    "1.05", "+1",    "1+",    "tru",
        "true", "nul",   "null", "fal", "false", "t",    "falsx", "true1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        for (int pad = 0; pad < 70; pad++) {
            char text[256];
            int len =
                snprintf(text, sizeof text, "[%*s%s,%s]%c", pad, "", numbers[i], numbers[i], ' ');

            assert_all_agree((struct str){ text, (size_t)len - 1 }, 16);
            len = snprintf(text, sizeof text, "{\"a\":%*s%s}", pad, "", numbers[i]);
            assert_all_agree((struct str){ text, (size_t)len }, 16);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_kernels__say_what_the_judge_says__when_tokens_stand_in_any_order),
        cmocka_unit_test(json_kernels__know_each_container__when_many_are_open),
        cmocka_unit_test(json_kernels__say_what_the_judge_says__when_numbers_are_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
