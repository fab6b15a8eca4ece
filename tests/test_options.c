#include "cmd/demo_options.h"
#include "session/dry_run.h"
#include "cmd/options.h"
#include "cmd/read_options.h"
#include "cmd/run_options.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 32

/* A command line as main hands it over: words cut at blanks, argv[0] the subcommand. */
struct line {
    char text[1024];
    char *argv[WORDS_MAX + 1];
    int argc;
};

static struct line *line_of(const char *text)
{
    static struct line line; /* targets point into it until the next one is made */

    assert_in_range(snprintf(line.text, sizeof line.text, "%s", text), 0, sizeof line.text - 1);
    line.argc = 0;
    for (char *word = strtok(line.text, " "); word; word = strtok(NULL, " ")) {
        assert_true(line.argc < WORDS_MAX);
        line.argv[line.argc++] = word;
    }
    line.argv[line.argc] = NULL;
    return &line;
}

static void parse_run(struct run_options *options, const char *text)
{
    struct line *line = line_of(text);
    struct err err = { 0 };

    if (run_options_parse(options, line->argc, line->argv, &err) != RESULT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
}

static void assert_run_refused(const char *text, const char *code, const char *want)
{
    struct line *line = line_of(text);
    struct run_options options;
    struct err err = { 0 };

    if (run_options_parse(&options, line->argc, line->argv, &err) == RESULT_OK) {
        fail_msg("%s: was taken", text);
    }
    if (strcmp(err.code, code) != 0 || !strstr(err.text, want)) {
        fail_msg("%s: want %s \"%s\", got %s \"%s\"", text, code, want, err.code, err.text);
    }
}

static void run__has_the_defaults__when_given_a_url(void **state)
{
    struct run_options o;

    (void)state;
    parse_run(&o, "run http://127.0.0.1:1/[1-3]");
    assert_true(o.has_sources);
    assert_null(o.run_dir);
    assert_int_equal(o.output_count, 0);
    assert_false(o.plain || o.json || o.fresh || o.dry_run);
    assert_int_equal(o.job.pace.cap, 10);
    assert_int_equal(o.job.pace.cap_per_host, 0);
    assert_int_equal(o.job.pace.rate.per_us, 0);
    assert_int_equal(o.job.retry.attempts, 6);
    assert_int_equal(o.job.retry.backoff_base_us, US_PER_S);
    assert_int_equal(o.job.retry.backoff_cap_us, 30 * US_PER_S);
    assert_int_equal(o.job.retry.max_wait_us, 600 * US_PER_S);
    assert_int_equal(o.job.network.connect_timeout_us, 5 * US_PER_S);
    assert_int_equal(o.job.network.total_timeout_us, 30 * US_PER_S);
    assert_int_equal(o.job.network.body_max_bytes, 64 << 20);
    assert_string_equal(o.job.endpoints[0].method, "GET");
    assert_null(o.job.endpoints[0].body);
    assert_string_equal(o.job.name, "127.0.0.1");
    run_options_release(&o);
}

static void run__takes_every_form__when_options_are_mixed_with_urls(void **state)
{
    struct run_options o;

    (void)state;
    parse_run(
        &o, "run http://a.test/ -c5 --rate=5/15s -gn --retries 0 http://b.test/[x --backoff 2s:1m "
            "--max-wait 1h --connect-timeout 250ms --max-time=90 --max-body 10k --cap-per-host 3 "
            "--http2 -k -o out.run --csv - --plain --fresh --records /items/*");
    assert_int_equal(o.job.pace.cap, 5);
    assert_int_equal(o.job.pace.cap_per_host, 3);
    assert_int_equal(o.job.pace.rate.per_us, 15 * US_PER_S);
    assert_int_equal(o.job.retry.attempts, 1);
    assert_int_equal(o.job.retry.backoff_base_us, 2 * US_PER_S);
    assert_int_equal(o.job.retry.backoff_cap_us, 60 * US_PER_S);
    assert_int_equal(o.job.retry.max_wait_us, 3600 * US_PER_S);
    assert_int_equal(o.job.network.connect_timeout_us, 250 * US_PER_MS);
    assert_int_equal(o.job.network.total_timeout_us, 90 * US_PER_S);
    assert_int_equal(o.job.network.body_max_bytes, 10240);
    assert_true(o.job.network.http == JOB_HTTP_2 && o.job.network.insecure && o.job.globoff);
    assert_true(o.dry_run && o.plain && o.fresh);
    assert_string_equal(o.run_dir, "out.run");
    assert_int_equal(o.output_count, 1);
    assert_string_equal(o.outputs[0].path, "-");
    assert_string_equal(o.job.endpoints[0].records, "/items/*");
    run_options_release(&o);
}

static void run__keeps_the_order__when_lists_and_urls_are_mixed(void **state)
{
    struct run_options o;
    const struct job_endpoint *endpoint;

    (void)state;
    parse_run(&o, "run http://a.test/ -i nowhere.txt http://b.test/ -");
    endpoint = &o.job.endpoints[0];
    assert_int_equal(endpoint->source_count, 4);
    assert_string_equal(endpoint->sources[0].text, "http://a.test/");
    assert_int_equal(endpoint->sources[1].kind, JOB_SOURCE_LIST);
    assert_string_equal(endpoint->sources[1].text, "nowhere.txt");
    assert_string_equal(endpoint->sources[2].text, "http://b.test/");
    assert_int_equal(endpoint->sources[3].kind, JOB_SOURCE_LIST);
    assert_string_equal(endpoint->sources[3].text, "-");
    run_options_release(&o);
}

static void run__is_post_with_a_type__when_given_a_body(void **state)
{
    struct run_options o;

    (void)state;
    parse_run(&o, "run -d {\"a\":1} http://a.test/");
    assert_string_equal(o.job.endpoints[0].method, "POST");
    assert_string_equal(o.job.endpoints[0].body, "{\"a\":1}");
    assert_string_equal(o.job.headers[0].sent, "Content-Type: application/json");
    run_options_release(&o);
    parse_run(&o, "run -X PUT -d a=1 -H Content-Type:text/plain http://a.test/");
    assert_string_equal(o.job.endpoints[0].method, "PUT");
    assert_int_equal(o.job.header_count, 1);
    assert_string_equal(o.job.headers[0].sent, "Content-Type: text/plain");
    run_options_release(&o);
    parse_run(&o, "run -d a=1 http://a.test/");
    assert_string_equal(o.job.headers[0].sent, "Content-Type: application/x-www-form-urlencoded");
    run_options_release(&o);
}

static void run__says_what_is_wrong__when_usage_is_bad(void **state)
{
    static const struct {
        const char *line, *code, *text;
    } cases[] = {
        { "run", "E-ARG9", "nothing to fetch" },
        { "run --concurency 5 http://h/", "E-ARG1",
          "unknown option --concurency (did you mean --cap?)" },
        { "run --parallel 5 http://h/", "E-ARG1", "(did you mean --cap?)" },
        { "run --retry 5 http://h/", "E-ARG1", "(did you mean --retries?)" },
        { "run --timeout 5 http://h/", "E-ARG1", "(did you mean --max-time?)" },
        { "run --output-dir x http://h/", "E-ARG1", "(did you mean --output?)" },
        { "run --heder x http://h/", "E-ARG1", "(did you mean --header?)" },
        { "run --dryrun http://h/", "E-ARG1", "(did you mean --dry-run?)" },
        { "run --xyzzy http://h/", "E-ARG1", "unknown option --xyzzy; see scrapetop run --help" },
        { "run -z http://h/", "E-ARG1", "unknown option -z; see scrapetop run --help" },
        { "run -nz http://h/", "E-ARG1", "unknown option -z" },
        { "run http://h/ -c", "E-ARG1", "option --cap wants N" },
        { "run http://h/ -o --plain", "E-ARG1", "option --output wants DIR, but --plain follows" },
        { "run http://h/ -o -n", "E-ARG1", "option --output wants DIR, but -n follows" },
        { "run http://h/ -c 5 --cap 6", "E-ARG1", "option --cap is given twice" },
        { "run http://h/ --plain --plain", "E-ARG1", "option --plain is given twice" },
        { "run http://h/ --plain=yes", "E-ARG1", "option --plain takes no value" },
        { "run http://h/ --output=", "E-ARG1", "--output: want DIR, got nothing" },
        { "run http://h/ -c 0", "E-ARG5", "--cap: \"0\" is not a whole number from 1 to" },
        { "run http://h/ -c -5", "E-ARG5", "--cap: \"-5\" is not a whole number" },
        { "run http://h/ -c 5x", "E-ARG5", "--cap: \"5x\"" },
        { "run http://h/ -c 99999999999999999999", "E-ARG5", "--cap: " },
        { "run http://h/ --max-time 0", "E-ARG5", "--max-time: must be above zero" },
        { "run http://h/ --max-time soon", "E-ARG2", "--max-time: \"soon\" is not a time" },
        { "run http://h/ --max-body many", "E-ARG3", "--max-body: \"many\" is not a size" },
        { "run http://h/ --rate 0", "E-ARG4", "--rate: rate \"0\" allows nothing" },
        { "run http://h/ --retries 1001", "E-ARG5", "--retries: " },
        { "run http://h/ --backoff 10s:1s", "E-ARG2", "--backoff: backoff \"10s:1s\": the cap" },
        { "run http://h/ --backoff x", "E-ARG2", "--backoff: want BASE or BASE:CAP: " },
        { "run http://h/ -X HEAD", "E-ARG8", "--request: method \"HEAD\" is not one of" },
        { "run http://h/ -H nocolon", "E-HDR2", "--header: header without a name" },
        { "run http://h/ -H Host:x", "E-HDR2", "--header: header Host cannot be set" },
        { "run http://h/ -H X-A:1 -H x-a:2", "E-HDR2", "header x-a is given twice" },
        { "run http://h/ -H X-A:${SCRAPETOP_NOT_SET}", "E-SEC2",
          "environment variable SCRAPETOP_NOT_SET is not set" },
        { "run http://h/ -H @/nonexistent", "E-SEC1", "cannot read /nonexistent" },
        { "run http://h/ -d @/nonexistent", "E-IN4", "cannot read /nonexistent" },
        { "run http://h/ --cacert /nonexistent", "E-TLS3", "CA file /nonexistent" },
        { "run http://h/ --records items", "E-ARG1", "\"items\" is not a JSON Pointer" },
        { "run http://h/ -k --cacert /dev/null", "E-ARG1", "give one of them" },
        { "run http://h/ --csv - --json", "E-ARG1", "both want stdout" },
        { "run --fresh -o x.run", "E-ARG1", "--fresh starts anew" },
        { "run - -", "E-ARG9", "stdin can be read only once" },
        { "run file:///etc/passwd", "E-URL3", "scheme \"file\" not allowed" },
        { "run http://u:p@h/", "E-URL5", "credentials in URL" },
        { "run http://h/[1-", "E-GLOB1", "bad URL pattern at byte 13" },
        { "run -- -i", "E-URL4", "missing scheme in \"-i\"" },
        { "run items.json", "E-IN2", "cannot read items.json" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_run_refused(cases[i].line, cases[i].code, cases[i].text);
    }
}

static void run__lays_options_over__when_it_goes_on_with_a_run(void **state)
{
    struct run_options o;
    struct job stored;
    struct err err = { 0 };
    struct line *line = line_of("run -o x.run -c 50 -H X-B:new");
    static const char json[] =
        "{\"name\":\"n\",\"headers\":{\"X-A\":\"a\",\"X-B\":\"b\"},"
        "\"endpoints\":[{\"sources\":[{\"url\":\"http://h/[1-3]\"}],\"method\":\"GET\"}],"
        "\"pace\":{\"cap\":7,\"rate\":\"3/s\"}}";

    (void)state;
    assert_int_equal(run_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_false(o.has_sources);
    assert_int_equal(job_read(&stored, str_view(json), "job.json", &err), RESULT_OK);
    assert_int_equal(run_options_lay_over(&o, &stored, line->argc, line->argv, &err), RESULT_OK);
    assert_int_equal(o.job.pace.cap, 50);
    assert_true(o.job.pace.rate.requests > 2.9 && o.job.pace.rate.requests < 3.1);
    assert_int_equal(o.job.header_count, 2);
    assert_string_equal(o.job.headers[0].sent, "X-A: a");
    assert_string_equal(o.job.headers[1].sent, "X-B: new");
    assert_string_equal(o.job.endpoints[0].sources[0].text, "http://h/[1-3]");
    run_options_release(&o);
}

static void run__refuses__when_requests_of_a_run_would_change(void **state)
{
    struct run_options o;
    struct job stored;
    struct err err = { 0 };
    struct line *line = line_of("run -o x.run -X POST");

    (void)state;
    assert_int_equal(run_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_int_equal(job_read(&stored,
                              STR("{\"endpoints\":[{\"sources\":[{\"url\":\"http://h/\"}]}]}"),
                              "job.json", &err),
                     RESULT_OK);
    assert_int_equal(run_options_lay_over(&o, &stored, line->argc, line->argv, &err),
                     RESULT_INVALID);
    assert_string_equal(err.text, "--request cannot be changed for a run that exists");
    job_release(&stored);
    run_options_release(&o);
}

static void help__stops_the_parse__when_met(void **state)
{
    static const char *const lines[] = { "run --help --nonsense", "run -h", "run -nh http://h/" };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct run_options o;

        parse_run(&o, lines[i]);
        assert_true(o.given.help);
        run_options_release(&o);
    }
}

static const struct option_table *const tables[] = { &run_table,    &normalise_table, &raw_table,
                                                     &verify_table, &status_table,    &demo_table,
                                                     &serve_table };

/* What `print` writes about a table, terminated; to be freed. */
static char *printed(void (*print)(const struct option_table *, FILE *),
                     const struct option_table *table)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    print(table, to);
    fclose(to);
    return text;
}

static void help__names_every_option_within_80_columns__when_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char *text = printed(options_print_help, tables[i]);

        for (size_t j = 0; j < tables[i]->group_count; j++) {
            for (size_t k = 0; k < tables[i]->groups[j].count; k++) {
                const struct option_row *row = &tables[i]->groups[j].rows[k];

                assert_non_null(row->name);
                assert_non_null(strstr(text, row->name));
            }
        }
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            if (strlen(line) > 80) {
                fail_msg("%s: over 80 columns: %s", tables[i]->command, line);
            }
        }
        free(text);
    }
}

