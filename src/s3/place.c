#include "s3/place.h"

#include "base/os.h"
#include "base/read_all.h"
#include "s3/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "s3://"
#define FILE_MAX (256 * 1024) /* bytes of a file of keys or regions */
#define BUCKET_MAX 255
#define REGION_MAX 64

/* The first of these that is set and not empty, or NULL. */
static const char *first_set(const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(names[i]);

        if (value && *value) {
            return value;
        }
    }
    return NULL;
}

static const char *set(const char *name)
{
    return first_set(&name, 1);
}

static enum result keep(char **to, struct str text, struct err *err)
{
    *to = str_dup(text);
    return *to ? RESULT_OK : err_nomem(err, "reading the place of an object");
}

/* --- what the path says ------------------------------------------------------------------------- */

bool s3_is_place(const char *path)
{
    return strncmp(path, SCHEME, sizeof SCHEME - 1) == 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Older buckets, and those of other servers, have capitals and "_". */
static bool is_bucket(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_letter(name.data[i]) && (!strchr("-._", name.data[i]) || i == 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= BUCKET_MAX;
}

static bool is_dots(struct str part)
{
    return str_equal(part, STR(".")) || str_equal(part, STR(".."));
}

/* Servers and proxies resolve parts of dots, each in its own way; a key that ends in a slash is a folder's. */
static bool is_key(struct str key)
{
    struct str rest = key;

    if (!key.len || key.len > S3_KEY_MAX || key.data[key.len - 1] == '/') {
        return false;
    }
    while (rest.len) {
        if (is_dots(str_cut(&rest, '/'))) {
            return false;
        }
    }
    for (size_t i = 0; i < key.len; i++) {
        if ((unsigned char)key.data[i] < ' ' || key.data[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

/* RFC 3986's unreserved characters and the slash stay: what the signature is made of. */
static enum result encode(struct str key, struct buf *to)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < key.len && result == RESULT_OK; i++) {
        char c = key.data[i];

        result = is_letter(c) || strchr("-._~/", c) ? buf_append_char(to, c)
                                                    : buf_printf(to, "%%%02X", (unsigned char)c);
    }
    return result;
}

static enum result read_path(struct s3_place *place, struct err *err)
{
    struct str key = str_view(place->name + sizeof SCHEME - 1);
    struct str bucket = str_cut(&key, '/');
    struct buf encoded = { 0 };
    enum result result;

    if (!is_bucket(bucket) || !is_key(key)) {
        return err_set(err, RESULT_INVALID, "E-OUT6",
                       "%s is no place of an object: want s3://BUCKET/NAME.csv", place->name);
    }
    result = encode(key, &encoded) == RESULT_OK ? keep(&place->key, buf_view(&encoded), err)
                                                : err_nomem(err, "reading the place of an object");
    buf_release(&encoded);
    return result == RESULT_OK ? keep(&place->bucket, bucket, err) : result;
}

/* --- what the environment says ------------------------------------------------------------------ */

static bool is_endpoint(struct str url)
{
    if (str_starts(url, STR("https://"))) {
        str_cut(&url, '/');
    } else if (!str_starts(url, STR("http://"))) {
        return false;
    }
    for (size_t i = 0; i < url.len; i++) {
        if (!is_letter(url.data[i]) && !strchr("-._:/[]", url.data[i])) {
            return false;
        }
    }
    return true;
}

static enum result read_endpoint(struct s3_place *place, struct err *err)
{
    static const char *const names[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL" };
    struct str url = str_view(first_set(names, 2));

    if (!url.data) {
        return RESULT_OK;
    }
    if (!is_endpoint(url)) { /* not shown: it may have a password */
        return err_set(err, RESULT_INVALID, "E-OUT6",
                       "the endpoint in AWS_ENDPOINT_URL is none: want https://HOST or "
                       "http://HOST:PORT");
    }
    while (url.data[url.len - 1] == '/') {
        url.len--;
    }
    return keep(&place->endpoint, url, err);
}

/* The file that `variable` names, or `usual` below the home directory; one that cannot be read has no values. */
static void read_file(const char *variable, const char *usual, struct buf *text)
{
    const char *path = set(variable), *home = set("HOME");
    struct buf below = { 0 };
    int fd;

    if (!path && home && buf_printf(&below, "%s/%s", home, usual) == RESULT_OK) {
        path = buf_cstr(&below);
    }
    fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0) {
        if (buf_reserve(text, FILE_MAX) != RESULT_OK || read_all(fd, text) != RESULT_OK) {
            buf_reset(text);
        }
        close(fd);
    }
    buf_release(&below);
}

static struct str profile(void)
{
    const char *name = set("AWS_PROFILE");

    return name ? str_view(name) : STR("default");
}

static bool is_region(struct str region)
{
    for (size_t i = 0; i < region.len; i++) {
        if (!is_letter(region.data[i]) && region.data[i] != '-') {
            return false;
        }
    }
    return region.len > 0 && region.len <= REGION_MAX;
}

static enum result read_region(struct s3_place *place, struct err *err)
{
    static const char *const names[] = { "AWS_REGION", "AWS_DEFAULT_REGION" };
    struct str region = str_view(first_set(names, 2));
    struct buf text;
    enum result result;

    buf_init(&text, FILE_MAX);
    if (!region.data) {
        read_file("AWS_CONFIG_FILE", ".aws/config", &text);
        region = profile_value(buf_view(&text), profile(), STR("region"));
    }
    if (!region.len) {
        region = STR("us-east-1");
    }
    result = is_region(region) ? keep(&place->region, region, err)
                               : err_set(err, RESULT_INVALID, "E-OUT6",
                                         "the region of AWS is no name of one: want eu-central-1");
    buf_release(&text);
    return result;
}

/* Headers are made of these: no line break may be in them. */
static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return text.len > 0;
}

static enum result keep_keys(struct s3_place *place, struct str id, struct str secret,
                             struct str token, struct err *err)
{
    enum result result;

    if (!is_printable(id) || !is_printable(secret) || (token.len && !is_printable(token))) {
        return err_set(err, RESULT_DENIED, "E-OUT7",
                       "%s: no keys to write with: set AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE for a profile of ~/.aws/credentials",
                       place->name);
    }
    result = keep(&place->key_id, id, err);
    result = result == RESULT_OK ? keep(&place->secret, secret, err) : result;
    return result == RESULT_OK && token.len ? keep(&place->session_token, token, err) : result;
}

static enum result read_keys(struct s3_place *place, struct err *err)
{
    const char *id = set("AWS_ACCESS_KEY_ID"), *secret = set("AWS_SECRET_ACCESS_KEY");
    struct buf text;
    enum result result;

    if (id && secret) {
        return keep_keys(place, str_view(id), str_view(secret), str_view(set("AWS_SESSION_TOKEN")),
                         err);
    }
    buf_init(&text, FILE_MAX);
    read_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &text);
    result = keep_keys(place, profile_value(buf_view(&text), profile(), STR("aws_access_key_id")),
                       profile_value(buf_view(&text), profile(), STR("aws_secret_access_key")),
                       profile_value(buf_view(&text), profile(), STR("aws_session_token")), err);
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    return result;
}

enum result s3_place_read(struct s3_place *place, const char *path, struct err *err)
{
    const char *ca_file = set("AWS_CA_BUNDLE");
    enum result result;

    *place = (struct s3_place){ 0 };
    result = keep(&place->name, str_view(path), err);
    result = result == RESULT_OK ? read_path(place, err) : result;
    result = result == RESULT_OK ? read_endpoint(place, err) : result;
    result = result == RESULT_OK ? read_region(place, err) : result;
    result = result == RESULT_OK ? read_keys(place, err) : result;
    result =
        result == RESULT_OK && ca_file ? keep(&place->ca_file, str_view(ca_file), err) : result;
    if (result != RESULT_OK) {
        s3_place_release(place);
    }
    return result;
}

static void wipe(char *secret)
{
    if (secret) {
        os_wipe(secret, strlen(secret));
        free(secret);
    }
}

void s3_place_release(struct s3_place *place)
{
    free(place->name);
    free(place->bucket);
    free(place->key);
    free(place->endpoint);
    free(place->region);
    free(place->key_id);
    free(place->ca_file);
    wipe(place->secret);
    wipe(place->session_token);
    *place = (struct s3_place){ 0 };
}

/* --- what comes of it ------------------------------------------------------------------------------ */

enum result s3_place_url(const struct s3_place *p, bool of_bucket, struct buf *url)
{
    enum result result;

    if (p->endpoint) {
        result = buf_printf(url, "%s/%s", p->endpoint, p->bucket);
    } else if (strchr(p->bucket, '.')) {
        result = buf_printf(url, "https://s3.%s.amazonaws.com/%s", p->region, p->bucket);
    } else {
        result = buf_printf(url, "https://%s.s3.%s.amazonaws.com", p->bucket, p->region);
    }
    return result == RESULT_OK ? buf_printf(url, "/%s", of_bucket ? "" : p->key) : result;
}

bool s3_place_set_region(struct s3_place *place, struct str region)
{
    char *copy = is_region(region) ? str_dup(region) : NULL;

    if (!copy) {
        return false;
    }
    free(place->region);
    place->region = copy;
    return true;
}
