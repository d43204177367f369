/* What a test orders of the uploaded media, and asks about them. */
#include <string.h>

#include "base/clock.h"
#include "sandbox/assets.h"
#include "sandbox/call.h"
#include "sandbox/control.h"
#include "sandbox/sandbox.h"

static int order(struct call *c, const json_t *o, struct strbuf *why)
{
	const char *id = json_string_value(json_object_get(o, "expire"));
	const json_t *strict = json_object_get(o, "strict");

	if (!id && !json_is_boolean(strict))
		return why_set(why, "neither \"expire\" (an id, or \"all\") nor \"strict\" (true, false)");
	if (json_is_boolean(strict))
		assets_be_strict(c->sandbox->assets, json_is_true(strict));
	if (id && assets_expire(c->sandbox->assets, id) == 0 && strcmp(id, "all"))
		return why_set(why, "no file has the id %s", id);
	return 0;
}

void control_media_order(struct call *c)
{
	control_obey(c, order);
}

void control_media_list(struct call *c)
{
	assets_print(c->sandbox->assets, wall_ms() / 1000, &c->out);
	call_answer_json(c, 200);
}

void control_media_clear(struct call *c)
{
	struct strbuf why = STRBUF_INIT;

	assets_clear(c->sandbox->assets);
	control_answer(c, 0, &why);
}
