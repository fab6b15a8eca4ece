/* "network" and "proxy": how servers are reached. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "base/os.h"
#include "job/job_parts.h"
#include "job/job_read.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

#define FIELD(field) offsetof(struct job, field)

static void make_absolute(struct job_reader *r, char **path)
{
    char *absolute;

    if (!*path) {
        return;
    }
    absolute = job_absolute_path(r, *path);
    r->text.no_memory |= !absolute;
    free(*path);
    *path = absolute;
}

void job_read_network(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    (void)job_read_object(r, &job_network_keys, job, value);
    make_absolute(r, &job->network.ca_file);
}

/* A secret's text, the path of its file absolute. NULL after a fault. */
static char *secret_text(struct job_reader *r, const char *key, struct str value)
{
    char *text = job_text_string(&r->text, key, value), *path;
    struct buf whole = { 0 };

    if (!text || text[0] != '@' || !text[1] || text[1] == '@') {
        return text;
    }
    path = job_absolute_path(r, text + 1);
    free(text);
    text = path && buf_printf(&whole, "@%s", path) == RESULT_OK ? str_dup(buf_view(&whole)) : NULL;
    r->text.no_memory |= !text;
    buf_release(&whole);
    free(path);
    return text;
}

static void take(struct job_reader *r, struct str at, enum result result, const char *key,
                 struct err *err)
{
    if (result != RESULT_OK) {
        err_prefix(err, "\"%s\"", key);
        job_text_fault_of(&r->text, at, err);
    }
}

static void read_proxy_url(struct job_reader *r, void *target, struct str value)
{
    char *text = job_text_string(&r->text, "proxy", value);
    struct err err;

    if (text) {
        take(r, value, job_set_proxy(target, str_view(text), &err), "proxy", &err);
        os_wipe(text, strlen(text));
    }
    free(text);
}

static void read_proxy_user(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text;
    struct err err;

    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        job->network.proxy.is_incomplete = true;
        return;
    }
    text = secret_text(r, "user", value);
    if (text) {
        take(r, value, job_set_proxy_user(job, text, &err), "user", &err);
        os_wipe(text, strlen(text));
    }
    free(text);
}

/* clang-format off */
static const struct job_key proxy_keys[] = {
    { "url", JOB_KEY_TEXT, FIELD(network.proxy.url), .read = read_proxy_url,
      .help = "http://proxy.example:3128, https://, socks4a://, socks5:// or socks5h://" },
    { "user", JOB_KEY_SECRET, FIELD(network.proxy.user), .read = read_proxy_user, .write = job_put_sent_secret,
      .help = "NAME:${PASSWORD}, or @FILE that holds it" },
    { "none_for", JOB_KEY_TEXT, FIELD(network.proxy.none_for),
      .help = "Hosts that are asked without it: \"example.org,10.0.0.0/8\"" },
};
/* clang-format on */

const struct job_keys job_proxy_keys =
    JOB_KEYS("proxy", proxy_keys, .help = "A proxy, with credentials or exceptions.");

/* --- certificates ----------------------------------------------------------------------------------------- */

/* A text for one of the setters; NULL after a fault. With `is_path`, absolute. */
static void set_text(struct job_reader *r, const char *key, bool is_path,
                     enum result (*set)(struct job *job, const char *text, struct err *err),
                     struct str value)
{
    char *text = job_text_string(&r->text, key, value);
    struct err err;

    if (is_path) {
        make_absolute(r, &text);
    }
    if (text) {
        take(r, value, set(r->job, text, &err), key, &err);
        os_wipe(text, strlen(text));
    }
    free(text);
}

static void read_cert(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    set_text(r, "cert", true, job_set_cert, value);
}

static void read_key(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    set_text(r, "key", true, job_set_key, value);
}

static void read_pass(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text;
    struct err err;

    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        job->network.tls.is_incomplete = true;
        return;
    }
    text = secret_text(r, "pass", value);
    if (text) {
        take(r, value, job_set_pass(job, text, &err), "pass", &err);
        os_wipe(text, strlen(text));
    }
    free(text);
}

static void read_min(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    set_text(r, "min", false, job_set_tls_min, value);
}

static void read_pin(struct job_reader *r, void *target, struct str value)
{
    bool is_hash = str_starts(json_string_raw(value), STR("sha256"));

    (void)target;
    set_text(r, "pin", !is_hash, job_set_pin, value);
}

