/**
 * Texts with `{placeholders}`: the URLs, bodies and headers of a job file's endpoints.
 *
 *   {city}              a variable of the job ("vars")
 *   {row.last name}     a column of a variable that is a file
 *   {products.id}       a field of the record that the request is about; {products.seller.id} a field
 *                       in a field, {products./a.b/0} a JSON Pointer, {products._key} the record's name
 *   {+products.path}    as it stands: `/ ? & =` and percent escapes keep their meaning (RFC 6570)
 *   {{                  a plain `{`; a `}` that ends no placeholder stands for itself
 *
 * Values are JSON, so that a number keeps its digits. What becomes of one follows from the context:
 *
 *   TEMPLATE_URL     percent-encoded, all but the unreserved bytes of RFC 3986. A placeholder at the very
 *                    beginning is `{+}` by itself: its value is a whole URL. `.` and `..` are refused, for
 *                    they would be another path.
 *   TEMPLATE_FORM    percent-encoded; a body that is not JSON.
 *   TEMPLATE_JSON    placeholders stand inside strings only, and braces that enclose no name (as in
 *                    GraphQL) stand for themselves. A string that is one placeholder and nothing else
 *                    becomes the value as it is, a number a number; elsewhere the value's text, escaped.
 *   TEMPLATE_HEADER  as text; a line break or control character in it is an error.
 *
 * Null, and what is not there, is RESULT_NOT_FOUND: such a request cannot be made. So is an array or
 * object anywhere but as a whole string in JSON.
 *
 * What a `{+}` and a leading placeholder bring in may name another host. The caller compares origins.
 *
 * Ownership  template_new copies the text; template_free releases everything.
 * Errors     E-TPL1 a bad template, with the byte, counted from 1; E-TPL2 no value; E-TPL3 a value that
 *            cannot stand there; E-HDR2 a value that no header may hold.
 * Threads    read-only after template_new, so any.
 */
#ifndef SCRAPETOP_JOB_TEMPLATE_H
#define SCRAPETOP_JOB_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define TEMPLATE_NAMES_MAX 64 /* different placeholders of one text */
#define TEMPLATE_NAME_MAX 256 /* bytes of one */

enum template_context { TEMPLATE_URL, TEMPLATE_FORM, TEMPLATE_JSON, TEMPLATE_HEADER };

struct template;

MUST_CHECK enum result template_new(struct template **made, struct str text,
                                    enum template_context context, struct err *err);
void template_free(struct template *t); /* NULL is ignored */

/** TEMPLATE_JSON for a body that is JSON as it stands, else TEMPLATE_FORM. */
enum template_context template_body_context(struct str body);

/** The different names, in the order of their first use, without braces and plus: "products.id". */
size_t template_name_count(const struct template *t);
struct str template_name(const struct template *t, size_t index);

/** Letters, digits, `_` and `-`, beginning with a letter or `_`: what may stand before the first dot. */
bool template_head_is_valid(struct str head);

/** The part before the first dot ("products"), and what follows it, STR_NONE without a dot. */
struct str template_name_head(struct str name, struct str *field);

/** Appends the JSON Pointer that a field means: "/seller/id" for "seller.id". */
MUST_CHECK enum result template_field_pointer(struct str field, struct buf *pointer);

/** The value of the placeholder with this index among the names, as JSON; false when there is none. It
 *  must live until the next call. */
typedef bool template_lookup_fn(void *context, size_t index, struct str *json);

/** Appends the text with its values. RESULT_NOT_FOUND, RESULT_INVALID (see above), or RESULT_LIMIT and
 *  RESULT_NOMEM of `out`, which then may hold a part. */
MUST_CHECK enum result template_expand(const struct template *t, template_lookup_fn *lookup,
                                       void *context, struct buf *out, struct err *err);

/** Appends a text percent-encoded, as TEMPLATE_URL and TEMPLATE_FORM do. */
MUST_CHECK enum result template_encode(struct str text, struct buf *out);

/** Appends what a scalar JSON value is as text: a string without quotes and escapes, a number or
 *  boolean as written. RESULT_NOT_FOUND for null, objects, arrays and nothing. */
MUST_CHECK enum result template_value_text(struct str json, struct buf *out);

#endif
