/* SEVERITY(ident, name, what it asks of a person) */
SEVERITY(INFO,     "info",     "Nothing to do; good to know.")
SEVERITY(WARNING,  "warning",  "Somebody should look: some messages wait or fail.")
SEVERITY(CRITICAL, "critical", "Somebody must look now: nothing is sent from here.")