/* clang-format off */
static const struct job_key tls_keys[] = {
    { "cert", JOB_KEY_TEXT, FIELD(network.tls.cert), .read = read_cert,
      .help = "File of our certificate for servers that want one: PEM, or PKCS #12 with its key" },
    { "key", JOB_KEY_TEXT, FIELD(network.tls.key), .read = read_key,
      .help = "File of its key as PEM, readable by you alone" },
    { "pass", JOB_KEY_SECRET, FIELD(network.tls.pass), .read = read_pass, .write = job_put_sent_secret,
      .help = "Pass phrase of the key: ${NAME}, or @FILE" },
    { "min", JOB_KEY_TEXT, FIELD(network.tls.min), .read = read_min,
      .help = "Least version: 1.2",
      .schema = JOB_JSON("enum": ["1.2", "1.3"]) },
    { "pin", JOB_KEY_TEXT, FIELD(network.tls.pin), .read = read_pin,
      .help = "Public key of the server: sha256//..., or the file of one" },
};
/* clang-format on */

const struct job_keys job_tls_keys = JOB_KEYS("tls", tls_keys, .help = "Certificates.");

void job_read_tls(struct job_reader *r, void *target, struct str value)
{
    if (!r->skips_secrets) {
        (void)job_read_object(r, &job_tls_keys, target, value);
    }
}

/* --- where servers are ------------------------------------------------------------------------------------ */

static void read_each(struct job_reader *r, const char *key,
                      enum result (*add)(struct job *job, const char *text, struct err *err),
                      struct str value)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want an array of texts", key);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        set_text(r, key, false, add, item);
    }
}

static void read_routes(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    read_each(r, "resolve", job_add_resolve, value);
}

static void read_connect_to(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    read_each(r, "connect_to", job_add_connect_to, value);
}

static void read_unix_socket(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    if (!r->skips_secrets) { /* nothing is going to be asked */
        set_text(r, "unix_socket", true, job_set_unix_socket, value);
    }
}

static void read_interface(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    if (!r->skips_secrets) {
        set_text(r, "interface", false, job_set_interface, value);
    }
}

static void read_ip(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct str number = str_trim(value);

    if (str_equal(number, STR("4"))) {
        job->network.route.ipv4 = true;
    } else if (str_equal(number, STR("6"))) {
        job->network.route.ipv6 = true;
    } else {
        job_text_fault(&r->text, value, "E-CFG2", "\"ip\": want 4 or 6");
    }
}

static bool write_ip(const struct job_writer *w, cJSON *to, const struct job_key *key,
                     const void *target)
{
    const struct job_route *route = &((const struct job *)target)->network.route;

    (void)w;
    return (!route->ipv4 && !route->ipv6) || cjson_add_number(to, key->name, route->ipv4 ? 4 : 6);
}

static void read_http(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    set_text(r, "http", false, job_set_http, value);
}

static bool write_http(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const char *word = job_http_word(((const struct job *)target)->network.http);

    (void)w;
    return !word || cJSON_AddStringToObject(to, key->name, word);
}

/* How jobs said it before "http". That of a run says false of all that were not told. */
static void read_http2(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    if (str_equal(str_trim(value), STR("true"))) {
        job->network.http = job->network.http ? job->network.http : JOB_HTTP_2;
    } else if (str_equal(str_trim(value), STR("false"))) {
        job->network.http = r->is_stored ? job->network.http : JOB_HTTP_1_1;
    } else {
        job_text_fault(&r->text, value, "E-CFG2", "\"http2\": want true or false");
    }
}

static void read_http2_at_once(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    if (str_equal(str_trim(value), STR("true"))) {
        job->network.http = JOB_HTTP_2_AT_ONCE;
    } else if (!str_equal(str_trim(value), STR("false"))) {
        job_text_fault(&r->text, value, "E-CFG2", "\"http2_prior_knowledge\": want true or false");
    }
}

/* "http" says it. */
static bool write_nothing(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    (void)w;
    (void)to;
    (void)key;
    (void)target;
    return true;
}

static void read_file(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    set_text(r, "file", true, job_set_proxies, value);
}

/* clang-format off */
static const struct job_key proxies_keys[] = {
    { "file", JOB_KEY_TEXT, FIELD(network.proxy.file), .read = read_file,
      .help = "One URL a line, readable by you alone" },
};
/* clang-format on */

