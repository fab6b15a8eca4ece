#include "normalise/types.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_int(const char *text, int64_t want)
{
    int64_t value = 0;

    assert_true(types_int64(str_view(text), &value));
    assert_int_equal(value, want);
}

static void types_int64__reads__when_nothing_is_lost(void **state)
{
    int64_t value;

    (void)state;
    assert_int("0", 0);
    assert_int("-1", -1);
    assert_int("100", 100);
    assert_int("9223372036854775807", INT64_MAX);
    assert_int("-9223372036854775808", INT64_MIN);
    assert_int("1000000000000000000", INT64_C(1000000000000000000));
    assert_false(types_int64(STR("9223372036854775808"), &value));
    assert_false(types_int64(STR("-9223372036854775809"), &value));
    assert_false(types_int64(STR("10000000000000000000"), &value));
    assert_false(types_int64(STR("-0"), &value));
    assert_false(types_int64(STR("1.0"), &value));
    assert_false(types_int64(STR("1e3"), &value));
    assert_false(types_int64(STR("007"), &value));
    assert_false(types_int64(STR("+1"), &value));
    assert_false(types_int64(STR(" 1"), &value));
    assert_false(types_int64(STR(""), &value));
}

/* The double is strtod's, and it keeps the text's digits. */
static void assert_double(const char *text)
{
    double value = 0;

    assert_true(types_double(str_view(text), &value));
    assert_true(value == strtod(text, NULL) && !signbit(value) == !signbit(strtod(text, NULL)));
}

static void types_double__reads__when_the_text_survives_the_round_trip(void **state)
{
    double value;

    (void)state;
    assert_double("0.1");
    assert_double("12.50");
    assert_double("-0");
    assert_double("0.000");
    assert_double("1e22");
    assert_double("1e-22");
    assert_double("123456789012345e-22");
    assert_double("43.653225999999997");
    assert_double("5e-324");
    assert_double("1.7976931348623157e308");
    assert_double("2.2250738585072014E-308");
    assert_false(types_double(STR("0.1000000000000000055511151231257827"), &value));
    assert_false(types_double(STR("9007199254740993"), &value)); /* 2^53 + 1 */
    assert_true(types_double(STR("9007199254740994"), &value));
    assert_true(types_double(STR("-288230376151711744"), &value)); /* 2^58, of 18 digits */
    assert_true(value == -0x1p58);
    assert_true(types_double(STR("2305843009213693952"), &value)); /* 2^61 */
    assert_true(value == 0x1p61);
    assert_false(types_double(STR("2305843009213693953"), &value));
    assert_true(types_double(STR("0.10000000000000001"), &value));  /* %.17g of 0.1 */
    assert_false(types_double(STR("9223372036854775808"), &value)); /* 19 digits */
    assert_false(types_double(STR("12345678901234567890.5"), &value));
    assert_false(types_double(STR("1e999"), &value));
    assert_false(types_double(STR("1e-999"), &value));
    assert_false(types_double(STR("3e-324"), &value)); /* comes back as 5e-324 */
    assert_false(types_double(STR("1."), &value));
    assert_false(types_double(STR(".5"), &value));
    assert_false(types_double(STR("1e"), &value));
    assert_false(types_double(STR("NaN"), &value));
    assert_false(types_double(STR("0x10"), &value));
    assert_false(types_double(STR("01.5"), &value));
}

/* The fast way against the library's, over many short decimals. */
static void types_double__is_the_nearest__when_digits_are_few(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double value;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        snprintf(text, sizeof text, "%s%llu.%llue%d", random & 1 ? "-" : "",
                 (unsigned long long)(random >> 40), (unsigned long long)(random >> 20 & 0xFFFFF),
                 (int)(random >> 10 & 31) - 16);
        assert_true(types_double(str_view(text), &value));
        if (value != strtod(text, NULL)) {
            fail_msg("%s: %.17g is not %.17g", text, value, strtod(text, NULL));
        }
    }
}

