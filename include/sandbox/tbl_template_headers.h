/* TEMPLATE_HEADER(ident, format in the definition, type of the one parameter a send gives it) */
TEMPLATE_HEADER(TEXT,     "TEXT",     "text")
TEMPLATE_HEADER(IMAGE,    "IMAGE",    "image")
TEMPLATE_HEADER(VIDEO,    "VIDEO",    "video")
TEMPLATE_HEADER(GIF,      "GIF",      "gif")
TEMPLATE_HEADER(DOCUMENT, "DOCUMENT", "document")
TEMPLATE_HEADER(LOCATION, "LOCATION", "location")
TEMPLATE_HEADER(PRODUCT,  "PRODUCT",  "product")
