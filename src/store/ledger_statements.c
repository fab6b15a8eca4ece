#include "store/ledger_statements.h"

#define RECORD_SELECT "SELECT r.id,r.line_at,r.line_bytes,r.segment,r.crc32c,r.status,r.endpoint,"
/* see bind_tried, ledger.c */
#define TRIED_COLUMNS "outcome,class,due_by,due_wait_us,due_ceiling_us,due_host,due_said,reason"
/* By today's wall clock (ledger_bind_clock): the clock may have been set since, but a wait gets no longer by
 * that. Within one boot the monotonic clock knows better. */
#define NOT_BEFORE                                                                                 \
    "CASE WHEN due_boot=:boot THEN :wall+due_at_us-:now"                                           \
    " ELSE coalesce(min(not_before_us,:wall+due_length_us),not_before_us) END"
#define FOUND_PAGE                                                                                 \
    "chain,number,ordinal,total,expected,size,empty,kind,named_by,came,previous,most,"             \
    "records_type,records_at,basis,repeats"
#define FOUND_PAGE_VALUES "?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25"
/* Of found ones of a further round: the line of their own, and what the last good answer is known by. */
#define OWN_LINE                                                                                   \
    "(SELECT own.id FROM request own WHERE own.id=f.id AND own.state=1"                            \
    " AND own.line_bytes IS NOT NULL)"
#define LAST_POLLED "FROM polled p WHERE p.what=polled_as(f.endpoint,f.place,f.url,f.body)"
/* What the present plan leads to, or what has been asked for an earlier one. */
#define FOUND_SELECT                                                                               \
    "SELECT f.id,f.endpoint,f.place,f.key,f.url,f.body,f.vars,f.etag," FOUND_PAGE ","
#define FOUND_COUNTS                                                                               \
    "(NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id)"                                            \
    " OR EXISTS(SELECT 1 FROM request r WHERE r.id=f.id))"

#define FAILED_SELECT                                                                              \
    "SELECT r.id,r.endpoint,r.attempt,r.key,r.status," TRIED_COLUMNS                               \
    ",r.url,ifnull(s.at_us,0),s.headers,s.body,ifnull(s.body_bytes,0)"                             \
    " FROM request r LEFT JOIN said s ON s.request=r.id"

