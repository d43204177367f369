/*
 * CTL(ident, words, arguments, options, method, path, help) - one line a command: wamctl's parser and help, the admin socket's
 * route, and the manual come from it.  Arguments are positional names, options come as --name ("name=": with a value); each is sent
 * as a query parameter, but the file that an option "…-file=" names (-: standard input) is the body.
 */
CTL(status,      "status",      "",             "", "GET",  "/v1/status",       "Show every process and what it does; exit status 75 while not ready.")
CTL(reload,      "reload",      "",             "", "POST", "/v1/reload",       "Check the configuration and give it to a new generation of children.")
CTL(stop,        "stop",        "",             "", "POST", "/v1/stop",         "Drain, then stop the daemon.")
CTL(message_why, "message why", "tenant id",    "", "GET",  "/v1/messages/why", "Tell what is known of one message and what it waits for.")
CTL(dlq_list,    "dlq list",    "",             "tenant= account= reason= code= id= template= older-than= newer-than= text= limit=", "GET", "/v1/dlq", "List dead letters, oldest first.")
CTL(dlq_show,    "dlq show",    "tenant id",    "", "GET",  "/v1/dlq/letter",   "Print the newest dead letter of a message, with the message in it.")
CTL(dlq_replay,  "dlq replay",  "",             "tenant= account= reason= code= id= template= older-than= newer-than= text= all rate= dry-run may-duplicate", "POST", "/v1/dlq/replay", "Send the messages of dead letters again.")
CTL(dlq_drop,    "dlq drop",    "",             "tenant= account= reason= code= id= template= older-than= newer-than= text= all dry-run", "POST", "/v1/dlq/drop", "Throw dead letters away.")
CTL(dlq_edit,    "dlq edit",    "tenant id",    "message-file= set=", "POST", "/v1/dlq/edit", "Put another message into the newest dead letter of a message.")
