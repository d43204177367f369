/*
 * CTL(ident, words, arguments, method, path, help) - one line a command: wamctl's parser and help, the admin socket's route,
 * and the manual come from it.  Arguments are positional names, each sent as a query parameter.
 */
CTL(status,      "status",      "",             "GET",  "/v1/status",       "Show every process and what it does; exit status 75 while not ready.")
CTL(reload,      "reload",      "",             "POST", "/v1/reload",       "Check the configuration and give it to a new generation of children.")
CTL(stop,        "stop",        "",             "POST", "/v1/stop",         "Drain, then stop the daemon.")
CTL(message_why, "message why", "tenant id",    "GET",  "/v1/messages/why", "Tell what is known of one message and what it waits for.")
