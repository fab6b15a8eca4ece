#include "fetch/private_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

struct sample {
    const char *text;
    bool is_private, is_ours;
};

#define OURS true, true
#define NOBODYS true, false
#define PUBLIC false, false

/* The first and the last of each block, and their neighbours where these are public. */
static const struct sample samples[] = {
    { "0.0.0.0", OURS },
    { "0.255.255.255", OURS },
    { "1.0.0.0", PUBLIC },
    { "8.8.8.8", PUBLIC },
    { "9.255.255.255", PUBLIC },
    { "10.0.0.0", OURS },
    { "10.255.255.255", OURS },
    { "11.0.0.0", PUBLIC },
    { "100.63.255.255", PUBLIC },
    { "100.64.0.0", OURS },
    { "100.127.255.255", OURS },
    { "100.128.0.0", PUBLIC },
    { "126.255.255.255", PUBLIC },
    { "127.0.0.1", OURS },
    { "127.255.255.255", OURS },
    { "128.0.0.0", PUBLIC },
    { "169.253.255.255", PUBLIC },
    { "169.254.0.0", OURS },
    { "169.254.169.254", OURS },
    { "169.255.0.0", PUBLIC },
    { "172.15.255.255", PUBLIC },
    { "172.16.0.0", OURS },
    { "172.31.255.255", OURS },
    { "172.32.0.0", PUBLIC },
    { "191.255.255.255", PUBLIC },
    { "192.0.0.0", OURS },
    { "192.0.0.170", OURS },
    { "192.0.0.255", OURS },
    { "192.0.1.0", PUBLIC },
    { "192.0.2.0", NOBODYS },
    { "192.0.2.255", NOBODYS },
    { "192.0.3.0", PUBLIC },
    { "192.88.99.1", NOBODYS },
    { "192.167.255.255", PUBLIC },
    { "192.168.0.0", OURS },
    { "192.168.255.255", OURS },
    { "192.169.0.0", PUBLIC },
    { "198.17.255.255", PUBLIC },
    { "198.18.0.0", OURS },
    { "198.19.255.255", OURS },
    { "198.20.0.0", PUBLIC },
    { "198.51.100.7", NOBODYS },
    { "198.51.101.0", PUBLIC },
    { "203.0.113.255", NOBODYS },
    { "203.0.114.0", PUBLIC },
    { "223.255.255.255", PUBLIC },
    { "224.0.0.1", NOBODYS },
    { "239.255.255.255", NOBODYS },
    { "240.0.0.0", OURS },
    { "255.255.255.254", OURS },
    { "255.255.255.255", NOBODYS },

    { "::", OURS },
    { "::1", OURS },
    { "::2", NOBODYS },
    { "::127.0.0.1", NOBODYS }, /* compatible */
    { "::8.8.8.8", NOBODYS },
    { "::ffff:127.0.0.1", OURS }, /* mapped */
    { "::ffff:10.1.2.3", OURS },
    { "::ffff:192.0.2.1", NOBODYS },
    { "::ffff:8.8.8.8", PUBLIC },
    { "::ffff:0:169.254.169.254", OURS }, /* translated */
    { "::ffff:0:8.8.8.8", PUBLIC },
    { "64:ff9b::127.0.0.1", OURS }, /* NAT64 */
    { "64:ff9b::a9fe:a9fe", OURS },
    { "64:ff9b::192.168.1.1", OURS },
    { "64:ff9b::198.18.0.1", OURS },
    { "64:ff9b::203.0.113.5", NOBODYS },
    { "64:ff9b::8.8.8.8", PUBLIC },
    { "64:ff9b:1::", OURS },
    { "64:ff9b:1:ffff:ffff:ffff:8.8.8.8", OURS },
    { "64:ff9b:2::8.8.8.8", PUBLIC },
    { "100::1", NOBODYS },
    { "100:0:0:1::1", NOBODYS },
    { "100:0:0:2::1", PUBLIC },
    { "2001::1", NOBODYS }, /* Teredo */
    { "2001:0:4136:e378:8000:63bf:3fff:fdd2", NOBODYS },
    { "2001:2::1", OURS },
    { "2001:10::1", NOBODYS },
    { "2001:20::1", NOBODYS },
    { "2001:1ff:ffff::1", NOBODYS },
    { "2001:200::1", PUBLIC },
    { "2001:4860:4860::8888", PUBLIC },
    { "2001:db7:ffff::1", PUBLIC },
    { "2001:db8::1", NOBODYS },
    { "2001:db9::1", PUBLIC },
    { "2002:7f00:1::1", NOBODYS }, /* 6to4 */
    { "2002:a00:1::", NOBODYS },
    { "2002:808:808::1", NOBODYS },
    { "2003::1", PUBLIC },
    { "2606:4700::1111", PUBLIC },
    { "3ffe::1", PUBLIC },
    { "3fff::1", NOBODYS },
    { "3fff:fff::1", NOBODYS },
    { "3fff:1000::1", PUBLIC },
    { "5f00::1", OURS },
    { "5f01::1", PUBLIC },
    { "fbff::1", PUBLIC },
    { "fc00::1", OURS },
    { "fd12:3456:789a::1", OURS },
    { "fe00::1", PUBLIC },
    { "fe80::1", OURS },
    { "febf::1", OURS },
    { "fec0::1", OURS },
    { "feff::1", OURS },
    { "ff02::1", NOBODYS },
};

static bool as_socket_address(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        return address_is_private((const struct sockaddr *)&in);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_private((const struct sockaddr *)&in6);
}

static void address__is_private__by_its_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *s = &samples[i];

        if (ip_text_is_private(s->text) != s->is_private ||
            ip_text_is_ours(s->text) != s->is_ours || as_socket_address(s->text) != s->is_private) {
            fail_msg("%s: private %d (as a socket's %d), want %d; ours %d, want %d", s->text,
                     ip_text_is_private(s->text), as_socket_address(s->text), s->is_private,
                     ip_text_is_ours(s->text), s->is_ours);
        }
    }
}

static void what_is_no_address__is_refused_as_one_and_none_as_a_text(void **state)
{
    const struct sockaddr unix_address = { .sa_family = AF_UNIX };

    (void)state;
    assert_true(address_is_private(&unix_address));
    assert_false(ip_text_is_private(NULL));
    assert_false(ip_text_is_private(""));
    assert_false(ip_text_is_private("localhost"));
    assert_false(ip_text_is_ours("localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__is_private__by_its_block),
        cmocka_unit_test(what_is_no_address__is_refused_as_one_and_none_as_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