const char *const ledger_statements[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT_ENDED] =
        "INSERT INTO "
        "request(id,state,endpoint,attempt,status,body,segment,line_at,line_bytes,crc32c)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,body=excluded.body,segment=excluded.segment,"
        "line_at=excluded.line_at,line_bytes=excluded.line_bytes,crc32c=excluded.crc32c,"
        "key=NULL,url=NULL,not_before_us=NULL,due_length_us=NULL,due_at_us=NULL,due_boot=NULL,"
        "(" TRIED_COLUMNS ")=(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL) WHERE request.state<>1",
    [SQL_PUT_OPEN] =
        "INSERT INTO "
        "request(id,state,endpoint,attempt,status,body,segment,line_at,line_bytes,crc32c,"
        "key,not_before_us," TRIED_COLUMNS ",url,due_length_us,due_at_us,due_boot)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,"
        "?22,?23,?24)"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,body=excluded.body,segment=excluded.segment,"
        "line_at=excluded.line_at,line_bytes=excluded.line_bytes,crc32c=excluded.crc32c,"
        "key=excluded.key,not_before_us=excluded.not_before_us,outcome=excluded.outcome,"
        "class=excluded.class,due_by=excluded.due_by,due_wait_us=excluded.due_wait_us,"
        "due_ceiling_us=excluded.due_ceiling_us,due_host=excluded.due_host,"
        "due_said=excluded.due_said,reason=excluded.reason,url=excluded.url,"
        "due_length_us=excluded.due_length_us,due_at_us=excluded.due_at_us,"
        "due_boot=excluded.due_boot WHERE request.state<>1",
    [SQL_PUT_SEGMENT] =
        "INSERT OR REPLACE INTO segment(number,committed,last_batch,body_bytes,lines)"
        " VALUES(?1,?2,?3,?4,?5)",
    [SQL_PUT_PLANNED] = "INSERT OR REPLACE INTO meta(name,value) VALUES('planned',?1)",
    [SQL_SESSION_BEGIN] = "INSERT INTO session(pid,started_us) VALUES(?1,?2)",
    [SQL_SESSION_END] = "UPDATE session SET ended_us=?1,clean=?2"
                        " WHERE number=(SELECT max(number) FROM session)",
    [SQL_ROWS] = "SELECT id,state,attempt,endpoint," NOT_BEFORE ",status," TRIED_COLUMNS
                 " FROM request ORDER BY id",
    [SQL_SEGMENTS] = "SELECT number,committed,last_batch,body_bytes,lines FROM segment"
                     " ORDER BY number",
    [SQL_INDEX] = "SELECT id,line_at,line_bytes,segment,crc32c,status,endpoint FROM request"
                  " WHERE id>?1 AND line_bytes IS NOT NULL AND (state=1 OR ?2=2)"
                  " AND (body=1 OR ?2>0) ORDER BY id LIMIT ?3",
    [SQL_TOTALS] = "SELECT count(*),total(attempt),count(*) FILTER (WHERE state=1 AND body=0)"
                   " FROM request",
    [SQL_OPEN_TOTALS] = "SELECT count(*) FILTER (WHERE state=2),count(*) FILTER (WHERE state=3),"
                        "min(not_before_us) FILTER (WHERE state=3) FROM request WHERE state<>1",
    [SQL_SEGMENT_TOTALS] = "SELECT count(*),total(committed),total(body_bytes) FROM segment",
    [SQL_SESSIONS] = "SELECT count(*),min(started_us),"
                     "(SELECT started_us FROM session ORDER BY number DESC LIMIT 1),"
                     "(SELECT ended_us FROM session ORDER BY number DESC LIMIT 1),"
                     "(SELECT clean FROM session ORDER BY number DESC LIMIT 1) FROM session",
    [SQL_PLANNED] = "SELECT max(value) FROM meta WHERE name='planned'",
    [SQL_SEEDS] = "SELECT name,value FROM meta WHERE name IN "
                  "('seeds','listed','again','shared','round_from')",
    [SQL_EARLIER] = "SELECT count(*),count(*) FILTER (WHERE body=0) FROM request"
                    " WHERE id<=(SELECT value FROM meta WHERE name='round_from') AND state=1",
    [SQL_PUT_ROUND_FROM] = "INSERT OR REPLACE INTO meta(name,value) VALUES('round_from',"
                           "max(?1,(SELECT ifnull(max(id),0) FROM found),"
                           "(SELECT ifnull(max(id),0) FROM request)))",
    [SQL_PUT_SEEDS] = "INSERT OR REPLACE INTO meta(name,value) VALUES('seeds',?1)",
    [SQL_FOUND_COUNT] = "SELECT max(id) FROM found",
    /* Ids follow one another. What a failed transaction took of them is free again. */
    [SQL_PUT_FOUND] =
        "INSERT INTO found(id,endpoint,digest,place,key,url,body,vars,etag," FOUND_PAGE ",moved)"
        " VALUES((SELECT max(?1,ifnull(max(id),0))+1 FROM found),"
        "?2,?3,?4,?5,?6,?7,?8,?9," FOUND_PAGE_VALUES ",0)"
        " ON CONFLICT(endpoint,digest) DO NOTHING RETURNING id",
    [SQL_FOUND_MOVE] = "UPDATE found SET place=?4,key=?5,vars=?8,(" FOUND_PAGE
                       ")=(" FOUND_PAGE_VALUES "),moved=1 WHERE id=?1",
    /* The variables of the one that moved take the place of those that were handed on. */
    [SQL_FOUND_MOVE_SUBTREE] =
        "UPDATE found SET place=CAST(?4||substr(place,?5) AS BLOB),"
        "vars=CASE WHEN ?6 IS NULL THEN vars ELSE json_patch(ifnull(vars,'{}'),?6) END,moved=1"
        " WHERE endpoint=?1 AND place>?2 AND place<?3",
    [SQL_FOUND_MOVED] = "SELECT place,vars FROM found WHERE id=?1 AND moved=1",
    [SQL_PUT_FOUND_HEAD] =
        "INSERT INTO found(id,endpoint,digest,place,key,url,body,vars,etag," FOUND_PAGE ",moved)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9," FOUND_PAGE_VALUES ",0)"
        " ON CONFLICT DO NOTHING",
    [SQL_PUT_FOUND_AS] =
        "INSERT INTO found(id,endpoint,digest,place,key,url,body,vars,etag," FOUND_PAGE ",moved)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9," FOUND_PAGE_VALUES ",0)"
        " ON CONFLICT DO NOTHING RETURNING id",
    [SQL_UNION_FOUND] =
        "SELECT f.id,r.line_at,r.line_bytes,r.segment,r.crc32c,r.status,"
        "f.endpoint,f.digest,f.place,f.vars,f.moved FROM found f"
        " LEFT JOIN request r ON r.id=f.id AND r.state=1 AND r.body=1"
        " AND f.id>(SELECT max(value) FROM meta WHERE name='seeds')"
        " UNION ALL SELECT f.id,NULL,NULL,NULL,NULL,NULL,a.endpoint,a.digest,a.place,"
        "a.vars,1 FROM also a CROSS JOIN found f ON f.endpoint=a.endpoint"
        " AND f.digest=a.digest ORDER BY 9",
    [SQL_FOUND_ASKED_ELSEWHERE] = "UPDATE found SET moved=1 WHERE id=?1",
    /* Of a run that shares what it finds (ledger_shared.c). */
    [SQL_PUT_ALSO] = "INSERT INTO also(endpoint,digest,place,vars) VALUES(?1,?2,?3,?4)",
    [SQL_PUT_ALSO_BEFORE] = "INSERT INTO also(endpoint,digest,place,vars)"
                            " SELECT endpoint,digest,place,vars FROM found WHERE id=?1",
    [SQL_ALSO_MOVE_SUBTREE] =
        "UPDATE also SET place=CAST(?4||substr(place,?5) AS BLOB),"
        "vars=CASE WHEN ?6 IS NULL THEN vars ELSE json_patch(ifnull(vars,'{}'),?6) END"
        " WHERE endpoint=?1 AND place>?2 AND place<?3",
    [SQL_PUT_SHARED] = "INSERT OR REPLACE INTO meta(name,value) VALUES('shared',1)",
    [SQL_SHARED_ENDPOINTS] = "SELECT endpoint,count(*) FROM request WHERE id>?1 GROUP BY endpoint",
    [SQL_SHARED_COUNT] = "SELECT count(*) FROM request WHERE id>"
                         "(SELECT max(value) FROM meta WHERE name='seeds')",
    [SQL_PUT_OUTBOX] = "INSERT INTO outbox(id) VALUES(?1)",
    [SQL_DROP_OUTBOX] = "DELETE FROM outbox WHERE seq<=?1",
    [SQL_EMPTY_OUTBOX] = "DELETE FROM outbox",
    [SQL_FILL_OUTBOX] = "INSERT INTO outbox(id) SELECT f.id FROM found f WHERE f.id>?1"
                        " AND NOT EXISTS(SELECT 1 FROM request r WHERE r.id=f.id AND r.state<3)",
    [SQL_OUTBOX] = FOUND_SELECT "0,0 FROM outbox o CROSS JOIN found f ON f.id=o.id"
                                " WHERE o.seq>?1 ORDER BY o.seq LIMIT ?2",
    [SQL_OUTBOX_ENDS] = "SELECT (SELECT min(seq)-1 FROM outbox),"
                        "(SELECT seq FROM sqlite_sequence WHERE name='outbox')",
    [SQL_FOUND_LOOK] = "SELECT id,chain,ordinal,place FROM found WHERE endpoint=?1 AND digest=?2",
    [SQL_PUT_PAGE_NOTE] = "INSERT OR REPLACE INTO page_note(request,kind,text) VALUES(?1,?2,?3)",
    [SQL_PUT_PAGE] = "INSERT OR REPLACE INTO page(endpoint,chain,id,ordinal,records,total,"
                     "expected,size,crc32c,ended) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    /* Those that FOUND_COUNTS takes; few are gone, and the others are counted without being looked at. */
    [SQL_LISTED_COUNT] = "SELECT (SELECT count(*) FROM found)-(SELECT count(*) FROM gone g"
                         " CROSS JOIN found f ON f.id=g.id WHERE NOT " FOUND_COUNTS ")",
    [SQL_FOUND_NEW] = FOUND_SELECT "0,0 FROM found f WHERE f.id>?1"
                                   " AND NOT EXISTS(SELECT 1 FROM request r WHERE r.id=f.id)"
                                   " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id)"
                                   " ORDER BY f.id LIMIT ?2",
    [SQL_FOUND_WAITING] = FOUND_SELECT "r.attempt," NOT_BEFORE ",r.status," TRIED_COLUMNS
                                       " FROM request r CROSS JOIN found f ON f.id=r.id"
                                       " WHERE r.state<>1 AND r.state=3 AND r.id>?1"
                                       " ORDER BY r.id LIMIT ?2",
    [SQL_FOUND_ONE] = FOUND_SELECT "0,0 FROM found f WHERE f.id=?1",
    [SQL_DONE_ONE] = "SELECT 1 FROM request WHERE id=?1 AND state=1 AND body=1",
    [SQL_FOUND_DIGEST] = "SELECT digest FROM found WHERE id=?1",
    [SQL_FOUND_DONE] = "SELECT f.id,f.place FROM found f CROSS JOIN request r ON r.id=f.id"
                       " WHERE f.endpoint=?1 AND f.digest=?2 AND r.state=1 AND r.body=1",
    [SQL_FOUND_ENDPOINTS] =
        "SELECT endpoint,total(n) FROM (SELECT endpoint,count(*) AS n FROM found WHERE id>?1"
        " GROUP BY endpoint UNION ALL SELECT f.endpoint,-count(*) FROM gone g"
        " CROSS JOIN found f ON f.id=g.id WHERE f.id>?1 AND NOT " FOUND_COUNTS
        " GROUP BY f.endpoint) GROUP BY endpoint",
    [SQL_ACCOUNT_ENDED] = "SELECT count(*) FILTER (WHERE id<=?2),count(*) FILTER (WHERE state=1),"
                          "count(*) FILTER (WHERE state=2) FROM request WHERE endpoint=?1"
                          " AND id>?3",
    [SQL_ACCOUNT_FOUND] = "SELECT count(*) FROM found f WHERE endpoint=?1 AND id>?2"
                          " AND " FOUND_COUNTS,
    /* Announced, and not named: the one that was to name them did not come. */
    [SQL_ACCOUNT_UNNAMED] =
        "SELECT total(more) FROM (SELECT max(0,max(expected)-count(*)-1) AS more"
        " FROM found WHERE endpoint=?1 AND chain>?2 GROUP BY chain)",
    /* The same two by id, so that what was there before a small round is not looked at. A page's id comes after its
     * chain's, but where a seed that is new takes over a page of round 0. */
    [SQL_ACCOUNT_IS_SMALL] = "SELECT 1 WHERE (SELECT max(id) FROM found)-?1<?1/16 AND NOT EXISTS"
                             "(SELECT 1 FROM found WHERE id>?1 AND substr(place,1,4)=x'00000000')",
    [SQL_ACCOUNT_FOUND_LATELY] = "SELECT count(*) FROM found f WHERE +endpoint=?1 AND id>?2"
                                 " AND " FOUND_COUNTS,
    [SQL_ACCOUNT_UNNAMED_LATELY] =
        "SELECT total(more) FROM (SELECT max(0,max(expected)-count(*)-1) AS more"
        " FROM found WHERE +endpoint=?1 AND id>?2 AND chain>?2 GROUP BY chain)",
    [SQL_ACCOUNT_MISSING] = "SELECT key FROM request WHERE state<>1 AND state=2 AND endpoint=?1"
                            " ORDER BY id LIMIT ?2",
    [SQL_ACCOUNT_NOTES] = "SELECT n.kind,count(*),min(n.text) FROM page_note n"
                          " CROSS JOIN request r ON r.id=n.request WHERE r.endpoint=?1"
                          " AND r.id>?2"
                          " GROUP BY n.kind ORDER BY n.kind",
    [SQL_ACCOUNT_PAGES] = "SELECT chain,id,ordinal,records,total,expected,size,crc32c,ended"
                          " FROM page WHERE endpoint=?1 AND chain>?2 ORDER BY chain,id",
    [SQL_ACCOUNT_FAILED] =
        "SELECT ifnull(f.chain,r.id),r.status,r.class,f.expected>0 OR f.basis>0 FROM request r"
        " LEFT JOIN found f ON f.id=r.id WHERE r.state<>1 AND r.state=2 AND r.endpoint=?1"
        " ORDER BY 1",
    [SQL_ACCOUNT_KEY] = "SELECT key FROM found WHERE id=?1",
    [SQL_SEED_RECORDS] = RECORD_SELECT "NULL,NULL FROM request r WHERE r.id>?1 AND r.id<=?2"
                                       " AND r.endpoint=?3 AND r.state=1 AND r.body=1"
                                       " ORDER BY r.id LIMIT ?4",
    [SQL_FOUND_RECORDS] = RECORD_SELECT
    "f.place,CASE f.moved WHEN 1 THEN f.vars END FROM found f CROSS JOIN request r ON r.id=f.id"
    " WHERE f.endpoint=?3 AND (f.place,f.id)>(?1,?2)"
    " AND f.id>?5 AND r.state=1 AND r.body=1"
    " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id AND g.pruned=1)"
    " ORDER BY f.place,f.id LIMIT ?4",
    [SQL_SEED_ANSWERS] = RECORD_SELECT "r.state,r.body,NULL,NULL,0 FROM request r"
                                       " WHERE r.endpoint=?1 AND r.id<=?2 ORDER BY r.id",
    [SQL_FOUND_ANSWERS] = RECORD_SELECT
    "r.state,r.body,f.place,polled_as(f.endpoint,f.place,f.url,f.body),"
    "ifnull((SELECT l.how FROM temp.answer_lack l WHERE l.at=substr(f.place,1,12)),0)"
    " FROM found f LEFT JOIN request r ON r.id=f.id WHERE f.endpoint=?1 AND f.id>?2"
    " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id AND g.pruned=1)"
    " ORDER BY f.place,f.id",
    [SQL_RECORD_OF] = RECORD_SELECT "NULL,NULL FROM request r WHERE r.id=?1 AND r.state=1"
                                    " AND r.body=1 AND r.line_bytes IS NOT NULL",
    /* Of a run with further rounds (ledger_again.c). What has no answer in the round that counts has the newest that it
     * had, as has what is no page of a listing: another seed may have led to it since. */
    [SQL_NEWEST_RECORDS] = RECORD_SELECT
    "substr(f.place,5),CASE WHEN f.moved=1 OR r.id<>f.id THEN f.vars END,f.id"
    " FROM found f CROSS JOIN newest n ON n.seed=substr(f.place,5,8)"
    " AND n.round=substr(f.place,1,4)"
    " CROSS JOIN request r ON r.id=coalesce(CASE WHEN length(f.place)>12 AND f.chain IS NULL"
    " AND f.ordinal=0 AND NOT EXISTS(SELECT 1 FROM page g WHERE g.endpoint=f.endpoint"
    " AND g.chain=f.id) THEN (SELECT max(p.request,ifnull(" OWN_LINE ",0)) " LAST_POLLED
    ") END," OWN_LINE ",(SELECT s.request FROM same s WHERE s.id=f.id),"
    "(SELECT p.request " LAST_POLLED "))"
    " WHERE f.endpoint=?3 AND substr(f.place,5)>=?1 AND (substr(f.place,5)>?1 OR f.id>?2)"
    " AND r.state=1 AND r.body=1"
    " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id AND g.pruned=1)"
    " AND (length(f.place)=12 OR NOT EXISTS(SELECT 1 FROM newest_round d CROSS JOIN found t"
    " ON t.endpoint=f.endpoint AND t.digest=found_as(d.round,f.url,f.body,f.repeats)"
    " WHERE d.round<>n.round AND (length(t.place)=12 OR substr(t.place,5)<substr(f.place,5))"
    " AND EXISTS(SELECT 1 FROM newest m WHERE m.seed=substr(t.place,5,8) AND m.round=d.round)"
    " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=t.id AND g.pruned=1)))"
    " ORDER BY substr(f.place,5),f.id LIMIT ?4",
    [SQL_PUT_AGAIN] = "INSERT OR REPLACE INTO meta(name,value) VALUES('again',1)",
    [SQL_UNASKED_AT] = "SELECT 1 FROM found f WHERE f.endpoint=?1 AND f.place=?2"
                       " AND NOT EXISTS(SELECT 1 FROM request r WHERE r.id=f.id)"
                       " AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=f.id)",
    [SQL_PUT_LISTED] = "INSERT OR REPLACE INTO meta(name,value) VALUES('listed',?1)",
    [SQL_NEXT_ASKED] = "SELECT min(id) FROM request WHERE id>?1 AND id<=?2",
    /* Of ledger_merge: temporary tables. */
    [SQL_MERGE_LOOK] = "SELECT f.id,f.place,f.key,f.vars,"
                       "EXISTS(SELECT 1 FROM merge_now n WHERE n.id=f.id)"
                       " OR EXISTS(SELECT 1 FROM merge_new n WHERE n.id=f.id)"
                       " FROM found f WHERE f.endpoint=?1 AND f.digest=?2",
    [SQL_MERGE_TWINS] = "SELECT count FROM merge_twin WHERE endpoint=?1 AND digest=?2",
    [SQL_MERGE_PUT_TWINS] = "INSERT OR REPLACE INTO merge_twin(endpoint,digest,count)"
                            " VALUES(?1,?2,?3)",
    [SQL_MERGE_PUT_NOW] = "INSERT INTO merge_now(id,was,at) VALUES(?1,?2,?3)",
    [SQL_MERGE_PUT_NEW] = "INSERT INTO merge_new(id) VALUES(?1)",
    [SQL_MERGE_RENAME] = "UPDATE found SET key=?2,vars=?3,moved=1 WHERE id=?1",
    [SQL_ROUNDS] = "SELECT name,value FROM meta WHERE name GLOB 'poll_*'",
    [SQL_PUT_ROUNDS] = "INSERT OR REPLACE INTO meta(name,value) VALUES('poll_started_us',?1),"
                       "('poll_begun',?2),('poll_slot',?3),('poll_skipped',?4),('poll_put',?5),"
                       "('poll_before_us',?6),('poll_chosen',?7)",
    [SQL_AGAIN_SEED] = "SELECT 1 FROM again_seed WHERE seed=?1",
    [SQL_PUT_AGAIN_SEED] = "INSERT OR IGNORE INTO again_seed(seed) VALUES(?1)",
    [SQL_PUT_SENDING] = "INSERT OR REPLACE INTO sending(id,endpoint,attempt,key,url)"
                        " VALUES(?1,?2,?3,?4,?5)",
    [SQL_DROP_SENDING] = "DELETE FROM sending WHERE id=?1",
    [SQL_END_SENDING] =
        "INSERT INTO request(id,state,endpoint,attempt,status,body,key,outcome,class,reason,url)"
        " SELECT id,2,endpoint,attempt,0,0,key,?1,?2,?3,url FROM sending WHERE true"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,key=excluded.key,outcome=excluded.outcome,class=excluded.class,"
        "reason=excluded.reason,url=excluded.url,not_before_us=NULL,due_by=NULL"
        " WHERE request.state<>1",
    [SQL_DROP_ALL_SENDING] = "DELETE FROM sending",
    [SQL_KEPT] = "SELECT text FROM kept WHERE name=?1",
    [SQL_PUT_KEPT] = "INSERT INTO kept(name,text) VALUES(?1,?2)"
                     " ON CONFLICT(name) DO UPDATE SET text=excluded.text"
                     " WHERE kept.text IS NOT excluded.text",
    [SQL_POLLED] = "SELECT etag,digest,at_us FROM polled WHERE what=?1",
    [SQL_PUT_POLLED] = "INSERT INTO polled(what,etag,digest,request,at_us)"
                       " VALUES(?1,?2,?3,?4,?5)"
                       " ON CONFLICT(what) DO UPDATE SET etag=excluded.etag,digest=excluded.digest,"
                       "request=ifnull(excluded.request,request),at_us=excluded.at_us",
    [SQL_PUT_SAME] = "INSERT OR REPLACE INTO same(id,request)"
                     " SELECT ?2,request FROM polled WHERE what=?1 AND request IS NOT NULL",
    [SQL_HAS_SINCE] = "SELECT 1 FROM sqlite_master WHERE name='since_endpoint'",
    [SQL_SINCE_ENDPOINTS] = "SELECT endpoint FROM since_endpoint",
    [SQL_PUT_SINCE_ENDPOINT] = "INSERT OR IGNORE INTO since_endpoint(endpoint) VALUES(?1)",
    [SQL_PUT_SINCE_SEEN] = "INSERT OR REPLACE INTO "
                           "since_seen(request,endpoint,whole,part,is_time,value)"
                           " VALUES(?1,?2,?3,?4,?5,?6)",
    [SQL_SET_SINCE] = "INSERT OR REPLACE INTO since_state(seed,whole,part,is_time,value)"
                      " SELECT id,?2,?3,?4,?5 FROM found WHERE endpoint=?1 AND length(place)=12"
                      " AND place<x'00000001'",
    [SQL_FORGET_POLLED] = "UPDATE polled SET digest=x'' WHERE request IN"
                          " (SELECT id FROM found WHERE endpoint=?1)",
    [SQL_SINCE_STATES] =
        "SELECT coalesce(f.endpoint,r.endpoint),ifnull(since_number(substr(f.place,1,12)),s.seed),"
        "s.value FROM since_state s LEFT JOIN found f ON f.id=s.seed"
        " LEFT JOIN request r ON r.id=s.seed WHERE coalesce(f.endpoint,r.endpoint) IS NOT NULL"
        " ORDER BY 2",
    [SQL_TOUCH_POLLED] = "UPDATE polled SET at_us=?2 WHERE what=?1",
    [SQL_EXCHANGES] = "SELECT request,url,asked,waited_us,is_foreign,from_public,with_get"
                      " FROM exchange ORDER BY request",
    [SQL_PUT_EXCHANGE] = "INSERT OR REPLACE INTO "
                         "exchange(request,url,asked,waited_us,is_foreign,from_public,with_get)"
                         " VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [SQL_DROP_EXCHANGE] = "DELETE FROM exchange WHERE request=?1",
    [SQL_PUT_SAID] = "INSERT OR REPLACE INTO said(request,at_us,headers,body,body_bytes)"
                     " VALUES(?1,?2,?3,?4,?5)",
    [SQL_FORGET_SAID] = "DELETE FROM said WHERE request=?1",
    [SQL_SAID_COUNT] = "SELECT count(*) FROM said",
    [SQL_FAILED] = FAILED_SELECT " WHERE r.state<>1 AND r.state=2 AND r.id>?1"
                                 " ORDER BY r.id LIMIT ?2",
    [SQL_FAILED_ONE] = FAILED_SELECT " WHERE r.state<>1 AND r.id=?1",
    /* Numbers of the plan follow its endpoints. */
    [SQL_LISTED_ENDS] = "SELECT f.place,r.state,r.attempt,r.status,r.reason,f.endpoint"
                        " FROM found f CROSS JOIN request r ON r.id=f.id"
                        " WHERE (f.endpoint,f.place)>(?1,?2) AND length(f.place)=12"
                        " AND f.place<=?3 ORDER BY f.endpoint,f.place LIMIT ?4",
    [SQL_NEWEST_ENDS] = "SELECT f.place,r.state,r.attempt,r.status,r.reason,f.endpoint"
                        " FROM newest_asked n CROSS JOIN request r ON r.id=n.id"
                        " CROSS JOIN found f ON f.id=n.id WHERE n.seed>?1 AND n.seed<=?2"
                        " ORDER BY n.seed LIMIT ?3",
    [SQL_ENDS] = "SELECT id,state,attempt,status,reason FROM request WHERE id>?1 AND id<=?2"
                 " ORDER BY id LIMIT ?3",
    [SQL_FAILED_OLD] =
        "SELECT id,endpoint,attempt,key,status,old_outcome(reason,status),old_class(reason,status),"
        "0,0,0,NULL,NULL,reason,NULL,0,NULL,NULL,0 FROM request"
        " WHERE state<>1 AND state=2 AND id>?1 ORDER BY id LIMIT ?2",
    [SQL_REASONS] = "SELECT reason,count(*) FROM request WHERE state<>1 AND state=2"
                    " GROUP BY reason ORDER BY count(*) DESC,min(id) LIMIT ?1",
    [SQL_REASON_KEYS] = "SELECT key FROM request WHERE state<>1 AND state=2 AND reason IS ?1"
                        " ORDER BY id LIMIT ?2",
};
