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
    uint8_t prefix[16];
    unsigned bits;
    enum reach reach;
};

/* The first that fits counts. */
static const struct block blocks_v4[] = {
    { { 0 }, 8, REACH_OURS },               /* this host */
    { { 10 }, 8, REACH_OURS },              /* private */
    { { 100, 64 }, 10, REACH_OURS },        /* shared, of carriers */
    { { 127 }, 8, REACH_OURS },             /* loopback */
    { { 169, 254 }, 16, REACH_OURS },       /* link-local */
    { { 172, 16 }, 12, REACH_OURS },        /* private */
    { { 192 }, 24, REACH_OURS },            /* of protocols: DS-Lite, what NAT64 is found by */
    { { 192, 0, 2 }, 24, REACH_NOBODY },    /* documents */
    { { 192, 88, 99 }, 24, REACH_NOBODY },  /* the next relay of 6to4 */
    { { 192, 168 }, 16, REACH_OURS },       /* private */
    { { 198, 18 }, 15, REACH_OURS },        /* a laboratory's benchmarks */
    { { 198, 51, 100 }, 24, REACH_NOBODY }, /* documents */
    { { 203, 0, 113 }, 24, REACH_NOBODY },  /* documents */
    { { 224 }, 4, REACH_NOBODY },           /* multicast */
    { { 255, 255, 255, 255 }, 32, REACH_NOBODY },
    { { 240 }, 4, REACH_OURS }, /* reserved; some networks use it within */
};

static const struct block blocks_v6[] = {
    { { 0 }, 128, REACH_OURS },                        /* :: */
    { { [15] = 1 }, 128, REACH_OURS },                 /* ::1 */
    { { [10] = 0xff, 0xff }, 96, REACH_CARRIED },      /* ::ffff:0:0, mapped */
    { { [8] = 0xff, 0xff }, 96, REACH_CARRIED },       /* ::ffff:0:0:0, translated */
    { { 0 }, 96, REACH_NOBODY },                       /* ::, compatible with IPv4: given up */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, REACH_CARRIED }, /* 64:ff9b::, NAT64 */
    { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 },
      48,
      REACH_OURS },                                 /* 64:ff9b:1::, NAT64 within a network */
    { { 0x01 }, 63, REACH_NOBODY },                 /* 100::, discard, and the dummy */
    { { 0x20, 0x01, 0x00, 0x02 }, 48, REACH_OURS }, /* 2001:2::, benchmarks */
    { { 0x20, 0x01 }, 23, REACH_NOBODY }, /* 2001::, of protocols: Teredo, ORCHID and others */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, REACH_NOBODY }, /* 2001:db8::, documents */
    { { 0x20, 0x02 }, 16, REACH_NOBODY },             /* 2002::, 6to4 */
    { { 0x3f, 0xff }, 20, REACH_NOBODY },             /* 3fff::, documents */
    { { 0x5f }, 16, REACH_OURS },                     /* 5f00::, segments of a network's routing */
    { { 0xfc }, 7, REACH_OURS },                      /* fc00::, unique local */
    { { 0xfe, 0x80 }, 10, REACH_OURS },               /* fe80::, link-local */
    { { 0xfe, 0xc0 }, 10, REACH_OURS },               /* fec0::, site-local */
    { { 0xff }, 8, REACH_NOBODY },                    /* ff00::, multicast */
};

#define COUNT(blocks) (sizeof(blocks) / sizeof(blocks)[0])

static bool begins_with(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address, prefix, whole) == 0 &&
           (!rest || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

static enum reach look_up(const struct block *blocks, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++) {
        if (begins_with(address, blocks[i].prefix, blocks[i].bits)) {
            return blocks[i].reach;
        }
    }
    return REACH_ALL;
}

static enum reach reach_of(int family, const uint8_t *address)
{
    enum reach reach;

    if (family == AF_INET) {
        return look_up(blocks_v4, COUNT(blocks_v4), address);
    }
    reach = look_up(blocks_v6, COUNT(blocks_v6), address);
    return reach == REACH_CARRIED
               ? look_up(blocks_v4, COUNT(blocks_v4), address + sizeof(struct in6_addr) - 4)
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
