#include "probe/curl_command.h"
#include "probe/curl_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
    const char *text, *method, *url, *body;
    const char *headers[6];
};

static void check(const struct sample *s)
{
    struct curl_command c;
    struct err err = { .text = "" };
    size_t count = 0;

    if (curl_command_parse(&c, str_view(s->text), &err) != RESULT_OK) {
        fail_msg("%s: %s", s->text, err.text);
    }
    assert_string_equal(buf_cstr(&c.method), s->method);
    assert_string_equal(buf_cstr(&c.url), s->url);
    assert_string_equal(buf_cstr(&c.body), s->body ? s->body : "");
    assert_int_equal(c.has_body, s->body != NULL);
    for (; s->headers[count]; count++) {
        assert_true(count < c.header_count);
        assert_string_equal(buf_cstr(&c.headers[count]), s->headers[count]);
    }
    assert_int_equal(c.header_count, count);
    curl_command_release(&c);
}

static const struct sample samples[] = {
    { "curl http://h.test/a", "GET", "http://h.test/a", NULL, { NULL } },
    { "  curl\thttp://h.test/a\n", "GET", "http://h.test/a", NULL, { NULL } },
    /* Chrome, on Linux */
    { "curl 'https://h.test/api?x=1&y=%20' \\\n  -H 'accept: */*' \\\n  -H 'x-a: it'\\''s' \\\n"
      "  --data-raw $'{\"a\":\"\\u00e9\\n\\'\\x41\\101\"}' \\\n  --compressed",
      "POST",
      "https://h.test/api?x=1&y=%20",
      "{\"a\":\"\xC3\xA9\n'AA\"}",
      { "accept: */*", "x-a: it's" } },
    /* Firefox, with the line ends of a Windows clipboard */
    { "curl \"https://h.test/\" \\\r\n -X PUT -H \"A: \\\"b\\\" \\$5 \\\\\" --insecure",
      "PUT",
      "https://h.test/",
      NULL,
      { "A: \"b\" $5 \\" } },
    { "curl -sSLXDELETE -d a=1 --data b=2 --url http://h.test",
      "DELETE",
      "http://h.test",
      "a=1&b=2",
      { NULL } },
    { "curl http://h.test --json '{\"a\":' --json '1}'",
      "POST",
      "http://h.test",
      "{\"a\":1}",
      { "Accept: application/json", "Content-Type: application/json" } },
    { "curl -G 'http://h.test?z=0' -d q=x --data-urlencode 'n=a b&c' --data-urlencode '=d/' "
      "--data-urlencode e+",
      "GET",
      "http://h.test?z=0&q=x&n=a%20b%26c&d%2F&e%2B",
      NULL,
      { NULL } },
    { "curl -uUser:pass:word -b 'a=1; b=2' -A agent/1 -e http://r.test http://h.test",
      "GET",
      "http://h.test",
      NULL,
      { "Authorization: Basic VXNlcjpwYXNzOndvcmQ=", "Cookie: a=1; b=2", "User-Agent: agent/1",
        "Referer: http://r.test" } },
    { "curl http://h.test --oauth2-bearer t0k -o out.json -w '%{http_code}' --max-time 5",
      "GET",
      "http://h.test",
      NULL,
      { "Authorization: Bearer t0k" } },
    { "curl http://h.test -H 'X-Empty:' -H 'X-None;' -H ':authority: h.test' -H 'B: 1'",
      "GET",
      "http://h.test",
      NULL,
      { "B: 1" } },
    { "curl http://h.test -H 'Accept: x/y' --json 1 -b a=1 -u u:p -b 'b=2;' -H 'Authorization: B "
      "t' -b c=3",
      "POST",
      "http://h.test",
      "1",
      { "Accept: x/y", "Content-Type: application/json", "Cookie: a=1; b=2; c=3",
        "Authorization: B t" } },
    { "curl http://h.test --oauth2-bearer t0k -u u:p -A a -A b -e 'r;auto' -H 'User-Agent:' -A c",
      "GET",
      "http://h.test",
      NULL,
      { "Authorization: Bearer t0k", "Referer: r" } },
    { "curl ht\\\ntp://h.te'st'\"/a\"\\&b", "GET", "http://h.test/a&b", NULL, { NULL } },
    { "curl http://h.test --data-raw @name -d ''", "POST", "http://h.test", "@name&", { NULL } },
    { "curl h.test:8080/a//b -b ''", "GET", "http://h.test:8080/a//b", NULL, { NULL } },
    { "# all of them\ncurl http://h.test/a#b \\\n  # -d x\n -d '#c' # -d y",
      "POST",
      "http://h.test/a#b",
      "#c",
      { NULL } },
    { "curl http://h.test/$ -d '$x' -d \"5$\"", "POST", "http://h.test/$", "$x&5$", { NULL } },
};

