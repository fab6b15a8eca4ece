/**
 * Profile: one value of the files in which the tools of AWS keep keys and regions.
 *
 * Lines "[NAME]" begin a section, "key = value" are its values, "#" and ";" begin comments, an indented line
 * belongs to the value before and is passed over. In ~/.aws/config sections are "[profile NAME]", but for
 * "[default]". The first value of a key counts.
 *
 * Ownership  the text is borrowed; a value is a view into it.
 * Errors     none: what is not of this form has no values.
 * Source     AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
 * Threads    no state: any.
 */
#ifndef SCRAPETOP_S3_PROFILE_H
#define SCRAPETOP_S3_PROFILE_H

#include "base/str.h"

/** The value of `key` in the section of that name, with or without the word "profile" before it. Empty
 *  (data NULL) when there is none. */
struct str profile_value(struct str text, struct str profile, struct str key);

#endif
