/**
 * A line of a run's raw segment, taken apart.
 *
 * {"id":17,"key":"103293", ... ,"body":{...}}: the body is the last member and is not looked into.
 * A body that was not JSON stands as "text" or "base64" instead; a 204 has none of the three. "sent", the
 * bytes of one that was read as JSON, is passed over.
 * The line's own checksum is over all of it but its line feed and the member that tells it
 * (store/line.h).
 */
#ifndef SCRAPETOP_NORMALISE_RAW_LINE_H
#define SCRAPETOP_NORMALISE_RAW_LINE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum raw_body { RAW_BODY_NONE, RAW_BODY_JSON, RAW_BODY_OTHER };

struct raw_line {
    struct str key, url, fetched_at; /* still escaped; STR_NONE when they are missing */
    struct str status;               /* digits */
    struct str vars;                 /* a JSON object, or STR_NONE */
    struct str body;
    enum raw_body kind;
    bool is_texts;  /* the body was made of a format whose values are all strings ("as") */
    size_t seal_at; /* of the comma before "crc32c"; 0: it is missing */
};

/** Views into `line`; false when it is not such a line. */
bool raw_line_split(struct str line, struct raw_line *parts);

/** Whether the line, its line feed included, is the one whose checksum is `crc32c`, and says so itself.
 *  `parts` are those of this line. */
bool raw_line_is_whole(struct str line, const struct raw_line *parts, uint32_t crc32c);

#endif
