#include "msg/phone_number.h"

#include <cstring>
#include <string>

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static bool is_valid(const PhoneNumberUtil &util, const std::string &s, const char *region, PhoneNumber *out)
{
	return util.Parse(s, region, out) == PhoneNumberUtil::NO_PARSING_ERROR && util.IsValidNumber(*out);
}

/*
 * Digits that are a number with their country code, and only the '+' is missing: so where one dials 0 before numbers of the country,
 * and this one has none, or where it begins with that country's own code.  Else 4915123456789 would be one in Germany.
 */
static bool is_international(const PhoneNumberUtil &util, const std::string &s, const char *region)
{
	PhoneNumber number;
	std::string trunk;

	if (!is_valid(util, "+" + s, "ZZ", &number))	/* no region, or +0049 would pass as 0049 */
		return false;
	util.GetNddPrefixForRegion(region, true, &trunk);
	return trunk == "0" || number.country_code() == util.GetCountryCodeForRegion(region);
}

/* The one door to C++: no exception and no object of it gets out. */
extern "C" int phone_number_e164(const char *s, const char *region, char out[PHONE_NUMBER_MAX])
try {
	const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string e164;

	if (is_international(util, s, region) || !is_valid(util, s, region, &number))
		return -1;
	util.Format(number, PhoneNumberUtil::E164, &e164);
	if (e164.size() >= PHONE_NUMBER_MAX)
		return -1;
	memcpy(out, e164.c_str(), e164.size() + 1);
	return 0;
} catch (...) {
	return -1;
}
