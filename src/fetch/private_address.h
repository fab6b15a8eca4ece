/**
 * Private address: where a stranger may not lead us, and who is no stranger.
 *
 * All of IANA's two registries of special addresses (RFC 6890) that is not for the public: loopback, link-local,
 * private, shared, reserved, for tests, for documents, for many at once; and the ways in which an address of IPv6
 * says one of IPv4. Those of NAT64, mapped and translated ones are as private as what they carry; tunnels that are
 * given up (6to4, Teredo) are refused whatever they carry.
 *
 * A network's own prefix for NAT64 (RFC 6052) cannot be told from any other address.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_FETCH_PRIVATE_ADDRESS_H
#define SCRAPETOP_FETCH_PRIVATE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/** Whether a stranger may not lead us there; what is neither IPv4 nor IPv6 counts so. */
bool address_is_private(const struct sockaddr *address);

/** Likewise for an address's text, as libcurl tells it; what is no address, or NULL, is none. */
bool ip_text_is_private(const char *text);

/** Whether who answers there is of a network of ours, and may lead us on within it. Fewer than are private: who
 *  has an address of a tunnel may be anybody. */
bool ip_text_is_ours(const char *text);

#endif
