/**
 * Cookies: libcurl's own jar, shared by all transfers.
 *
 * libcurl reads Set-Cookie of every answer, redirects and logins among them, and sends what belongs to a URL:
 * Domain (public suffixes are refused by libpsl), Path, Secure, HttpOnly, Max-Age and Expires as in RFC 6265.
 * The jar is read and written as text in curl's own file format, a line each, so that `curl -b FILE` and the
 * browsers' exports can be used.
 *
 * A server may set any number of cookies. When there are more than COOKIES_MAX those of the domain that has the
 * most of them are dropped, and of what is left then what is too much.
 *
 * Ownership  cookies_free releases it; every handle that uses the share must be gone by then.
 * Errors     none but memory: a line that is no cookie is passed over.
 * Threads    any: one lock is for the jar, libcurl's own use of it included. No handle that uses it waits for anything
 *            while it has that.
 */
#ifndef SCRAPETOP_FETCH_COOKIES_H
#define SCRAPETOP_FETCH_COOKIES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <curl/curl.h>

#define COOKIES_MAX 3000
#define COOKIES_TEXT_MAX (4U << 20) /* bytes of a cookie file */

struct cookies;

MUST_CHECK enum result cookies_new(struct cookies **cookies, struct err *err);
void cookies_free(struct cookies *cookies); /* NULL is ignored */

/** For CURLOPT_SHARE. */
CURLSH *cookies_share(const struct cookies *cookies);

/** Adds the cookies of a file's text. Returns how many lines looked like one. */
size_t cookies_load(struct cookies *cookies, struct str text);

/** Drops some when there are too many. */
void cookies_trim(struct cookies *cookies);

/** To be called after each answer that set cookies, outside of libcurl: trims the jar now and then, so that it
 *  never holds more than twice as many. */
void cookies_note(struct cookies *cookies);

/** Appends the file's text: no more than COOKIES_TEXT_MAX. */
MUST_CHECK enum result cookies_write(struct cookies *cookies, struct buf *out);

/** The parts of one line of such a text; false when it is no cookie. */
struct cookie_line {
    struct str domain, name, value;
};
bool cookie_line_split(struct str line, struct cookie_line *parts);

/** The parts of a Set-Cookie header; the domain is empty when it names none. False when it sets nothing. */
bool cookie_header_split(struct str header, struct cookie_line *parts);

/** Whether a host may set cookies for that domain (RFC 6265 section 5.1.3), public suffixes aside. */
bool cookie_domain_matches(struct str host, struct str domain);

#endif
