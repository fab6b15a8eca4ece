/**
 * The first sixteen bytes of a text, with zeros after its end: short texts are hashed and compared as two numbers,
 * without a branch on how long they are.
 *
 * Up to TEXT_HEAD_BYTES bytes after a text are read, and mean nothing: there must be so many.
 */
#ifndef SCRAPETOP_TABLE_TEXT_HEAD_H
#define SCRAPETOP_TABLE_TEXT_HEAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_HEAD_BYTES 16

struct text_head {
    uint64_t low, high;
};

/** Of a text of no more than TEXT_HEAD_BYTES. */
static inline struct text_head text_head(const char *text, size_t len)
{
    static const unsigned char masks[2 * TEXT_HEAD_BYTES] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    };
    struct text_head head, mask;

    memcpy(&head, text, sizeof head);
    memcpy(&mask, masks + TEXT_HEAD_BYTES - len, sizeof mask);
    return (struct text_head){ head.low & mask.low, head.high & mask.high };
}

#endif
