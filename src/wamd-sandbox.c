/* wamd-sandbox - Meta's Graph API for sending, played on one machine. */
#include "base/log.h"
#include "base/rand.h"
#include "sandbox/options.h"
#include "sandbox/sandbox.h"

int main(int argc, char **argv)
{
	struct options opt = options_parse(argc, argv);	/* exits on misuse */
	struct sandbox *s;
	int status;

	log_set_level(opt.log_level);
	log_set_who("sandbox");
	s = sandbox_new(&opt);		/* exits when something cannot be had, saying what */
	status = sandbox_run(s);
	sandbox_free(&s);
	options_release(&opt);
	return status;
}
