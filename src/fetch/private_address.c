#include "fetch/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum reach {
    REACH_ALL,     /* public */
    REACH_OURS,    /* of our own networks, or of this machine */
    REACH_NOBODY,  /* no server has such an address, or it is a tunnel's */
    REACH_CARRIED, /* as that of the address of IPv4 in its last four bytes */
};

struct block {
    const char *prefix;
    unsigned bits;
    enum reach reach;
};

/* The first that fits counts. */
static const struct block blocks_v4[] = {
    { "0.0.0.0", 8, REACH_OURS },         /* this host */
    { "10.0.0.0", 8, REACH_OURS },        /* private */
    { "100.64.0.0", 10, REACH_OURS },     /* shared, of carriers */
    { "127.0.0.0", 8, REACH_OURS },       /* loopback */
    { "169.254.0.0", 16, REACH_OURS },    /* link-local */
    { "172.16.0.0", 12, REACH_OURS },     /* private */
    { "192.0.0.0", 24, REACH_OURS },      /* of protocols: DS-Lite, what NAT64 is found by */
    { "192.0.2.0", 24, REACH_NOBODY },    /* documents */
    { "192.88.99.0", 24, REACH_NOBODY },  /* the next relay of 6to4 */
    { "192.168.0.0", 16, REACH_OURS },    /* private */
    { "198.18.0.0", 15, REACH_OURS },     /* a laboratory's benchmarks */
    { "198.51.100.0", 24, REACH_NOBODY }, /* documents */
    { "203.0.113.0", 24, REACH_NOBODY },  /* documents */
    { "224.0.0.0", 4, REACH_NOBODY },     /* multicast */
    { "255.255.255.255", 32, REACH_NOBODY },
    { "240.0.0.0", 4, REACH_OURS }, /* reserved; some networks use it within */
};

static const struct block blocks_v6[] = {
    { "::", 128, REACH_OURS },
    { "::1", 128, REACH_OURS },
    { "::ffff:0:0", 96, REACH_CARRIED },   /* mapped */
    { "::ffff:0:0:0", 96, REACH_CARRIED }, /* translated */
    { "::", 96, REACH_NOBODY },            /* compatible with IPv4: given up */
    { "64:ff9b::", 96, REACH_CARRIED },    /* NAT64 */
    { "64:ff9b:1::", 48, REACH_OURS },     /* NAT64 within a network */
    { "100::", 63, REACH_NOBODY },         /* discard, and the dummy */
    { "2001:2::", 48, REACH_OURS },        /* benchmarks */
    { "2001::", 23, REACH_NOBODY },        /* of protocols: Teredo, ORCHID and others */
    { "2001:db8::", 32, REACH_NOBODY },    /* documents */
    { "2002::", 16, REACH_NOBODY },        /* 6to4 */
    { "3fff::", 20, REACH_NOBODY },        /* documents */
    { "5f00::", 16, REACH_OURS },          /* segments of a network's routing */
    { "fc00::", 7, REACH_OURS },           /* unique local */
    { "fe80::", 10, REACH_OURS },          /* link-local */
    { "fec0::", 10, REACH_OURS },          /* site-local */
    { "ff00::", 8, REACH_NOBODY },         /* multicast */
};

#define COUNT(blocks) (sizeof(blocks) / sizeof(blocks)[0])

static bool begins_with(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address, prefix, whole) == 0 &&
           (!rest || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

static enum reach look_up(const struct block *blocks, size_t count, int family,
                          const uint8_t *address)
{
    uint8_t prefix[sizeof(struct in6_addr)];

    for (size_t i = 0; i < count; i++) {
        if (inet_pton(family, blocks[i].prefix, prefix) != 1 ||
            begins_with(address, prefix, blocks[i].bits)) {
            return blocks[i].reach;
        }
    }
    return REACH_ALL;
}

static enum reach reach_of(int family, const uint8_t *address)
{
    enum reach reach;

    if (family == AF_INET) {
        return look_up(blocks_v4, COUNT(blocks_v4), family, address);
    }
    reach = look_up(blocks_v6, COUNT(blocks_v6), family, address);
    return reach == REACH_CARRIED ? look_up(blocks_v4, COUNT(blocks_v4), AF_INET,
                                            address + sizeof(struct in6_addr) - 4)
                                  : reach;
}

bool address_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        uint8_t bytes[sizeof in.sin_addr];

        memcpy(&in, address, sizeof in);
        memcpy(bytes, &in.sin_addr, sizeof bytes);
        return reach_of(AF_INET, bytes) != REACH_ALL;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof in6);
        return reach_of(AF_INET6, in6.sin6_addr.s6_addr) != REACH_ALL;
    }
    return true;
}

static enum reach reach_of_text(const char *text)
{
    uint8_t address[sizeof(struct in6_addr)];

    if (text && inet_pton(AF_INET, text, address) == 1) {
        return reach_of(AF_INET, address);
    }
    return text && inet_pton(AF_INET6, text, address) == 1 ? reach_of(AF_INET6, address)
                                                           : REACH_ALL;
}

bool ip_text_is_private(const char *text)
{
    return reach_of_text(text) != REACH_ALL;
}

bool ip_text_is_ours(const char *text)
{
    return reach_of_text(text) == REACH_OURS;
}
