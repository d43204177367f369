#include "conf/webhook_apps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "settings.h"

enum { FILE_MAX = 4096, NAME_MAX_ = 64 };

static int read_whole(const char *file, char buf[FILE_MAX + 1], struct strbuf *why)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = -1;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || (n = read(fd, buf, FILE_MAX)) < 0) {
		why_write(why, "%s: %s", file, strerror(errno));
	} else if (st.st_mode & S_IRWXO) {
		why_write(why, "%s: may be read by others (mode %03o); chmod o-rwx it", file, (unsigned)(st.st_mode & 0777));
	} else {
		buf[n] = 0;
		err = 0;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int take_line(struct webhook_app *a, const char *line, int n_secrets)
{
	static const char verify[] = "verify:";

	if (str_starts(line, verify)) {
		line += strlen(verify);
		a->verify = mem_strdup(line + strspn(line, " \t"));
		return n_secrets;
	}
	if (*line && n_secrets < WEBHOOK_SECRETS)
		a->secrets[n_secrets++] = mem_strdup(line);
	return n_secrets;
}

int webhook_app_read(struct webhook_app *a, const char *order, const char *conf_file, struct strbuf *why)
{
	const char *eq = strchr(order, '=');
	char buf[FILE_MAX + 1], *file, *save = NULL;
	int n = 0;

	*a = (struct webhook_app){ 0 };
	if (!eq || eq == order || eq - order > NAME_MAX_ || !eq[1] ||
	    strspn(order, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != (size_t)(eq - order))
		return why_set(why, "found \"%.80s\", allowed NAME=FILE, the name of A-Z a-z 0-9 . _ -", order);
	file = conf_secret_path(conf_file, eq + 1, why);
	if (!file)
		return -1;
	if (read_whole(file, buf, why) < 0) {
		free(file);
		return -1;
	}
	a->name = mem_strndup(order, (size_t)(eq - order));
	for (char *line = strtok_r(buf, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
		n = take_line(a, line, n);
	mem_wipe(buf, sizeof(buf));
	if (!n)
		why_write(why, "%s: has no secret in its first line", file);
	free(file);
	return n ? 0 : -1;
}

void webhook_app_release(struct webhook_app *a)
{
	free(a->name);
	for (int i = 0; i < WEBHOOK_SECRETS; i++)
		mem_free_secret(a->secrets[i]);
	mem_free_secret(a->verify);
	*a = (struct webhook_app){ 0 };
}
