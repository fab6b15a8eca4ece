/* The controller against servers made of numbers: as fast as the best cap that can be found for each,
 * and no more than one refusal in a hundred. With --table it prints what `scripts/bench pacing` shows,
 * with --trace N the decisions about one model. */
#include "pacing_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_S 600.0
#define SEARCH_S 120.0 /* a fixed cap shows within that what it gives */
#define CAP_BEGIN 10

static double best_rate[2];
static unsigned best_cap;

/* The best rate of any fixed cap, in each half. */
static void search(const struct sim_model *model)
{
    best_rate[0] = best_rate[1] = 0;
    for (unsigned cap = 1; cap <= SIM_CAP_MAX; cap += cap < 16 ? 1 : cap / 8) {
        struct sim_result r = sim_run(model, SIM_FIXED, cap, SEARCH_S, NULL, false);

        for (unsigned half = 0; half < 2; half++) {
            if (r.rate[half] > best_rate[half]) {
                best_rate[half] = r.rate[half];
                best_cap = cap;
            }
        }
    }
}

/* What a server of windows costs who is told nothing: the end of its first windows is to be found, and one try a
 * window beyond what is let in shows in percent where little is let in. */
static double refused_most(const struct sim_model *m, double of_windows)
{
    double window_s = m->halves[0].window_s;

    return window_s >= 60 ? 0.036 : window_s > 0 ? of_windows : 0.01;
}

static bool is_bare(const struct sim_model *m)
{
    bool limits = m->halves[0].rate > 0 || m->halves[0].concurrent > 0;

    return limits && (m->dialect == SIM_SILENT || m->dialect == SIM_SILENT_503);
}

static double least_of_best(const struct sim_model *m)
{
    return strncmp(m->name, "latency ", strlen("latency ")) == 0 ? 0.95 : 0.9;
}

static void auto__is_as_fast_as_the_best_cap__against_every_server(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (unsigned i = 0; i < sim_model_count; i++) {
        const struct sim_model *m = &sim_models[i];
        struct sim_result r;
        bool late;

        search(m);
        r = sim_run(m, SIM_AUTO, CAP_BEGIN, HALF_S, best_rate, false);
        late = r.settled_s[0] > 60 || (r.settled_s[1] > 60 && !m->hidden);
        if (r.rate[1] < least_of_best(m) * best_rate[1] || r.refused >= refused_most(m, 0.0135) ||
            r.early || late) {
            print_error("%s: %.1f/s of %.1f/s (%.0f %%), %.2f %% refused, %u early, settled after "
                        "%.0f s and %.0f s, cap %u\n",
                        m->name, r.rate[1], best_rate[1], 100 * r.rate[1] / best_rate[1],
                        100 * r.refused, r.early, r.settled_s[0], r.settled_s[1], r.cap_end);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* From a cap of ten within 15 s, and then nearly all of what there is. */
static void auto__finds_the_limit_soon__of_nginx(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned i = 0; i < sim_model_count; i++) {
        const struct sim_model *m = &sim_models[i];
        const double best[2] = { m->halves[0].rate, m->halves[1].rate };
        struct sim_result r;

        if (strncmp(m->name, "nginx 50/s", strlen("nginx 50/s")) != 0) {
            continue;
        }
        found++;
        r = sim_run(m, SIM_AUTO, CAP_BEGIN, 60, best, false);
        if (r.settled_s[0] > 15 || r.rate[1] < 0.95 * best[1] || r.refused >= 0.01) {
            fail_msg("%s: settled after %.0f s, %.1f/s, %.2f %% refused", m->name, r.settled_s[0],
                     r.rate[1], 100 * r.refused);
        }
    }
    assert_int_equal(found, 2);
}

/* Refusals teach a rate at a fixed cap, too: nobody has to ask for `auto` to be polite. */
static void fixed__is_hardly_refused__by_servers_that_say_nothing(void **state)
{
    unsigned bad = 0, bare = 0;

    (void)state;
    for (unsigned i = 0; i < sim_model_count; i++) {
        const struct sim_model *m = &sim_models[i];
        struct sim_result r;

        if (!is_bare(m)) {
            continue;
        }
        bare++;
        r = sim_run(m, SIM_FIXED, 10, HALF_S, NULL, false);
        if (r.refused >= refused_most(m, 0.0207)) {
            print_error("%s: %.2f %% refused at cap 10\n", m->name, 100 * r.refused);
            bad++;
        }
    }
    assert_true(bare >= 10);
    assert_int_equal(bad, 0);
}

/* A cap of ten is too small or too large for many; what refusals teach is the same with either. */
static void fixed__is_slower_than_auto__somewhere(void **state)
{
    unsigned slower = 0;

    (void)state;
    for (unsigned i = 0; i < sim_model_count; i++) {
        struct sim_result fixed = sim_run(&sim_models[i], SIM_FIXED, 10, SEARCH_S, NULL, false);
        struct sim_result tuned = sim_run(&sim_models[i], SIM_AUTO, 10, SEARCH_S, NULL, false);

        slower += fixed.rate[1] < 0.7 * tuned.rate[1];
    }
    assert_true(slower >= sim_model_count / 4); /* else the suite shows nothing */
}

static void print_cell(const struct sim_result *r, double best)
{
    printf("  %5.0f %% %5.2f %%", 100 * r->rate[1] / best, 100 * r->refused);
}

static int print_table(void)
{
    printf("%-28s %9s  %-16s  settled   %-15s  %-15s  %-15s\n", "server", "best", "auto",
           "AIMD alone", "AutoThrottle", "cap 10");
    printf("%-28s %9s  %-16s  %8s  %-15s  %-15s  %-15s\n", "", "req/s", "rate   refused", "s",
           "rate   refused", "rate   refused", "rate   refused");
    for (unsigned i = 0; i < sim_model_count; i++) {
        const struct sim_model *m = &sim_models[i];
        struct sim_result r;

        search(m);
        printf("%-28s %9.1f", m->name, best_rate[1]);
        r = sim_run(m, SIM_AUTO, CAP_BEGIN, HALF_S, best_rate, false);
        print_cell(&r, best_rate[1]);
        printf("  %3.0f, %3.0f", r.settled_s[0], r.settled_s[1]);
        r = sim_run(m, SIM_AIMD, CAP_BEGIN, HALF_S, NULL, false);
        print_cell(&r, best_rate[1]);
        r = sim_run(m, SIM_AUTOTHROTTLE, 8, HALF_S, NULL, false);
        print_cell(&r, best_rate[1]);
        r = sim_run(m, SIM_FIXED, 10, HALF_S, NULL, false);
        print_cell(&r, best_rate[1]);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto__is_as_fast_as_the_best_cap__against_every_server),
        cmocka_unit_test(auto__finds_the_limit_soon__of_nginx),
        cmocka_unit_test(fixed__is_hardly_refused__by_servers_that_say_nothing),
        cmocka_unit_test(fixed__is_slower_than_auto__somewhere),
    };

    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        return print_table();
    }
    if (argc == 3 && strcmp(argv[1], "--trace") == 0) {
        const struct sim_model *m = &sim_models[strtoul(argv[2], NULL, 10) % sim_model_count];

        printf("%s\n", m->name);
        sim_run(m, SIM_AUTO, CAP_BEGIN, HALF_S, NULL, true);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
