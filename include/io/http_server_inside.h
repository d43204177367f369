/* http_server_inside - what src/io/http_form.c needs of src/io/http_server.c. */
#ifndef IO_HTTP_SERVER_INSIDE_H
#define IO_HTTP_SERVER_INSIDE_H

#include "io/http_server.h"

struct MHD_Connection;
struct MHD_Connection *http_call_connection(const struct http_call *c);

#endif
