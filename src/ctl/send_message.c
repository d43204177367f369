#include "ctl/send_message.h"

#include <string.h>

#include "base/str.h"
#include "msg/json.h"

static const char any_language[] = "en_US";

static json_t *from_text(const struct strbuf *text, struct strbuf *why)
{
	struct strbuf wrong = STRBUF_INIT;
	json_t *o = NULL;

	if (json_parse(text->buf, text->len, &o, &wrong) != JSON_OK)
		why_write(why, "message-file: %s", wrong.buf);
	else if (!json_is_object(o))
		why_write(why, "message-file: found %s, allowed an object: a message", json_kind(o));
	strbuf_release(&wrong);
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

/* ---- a template with its values ---- */

/* Length of the name in "name=value", 0: a plain value. */
static size_t name_of(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return word[n] == '=' ? n : 0;
}

static int add_body(json_t *template, const struct ctl_params *p, struct strbuf *why)
{
	const char *word = ctl_param(p, "word");
	bool are_named = word && name_of(word);
	json_t *body = are_named ? json_object() : json_array();
	char name[128];

	if (word)
		json_object_set(template, "body", body);
	json_decref(body);
	for (int i = 0; (word = ctl_param_at(p, "word", i)) != NULL; i++) {
		size_t n = name_of(word);

		if (are_named != (n > 0) || n >= sizeof(name))
			return why_set(why, "body: some values have a name and some have none; allowed name=value for all, or for none");
		snprintf(name, sizeof(name), "%.*s", (int)n, word);
		if (are_named)
			json_put_text(body, name, word + n + 1);
		else
			json_array_append_new(body, json_string(word));
	}
	return 0;
}

/* --button=VALUE for one after the other, --button=3=VALUE for a certain one. */
static void add_buttons(json_t *template, const struct ctl_params *p)
{
	json_t *buttons = json_object();
	const char *value;
	char index[12];

	for (int i = 0; (value = ctl_param_at(p, "button", i)) != NULL; i++) {
		size_t n = strspn(value, "0123456789");
		bool is_named = n > 0 && n < sizeof(index) && value[n] == '=';

		snprintf(index, sizeof(index), "%d", i);
		if (is_named)
			snprintf(index, sizeof(index), "%.*s", (int)n, value);
		json_put_text(buttons, index, is_named ? value + n + 1 : value);
	}
	if (json_object_size(buttons))
		json_object_set(template, "buttons", buttons);
	json_decref(buttons);
}

static json_t *media_object(const struct sent_file *file)
{
	json_t *o = json_object();

	json_put_text(o, "media", file->ref);
	if (!strcmp(file->kind, "document") && *file->name)
		json_put_text(o, "filename", file->name);
	return o;
}

static int add_template(json_t *o, const struct ctl_params *p, const struct sent_file *file, struct strbuf *why)
{
	const char *language = ctl_param(p, "language");
	json_t *template = json_object();

	json_put_text(o, "type", "template");
	json_object_set_new(o, "template", template);
	json_put_text(template, "name", ctl_param(p, "template"));
	json_put_text(template, "language", language ? language : any_language);
	json_put_text(template, "header", ctl_param(p, "header"));
	json_put_text(template, "code", ctl_param(p, "code"));
	if (file)
		json_object_set_new(template, "header", json_pack("{s:o}", file->kind, media_object(file)));
	add_buttons(template, p);
	return add_body(template, p, why);
}

/* ---- all else ---- */

static void add_media(json_t *o, const struct ctl_params *p, const struct sent_file *file)
{
	json_t *media = media_object(file);

	json_put_text(o, "type", file->kind);
	json_put_text(media, "caption", ctl_param(p, "caption"));
	json_object_set_new(o, file->kind, media);
}

static void add_text(json_t *o, const struct ctl_params *p)
{
	json_t *text = json_object();

	json_put_text(o, "type", "text");
	json_put_text(text, "body", ctl_param(p, "word"));
	json_object_set_new(o, "text", text);
}

static int add_content(json_t *o, const struct ctl_params *p, const struct sent_file *file, struct strbuf *why)
{
	if (ctl_param(p, "template"))
		return add_template(o, p, file, why);
	if (file)
		add_media(o, p, file);
	else
		add_text(o, p);
	return 0;
}

static bool has_option(const struct ctl_params *p, const char *file_option)
{
	return p->file && !strcmp(p->file_option, file_option);
}

int send_message_check(const struct ctl_params *p, struct strbuf *why)
{
	static const char *const of_templates[] = { "language", "header", "button", "code" };
	bool has_message = has_option(p, "message-file"), has_file = has_option(p, "media-file");
	const char *template = ctl_param(p, "template"), *text = template ? NULL : ctl_param(p, "word");

	for (int i = 0; i < p->n; i++)
		if (!str_is_utf8(p->v[i].value, strlen(p->v[i].value)))
			return why_set(why, "%s: allowed text in UTF-8", p->v[i].name);
	for (size_t i = 0; i < ARRAY_LEN(of_templates); i++)
		if (ctl_param(p, of_templates[i]) && !template)
			return why_set(why, "%s: is for a template; allowed with --template", of_templates[i]);
	if (text && ctl_param_at(p, "word", 1))
		return why_set(why, "text: found several words, allowed one: put it into quotes");
	if (has_message && (template || text))
		return why_set(why, "message-file: the file says all; allowed without a text and --template");
	if (ctl_param(p, "caption") && (!has_file || template))
		return why_set(why, "caption: is for a file; allowed with --media-file and without --template");
	if (has_file && template && ctl_param(p, "header"))
		return why_set(why, "header: the file of --media-file is the header; allowed one of them");
	if (has_file && text)
		return why_set(why, "text: what is said of a file is its --caption");
	if (!has_message && !has_file && !template && !text)
		return why_set(why, "text: is missing; allowed a text, --template, --media-file or --message-file");
	return 0;
}

/* ---- whose, to whom, how long ---- */

static int add_number(json_t *o, const char *name, const struct ctl_params *p, struct strbuf *why)
{
	const char *text = ctl_param(p, name);
	int64_t n;

	if (!text)
		return 0;
	if (parse_i64(text, &n) < 0)
		return why_set(why, "%s: found %.32s, allowed a whole number", name, text);
	json_put_int(o, name, n);
	return 0;
}

/* A duration from now, or a time. */
static int add_end(json_t *o, const char *text, struct strbuf *why)
{
	int64_t ms;

	if (parse_msec(text, &ms) == 0 && ms >= 1000)
		json_put_int(o, "ttl_s", ms / 1000);
	else if (parse_time_ms(text, &ms) == 0)
		json_put_text(o, "expires_at", text);
	else
		return why_set(why, "expires: found %.32s, allowed a duration from 1s on, as in 15m, or a time such as 2026-11-23T10:00:00Z", text);
	return 0;
}

/* "DE.1349…" is a user id, "-" leaves it to the file. */
static void add_recipient(json_t *o, const struct ctl_params *p)
{
	const char *to = ctl_param(p, "to");
	bool is_user = to[0] >= 'A' && to[0] <= 'Z' && to[1] >= 'A' && to[1] <= 'Z' && to[2] == '.' && !ctl_param(p, "group");

	if (!strcmp(to, "-"))
		return;
	json_object_del(o, is_user ? "to" : "recipient");
	json_put_text(o, is_user ? "recipient" : "to", to);
	if (ctl_param(p, "group"))
		json_put_text(o, "recipient_type", "group");
}

static int add_envelope(json_t *o, const struct ctl_params *p, struct strbuf *why)
{
	json_t *payload = json_object_get(o, "wabaPayload"), *head = json_object_get(o, "metadata");
	const char *end = ctl_param(p, "expires");
	bool second = json_is_object(payload) && json_is_object(head);

	if (second && end)
		return why_set(why, "expires: a message with wabaPayload has no such field");
	add_recipient(second ? payload : o, p);
	head = second ? head : o;
	json_put_text(head, second ? "phoneNumberId" : "account_id", ctl_param(p, "account"));
	json_put_text(head, second ? "internalId" : "id", ctl_param(p, "id"));
	json_put_text(head, second ? "correlationId" : "correlation_id", ctl_param(p, "correlation"));
	return add_number(head, "priority", p, why) < 0 || (end && add_end(o, end, why) < 0) ? -1 : 0;
}

json_t *send_message(const struct ctl_params *p, const struct sent_file *file, const struct strbuf *whole, struct strbuf *why)
{
	json_t *o = whole ? from_text(whole, why) : json_object();

	if (o && (whole || add_content(o, p, file, why) == 0) && add_envelope(o, p, why) == 0)
		return o;
	json_decref(o);
	return NULL;
}
