/*
 * phone_number - a number as it is dialled in a region, as E.164, by libphonenumber.
 *
 * That library is optional (./configure --with-libphonenumber); without it nothing is ever made of a number.  C++ reads this, too.
 */
#ifndef MSG_PHONE_NUMBER_H
#define MSG_PHONE_NUMBER_H

enum { PHONE_NUMBER_MAX = 24 };

#ifdef WAMD_PHONE_NUMBERS
enum { PHONE_NUMBER_IS_BUILT_IN = 1 };
#ifdef __cplusplus
extern "C"
#endif
/*
 * s has no '+'; region: ISO code such as "DE".  0, or -1: it is to be taken as it is, for it is no number of that country, or one with
 * a country code already.
 */
int phone_number_e164(const char *s, const char *region, char out[PHONE_NUMBER_MAX]);
#else
enum { PHONE_NUMBER_IS_BUILT_IN = 0 };
static inline int phone_number_e164(const char *s, const char *region, char out[PHONE_NUMBER_MAX])
{
	(void)s;
	(void)region;
	(void)out;
	return -1;
}
#endif

#endif
