#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void set__fills_and_returns__when_given_an_err(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, RESULT_LIMIT, "E-T1", "%d of %s", 3, "x"), RESULT_LIMIT);
    assert_int_equal(err.result, RESULT_LIMIT);
    assert_string_equal(err.code, "E-T1");
    assert_string_equal(err.text, "3 of x");
    assert_int_equal(err_set(&err, RESULT_INVALID, NULL, "x"), RESULT_INVALID);
    assert_string_equal(err.code, "");
}

static void all__return_the_result__when_err_is_null(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, RESULT_BUSY, "E-T1", "x"), RESULT_BUSY);
    assert_int_equal(err_set_errno(NULL, ENOSPC, "E-T1", "x"), RESULT_FULL);
    assert_int_equal(err_nomem(NULL, "testing"), RESULT_NOMEM);
    err_prefix(NULL, "x");
}

static void set_errno__picks_the_result__when_the_cause_is_known(void **state)
{
    static const struct {
        int errnum;
        enum result want;
    } cases[] = {
        { ENOSPC, RESULT_FULL },
        { EDQUOT, RESULT_FULL },
        { EFBIG, RESULT_FULL },
        { EACCES, RESULT_DENIED },
        { EPERM, RESULT_DENIED },
        { EROFS, RESULT_DENIED },
        { ELOOP, RESULT_DENIED },
        { ENOENT, RESULT_NOT_FOUND },
        { ENOTDIR, RESULT_NOT_FOUND },
        { EISDIR, RESULT_INVALID },
        { ENAMETOOLONG, RESULT_INVALID },
        { ENOMEM, RESULT_NOMEM },
        { EIO, RESULT_IO },
        { EMFILE, RESULT_IO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err;

        assert_int_equal(err_set_errno(&err, cases[i].errnum, "E-T1", "cannot read x"),
                         cases[i].want);
        assert_int_equal(err.result, cases[i].want);
        assert_ptr_equal(strstr(err.text, "cannot read x: "), err.text);
        assert_non_null(strstr(err.text, strerror(cases[i].errnum)));
        /* What may not be written is a matter of storage. */
        assert_int_equal(
            err_set_write(&err, cases[i].errnum, "E-T1", "cannot write x"),
            cases[i].want == RESULT_DENIED && cases[i].errnum != ELOOP ? RESULT_IO : cases[i].want);
        assert_int_equal(err.result, err_set_write(NULL, cases[i].errnum, "E-T1", "x"));
    }
}

static void prefix__stands_before__when_added(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, RESULT_INVALID, "E-T1", "bad");
    err_prefix(&err, "%s:%d", "file", 3);
    assert_string_equal(err.text, "file:3: bad");
    assert_string_equal(err.code, "E-T1");
    assert_int_equal(err.result, RESULT_INVALID);
}

static void text__is_cut_and_terminated__when_too_long(void **state)
{
    static char long_text[3 * ERR_TEXT_MAX];
    struct err err;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    err_set(&err, RESULT_INVALID, "E-MUCHTOOLONGACODE", "%s", long_text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_int_equal(strlen(err.code), ERR_CODE_MAX - 1);
    err_prefix(&err, "p");
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "p: xxx", 6);
    err_prefix(&err, "%s", long_text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_set_errno(&err, EIO, "E-T1", "%s", long_text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set__fills_and_returns__when_given_an_err),
        cmocka_unit_test(all__return_the_result__when_err_is_null),
        cmocka_unit_test(set_errno__picks_the_result__when_the_cause_is_known),
        cmocka_unit_test(prefix__stands_before__when_added),
        cmocka_unit_test(text__is_cut_and_terminated__when_too_long),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
