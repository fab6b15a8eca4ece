#include "job/proxy_url.h"

#include "base/os.h"

#include <string.h>

static const struct {
    const char *name;
    bool resolves;
} kinds[] = {
    [PROXY_HTTP] = { "http", true },      [PROXY_HTTPS] = { "https", true },
    [PROXY_SOCKS4] = { "socks4", false }, [PROXY_SOCKS4A] = { "socks4a", true },
    [PROXY_SOCKS5] = { "socks5", false }, [PROXY_SOCKS5H] = { "socks5h", true },
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])
#define SHOWN_MAX 64

bool proxy_kind_resolves(enum proxy_kind kind)
{
    return kinds[kind].resolves;
}

static enum result refuse(struct err *err, const char *why, struct str shown)
{
    return err_set(err, RESULT_INVALID, "E-PRX1",
                   "%s \"%.*s\"; want for example http://proxy.example:3128, https://, socks4a://, "
                   "socks5:// or socks5h://",
                   why, (int)(shown.len < SHOWN_MAX ? shown.len : SHOWN_MAX), shown.data);
}

static enum result take_scheme(struct str *text, struct proxy_url *url, struct err *err)
{
    const char *end = text->len ? memmem(text->data, text->len, "://", 3) : NULL;
    struct str scheme;

    url->kind = PROXY_HTTP;
    scheme = (struct str){ text->data, end ? (size_t)(end - text->data) : 0 };
    if (!end || memchr(scheme.data, ':', scheme.len)) { /* in a password */
        return RESULT_OK;
    }
    *text = (struct str){ end + 3, text->len - scheme.len - 3 };
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (str_equal_nocase(scheme, str_view(kinds[i].name))) {
            url->kind = (enum proxy_kind)i;
            return RESULT_OK;
        }
    }
    /* With an "@" behind it, it may be part of a password. */
    return refuse(err,
                  "no kind of proxy:", memchr(text->data, '@', text->len) ? STR("...") : scheme);
}

/* Digits up to 65535, or nothing. */
static bool is_port(struct str port)
{
    uint64_t number;

    return str_to_u64(port, &number) && number > 0 && number <= 65535;
}

static bool is_host(struct str host)
{
    struct str port = host, name;
    const char *end;

    if (host.len && host.data[0] == '[') {
        end = memchr(host.data, ']', host.len);
        name = (struct str){ host.data, end ? (size_t)(end - host.data) + 1 : 0 };
        port = (struct str){ host.data + name.len, host.len - name.len };
        return name.len > 2 &&
               (!port.len ||
                (port.data[0] == ':' && is_port((struct str){ port.data + 1, port.len - 1 })));
    }
    name = str_cut(&port, ':');
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];

        if (c <= ' ' || c == 0x7F || strchr("/?#\\[]<>\"^`{|}", c)) {
            return false;
        }
    }
    return name.len && (!port.data || is_port(port));
}

/* What stands behind the "@" may be the end of a password that has one, and "user:password" may lack it. */
static enum result refuse_host(struct err *err, struct str host, bool has_user)
{
    struct str port = host, name = str_cut(&port, ':');

    if (has_user) {
        return refuse(err, "no host and port of a proxy follow", STR("USER:PASSWORD@"));
    }
    if (host.data && host.len && host.data[0] != '[' && port.data && !is_port(port)) {
        return refuse(err, "no port of a proxy after", name);
    }
    return refuse(err, "no host and port of a proxy:", host);
}

enum result proxy_url_split(struct str text, struct proxy_url *url, struct err *err)
{
    struct str rest = str_trim(text);
    const char *at;
    enum result result;

    *url = (struct proxy_url){ .user = STR_NONE };
    result = take_scheme(&rest, url, err);
    if (result != RESULT_OK) {
        return result;
    }
    at = rest.len ? os_memrchr(rest.data, '@', rest.len) : NULL;
    if (at) {
        url->user = (struct str){ rest.data, (size_t)(at - rest.data) };
        rest = (struct str){ at + 1, rest.len - url->user.len - 1 };
    }
    while (rest.len && rest.data[rest.len - 1] == '/') {
        rest.len--;
    }
    url->host = rest;
    return is_host(rest) ? RESULT_OK : refuse_host(err, rest, at != NULL);
}

enum result proxy_url_append_shown(const struct proxy_url *url, struct buf *out)
{
    return buf_printf(out, "%s://%.*s", kinds[url->kind].name, STR_ARG(url->host));
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

enum result proxy_url_append_decoded(struct str encoded, struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < encoded.len && result == RESULT_OK; i++) {
        char c = encoded.data[i];
        int high = i + 2 < encoded.len && c == '%' ? digit_of(encoded.data[i + 1]) : -1;
        int low = high >= 0 ? digit_of(encoded.data[i + 2]) : -1;

        if (low >= 0 && (high || low)) {
            c = (char)(high * 16 + low);
            i += 2;
        }
        result = buf_append_char(out, c);
    }
    return result;
}