static void command__is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        check(&samples[i]);
    }
}

static void command__that_is_not_understood__is_refused(void **state)
{
    static const char *const refused[][2] = {
        { "curl", "there is no URL" },
        { "wget http://h.test", "begins otherwise" },
        { "curl http://h.test http://g.test", "two URLs" },
        { "curl http://h.test -F a=@b", "it reads a file" },
        { "curl http://h.test -F a", "want name=content" },
        { "curl http://h.test -F 'a=b;x=y'", "want name=content;type" },
        { "curl http://h.test -F a=b -d c", "a body is one of them" },
        { "curl http://h.test -d c -F a=b", "-F goes with neither" },
        { "curl http://h.test -sµ", "curl has no option" },
        { "curl http://h.test --preproxy x", "--proxy-user and --noproxy alone" },
        { "curl http://h.test --data=x", "curl has no option --data=x" },
        { "curl http://h.test --no-data", "curl has no option --no-data" },
        { "curl http://h.test -I", "not the whole body" },
        { "curl http://h.test -T x", "it reads a file" },
        { "curl http://h.test --ntlm -u a:b", "\"login\" of a job file" },
        { "curl http://h.test -K /nowhere/x", "cannot read" },
        { "curl http://h.test -K -", "the name of a file" },
        { "curl http://h.test --next http://g.test", "paste one" },
        { "curl http://h.test -Q x", "it is not for http" },
        { "curl http://h.test --prox", "curl has no option --prox" },
        { "curl http://h.test -d", "-d wants a value" },
        { "curl http://h.test --header", "--header wants a value" },
        { "curl http://h.test -d @file", "read from a file" },
        { "curl http://h.test --data-binary @-", "read from a file" },
        { "curl http://h.test --data-urlencode a@file", "read from a file" },
        { "curl http://h.test -H @file", "reads a file" },
        { "curl http://h.test -b jar.txt", "reads a file" },
        { "curl http://h.test -u user", "nobody to ask" },
        { "curl 'http://h.test", "' is never closed" },
        { "curl \"http://h.test", "\" is never closed" },
        { "curl $'http://h.test", "$' is never closed" },
        { "curl http://h.test \\", "a backslash with nothing after it" },
        { "curl http://h.test?a=1&b=2", "a URL with & wants quotes" },
        { "curl http://h.test | jq .", "one curl command only" },
        { "curl http://h.test > x", "one curl command only" },
        { "curl http://h.test; rm x", "one curl command only" },
        { "curl `cat url`", "one curl command only" },
        { "curl $(cat url)", "what a shell would fill in" },
        { "curl http://h.test -H \"A: $TOKEN\"", "what a shell would fill in" },
        { "curl http://h.test -H \"A: `x`\"", "what a shell would fill in" },
        { "curl http://h.test -d $'\\0'", "a NUL byte" },
        { "curl http://h.test -d $'\\q'", "an unknown escape" },
        { "curl http://h.test -d $'\\uD800'", "no such character" },
        { "curl http://h.test -d $'\\uD800\\u0041'", "no such character" },
        { "curl http://h.test -d $'\\uDC00\\uD800'", "no such character" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct curl_command c;
        struct err err = { .text = "" };

        if (curl_command_parse(&c, str_view(refused[i][0]), &err) == RESULT_OK) {
            fail_msg("not refused: %s", refused[i][0]);
        }
        if (!strstr(err.text, refused[i][1])) {
            fail_msg("%s: \"%s\" does not say \"%s\"", refused[i][0], err.text, refused[i][1]);
        }
        assert_true(err.code[0]);
    }
}

/* "  -x, --proxy [protocol://]host[:port] Use this proxy" */
static void check_option_line(char *line)
{
    char *name = strstr(line, " --"), *end;
    const struct curl_known *known;
    bool takes;

    assert_non_null(name);
    name += 3;
    end = name + strcspn(name, " \n");
    takes = end[0] == ' ' && (end[1] == '<' || end[1] == '[');
    known = curl_option_find((struct str){ name, (size_t)(end - name) });
    if (!known || strlen(known->name) != (size_t)(end - name)) {
        fail_msg("not known: %s", line);
    }
    assert_int_equal(known->takes_value, takes);
    assert_true((known->why != NULL) == (known->option == CURL_REFUSE));
    if (line[1] == '-' && line[3] == ',') {
        assert_int_equal(known->letter, line[2]);
        assert_int_equal(curl_option_letter(line[2])->option, known->option);
    }
}

static void every_option_of_curl__is_known__as_its_help_has_it(void **state)
{
    FILE *help =
        popen("curl --help all 2>/dev/null", "r"); /* NOLINT(cert-env33-c): no word of it is ours */
    char line[256];
    unsigned count = 0;

    (void)state;
    assert_non_null(help);
    while (fgets(line, sizeof line, help)) {
        if (line[0] == ' ') {
            check_option_line(line);
            count++;
        }
    }
    if (pclose(help) != 0) {
        skip();
    }
    assert_true(count > 200);
}

static void command__is_bounded(void **state)
{
    size_t size = CURL_COMMAND_MAX + 100;
    char *text = malloc(size);
    size_t len = (size_t)snprintf(text, size, "curl http://h.test");
    struct curl_command c;
    struct err err;

    (void)state;
    for (unsigned i = 0; i <= CURL_COMMAND_HEADERS_MAX; i++) {
        len += (size_t)snprintf(text + len, size - len, " -H A:1");
    }
    assert_int_equal(curl_command_parse(&c, str_view(text), &err), RESULT_LIMIT);
    memset(text, ' ', CURL_COMMAND_MAX + 1);
    text[CURL_COMMAND_MAX + 1] = '\0';
    assert_int_equal(curl_command_parse(&c, str_view(text), &err), RESULT_LIMIT);
    free(text);
}

/* Whatever is pasted, it is read or refused with words, and the sanitizers are content. */
static void any_command__is_survived(void **state)
{
    static const char seed[] =
        "curl 'http://h.test/a?b=1' -H \"A: b\" -d $'\\x41\\u00e9' -sSXPUT \\\n"
        "--json '{}' -u a:b --url x -G";
    static const char pieces[] = "'\"\\$-`^&| \nHdXx0@=";
    uint64_t random = 88172645463325252U;

    (void)state;
    for (unsigned round = 0; round < 30000; round++) {
        char text[sizeof seed];
        struct curl_command c;
        struct err err = { .text = "" };
        size_t len = sizeof seed - 1;
        char *copy;

        memcpy(text, seed, sizeof seed);
        for (unsigned i = 0; i < 1 + round % 4; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            text[random % len] = pieces[(random >> 32) % (sizeof pieces - 1)];
        }
        len -= random % 8 == 0 ? (random >> 8) % len : 0;
        copy = str_dup((struct str){ text, len });
        if (curl_command_parse(&c, (struct str){ copy, len }, &err) == RESULT_OK) {
            assert_true(c.url.len > 0);
            curl_command_release(&c);
        } else {
            assert_true(err.text[0] && err.code[0]);
        }
        free(copy);
    }
}

static void text__that_is_a_command__is_told(void **state)
{
    (void)state;
    assert_true(curl_command_is(STR(" curl http://h.test")));
    assert_true(curl_command_is(STR("curl\\\nx")));
    assert_true(curl_command_is(STR("curl")));
    assert_true(curl_command_is(STR("# all\n\n#\n curl x")));
    assert_false(curl_command_is(STR("# curl x")));
    assert_false(curl_command_is(STR("curly")));
    assert_false(curl_command_is(STR("http://h.test/curl x")));
    assert_false(curl_command_is(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command__is_read),
        cmocka_unit_test(command__that_is_not_understood__is_refused),
        cmocka_unit_test(every_option_of_curl__is_known__as_its_help_has_it),
        cmocka_unit_test(command__is_bounded),
        cmocka_unit_test(any_command__is_survived),
        cmocka_unit_test(text__that_is_a_command__is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
