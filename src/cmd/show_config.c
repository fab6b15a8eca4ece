#include "cmd/show_config.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/say.h"
#include "base/utf8.h"
#include "job/job_file.h"
#include "job/job_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512
#define SHOWN_SIZE 4096 /* of one value, escaped */
#define VALUE_COLUMNS 200
#define DEPTH_MAX 8

/* Where a leaf stands: the names on the way to it; an endpoint by its name. */
struct path {
    struct str steps[DEPTH_MAX]; /* escaped, as they stand in the JSON */
    bool is_endpoint[DEPTH_MAX]; /* the step is the name of an element */
    size_t count;
};

struct shower {
    const struct run_options *options;
    struct job_text file; /* empty without a job file */
    bool has_file;
    struct path path;
    struct buf compact;
    bool no_memory; /* what was printed is not all */
    char text[PATH_SIZE], shown[SHOWN_SIZE];
};

/* Which option sets which value. */
static const struct {
    const char *path, *option;
} set_by[] = {
    { "pace.cap", "cap" },
    { "pace.cap", "profile" },
    { "pace.cap_max", "cap-max" },
    { "pace.cap_max", "profile" },
    { "pace.cap_per_host", "cap-per-host" },
    { "pace.rate", "rate" },
    { "pace.rate_per_host", "rate-per-host" },
    { "pace.auto", "auto" },
    { "pace.budget", "budget" },
    { "retry.attempts", "retries" },
    { "retry.backoff", "backoff" },
    { "retry.max_wait", "max-wait" },
    { "retry.repeat_posts", "repeat-posts" },
    { "limits.max_fail", "max-fail" },
    { "limits.max_requests", "max-requests" },
    { "limits.max_duration", "max-duration" },
    { "network.connect_timeout", "connect-timeout" },
    { "network.max_time", "max-time" },
    { "network.max_body", "max-body" },
    { "network.memory", "memory" },
    { "network.threads", "threads" },
    { "network.insecure", "insecure" },
    { "network.path_as_is", "path-as-is" },
    { "network.http", "http1.1" },
    { "network.http", "http2" },
    { "network.http", "http2-prior-knowledge" },
    { "network.http", "http3" },
    { "network.cacert", "cacert" },
    { "cookies", "cookie-jar" },
    { "cookies", "no-cookies" },
    { "proxy.url", "proxy" },
    { "proxy.user", "proxy-user" },
    { "proxy.user", "proxy" },
    { "proxies.file", "proxies" },
    { "proxy.none_for", "noproxy" },
    { "tls.cert", "cert" },
    { "tls.key", "key" },
    { "tls.pass", "pass" },
    { "tls.pass", "cert" },
    { "tls.min", "tls-min" },
    { "tls.pin", "pinnedpubkey" },
    { "network.resolve", "resolve" },
    { "network.connect_to", "connect-to" },
    { "network.unix_socket", "unix-socket" },
    { "network.interface", "interface" },
    { "network.ip", "ipv4" },
    { "network.ip", "ipv6" },
    { "headers.User-Agent", "user-agent" },
    { "headers.Cookie", "cookie" },
    { "cookie_file", "cookie" },
    { "login.basic.user", "user" },
    { "login.basic.password", "user" },
    { "answers", "answer" },
    { "on", "on" },
    { "base", "base" },
    { "globoff", "globoff" },
    { "shard", "shard" },
    { "every", "every" },
    { "count", "count" },
    { "until", "until" },
    { "header_files", "header" },
};

/* A rule of the command line says so; those of the job are its own. */
static bool is_of_option(const char *option, struct str value)
{
    struct str typed;

    return strcmp(option, "answer") == 0 ? str_starts(value, STR("{\"first\":true,"))
           : strcmp(option, "on") == 0   ? json_find(value, STR("/typed"), &typed)
                                         : true;
}

/* --meta is of all tables. */
static bool is_meta(const char *path)
{
    const char *dot = strrchr(path, '.');

    return strncmp(path, "tables.", strlen("tables.")) == 0 && dot && strcmp(dot, ".meta") == 0;
}

