/*
 * INTERACTIVE(type, action, header, header kinds, body, longest body, footer) - what stands around the action, by interactive.type.
 * A type that is not here passes unseen but for its frame: order_details, order_status, call_permission_request, voice_call,
 * request_contact_info, and what Meta adds.  The body of a list: Meta's page says 4096, its OpenAPI file 1024; the larger one holds.
 */
INTERACTIVE("button",          BUTTONS,          MAY,   "text|image|video|document", MUST, 1024, MAY)
INTERACTIVE("list",            ROWS,             MAY,   "text",                      MUST, 4096, MAY)
INTERACTIVE("cta_url",         CTA_URL,          MAY,   "text|image|video|document", MUST, 1024, MAY)
INTERACTIVE("flow",            FLOW,             MAY,   "text|image|video|document", MUST, 1024, MAY)
INTERACTIVE("product",         PRODUCT,          NEVER, "",                          MAY,  1024, MAY)
INTERACTIVE("product_list",    PRODUCTS,         MUST,  "text",                      MUST, 1024, MAY)
INTERACTIVE("catalog_message", CATALOG,          MAY,   "text|image|video|document", MUST, 1024, MAY)
INTERACTIVE("location_request_message", PLACE_REQUEST, NEVER, "",                    MUST, 1024, NEVER)
INTERACTIVE("address_message", ADDRESS,          MAY,   "text|image|video|document", MUST, 1024, MAY)
INTERACTIVE("carousel",        CARDS,            NEVER, "",                          MUST, 1024, NEVER)
