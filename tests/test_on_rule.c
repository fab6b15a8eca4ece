/* Rules by event as texts: what is read, and what is refused with which words. */

#include "job/on_rule.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct on_rule rule_of(const char *line)
{
    struct on_rule rule;
    struct err err = { .text = "" };

    if (on_rule_parse_line(&rule, str_view(line), &err) != RESULT_OK) {
        fail_msg("%s: %s", line, err.text);
    }
    return rule;
}

static void parse__reads_when__with_all_its_parts(void **state)
{
    struct on_rule r = rule_of(" 429 in 10s >= 2.5% for 1m30s : cap /2 ");

    (void)state;
    assert_string_equal(r.when, "429 in 10s >= 2.5% for 1m30s");
    assert_string_equal(r.act, "cap /2");
    assert_int_equal(r.measure, ON_STATUS);
    assert_int_equal(r.low, 429);
    assert_int_equal(r.high, 429);
    assert_int_equal(r.over_us, 10 * US_PER_S);
    assert_int_equal(r.compare, ON_AT_LEAST);
    assert_true(r.is_share);
    assert_float_equal(r.limit, 0.025, 1e-12);
    assert_int_equal(r.for_us, 90 * US_PER_S);
    assert_int_equal(r.verb, ON_DO_CAP);
    assert_int_equal(r.operation, '/');
    assert_int_equal(r.number, 2);
    assert_false(r.is_typed);
}

static void parse__needs_no_blanks__around_the_comparison(void **state)
{
    struct on_rule r = rule_of("5xx>20:pause");

    (void)state;
    assert_int_equal(r.low, 500);
    assert_int_equal(r.high, 599);
    assert_int_equal(r.compare, ON_ABOVE);
    assert_false(r.is_share);
    assert_float_equal(r.limit, 20, 0.0001);
    assert_int_equal(r.over_us, ON_OVER_US);
    assert_int_equal(r.for_us, 0);
    assert_int_equal(r.verb, ON_DO_PAUSE);
}

static void parse__takes_a_limit__in_the_unit_of_its_measure(void **state)
{
    (void)state;
    assert_float_equal(rule_of("p95 > 800ms: say slow").limit, 800000, 0.0001);
    assert_float_equal(rule_of("rate < 600/m: say slow").limit, 10, 1e-9);
    assert_float_equal(rule_of("rate <= 0/s: say still").limit, 0, 0.0001);
    assert_float_equal(rule_of("disk_free < 2G: drain").limit, 2147483648.0, 0.0001);
    assert_float_equal(rule_of("failed_total > 10k: stop").limit, 10000, 0.0001);
    assert_float_equal(rule_of("idle > 10m: say nothing: comes").limit, 600e6, 0.0001);
    assert_string_equal(rule_of("idle > 10m: say nothing: comes").argument, "nothing: comes");
}

static void parse__reads_each_measure_and_verb__of_the_tables(void **state)
{
    static const char *const limits[] = {
        [ON_UNIT_PART] = "5%", [ON_UNIT_COUNT] = "5", [ON_UNIT_RATE] = "5/s",
        [ON_UNIT_TIME] = "5s", [ON_UNIT_SIZE] = "5M",
    };
    static const char *const arguments[] = { [ON_TAKES_NONE] = "",
                                             [ON_TAKES_CAP] = " +5",
                                             [ON_TAKES_RATE] = " off",
                                             [ON_TAKES_TEXT] = " x" };
    char line[128];

    (void)state;
    for (int m = 0; m < ON_MEASURE_COUNT; m++) {
        for (int v = 0; v < ON_VERB_COUNT; v++) {
            struct on_rule r;

            snprintf(line, sizeof line, "%s > %s: %s%s", on_measures[m].word,
                     limits[on_measures[m].unit], on_verbs[v].word,
                     arguments[on_verbs[v].argument]);
            r = rule_of(line);
            assert_int_equal(r.measure, m);
            assert_int_equal(r.verb, v);
        }
    }
}

