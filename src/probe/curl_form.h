/**
 * A form of several parts (multipart/form-data), as curl's -F makes it, of texts alone.
 *
 * Source  RFC 7578; curl's manual page, --form.
 */
#ifndef SCRAPETOP_PROBE_CURL_FORM_H
#define SCRAPETOP_PROBE_CURL_FORM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/** Appends a part. `text` is "name=content;type=text/plain;filename=x"; with `is_plain`, all after the first `=` is
 *  content. Files are refused (E-CURL2). */
MUST_CHECK enum result curl_form_add(struct buf *parts, struct str text, bool is_plain,
                                     struct err *err);

/** Makes the body of the parts, and the boundary that stands in it. */
MUST_CHECK enum result curl_form_finish(struct buf *parts, struct buf *boundary, struct err *err);

#endif
