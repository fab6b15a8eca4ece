/**
 * Addresses that a stranger may not lead us to: loopback, link-local, private, shared and unspecified
 * ones (RFC 6890, RFC 4193, RFC 4291), also when an IPv6 address carries one of IPv4.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_FETCH_PRIVATE_ADDRESS_H
#define SCRAPETOP_FETCH_PRIVATE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/** Whether a socket address is one; what is neither IPv4 nor IPv6 counts as one. */
bool address_is_private(const struct sockaddr *address);

/** Likewise for an address's text, as libcurl tells it; what is no address, or NULL, is none. */
bool ip_text_is_private(const char *text);

#endif
