#include "fetch/proxy.h"

#include "base/buf.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "10.0.0.0/8" has "10.1.2.3". A length of nought is that of the whole address, as libcurl has it. */
static bool is_in_block(int family, const char *address, struct str token)
{
    unsigned char wanted[sizeof(struct in6_addr)], block[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    struct str bits_text = token, head = str_cut(&bits_text, '/');
    uint64_t bits = 0, width = family == AF_INET ? 32 : 128;

    if (bits_text.data && !str_to_u64(bits_text, &bits)) {
        return false;
    }
    if (bits > width || head.len >= sizeof text) {
        return false;
    }
    memcpy(text, head.data, head.len);
    text[head.len] = '\0';
    if (inet_pton(family, address, wanted) != 1 || inet_pton(family, text, block) != 1) {
        return false;
    }
    bits = bits ? bits : width;
    return memcmp(wanted, block, bits / 8) == 0 &&
           (!(bits % 8) || (wanted[bits / 8] ^ block[bits / 8]) >> (8 - bits % 8) == 0);
}

/* "example.org" and ".example.org" are all of that name and below it. */
static bool is_below(struct str host, struct str token)
{
    if (token.len && token.data[token.len - 1] == '.') {
        token.len--;
    }
    if (token.len && token.data[0] == '.') {
        token = (struct str){ token.data + 1, token.len - 1 };
    }
    return token.len && token.len <= host.len &&
           str_equal_nocase((struct str){ host.data + host.len - token.len, token.len }, token) &&
           (token.len == host.len || host.data[host.len - token.len - 1] == '.');
}

bool proxy_is_not_for(const char *list, struct str host, bool is_ipv6)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char address[URL_HOST_MAX + 1];
    int family = is_ipv6 ? AF_INET6 : AF_INET;
    bool is_address;

    if (!host.len || host.len >= sizeof address) {
        return false;
    }
    if (strcmp(list, "*") == 0) {
        return true;
    }
    memcpy(address, host.data, host.len);
    address[host.len] = '\0';
    is_address = inet_pton(family, address, bytes) == 1;
    if (!is_address && host.data[host.len - 1] == '.') {
        host.len--;
    }
    for (const char *p = list; *p;) {
        struct str token = { p, 0 };

        while (p[token.len] && p[token.len] != ',' && !is_blank(p[token.len])) {
            token.len++;
        }
        if (token.len &&
            (is_address ? is_in_block(family, address, token) : is_below(host, token))) {
            return true;
        }
        p += token.len;
        while (*p == ',' || is_blank(*p)) {
            p++;
        }
    }
    return false;
}

static enum result take(struct proxy *proxy, const char *url, const char *user, const char *source,
                        struct err *err)
{
    struct str password = user ? str_view(user) : STR_NONE, name = str_cut(&password, ':');
    struct proxy_url split;
    enum result result = proxy_url_split(str_view(url), &split, err);

    if (result != RESULT_OK) {
        return result;
    }
    *proxy = (struct proxy){ .url = url, .source = source, .kind = split.kind };
    if (user) {
        proxy->name = str_dup(name);
        proxy->password = str_dup(password.data ? password : STR(""));
        if (!proxy->name || !proxy->password) {
            return err_nomem(err, "preparing proxies");
        }
    }
    return RESULT_OK;
}

static void note_twins(struct proxies *proxies)
{
    for (size_t i = 0; i < proxies->pool_count; i++) {
        for (size_t j = 0; j < proxies->pool_count; j++) {
            proxies->pool[i].is_twin |=
                i != j && strcmp(proxies->pool[i].url, proxies->pool[j].url) == 0;
        }
    }
}

static enum result take_pool(struct proxies *proxies, const struct job_proxy *job, struct err *err)
{
    enum result result = RESULT_OK;

    proxies->pool = calloc(job->pool_count, sizeof *proxies->pool);
    if (!proxies->pool) {
        return err_nomem(err, "preparing proxies");
    }
    for (size_t i = 0; i < job->pool_count && result == RESULT_OK; i++) {
        result =
            take(&proxies->pool[i], job->pool[i].url, job->pool[i].user, job->pool[i].name, err);
        proxies->pool_count++;
    }
    note_twins(proxies);
    return result;
}

enum result proxies_init(struct proxies *proxies, const struct job_proxy *job, struct err *err)
{
    const char *user = job->user.sent;
    enum result result = RESULT_OK;

    *proxies = (struct proxies){ .none_for = job->none_for ? job->none_for : job->env_none_for };
    if (job->url && job->url[0]) {
        result = take(&proxies->http, job->url, user, "--proxy", err);
        if (result == RESULT_OK) {
            result = take(&proxies->https, job->url, user, "--proxy", err);
        }
    } else if (job->pool_count) {
        result = take_pool(proxies, job, err);
    } else if (!job->url) {
        if (job->http.name) {
            result = take(&proxies->http, job->http.url, user ? user : job->http.user,
                          job->http.name, err);
        }
        if (result == RESULT_OK && job->https.name) {
            result = take(&proxies->https, job->https.url, user ? user : job->https.user,
                          job->https.name, err);
        }
    }
    if (result != RESULT_OK) {
        proxies_release(proxies);
    }
    return result;
}

static void release(struct proxy *proxy)
{
    if (proxy->password) {
        os_wipe(proxy->password, strlen(proxy->password));
    }
    free(proxy->password);
    free(proxy->name);
    *proxy = (struct proxy){ .url = NULL };
}

void proxies_release(struct proxies *proxies)
{
    for (size_t i = 0; i < proxies->pool_count; i++) {
        release(&proxies->pool[i]);
    }
    free(proxies->pool);
    proxies->pool = NULL;
    proxies->pool_count = 0;
    release(&proxies->http);
    release(&proxies->https);
}

bool proxies_are_none(const struct proxies *proxies)
{
    return !proxies->pool_count && !proxies->https.url && !proxies->http.url;
}

const struct proxy *proxies_for(const struct proxies *proxies, const struct url *url, size_t which)
{
    const struct proxy *proxy = which < proxies->pool_count ? &proxies->pool[which]
                                : url->is_https             ? &proxies->https
                                                            : &proxies->http;

    return !proxy->url || (proxies->none_for &&
                           proxy_is_not_for(proxies->none_for, url->host, url->is_ipv6))
               ? NULL
               : proxy;
}
