/**
 * Rulebook: the rules of a job (job/answer_rule.h), ready to be asked which of them an answer meets.
 *
 * They are numbered through, from 0: those of the command line, those of each endpoint in its order, the
 * job's. An endpoint is asked by its own part of them, in that order; the first one that matches counts.
 *
 * A rule about an answer that redirects names its status: what stands in such a body, or does not, is
 * nobody's word. A condition on headers of an answer whose headers are not known, or on a body of which
 * there is only the head, can be neither met nor missed: such a rule is passed over, and it is told that there
 * was one.
 *
 * Bounds     one body costs at most ANSWER_RULES_MAX look-ups, and a pattern looks at ANSWER_HEAD_BYTES of a
 *            value, in time that is bounded (base/pattern.h).
 * Ownership  rulebook_new borrows the job, rulebook_free releases everything.
 * Errors     rulebook_new: RESULT_INVALID for what the job's reader should have refused.
 * Threads    read-only after rulebook_new, so any.
 */
#ifndef SCRAPETOP_PLAN_RULEBOOK_H
#define SCRAPETOP_PLAN_RULEBOOK_H

#include "job/job.h"
#include "plan/answer.h"

#define RULEBOOK_NONE SIZE_MAX
#define RULEBOOK_EVERY UINT32_MAX /* instead of an endpoint: all of them */

struct rulebook;

MUST_CHECK enum result rulebook_new(struct rulebook **made, const struct job *job, struct err *err);
void rulebook_free(struct rulebook *book); /* NULL is ignored */

size_t rulebook_count(const struct rulebook *book);
const struct answer_rule *rulebook_rule(const struct rulebook *book, size_t index);

/** "404 do=empty" has a name: "rule 2", "products rule 1", "--answer 1". */
#define RULEBOOK_NAME_MAX 96
void rulebook_name(const struct rulebook *book, size_t index, char name[RULEBOOK_NAME_MAX]);

/** Some rule for answers of this endpoint looks into bodies, so that `is_json` must be told. */
bool rulebook_reads_bodies(const struct rulebook *book, uint32_t endpoint);

/** The number of the rule, or RULEBOOK_NONE. `*unsure` (may be NULL) is set when a rule before it was
 *  passed over for want of headers or body. */
size_t rulebook_match(const struct rulebook *book, uint32_t endpoint,
                      const struct answer_view *answer, bool *unsure);

/** For an answer that no rule matches and that ends an exchange: the rule with "do": "again" by which the
 *  result lies elsewhere, at its `then`. */
size_t rulebook_match_result(const struct rulebook *book, uint32_t endpoint,
                             const struct answer_view *answer);

/** The names of headers that rules for answers of this endpoint read, in lower case; `names` has room for
 *  them. Returns how many. */
size_t rulebook_headers(const struct rulebook *book, uint32_t endpoint, const char **names);

/** So many of all endpoints together at most. */
size_t rulebook_header_room(const struct rulebook *book);

#endif
