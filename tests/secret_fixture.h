/** A buffer that is compared with a text, so that a failure prints both. */
#ifndef SCRAPETOP_TESTS_SECRET_FIXTURE_H
#define SCRAPETOP_TESTS_SECRET_FIXTURE_H

#include "base/buf.h"

void assert_content(struct buf *b, const char *want);

#endif
