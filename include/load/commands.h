/* commands - the subcommands of wamd-load: each parses its own words and returns an exit code (sysexits). */
#ifndef LOAD_COMMANDS_H
#define LOAD_COMMANDS_H

#define FEED_HELP  "Publish text messages, or those of standard input, with confirms."
#define PEEK_HELP  "Print what is in a queue now, and leave it there."
#define TAKE_HELP  "Print what is in a queue now, and remove it."
#define DEPTH_HELP "Print how many messages are ready in each queue; null: no such queue."
#define WATCH_HELP "Print a line for every status event."
#define BARE_HELP  "Run the bare loop that wamd is measured against, and report it as JSON."
#define POST_HELP  "Post the lines of a file, or texts, over HTTP, and report rate and latency as JSON."
#define MICRO_HELP "Time the pure parts of the hot path: recipient, decode, body, answer; print JSON."

int feed_main(int argc, char **argv);
int peek_main(int argc, char **argv);
int take_main(int argc, char **argv);
int depth_main(int argc, char **argv);
int watch_main(int argc, char **argv);
int bare_main(int argc, char **argv);
int post_main(int argc, char **argv);
int micro_main(int argc, char **argv);

#endif