/* The double's texts of 15, 16 and 17 digits, as "%.*e" prints them and without an exponent: each is taken, and is
 * what strtod makes of it. */
static void assert_texts_of(double want)
{
    for (int digits = 15; digits <= 17; digits++) {
        char texts[2][64];
        int count =
            fabs(want) >= 0.1 && fabs(want) < 10 ? 2 : 1; /* others have zeros that do not count */

        snprintf(texts[0], sizeof texts[0], "%.*e", digits - 1, want);
        snprintf(texts[1], sizeof texts[1], "%.*f", fabs(want) < 1 ? digits : digits - 1, want);
        for (int i = 0; i < count; i++) {
            double value = 0;

            if (!types_double(str_view(texts[i]), &value) || value != strtod(texts[i], NULL)) {
                fail_msg("%s: %.17g", texts[i], value);
            }
        }
    }
}

/* Below a power of two doubles lie twice as close as above it. */
static void types_double__is_the_nearest__beside_every_power_of_two(void **state)
{
    double value;

    (void)state;
    assert_true(types_double(STR("0.9999999999999999"), &value));
    assert_true(value == 0x1.fffffffffffffp-1);
    assert_true(types_double(STR("0.99999999999999989"), &value));
    assert_true(value == 0x1.fffffffffffffp-1);
    assert_true(types_double(STR("-1.9999999999999998"), &value));
    assert_true(value == -0x1.fffffffffffffp0);
    assert_true(types_double(STR("0.4999999999999999"), &value));
    assert_true(value == strtod("0.4999999999999999", NULL));
    /* The shortest texts of their doubles, whose neighbours are nearer to those but stand for others. */
    assert_double("7.120236347223045e-307");
    assert_double("-5.641232424577593e-278");
    assert_double("7.678447687145631e-239");
    /* Halfway: C prints 12 at the end, ECMAScript's toPrecision(17) 13. */
    assert_double("281474976710656.13");
    assert_double("281474976710656.12");
    assert_double("-1125899906842624.3");
    assert_double("2.9802322387695313e-8");
    assert_false(types_double(STR("281474976710656.11"), &value));
    assert_false(types_double(STR("281474976710656.14"), &value));
    assert_false(types_double(STR("1125899906842624.4"), &value));
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        double power = ldexp(1, exponent), below = power, above = power;

        assert_texts_of(power);
        for (int i = 0; i < 4; i++) {
            below = nextafter(below, 0);
            above = nextafter(above, INFINITY);
            if (below > 0) {
                assert_texts_of(below);
            }
            assert_texts_of(-above);
        }
    }
}

/* The value lies halfway between what it prints as and `want`, d.ddde-dd, which is greater by one. */
static bool is_rounded_up(double value, const char *want)
{
    size_t digits = strcspn(want, "e");
    char exact[128];

    snprintf(exact, sizeof exact, "%.60e", value);
    if (exact[digits] != '5' || exact[digits + 1 + strspn(exact + digits + 1, "0")] != 'e') {
        return false;
    }
    exact[digits - 1]++;
    return strncmp(exact, want, digits) == 0;
}

/* Sixteen and seventeen digits: the value is the library's, and whether it is taken is whether "%.*e" gives
 * the digits back, or half a digit more. */
static void types_double__agrees_with_printing__when_digits_are_many(void **state)
{
    uint64_t random = 3, taken = 0;

    (void)state;
    for (int i = 0; i < 40000; i++) {
        int digits = 16 + (i & 1), places = 1 + i % 22;
        char number[32], text[64], printed[64], want[64];
        double value = 0;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        snprintf(number, sizeof number, "%d%017llu", 1 + (int)(random >> 61),
                 (unsigned long long)(random % UINT64_C(100000000000000000)));
        number[digits] = '\0';
        number[digits - 1] = (char)('1' + (int)(random >> 58) % 9);
        snprintf(text, sizeof text, "%se-%d", number, places);
        snprintf(printed, sizeof printed, "%.*e", digits - 1, strtod(text, NULL));
        snprintf(want, sizeof want, "%c.%se%+03d", number[0], number + 1, digits - 1 - places);
        bool taken_so = strcmp(printed, want) == 0 || is_rounded_up(strtod(text, NULL), want);

        if (types_double(str_view(text), &value) != taken_so) {
            fail_msg("%s: %s", text, printed);
        }
        if (taken_so) {
            assert_true(value == strtod(text, NULL));
            taken++;
        }
    }
    assert_true(taken > 20000 && taken < 40000);
}

