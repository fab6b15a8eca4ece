/**
 * What a document is that is no JSON, as far as its bytes tell, and what its user can do about it.
 *
 * A page of a browser, a compressed file, CSV, UTF-16, several JSON texts one after the other ...: what people
 * really hand in. Nothing is read but the text, and nothing is made of it.
 *
 * Threads  no state.
 */
#ifndef SCRAPETOP_NORMALISE_NOT_JSON_H
#define SCRAPETOP_NORMALISE_NOT_JSON_H

#include "base/json_scan.h"
#include "base/str.h"

/** "it is HTML, ...: ask for ...", of a text that json_check has refused so, which may be one of a file's lines; NULL
 *  when there is nothing to say beyond the error. FILE in it stands for the file. */
const char *not_json_hint(struct str text, bool is_line, const struct json_error *error);

#endif
