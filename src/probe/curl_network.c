#include "probe/curl_network.h"

#include <string.h>

/* An option of ours, with its value; a flag has none. */
static enum result add(struct curl_command *c, const char *name, struct str scheme,
                       struct str value, struct err *err)
{
    struct curl_network *network = &c->networks[c->network_count];

    if (c->network_count == CURL_COMMAND_NETWORKS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-CURL1",
                       "curl command: more than %d options of the network",
                       CURL_COMMAND_NETWORKS_MAX);
    }
    network->name = name;
    network->value = (struct buf){ .max = 0 };
    c->network_count++;
    return buf_append_str(&network->value, scheme) == RESULT_OK &&
                   buf_append_str(&network->value, value) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "reading a curl command");
}

/* "--socks5-hostname HOST:PORT" */
static struct str scheme_of(const char *name)
{
    return strcmp(name, "socks4") == 0    ? STR("socks4://")
           : strcmp(name, "socks4a") == 0 ? STR("socks4a://")
           : strcmp(name, "socks5") == 0  ? STR("socks5://")
                                          : STR("socks5h://");
}

enum result curl_network_apply(struct curl_command *c, const struct curl_known *known,
                               struct str value, struct err *err)
{
    switch (known->option) {
    case CURL_SOCKS:
        return add(c, "proxy", scheme_of(known->name), value, err);
    case CURL_TLS13:
        return add(c, "tls-min", STR_NONE, STR("1.3"), err);
    case CURL_INSECURE:
        c->insecure = true;
        return RESULT_OK;
    default:
        return add(c, known->name, STR_NONE, value, err);
    }
}