struct value {
    enum cell_kind kind;
    const char *text;
};

#define BARE(text)                                                                                 \
    {                                                                                              \
        CELL_BARE, text                                                                            \
    }
#define QUOTED(text)                                                                               \
    {                                                                                              \
        CELL_STRING, text                                                                          \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct type_decision decide_as(const struct value *values, size_t count, const char *name,
                                      bool coerce, bool assume_utc)
{
    struct type_facts facts = { 0 };
    union type_value value;

    for (size_t i = 0; i < count; i++) {
        types_note(&facts, values[i].kind, str_view(values[i].text), coerce, &value);
    }
    return types_decide(&facts, str_view(name), coerce, assume_utc);
}

static struct type_decision decide(const struct value *values, size_t count, const char *name,
                                   bool coerce)
{
    return decide_as(values, count, name, coerce, false);
}

static void types_decide__takes_what_keeps_every_value__when_all_are_seen(void **state)
{
    static const struct value ints[] = { BARE("1"), BARE("9223372036854775807"), BARE("-5") };
    static const struct value fractions[] = { BARE("1"), BARE("2.5"), BARE("9007199254740992") };
    static const struct value wide[] = { BARE("2.5"), BARE("9007199254740993") };
    static const struct value large[] = { BARE("1"), BARE("9223372036854775808") };
    static const struct value flags[] = { BARE("true"), BARE("false"), { CELL_NULL, "null" } };
    static const struct value times[] = { QUOTED("2026-11-21T10:30+01"),
                                          QUOTED("2026-11-21T00:00:00Z"),
                                          QUOTED("2026-11-21 00:00:00-0530") };
    static const struct value days[] = { QUOTED("2026-11-21"), QUOTED("1969-12-31") };
    static const struct value both[] = { QUOTED("2026-11-21"), QUOTED("2026-11-21T00:00:00Z") };
    static const struct value texts[] = { QUOTED("a"), QUOTED("12.50") };
    static const struct value mixed[] = { BARE("1"), QUOTED("x") };
    static const struct value arrays[] = { { CELL_JSON, "[]" } };
    static const struct value either[] = { { CELL_JSON, "[]" }, QUOTED("x") };
    static const struct value no_time[] = { QUOTED("2026-11-21"), QUOTED("n/a") };

    (void)state;
    assert_int_equal(decide(ints, COUNT(ints), "id", false).type, TYPE_INT64);
    assert_int_equal(decide(fractions, COUNT(fractions), "x", false).type, TYPE_DOUBLE);
    assert_int_equal(decide(wide, COUNT(wide), "x", false).type, TYPE_TEXT);
    assert_true(decide(wide, COUNT(wide), "x", false).conflict);
    assert_true(decide(large, COUNT(large), "x", false).conflict);
    assert_int_equal(decide(flags, COUNT(flags), "x", false).type, TYPE_BOOLEAN);
    assert_int_equal(decide(times, COUNT(times), "x", false).type, TYPE_TIMESTAMP);
    assert_int_equal(decide(days, COUNT(days), "x", false).type, TYPE_DATE);
    assert_int_equal(decide(both, COUNT(both), "x", false).type, TYPE_TEXT);
    assert_true(decide(both, COUNT(both), "x", false).conflict);
    assert_int_equal(decide(texts, COUNT(texts), "x", false).type, TYPE_TEXT);
    assert_false(decide(texts, COUNT(texts), "x", false).conflict);
    assert_false(decide(texts, COUNT(texts), "x", true).conflict);
    assert_true(decide(mixed, COUNT(mixed), "x", false).conflict);
    assert_false(decide(arrays, COUNT(arrays), "x", false).conflict);
    assert_true(decide(either, COUNT(either), "x", false).conflict);
    assert_true(decide(no_time, COUNT(no_time), "x", false).conflict);
    assert_int_equal(decide(flags + 2, 1, "x", false).type, TYPE_TEXT);
}

static void types_decide__names_no_zone__when_times_have_no_offset(void **state)
{
    static const struct value local[] = { QUOTED("2026-11-21T10:30"),
                                          QUOTED("2026-11-21 00:00:00.5") };
    static const struct value both[] = { QUOTED("2026-11-21T10:30"),
                                         QUOTED("2026-11-21T00:00:00z") };
    static const struct value days[] = { QUOTED("2026-11-21"), QUOTED("2026-11-21T10:30") };

    (void)state;
    assert_int_equal(decide(local, COUNT(local), "x", false).type, TYPE_LOCAL_TIMESTAMP);
    assert_int_equal(decide_as(local, COUNT(local), "x", false, true).type, TYPE_TIMESTAMP);
    assert_int_equal(decide(both, COUNT(both), "x", false).type, TYPE_TEXT);
    assert_true(decide(both, COUNT(both), "x", false).conflict);
    assert_int_equal(decide_as(both, COUNT(both), "x", false, true).type, TYPE_TIMESTAMP);
    assert_true(decide_as(days, COUNT(days), "x", false, true).conflict);
}

static void types_decide__coerces__when_asked_and_all_values_agree(void **state)
{
    static const struct value prices[] = { QUOTED("12.50"), BARE("3") };
    static const struct value codes[] = { QUOTED("12"), QUOTED("007") };
    static const struct value seconds[] = { BARE("1700000000"), QUOTED("1700000001") };
    static const struct value millis[] = { BARE("1700000000000") };
    static const struct value early[] = { BARE("1700000000"), BARE("5") };

    (void)state;
    assert_int_equal(decide(prices, COUNT(prices), "price", true).type, TYPE_DOUBLE);
    assert_true(decide(prices, COUNT(prices), "price", true).coerced);
    assert_true(decide(prices, COUNT(prices), "price", false).conflict);
    assert_int_equal(decide(codes, COUNT(codes), "zip", true).type, TYPE_TEXT);
    assert_int_equal(decide(seconds, COUNT(seconds), "created_at", true).epoch_unit_us, 1000000);
    assert_int_equal(decide(seconds, COUNT(seconds), "createdAt", true).type, TYPE_TIMESTAMP);
    assert_int_equal(decide(seconds, COUNT(seconds), "user_id", true).type, TYPE_INT64);
    assert_int_equal(decide(millis, COUNT(millis), "a.timestamp", true).epoch_unit_us, 1000);
    assert_int_equal(decide(millis, COUNT(millis), "a.timestamp", false).type, TYPE_INT64);
    assert_int_equal(decide(early, COUNT(early), "created_at", true).type, TYPE_INT64);
}

static void types_merge__gives_the_same__when_workers_come_in_any_order(void **state)
{
    static const struct value values[] = { BARE("1700000000"), QUOTED("x"),  BARE("2.5"),
                                           BARE("-7"),         BARE("true"), QUOTED("2026-01-01") };
    struct type_facts parts[COUNT(values)] = { 0 }, forth = { 0 }, back = { 0 };
    union type_value value;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        types_note(&parts[i], values[i].kind, str_view(values[i].text), false, &value);
    }
    for (size_t i = 0; i < COUNT(values); i++) {
        types_merge(&forth, &parts[i]);
        types_merge(&back, &parts[COUNT(values) - 1 - i]);
    }
    assert_memory_equal(&forth, &back, sizeof forth);
    assert_int_equal(forth.low, -7);
    assert_int_equal(forth.high, 1700000000);
    assert_int_equal(types_present(&forth), COUNT(values));
}