static const char *option_of(const struct shower *s, struct str value)
{
    if (is_meta(s->text) && s->options->meta) {
        return "meta";
    }
    for (size_t i = 0; i < sizeof set_by / sizeof set_by[0]; i++) {
        if (strcmp(set_by[i].path, s->text) == 0 &&
            options_have(&run_table, &s->options->given, set_by[i].option) &&
            is_of_option(set_by[i].option, value)) {
            return set_by[i].option;
        }
    }
    return NULL;
}

/* The element of "endpoints" with that name; the only one, when it has none. */
static struct str find_endpoint(struct str array, struct str name)
{
    struct json_walk walk;
    struct str element, own, only = STR_NONE;
    size_t count = 0;

    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &element)) {
        if (json_find(element, STR("/name"), &own) && str_equal(json_string_raw(own), name)) {
            return element;
        }
        only = element;
        count++;
    }
    return count == 1 ? only : STR_NONE;
}

static struct str find_member(struct str object, struct str name)
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (str_equal(key, name)) {
            return value;
        }
    }
    return STR_NONE;
}

/* The value in the job file that the path leads to, or what stands for it in a shorter form ("pages":
 * "auto"); STR_NONE for a default. */
static struct str find_in_file(const struct shower *s)
{
    struct str at = s->has_file ? job_text_root(&s->file) : STR_NONE;

    for (size_t i = 0; i < s->path.count && at.data; i++) {
        bool is_array = json_type_of(at) == JSON_ARRAY;

        if (s->path.is_endpoint[i]) {
            at = find_endpoint(at, s->path.steps[i]);
        } else if (is_array || json_type_of(at) == JSON_OBJECT) {
            at = is_array ? at : find_member(at, s->path.steps[i]);
        } else {
            break;
        }
    }
    return at;
}

static void format_path(struct shower *s)
{
    size_t len = 0;

    s->text[0] = '\0';
    for (size_t i = 0; i < s->path.count && len < PATH_SIZE; i++) {
        bool is_endpoint = s->path.is_endpoint[i];

        len += (size_t)snprintf(s->text + len, PATH_SIZE - len, "%s%.*s%s",
                                is_endpoint ? "["
                                : i         ? "."
                                            : "",
                                STR_ARG(s->path.steps[i]), is_endpoint ? "]" : "");
    }
}

static void print_source(const struct shower *s, struct str value)
{
    const char *option = option_of(s, value);
    struct str at = find_in_file(s);

    if (option) {
        printf("--%s", option);
    } else if (at.data) {
        say_part(stdout, "%s:%u", s->file.where, job_text_line(&s->file, at));
    } else if (!s->has_file && str_starts(str_view(s->text), STR("endpoints"))) {
        printf("command line");
    } else if (!s->has_file && str_starts(str_view(s->text), STR("login."))) {
        printf("command line"); /* ?api_key=${ENV} */
    } else if (str_starts(str_view(s->text), STR("headers."))) {
        printf("--header");
    } else {
        printf("default");
    }
}

/* What the value alone does not tell: another name that counts otherwise, or what 0 stands for. */
static void print_note(const struct shower *s)
{
    const struct job *job = &s->options->job;

    if (strcmp(s->text, "retry.attempts") == 0) {
        printf(" (--retries %u)", job->retry.attempts - 1);
    } else if (strcmp(s->text, "pace.cap_per_host") == 0 && !job->pace.cap_per_host) {
        printf(" (no limit)");
    }
}

static void print_leaf(struct shower *s, struct str value)
{
    char cap_max[16];

    format_path(s);
    utf8_display(s->shown, sizeof s->shown, str_view(s->text), VALUE_COLUMNS);
    printf("%s = ", s->shown);
    buf_reset(&s->compact);
    if (json_type_of(value) == JSON_NULL) {
        value = STR("***");                            /* a secret that was typed as it is */
    } else if (strcmp(s->text, "pace.cap_max") == 0) { /* 0: what the controller makes of it */
        snprintf(cap_max, sizeof cap_max, "%u", job_cap_max(&s->options->job.pace));
        value = str_view(cap_max);
    } else {
        s->no_memory |= json_text_compact(&s->compact, value) != RESULT_OK;
        value = buf_view(&s->compact);
    }
    utf8_display(s->shown, sizeof s->shown, value, VALUE_COLUMNS);
    printf("%s  # ", s->shown);
    print_source(s, value);
    print_note(s);
    printf("\n");
}

