/*
 * LOCAL(ident, words, arguments, options, help) - commands that wamctl does by itself, with what the daemon or its files say; run_<ident>()
 * in src/ctl.  Written like those of ctl_commands.h; nothing here is a body.
 */
LOCAL(top,          "top",          "", "once batch interval= count= tenant=", "Show processes and accounts live; q ends it. --once or -1: one look, --batch: no screen.")
LOCAL(wait_ready,   "wait-ready",   "", "timeout=", "Wait until the daemon is ready, for at most 30 seconds or what is given; exit status 75 if it is not.")
LOCAL(config_check, "config check", "", "conf=", "Check the files on disk, as the next reload would.")
LOCAL(config_diff,  "config diff",  "", "conf=", "Show what is different on disk from what runs; exit status 1 if anything is.")
LOCAL(completion,   "completion",   "", "", "Print what bash completes wamctl's words with.")
