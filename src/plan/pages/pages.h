/**
 * Pages: from one page of a listing to the requests for the others, and to what is wrong with it.
 *
 * Nothing of a listing is kept here between its pages. What a page must know (how many there will be, how
 * large they are, who named it) travels with its request in struct page_at and is stored with it; all else
 * follows from the request and its reply. So a run that was killed goes on as if nothing had happened, and
 * one page may be read on any thread.
 *
 *   total known     The first page names the others, PAGES_BLOCK at once; the first page of a block names
 *                   the next block, long before it is needed. (Page numbers, offsets, and a Link header
 *                   whose `last` differs from `next` in one number.) A later page that announces another
 *                   total says so, and names what has been added.
 *   cursor, next    Each page names the next one, until there is none, or `has_more` is false.
 *   else            Numbers go on until a page is empty, or `has_more` is false.
 *
 * Cursors are bytes: numbers as they are written, strings unescaped, percent-encoded in a query and put
 * into a JSON body as the literal that came. One with a control character is refused, and so is a next
 * URL on another origin, or that is no URL (PAGE_NOTE_BAD_NEXT).
 *
 * A listing cannot go round in circles. A page that names itself is PAGE_NOTE_BACK, and so is one that
 * names any page of its listing which was asked before: the ledger finds that out. One whose records are
 * those of the page that named it, byte for byte, is PAGE_NOTE_SAME_PAGE. Only so many pages in a row
 * without a record are gone on over (PAGE_NOTE_ENDLESS), and `max` ends all (PAGE_NOTE_LIMIT).
 *
 * Each listing ends for one reason, which its last page tells (plan/page_end.h). Where the total told is
 * reached with a full page and nothing else on that page says that it is the last, one page more is asked
 * for (PAGE_PROOF): a total that is too small is found out so. An empty page after full ones is followed by
 * one more, too, when only that emptiness says that it is the end.
 *
 * Errors   RESULT_NOMEM alone; whatever a server says is a note.
 * Threads  pure, any.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGES_H
#define SCRAPETOP_PLAN_PAGES_PAGES_H

#include "job/job.h"
#include "plan/discovered.h"

#define PAGES_BLOCK 1000  /* pages that one answer names at most */
#define PAGES_ADDED_MAX 8 /* of these beyond the total known so far, but for the last page */
/* Pages in a row without a record after which a listing ends: though each says that there is more, ... */
#define PAGES_EMPTY_MAX 100
#define PAGES_EMPTY_TOLD_MAX 10  /* ... though the total told is not reached, ... */
#define PAGES_EMPTY_UNTOLD_MAX 1 /* ... and when nothing but a cursor or URL says so */
#define PAGES_SIZE_MAX 10000000  /* records of a page that an announced size may claim */

/** What came, of what a paginator reads. */
struct page_reply {
    struct str body; /* has passed json_check, or is empty */
    /* The n-th (from 0) kept header of that lower-case name; STR_NONE when there is none. */
    struct str (*header)(const void *context, struct str name, unsigned n);
    const void *context;
};

/** The texts of a listing's first request; STR_NONE of a body when the endpoint's is sent as it is. */
struct pages_first {
    struct buf key, url, body;
};

/** Makes them of a request's: first page and size are set in the URL or body, ",page=1" is added to the key
 *  ("page=1" is all of it when it was empty). `given.body` is what would be sent: STR_NONE for none. For
 *  an endpoint without pages they are copies. RESULT_INVALID (E-PAG1) when a pointer of `param` cannot be
 *  set in the body, RESULT_LIMIT (E-URL7) for too long a URL. Zeroed buffers, released by the caller. */
MUST_CHECK enum result pages_first(const struct job_endpoint *endpoint,
                                   const struct request_texts *given, struct pages_first *made,
                                   struct err *err);
void pages_first_release(struct pages_first *made);

/** The header's name in "header:X-Total-Count", where a total may be told; NULL for a pointer, or NULL. */
const char *pages_header(const char *where);

/** Counts the records, adds the requests for further pages, and notes what is wrong. `out->since`
 *  has been read, where that ends the listing. The reply is one that
 *  counts as OK: complete, and valid JSON. Sets `out->is_no_page` when it is an error all the same: the
 *  records are absent, though pages before had some, or the body is an error object (plan/error_object.h),
 *  and the page does not tell the end itself (`has_more` false, `total` reached). */
MUST_CHECK enum result pages_read(const struct job *job, const struct request *request,
                                  const struct page_reply *reply, struct discoveries *out);

/** The same for a page that failed for good, with this status or (0) without one: it may be the one after its
 *  listing's last, asked for by number because nothing had told the end. Then `out->page.is_page` is set, and all
 *  is well; else it has failed. 404, 410 and 416 say so; 400 and 422 too, unless they may mean that nobody may see
 *  further pages. Whatever a page that is only to prove a total is answered, it is no failure. */
MUST_CHECK enum result pages_read_refused(const struct job *job, const struct request *request,
                                          int status, struct discoveries *out);

#define PAGES_SPLIT_WORDS_MAX 160

/** The page is too large for its server: adds it in smaller ones, and says so in `words`. RESULT_NOT_FOUND: it is asked
 *  for by one record already, or does not say how many it asks for; then `words` says why. */
MUST_CHECK enum result pages_split(const struct job_endpoint *endpoint,
                                   const struct request *request, struct discoveries *out,
                                   char words[PAGES_SPLIT_WORDS_MAX]);

#define PAGES_CHECK_BODY_MAX (16U << 10) /* a larger body is no error object */

/** The same for an endpoint without pages: sets `out->is_no_page` when its `records` are absent and the body
 *  is an error object. The body has passed json_check. */
void pages_check_single(const struct job_endpoint *endpoint, struct str body,
                        struct discoveries *out);

#endif