static void types_note__tells_the_value__when_it_is_a_number_or_time(void **state)
{
    struct type_facts facts = { 0 };
    union type_value value;

    (void)state;
    assert_int_equal(types_note(&facts, CELL_BARE, STR("-42"), false, &value), KIND_INT);
    assert_int_equal(value.whole, -42);
    assert_int_equal(types_note(&facts, CELL_BARE, STR("9007199254740993"), false, &value),
                     KIND_WIDE);
    assert_int_equal(value.whole, INT64_C(9007199254740993));
    assert_int_equal(types_note(&facts, CELL_BARE, STR("-2.5"), false, &value), KIND_DOUBLE);
    assert_true(value.fraction == -2.5);
    assert_int_equal(types_note(&facts, CELL_BARE, STR("25e-1"), false, &value), KIND_DOUBLE);
    assert_true(value.fraction == 2.5);
    assert_int_equal(types_note(&facts, CELL_STRING, STR("1970-01-01T00:00:01Z"), false, &value),
                     KIND_TIME);
    assert_int_equal(value.whole, 1000000);
    assert_int_equal(types_note(&facts, CELL_STRING, STR("1969-12-31"), false, &value), KIND_DATE);
    assert_int_equal(value.whole, -1);
    assert_int_equal(types_note(&facts, CELL_STRING, STR("2024-02-29"), true, &value), KIND_DATE);
    assert_int_equal(value.whole, 19782);
    assert_int_equal(types_note(&facts, CELL_STRING, STR("2023-02-29"), true, &value), KIND_TEXT);
}