static void table__is_sound__when_looked_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const char *names[OPTIONS_MAX] = { "help" };
        char letters[OPTIONS_MAX + 1] = "h";
        size_t count = 1;

        for (size_t j = 0; j < tables[i]->group_count; j++) {
            for (size_t k = 0; k < tables[i]->groups[j].count; k++) {
                const struct option_row *row = &tables[i]->groups[j].rows[k];

                assert_true(count < OPTIONS_MAX);
                for (size_t n = 0; n < count; n++) {
                    assert_string_not_equal(names[n], row->name);
                    assert_true(!row->letter || letters[n] != row->letter);
                }
                assert_true(row->value ? row->kind != OPTION_FLAG
                                       : row->kind == OPTION_FLAG || row->kind == OPTION_CALL);
                assert_true((row->kind == OPTION_CALL) == (row->set != NULL));
                assert_true(row->help[strlen(row->help) - 1] != '.');
                names[count] = row->name;
                letters[count++] = row->letter ? row->letter : ' ';
            }
        }
    }
}

static void man__escapes_dashes__when_printed(void **state)
{
    char *text = printed(options_print_man, &run_table);

    (void)state;
    assert_non_null(strstr(text, "\\fB\\-c\\fR, \\fB\\-\\-cap\\fR \\fIN\\fR\n"));
    assert_null(strstr(text, "--"));
    free(text);
}