static bool holds_objects(struct str array)
{
    struct json_walk walk;
    struct str element;

    json_walk_begin(&walk, array);
    return json_walk_next(&walk, NULL, &element) && json_type_of(element) == JSON_OBJECT;
}

static bool is_empty(struct str container)
{
    struct json_walk walk;

    json_walk_begin(&walk, container);
    return !json_walk_next(&walk, NULL, NULL);
}

static void print_value(struct shower *s, struct str value);

static void print_step(struct shower *s, struct str step, bool is_endpoint, struct str value)
{
    if (s->path.count == DEPTH_MAX) {
        return;
    }
    s->path.steps[s->path.count] = step;
    s->path.is_endpoint[s->path.count++] = is_endpoint;
    print_value(s, value);
    s->path.count--;
}

/* A body is one value, whatever it holds. */
static bool is_body(const struct shower *s)
{
    return s->path.count && str_equal(s->path.steps[s->path.count - 1], STR("json"));
}

static void print_value(struct shower *s, struct str value)
{
    bool is_object = json_type_of(value) == JSON_OBJECT;
    struct json_walk walk;
    struct str key, member, name;

    if (is_body(s) ||
        (!is_object && !(json_type_of(value) == JSON_ARRAY && holds_objects(value)))) {
        if (json_type_of(value) != JSON_ARRAY || !is_empty(value)) {
            print_leaf(s, value);
        }
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &key, &member)) {
        if (!s->path.count && (str_equal(key, STR("unkept")) || str_equal(key, STR("env_file")))) {
            continue; /* the program's own notes */
        }
        if (is_object) {
            print_step(s, key, false, member);
        } else if (json_find(member, STR("/name"), &name)) {
            print_step(s, json_string_raw(name), true, member);
        } else {
            print_leaf(s, member);
        }
    }
}

static void print_of_env(const char *path, const char *value, const char *name)
{
    if (name) {
        say(stdout, "%s = \"%s\"  # %s of the environment", path, value, name);
    }
}

/* What is not of the job, and counts where it says nothing. */
static void print_environment(const struct job_proxy *proxy)
{
    print_of_env("proxy.http", proxy->http.url, proxy->http.name);
    print_of_env("proxy.https", proxy->https.url, proxy->https.name);
    if (!proxy->none_for) {
        print_of_env("proxy.none_for", proxy->env_none_for, proxy->env_none_for_name);
    }
}

static enum result show(struct shower *s, struct job_faults *faults, struct err *err)
{
    const char *path = s->options->job_file;
    struct buf text = { 0 }, file = { .max = JOB_TEXT_MAX };
    enum result result = job_write(&s->options->job, &text, err);

    if (result == RESULT_OK && path) {
        result = job_file_load(path, &file, err);
        s->has_file = result == RESULT_OK && job_text_open(&s->file, buf_view(&file), path, faults);
        s->no_memory = s->file.no_memory;
    }
    if (result == RESULT_OK) {
        print_value(s, buf_view(&text));
        print_environment(&s->options->job.network.proxy);
        fflush(stdout);
        result = s->no_memory ? err_nomem(err, "printing the job") : RESULT_OK;
    }
    job_text_release(&s->file);
    buf_release(&file);
    buf_release(&text);
    buf_release(&s->compact);
    return result;
}

enum result show_config_print(const struct run_options *options, struct err *err)
{
    struct shower *s = calloc(1, sizeof *s);
    struct job_faults *faults = malloc(sizeof *faults);
    enum result result;

    if (s && faults) {
        s->options = options;
        result = show(s, faults, err);
    } else {
        result = err_nomem(err, "printing the job");
    }
    free(faults);
    free(s);
    return result;
}
