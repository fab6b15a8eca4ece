/**
 * XML as JSON: an object with the root element as its one member.
 *
 *   <feed v="2"><entry id="7"><title>A</title></entry><entry/></feed>
 *   {"feed":{"@v":"2","entry":[{"@id":"7","title":"A"},null]}}
 *
 * An attribute is the member `@name`. An element with neither attributes nor elements is its text, or null when
 * that is empty; one that has some keeps its text as `#text`, without the white space around it, unless there is
 * nothing but that. Elements of one name within one element are an array, where the first of them stands. Names
 * keep their prefixes (`dc:date`). All values are strings: types are found later, over all records. Comments and
 * processing instructions are passed over.
 *
 * What can hide or multiply is refused: a document that declares an entity, or uses one that it does not declare.
 * Nothing outside of the document is ever opened.
 *
 * Ownership  the caller's buf.
 * Errors     RESULT_INVALID (no XML; `why` says what and in which line), RESULT_DENIED (entities),
 *            RESULT_LIMIT (XML_DEPTH_MAX, XML_NAMES_MAX, or more than the buf may hold, also while it is read),
 *            RESULT_NOMEM.
 * Threads    no state.
 * Sources    XML 1.0 (Fifth Edition).
 */
#ifndef SCRAPETOP_READ_XML_JSON_H
#define SCRAPETOP_READ_XML_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define XML_DEPTH_MAX 250   /* elements within elements */
#define XML_NAMES_MAX 65536 /* different names of elements and attributes */
#define XML_WHY_MAX 160

/** `is_utf8`: the text is that, whatever its declaration says. */
MUST_CHECK enum result xml_append_json(struct str text, bool is_utf8, struct buf *out,
                                       char why[XML_WHY_MAX]);

#endif
