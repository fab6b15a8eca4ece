/**
 * Extract links: from the records of a listing to the requests for their details.
 *
 * Each endpoint whose parent is the request's own is asked once for every record (`endpoint.records`) of
 * the reply. Its URL and body are templates (job/template.h), in which `{products.id}` is a value of the
 * record when `products` is the parent. Everything else comes from the variables of the request (`vars`: a
 * JSON object of name to value, names as in the template: "city", "row.id", "shops.id"), which hands
 * on whatever a later level or `with` is going to need. Values are copied as they stand in the body, so
 * a 64-bit id keeps its digits.
 *
 * A record that lacks a value, or has null for it, cannot be asked for: it is passed over, and all of a
 * page are told in one PAGE_NOTE_NO_VALUE. The same for a URL that is none, or is too long, or would
 * leave the origin of the template's own.
 *
 * Ownership  extract_links_new borrows the job, extract_links_free releases everything.
 * Errors     extract_links_new: RESULT_INVALID for a template or pointer that the job's reader should have
 *            refused. extract_links_read: RESULT_NOMEM alone.
 * Threads    read-only after extract_links_new, so any.
 */
#ifndef SCRAPETOP_PLAN_EXTRACT_LINKS_H
#define SCRAPETOP_PLAN_EXTRACT_LINKS_H

#include "job/job.h"
#include "plan/discovered.h"

struct extract_links;

MUST_CHECK enum result extract_links_new(struct extract_links **made, const struct job *job,
                                         struct err *err);
void extract_links_free(struct extract_links *links); /* NULL is ignored */

/** Whether replies of this endpoint lead to further requests: else extract_links_read has nothing to do. */
bool extract_links_wants(const struct extract_links *links, uint32_t endpoint);

/** `body` has passed json_check. */
MUST_CHECK enum result extract_links_read(const struct extract_links *links,
                                          const struct request *request, struct str body,
                                          struct discoveries *out);

#endif