static void nearest__finds_the_word__when_letters_are_wrong(void **state)
{
    static const char *const words[] = { "run", "normalise", "raw", "verify", "status", NULL };

    (void)state;
    assert_string_equal(options_nearest(STR("rum"), words), "run");
    assert_string_equal(options_nearest(STR("normalize"), words), "normalise");
    assert_string_equal(options_nearest(STR("stat"), words), "status");
    assert_string_equal(options_nearest(STR("vreify"), words), "verify");
    assert_null(options_nearest(STR("frobnicate"), words));
    assert_null(options_nearest(STR("x"), words));
    assert_null(options_nearest(STR(""), words));
}

static void read__collects_operands__when_given(void **state)
{
    struct line *line = line_of("normalise a.json -o out.csv --strict -- -b.json");
    struct read_options o;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(normalise_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_int_equal(o.operand_count, 2);
    assert_string_equal(o.operands[0], "a.json");
    assert_string_equal(o.operands[1], "-b.json");
    assert_string_equal(o.outputs[0].path, "out.csv");
    assert_ptr_equal(o.outputs[0].format, &csv_format);
    assert_true(o.strict);
    assert_false(o.spec.meta);
    read_options_release(&o);
}

static void normalise__fills_the_spec__when_options_are_given(void **state)
{
    struct line *line =
        line_of("normalise --explode /items --meta --sep __ --max-depth 0 --columns a,b=/x/y,c=d "
                "--unique id,k --where-present a --types --crlf --bom --delimiter tab --csv-safe "
                "--memory 64M --json -o t.parquet in.json");
    struct read_options o;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(normalise_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_string_equal(o.spec.explode, "/items");
    assert_string_equal(o.spec.separator, "__");
    assert_true(o.spec.depth_limited && o.spec.depth_max == 0);
    assert_int_equal(o.spec.pick_count, 3);
    assert_true(str_equal(o.spec.picks[1].name, STR("b")));
    assert_true(str_equal(o.spec.picks[1].pointer, STR("/x/y")));
    assert_true(str_equal(o.spec.picks[2].name, STR("c=d"))); /* no pointer: a name */
    assert_null(o.spec.picks[2].pointer.data);
    assert_int_equal(o.spec.unique_count, 2);
    assert_true(str_equal(o.spec.unique[1], STR("k")));
    assert_true(str_equal(o.spec.where_present, STR("a")));
    assert_int_equal(o.spec.csv.delimiter, '\t');
    assert_int_equal(o.spec.memory_bytes, 64 << 20);
    assert_true(o.spec.meta && o.spec.coerce && o.spec.csv.crlf && o.spec.csv.bom &&
                o.spec.csv.safe && o.json);
    read_options_release(&o);
}

static void normalise__says_what_is_wrong__when_usage_is_bad(void **state)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        { "normalise --delimiter x a", "cannot part cells" },
        { "normalise --delimiter ,, a", "cannot part cells" },
        { "normalise --columns a,,b a", "a column's name is missing" },
        { "normalise --columns a,b=/x,a=/y a", "\"a\" is named twice" },
        { "normalise --columns a=/x/* a", "a pointer to one value has no *" },
        { "normalise --columns a=/x~2 a", "must be written ~0" },
        { "normalise --unique id, a", "a column's name is missing" },
        { "normalise --explode items a", "must begin with" },
        { "normalise --explode /a/* a", "want one array" },
        { "normalise --memory 1M a", "must be 32M at least" },
        { "normalise --max-depth 1025 a", "1024" },
        { "normalise --json -o - a", "both want stdout" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line *line = line_of(cases[i].line);
        struct read_options o;
        struct err err = { 0 };

        assert_int_equal(normalise_options_parse(&o, line->argc, line->argv, &err), RESULT_INVALID);
        if (!strstr(err.text, cases[i].words)) {
            fail_msg("%s: %s", cases[i].line, err.text);
        }
    }
}

static void read__refuses__when_operands_are_wrong(void **state)
{
    struct read_options o;
    struct err err = { 0 };
    struct line *line = line_of("verify");

    (void)state;
    assert_int_equal(read_options_parse(&o, &verify_table, line->argc, line->argv, &err),
                     RESULT_INVALID);
    assert_string_equal(err.text, "want scrapetop verify [OPTIONS] RUN...");
}

static void serve__sets_the_weather__when_given(void **state)
{
    struct line *line = line_of("serve --port 8080 --seed 18446744073709551615 --latency 200ms "
                                "--jitter 50ms --limit 20/s:40 --fail 2% --hang 0.1% "
                                "--truncate .001 --max-concurrent 9 --log x.log");
    struct serve_options o;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(serve_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_int_equal(o.api.port, 8080);
    assert_true(o.api.seed == UINT64_MAX);
    assert_int_equal(o.api.latency_us, 200 * US_PER_MS);
    assert_int_equal(o.api.jitter_us, 50 * US_PER_MS);
    assert_int_equal(o.api.limit_burst, 40);
    assert_true(o.api.limit.requests > 19.9 && o.api.limit.requests < 20.1);
    assert_true(o.api.fail > 0.0199 && o.api.fail < 0.0201);
    assert_true(o.api.hang > 0.00099 && o.api.hang < 0.00101);
    assert_true(o.api.truncate > 0.00099 && o.api.truncate < 0.00101);
    assert_int_equal(o.api.max_concurrent, 9);
    assert_string_equal(o.api.log_path, "x.log");
}

static void serve__refuses__when_weather_is_impossible(void **state)
{
    static const char *const lines[] = {
        "serve --fail 101%",
        "serve --fail -1%",
        "serve --fail %",
        "serve --fail 1.2.3",
        "serve --fail 60% --hang 60%",
        "serve --port 65536",
        "serve --limit 20/s:0",
        "serve --jitter 1s",
        "serve --limit 20/s:",
        "serve http://h/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line *line = line_of(lines[i]);
        struct serve_options o;
        struct err err = { 0 };

        if (serve_options_parse(&o, line->argc, line->argv, &err) != RESULT_INVALID) {
            fail_msg("%s: was taken", lines[i]);
        }
    }
}

static void demo__sets_pace_output_and_weather__when_given(void **state)
{
    struct line *line = line_of("demo --quick --plain -c 30 --limit 10/s -o demo.run");
    struct demo_command_options o;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(demo_options_parse(&o, line->argc, line->argv, &err), RESULT_OK);
    assert_true(o.quick && o.run.plain);
    assert_int_equal(o.run.job.pace.cap, 30);
    assert_string_equal(o.run.run_dir, "demo.run");
    assert_true(o.api.limit.per_us == US_PER_S);
    assert_true(options_have(&demo_table, &o.given, "cap"));
    assert_false(options_have(&demo_table, &o.given, "rate"));
    demo_options_release(&o);
}

static void dry_run__prints_every_request_redacted__when_asked(void **state)
{
    struct run_options o;
    struct err err = { 0 };
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    struct price_plan plan;

    (void)state;
    setenv("SCRAPETOP_TEST_KEY", "s3cr3t-value", 1);
    parse_run(&o, "run -n -H X-Api-Key:${SCRAPETOP_TEST_KEY} -d {} "
                  "http://h/[1-2]?api_key=abc http://h/s3cr3t-value/\xE2\x80\xAE");
    assert_non_null(to);
    assert_int_equal(dry_run_print(&o.job, to, &plan, &err), RESULT_OK);
    fclose(to);
    assert_int_equal(plan.requests, 3);
    assert_int_equal(plan.hosts, 1);
    assert_int_equal(plan.busiest_host, 3);
    assert_false(plan.names_more);
    assert_string_equal(text, "POST http://h/1?api_key=***\n"
                              "POST http://h/2?api_key=***\n"
                              "POST http://h/***/\\u{202e}\n");
    free(text);
    run_options_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__has_the_defaults__when_given_a_url),
        cmocka_unit_test(run__takes_every_form__when_options_are_mixed_with_urls),
        cmocka_unit_test(run__keeps_the_order__when_lists_and_urls_are_mixed),
        cmocka_unit_test(run__is_post_with_a_type__when_given_a_body),
        cmocka_unit_test(run__says_what_is_wrong__when_usage_is_bad),
        cmocka_unit_test(run__lays_options_over__when_it_goes_on_with_a_run),
        cmocka_unit_test(run__refuses__when_requests_of_a_run_would_change),
        cmocka_unit_test(help__stops_the_parse__when_met),
        cmocka_unit_test(help__names_every_option_within_80_columns__when_printed),
        cmocka_unit_test(table__is_sound__when_looked_through),
        cmocka_unit_test(man__escapes_dashes__when_printed),
        cmocka_unit_test(nearest__finds_the_word__when_letters_are_wrong),
        cmocka_unit_test(read__collects_operands__when_given),
        cmocka_unit_test(normalise__fills_the_spec__when_options_are_given),
        cmocka_unit_test(normalise__says_what_is_wrong__when_usage_is_bad),
        cmocka_unit_test(read__refuses__when_operands_are_wrong),
        cmocka_unit_test(serve__sets_the_weather__when_given),
        cmocka_unit_test(serve__refuses__when_weather_is_impossible),
        cmocka_unit_test(demo__sets_pace_output_and_weather__when_given),
        cmocka_unit_test(dry_run__prints_every_request_redacted__when_asked),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
