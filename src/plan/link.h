/**
 * Links: which page is the next, and which the last, by the Link header or an array of links in a body.
 *
 * Source   RFC 8288 section 3 and appendix B.2, of which only what a paginator asks: the first target of a
 *          relation, among links about the answer itself (those with an `anchor` are about something else).
 * Threads  pure, any.
 */
#ifndef SCRAPETOP_PLAN_LINK_H
#define SCRAPETOP_PLAN_LINK_H

#include "base/str.h"

/** The target, as written between its brackets, of the first link in one header's value whose `rel` has
 *  the word `relation` (in lower case). False when there is none, or what comes before it is no list of
 *  links. */
bool link_find(struct str value, struct str relation, struct str *target);

/** An array of objects, or an empty one: it may be one of links. */
bool link_is_array(struct str value);

/** The same of an array of links in a body, as OGC API, STAC, FHIR and others have it: [{"rel": "next", "href":
 *  "..."}], or with "relation" and "url". `target` is a JSON string. The array has passed json_check. */
bool link_in_array(struct str array, struct str relation, struct str *target);

#endif