static void assert_refused(const char *line, const char *words)
{
    struct on_rule rule;
    struct err err = { .text = "" };

    assert_int_equal(on_rule_parse_line(&rule, str_view(line), &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-ON1");
    if (!strstr(err.text, words)) {
        fail_msg("%s: \"%s\" has no \"%s\"", line, err.text, words);
    }
}

static void parse__refuses_what_it_does_not_know__with_the_nearest_word(void **state)
{
    char longest[256] = "idle > 1s: say ";

    (void)state;
    assert_refused("faild > 5%: pause", "did you mean \"failed\"?");
    assert_refused("failed > 5%: pauze", "did you mean \"pause\"?");
    assert_refused("disk-free < 2G: drain", "\"disk\" is nothing that is measured");
    assert_refused("600 > 5%: pause", "\"600\" is nothing that is measured");
    assert_refused("> 5%: pause", "\"\" is nothing that is measured");
    assert_refused("failed: pause", "want >, >=, < or <=");
    assert_refused("failed = 5: pause", "want >, >=, < or <=");
    assert_refused("failed > : pause", "want a part (2%, at most 100%) or a number (20)");
    assert_refused("failed > 101%: pause", "at most 100%");
    assert_refused("failed > -1: pause", "want a part");
    assert_refused("failed > 1e9: pause", "want a part");
    assert_refused("failed > nan: pause", "want a part");
    assert_refused("failed > 99999999999999999999: pause", "want a part");
    assert_refused("p95 > 5%: pause", "want a time");
    assert_refused("rate < off: pause", "want a rate");
    assert_refused("rate < 0/fortnight: pause", "want a rate");
    assert_refused("disk_free < 1.5.2G: drain", "want a size");
    assert_refused("failed > 5% four 60s: pause", "want nothing, or \"for\" and a time");
    assert_refused("failed > 5% for: pause", "want a time, such as 60s");
    assert_refused("failed > 5% for 60s more: pause", "want nothing, or \"for\"");
    assert_refused("failed in 2d > 5%: pause", "want a time from 1s to 1d");
    assert_refused("failed in > 5%: pause", "want a time from 1s to 1d");
    assert_refused("idle in 5s > 5m: pause", "true at the moment");
    assert_refused("failed > 5%: cap 0", "pause starts nothing");
    assert_refused("failed > 5%: cap /1", "cap /2");
    assert_refused("failed > 5%: cap /2.5", "cap /2");
    assert_refused("failed > 5%: cap", "want cap 20");
    assert_refused("failed > 5%: rate 0/s", "\"rate\"");
    assert_refused("failed > 5%: pause now", "takes nothing after it");
    assert_refused("failed > 5%: say", "want what is to be said");
    assert_refused("failed > 5%:", "has no \"do\"");
    assert_refused(": pause", "has no \"when\"");
    assert_refused("failed > 5%", "want WHEN: DO");
    assert_refused("", "want WHEN: DO");
    assert_refused("failed > 5%: say \x1b[2J", "no text");
    assert_refused("failed > 5%: say \xff", "no text");
    memset(longest + strlen(longest), 'x', 100);
    assert_refused(longest, "longer than 95 bytes");
}

static void add__keeps_one_of_each__and_typed_ones_go(void **state)
{
    struct on_rules rules = { NULL, 0 };
    struct on_rule r = rule_of("failed > 5%: pause");
    struct err err;
    char line[64];

    (void)state;
    assert_int_equal(on_rules_add(&rules, &r, &err), RESULT_OK);
    assert_int_equal(on_rules_add(&rules, &r, &err), RESULT_OK);
    assert_int_equal(rules.count, 1);
    for (unsigned i = 1; i < ON_RULES_MAX; i++) {
        snprintf(line, sizeof line, "failed > %u: pause", i);
        r = rule_of(line);
        r.is_typed = true;
        assert_int_equal(on_rules_add(&rules, &r, &err), RESULT_OK);
    }
    r = rule_of("idle > 1h: drain");
    assert_int_equal(on_rules_add(&rules, &r, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-ON2");
    on_rules_drop_typed(&rules);
    assert_int_equal(rules.count, 1);
    assert_string_equal(rules.list[0].when, "failed > 5%");
    on_rules_release(&rules);
}

static void format_value__has_the_unit__of_the_limit(void **state)
{
    static const struct {
        const char *line;
        double value;
        const char *text;
    } rows[] = {
        { "failed > 5%: pause", 0.0714, "7.14 %" }, { "failed > 5: pause", 1234, "1,234" },
        { "p95 > 2s: pause", 2500000, "2.5s" },     { "rate < 5/s: pause", 4.25, "4.25/s" },
        { "rss > 1G: pause", 1500000, "1.50 MB" },
    };
    char text[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct on_rule r = rule_of(rows[i].line);

        on_rule_format_value(&r, rows[i].value, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void assert_named(const char *path, const char *word)
{
    char text[300000];
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    if (!strstr(text, word)) {
        fail_msg("%s does not name %s", path, word);
    }
}

static void docs__name_each_measure_and_verb(void **state)
{
    char word[64];

    (void)state;
    for (int i = ON_STATUS + 1; i < ON_MEASURE_COUNT; i++) {
        snprintf(word, sizeof word, ".B %s\n", on_measures[i].word);
        assert_named("assets/scrapetop.1.in", word);
        snprintf(word, sizeof word, "`%s`", on_measures[i].word);
        assert_named("docs/jobs.md", word);
    }
    for (int i = 0; i < ON_VERB_COUNT; i++) {
        snprintf(word, sizeof word, "`%s`", on_verbs[i].word);
        assert_named("docs/jobs.md", word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_when__with_all_its_parts),
        cmocka_unit_test(parse__needs_no_blanks__around_the_comparison),
        cmocka_unit_test(parse__takes_a_limit__in_the_unit_of_its_measure),
        cmocka_unit_test(parse__reads_each_measure_and_verb__of_the_tables),
        cmocka_unit_test(parse__refuses_what_it_does_not_know__with_the_nearest_word),
        cmocka_unit_test(add__keeps_one_of_each__and_typed_ones_go),
        cmocka_unit_test(format_value__has_the_unit__of_the_limit),
        cmocka_unit_test(docs__name_each_measure_and_verb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
