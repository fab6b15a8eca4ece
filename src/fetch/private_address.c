#include "fetch/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

bool address_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        uint32_t ip;

        memcpy(&in, address, sizeof in);
        ip = ntohl(in.sin_addr.s_addr);
        return ip >> 24 == 0 || ip >> 24 == 10 || ip >> 24 == 127 || ip >> 16 == 0xA9FE ||
               ip >> 20 == 0xAC1 || ip >> 16 == 0xC0A8 || ip >> 22 == (UINT32_C(0x64400000) >> 22);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        const uint8_t *b;

        memcpy(&in6, address, sizeof in6);
        b = in6.sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            struct sockaddr_in in = { .sin_family = AF_INET };

            memcpy(&in.sin_addr, b + 12, 4);
            return address_is_private((const struct sockaddr *)&in);
        }
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) ||
               (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0) == 0x80);
    }
    return true;
}

bool ip_text_is_private(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (text && inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        return address_is_private((const struct sockaddr *)&in);
    }
    if (text && inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        return address_is_private((const struct sockaddr *)&in6);
    }
    return false;
}