/* What is filed as it was met, and the range of it: against arithmetic that takes no short cut. */
static void types_note__keeps_kind_and_range__when_numbers_come_in_any_order(void **state)
{
    static const int64_t sizes[] = { 0,         1,         7,         1 << 20,  1LL << 52,
                                     1LL << 53, 1LL << 54, 1LL << 61, 1LL << 62 };
    uint64_t random = 5;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct type_facts facts = { 0 };
        int64_t low = INT64_MAX, high = INT64_MIN;

        for (int i = 0; i < 6; i++) {
            char text[32];
            union type_value value;
            int64_t number;
            bool wide;

            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            number = sizes[(random >> 33) % COUNT(sizes)] + (int64_t)(random >> 45 & 7) - 3;
            number = random >> 63 ? -number : number;
            snprintf(text, sizeof text, "%lld", (long long)number);
            wide = llabs(number) >= INT64_MAX / 2 || (int64_t)(double)number != number;
            assert_int_equal(types_note(&facts, CELL_BARE, str_view(text), false, &value),
                             wide ? KIND_WIDE : KIND_INT);
            assert_int_equal(value.whole, number);
            low = !wide && number < low ? number : low;
            high = !wide && number > high ? number : high;
        }
        if (facts.seen[KIND_INT]) {
            assert_int_equal(facts.low, low);
            assert_int_equal(facts.high, high);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_int64__reads__when_nothing_is_lost),
        cmocka_unit_test(types_double__reads__when_the_text_survives_the_round_trip),
        cmocka_unit_test(types_double__is_the_nearest__when_digits_are_few),
        cmocka_unit_test(types_double__is_the_nearest__beside_every_power_of_two),
        cmocka_unit_test(types_double__agrees_with_printing__when_digits_are_many),
        cmocka_unit_test(types_note__tells_the_value__when_it_is_a_number_or_time),
        cmocka_unit_test(types_note__keeps_kind_and_range__when_numbers_come_in_any_order),
        cmocka_unit_test(types_decide__takes_what_keeps_every_value__when_all_are_seen),
        cmocka_unit_test(types_decide__names_no_zone__when_times_have_no_offset),
        cmocka_unit_test(types_decide__coerces__when_asked_and_all_values_agree),
        cmocka_unit_test(types_merge__gives_the_same__when_workers_come_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