const struct job_keys job_proxies_keys =
    JOB_KEYS("proxies", proxies_keys, .help = "Several proxies.");

void job_read_proxies(struct job_reader *r, void *target, struct str value)
{
    if (!r->skips_secrets) {
        (void)job_read_object(r, &job_proxies_keys, target, value);
    }
}

/* A URL, or an object with it. */
void job_read_proxy(struct job_reader *r, void *target, struct str value)
{
    if (r->skips_secrets) {
        return; /* nothing is going to be asked */
    }
    if (json_type_of(value) == JSON_OBJECT) {
        (void)job_read_object(r, &job_proxy_keys, target, value);
    } else {
        read_proxy_url(r, target, value);
    }
}

/* clang-format off */
static const struct job_key network_keys[] = {
    { "connect_timeout", JOB_KEY_TIME, FIELD(network.connect_timeout_us), 1, UINT64_MAX, .always = true,
      .help = "Time to connect (5s)" },
    { "stall_timeout", JOB_KEY_TIME, FIELD(network.stall_timeout_us), 1, UINT64_MAX, .always = true,
      .help = "Time with hardly a byte (30s)" },
    { "max_time", JOB_KEY_TIME, FIELD(network.total_timeout_us), 1, UINT64_MAX, .always = true,
      .help = "Time for a whole try (30s)" },
    { "max_body", JOB_KEY_SIZE, FIELD(network.body_max_bytes), 1, UINT64_MAX, .always = true,
      .help = "Largest body, unpacked: 64M" },
    { "memory", JOB_KEY_SIZE, FIELD(network.memory_bytes), 1U << 20, UINT64_MAX, .always = true,
      .help = "All bodies in flight and not yet stored; beyond it the largest wait: 256M. The JSON that is made "
              "of a body that is none may take as much beside it" },
    { "threads", JOB_KEY_COUNT, FIELD(network.threads), 1, JOB_THREADS_MAX,
      .help = "Threads that fetch: as many as pay on the machine" },
    { "insecure", JOB_KEY_BOOL, FIELD(network.insecure), .always = true,
      .help = "Accept any certificate of a server" },
    { "path_as_is", JOB_KEY_BOOL, FIELD(network.path_as_is),
      .help = "Send /./ and /../ in paths as they stand" },
    { "http", JOB_KEY_OTHER, .read = read_http, .write = write_http,
      .help = "Which HTTP is spoken; without it HTTP/2 over TLS, where the server has it and libcurl is 8.1 or later",
      .schema = JOB_JSON("enum": ["1.1", "2", "2-prior-knowledge", "3"]) },
    { "http2", JOB_KEY_OTHER, .read = read_http2, .write = write_nothing,
      .help = "An older word for \"http\": \"2\" or \"1.1\"", .schema = JOB_JSON("type": "boolean") },
    { "http2_prior_knowledge", JOB_KEY_OTHER, .read = read_http2_at_once, .write = write_nothing,
      .help = "An older word for \"http\": \"2-prior-knowledge\"", .schema = JOB_JSON("type": "boolean") },
    { "cacert", JOB_KEY_TEXT, FIELD(network.ca_file),
      .help = "File of certificates to trust instead of the system's" },
    { "resolve", JOB_KEY_TEXTS, FIELD(network.route.resolve), .count = FIELD(network.route.resolve_count),
      .read = read_routes,
      .help = "Hosts at these addresses: HOST:PORT:ADDRESS" },
    { "connect_to", JOB_KEY_TEXTS, FIELD(network.route.connect_to),
      .count = FIELD(network.route.connect_to_count), .read = read_connect_to,
      .help = "Connect elsewhere: HOST:PORT:HOST:PORT" },
    { "unix_socket", JOB_KEY_TEXT, FIELD(network.route.unix_socket), .read = read_unix_socket,
      .help = "Path of a socket that all is asked through" },
    { "interface", JOB_KEY_TEXT, FIELD(network.route.interface), .read = read_interface,
      .help = "Of ours: the name of a network interface, or an address" },
    { "ip", JOB_KEY_OTHER, .read = read_ip, .write = write_ip,
      .help = "Addresses of this kind only",
      .schema = JOB_JSON("enum": [4, 6]) },
};
/* clang-format on */

const struct job_keys job_network_keys =
    JOB_KEYS("network", network_keys, .help = "Times and sizes.");
