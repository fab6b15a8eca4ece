#include "ui/background.h"
#include "ui/input.h"
#include "ui/theme.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static void fgbg__tells__by_its_last_number_alone(void **state)
{
    static const struct {
        const char *text;
        enum background want;
    } cases[] = {
        { "15;0", BACKGROUND_DARK },
        { "0;15", BACKGROUND_LIGHT },
        { "0;default;15", BACKGROUND_LIGHT },
        { "0;7", BACKGROUND_LIGHT },
        { "7;8", BACKGROUND_DARK },
        { "0;6", BACKGROUND_DARK },
        { "0;default", BACKGROUND_AUTO },
        { "15", BACKGROUND_AUTO },
        { "0;16", BACKGROUND_AUTO },
        { "0;4294967303", BACKGROUND_AUTO },
        { "0;", BACKGROUND_AUTO },
        { "", BACKGROUND_AUTO },
        { NULL, BACKGROUND_AUTO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(background_of_fgbg(cases[i].text), cases[i].want);
    }
}

static void answer__tells__in_every_width_of_its_numbers(void **state)
{
    static const struct {
        const char *text;
        enum background want;
    } cases[] = {
        { "11;rgb:ffff/ffff/ffff", BACKGROUND_LIGHT },
        { "11;rgb:0000/0000/0000", BACKGROUND_DARK },
        { "11;rgb:ff/ff/ff", BACKGROUND_LIGHT },
        { "11;rgb:f/f/f", BACKGROUND_LIGHT },
        { "11;rgb:1/1/1", BACKGROUND_DARK },
        { "11;rgba:FDFD/F6F6/E3E3/FFFF", BACKGROUND_LIGHT }, /* Solarized light */
        { "11;rgb:0000/2b2b/3636", BACKGROUND_DARK },        /* and dark */
        { "11;rgb:0000/0000/ffff", BACKGROUND_DARK },        /* blue is dark to the eye */
        { "11;rgb:ffff/ffff/0000", BACKGROUND_LIGHT },
        { "10;rgb:ffff/ffff/ffff", BACKGROUND_AUTO },
        { "11;rgb:ffff/ffff", BACKGROUND_AUTO },
        { "11;rgb:ffff//ffff", BACKGROUND_AUTO },
        { "11;rgb:", BACKGROUND_AUTO },
        { "11;?", BACKGROUND_AUTO },
        { "", BACKGROUND_AUTO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(background_of_answer(str_view(cases[i].text)), cases[i].want);
    }
}

/* The codes that the bytes give, with a pause before each of `slow_us`. */
static size_t feed(struct input *in, const char *bytes, uint64_t slow_us, uint32_t codes[32])
{
    static uint64_t now_us = 1000000;
    struct input_key keys[INPUT_KEYS_MAX];
    size_t count = 0;

    for (const char *c = bytes; *c; c++) {
        size_t given = input_feed(in, (unsigned char)*c, now_us += slow_us, keys);

        for (size_t k = 0; k < given; k++) {
            assert_true(count < 32);
            codes[count++] = keys[k].code;
        }
    }
    return count;
}

static void answer__eats_no_key_and_gives_none__however_slowly_it_comes(void **state)
{
    static const char whole[] = "+\033]11;rgb:ffff/ffff/ffff\033\\\033[?64;1;2c-";
    static const uint64_t slow[] = { 0, 1000, 140000, 2500000 };
    uint32_t codes[32];

    (void)state;
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        struct input in;
        size_t count, told = 0;

        input_init(&in);
        in.expects = true;
        count = feed(&in, i < 3 ? whole : "\033]11;rgb:ffff/", i < 3 ? slow[i] : 0, codes);
        if (i < 3) {
            assert_int_equal(count, 4);
            assert_int_equal(codes[0], '+');
            assert_int_equal(codes[1], INPUT_TOLD_LIGHT);
            assert_int_equal(codes[2], INPUT_TOLD_ALL);
            assert_int_equal(codes[3], '-');
            continue;
        }
        /* A link that stops for seconds in mid-answer. */
        told += feed(&in, "f", slow[i], codes);
        assert_int_equal(told, 0);
        told += feed(&in, "fff/0000\007", 0, codes);
        assert_int_equal(told, 1);
        assert_int_equal(codes[0], INPUT_TOLD_LIGHT);
    }
}

static void answer__that_nobody_asked_for__is_swallowed(void **state)
{
    struct input in;
    uint32_t codes[32];

    (void)state;
    input_init(&in);
    assert_int_equal(feed(&in, "\033]11;rgb:ffff/ffff/ffff\033\\\033[?64;1c", 10, codes), 0);
    in.expects = true;
    assert_int_equal(feed(&in, "\033]52;c;Zm9v\007\033]11;rgb:q/q/q\007", 10, codes), 0);
    assert_int_equal(feed(&in, "x", 10, codes), 1);
}

/* --- colours ----------------------------------------------------------------------------------------- */

static double part_of(int level)
{
    static const int levels[] = { 0, 95, 135, 175, 215, 255 };
    double part = levels[level] / 255.0;

    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

/* Relative luminance of a colour of the 6x6x6 cube, as WCAG has it. */
static double luminance(short number)
{
    int cube = number - 16;

    assert_in_range(number, 16, 231);
    return 0.2126 * part_of(cube / 36) + 0.7152 * part_of(cube / 6 % 6) +
           0.0722 * part_of(cube % 6);
}

static void light_theme__can_be_read_on_white__in_all_three(void **state)
{
    (void)state;
    for (int theme = 0; theme < THEME_COUNT; theme++) {
        for (int role = 0; role < ROLE_COUNT; role++) {
            struct look light = theme_look((enum theme)theme, true, (enum role)role);
            struct look dark = theme_look((enum theme)theme, false, (enum role)role);

            assert_int_equal(light.colour == THEME_DEFAULT_COLOUR,
                             dark.colour == THEME_DEFAULT_COLOUR);
            assert_int_equal(light.bold, dark.bold);
            assert_int_equal(light.reverse, dark.reverse);
            if (light.colour == THEME_DEFAULT_COLOUR) {
                assert_int_equal(light.fine, THEME_DEFAULT_COLOUR);
                continue;
            }
            /* 4.5 : 1 is what WCAG asks of text. Of the eight, red, blue and magenta have it. */
            assert_true(1.05 / (luminance(light.fine) + 0.05) >= 4.5);
            assert_true(light.colour == 1 || light.colour == 4 || light.colour == 5);
            if (dark.fine != THEME_DEFAULT_COLOUR) {
                assert_true((luminance(dark.fine) + 0.05) / 0.05 >= 4.5);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fgbg__tells__by_its_last_number_alone),
        cmocka_unit_test(answer__tells__in_every_width_of_its_numbers),
        cmocka_unit_test(answer__eats_no_key_and_gives_none__however_slowly_it_comes),
        cmocka_unit_test(answer__that_nobody_asked_for__is_swallowed),
        cmocka_unit_test(light_theme__can_be_read_on_white__in_all_three),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
