/*
 * TEMPLATE_HEADER(ident, format, parameter) - what a template's header may be, and the type of the one parameter that a message gives for
 * it.  Meta: "Components", "Template components", "Single-product message templates"; GIF: "Marketing Messages API".
 */
TEMPLATE_HEADER(TEXT,     "TEXT",     "text")
TEMPLATE_HEADER(IMAGE,    "IMAGE",    "image")
TEMPLATE_HEADER(VIDEO,    "VIDEO",    "video")
TEMPLATE_HEADER(DOCUMENT, "DOCUMENT", "document")
TEMPLATE_HEADER(GIF,      "GIF",      "gif")
TEMPLATE_HEADER(LOCATION, "LOCATION", "location")
TEMPLATE_HEADER(PRODUCT,  "PRODUCT",  "product")
