/* The objects of interactive messages; the macros are those of content_plain.h. */

/* Meta: "Interactive messages"; the frame.  Which of these a type may have: content_interactive.h */
OBJECT(INTERACTIVE, interactive)
MEMBER("type",          TEXT,     MUST, 1, 64)
PART("header",          OBJECT,   MAY,  0, 0, ANYTHING)
PART("body",            OBJECT,   MAY,  0, 0, ANYTHING)
PART("footer",          OBJECT,   MAY,  0, 0, ANYTHING)
PART("action",          OBJECT,   MAY,  0, 0, ANYTHING)
END
OBJECT(ANYTHING, none)
END
OBJECT(HEADER, header)
WORD("type",                      MUST, "text|image|video|document")
MEMBER("text",          TEXT,     MAY,  1, 60)
PART("image",           OBJECT,   MAY,  0, 0, ANYTHING)
PART("video",           OBJECT,   MAY,  0, 0, ANYTHING)
PART("document",        OBJECT,   MAY,  0, 0, HEADER_DOCUMENT)
END
OBJECT(HEADER_DOCUMENT, none)
MEMBER("filename",      TEXT,     MAY,  1, 240)
END
OBJECT(BODY, none)
MEMBER("text",          TEXT,     MUST, 1, 0)
END
OBJECT(FOOTER, none)
MEMBER("text",          TEXT,     MUST, 1, 60)
END

/* Meta: "Interactive reply buttons messages" */
OBJECT(BUTTONS, buttons)
PART("buttons",         LIST,     MUST, 1, 3, BUTTON)
END
OBJECT(BUTTON, none)
WORD("type",                      MUST, "reply")
PART("reply",           OBJECT,   MUST, 0, 0, REPLY)
END
OBJECT(REPLY, reply)
MEMBER("id",            TEXT,     MUST, 1, 256)
MEMBER("title",         TEXT,     MUST, 1, 20)
END

/* Meta: "Interactive list messages" */
OBJECT(ROWS, rows)
MEMBER("button",        TEXT,     MUST, 1, 20)
PART("sections",        LIST,     MUST, 1, 10, ROWS_SECTION)
END
OBJECT(ROWS_SECTION, none)
MEMBER("title",         TEXT,     MAY,  0, 24)
PART("rows",            LIST,     MUST, 1, 10, ROW)
END
OBJECT(ROW, none)
MEMBER("id",            TEXT,     MUST, 1, 200)
MEMBER("title",         TEXT,     MUST, 1, 24)
MEMBER("description",   TEXT,     MAY,  0, 72)
END

/* Meta: "Interactive call-to-action URL button messages" */
OBJECT(CTA_URL, none)
WORD("name",                      MUST, "cta_url")
PART("parameters",      OBJECT,   MUST, 0, 0, URL_BUTTON)
END
OBJECT(URL_BUTTON, none)
MEMBER("display_text",  TEXT,     MUST, 1, 20)
MEMBER("url",           LINK,     MUST, 0, 0)
END

/* Meta: "Sending a Flow" */
OBJECT(FLOW, none)
WORD("name",                      MUST, "flow")
PART("parameters",      OBJECT,   MUST, 0, 0, FLOW_PARAMETERS)
END
OBJECT(FLOW_PARAMETERS, flow)
MEMBER("flow_message_version", TEXT, MUST, 1, 0)
MEMBER("flow_id",       ID,       MAY,  0, 0)
MEMBER("flow_name",     TEXT,     MAY,  1, 0)
MEMBER("flow_cta",      TEXT,     MUST, 1, 30)
WORD("mode",                      MAY,  "published|draft")
MEMBER("flow_token",    TEXT,     MAY,  0, 0)
WORD("flow_action",               MAY,  "navigate|data_exchange")
PART("flow_action_payload", OBJECT, MAY, 0, 0, FLOW_PAYLOAD)
END
OBJECT(FLOW_PAYLOAD, flow_payload)
MEMBER("screen",        TEXT,     MUST, 1, 0)
PART("data",            OBJECT,   MAY,  0, 0, ANYTHING)
END

/* Meta: "Single-product messages", "Multi-product messages", "Catalog messages" */
OBJECT(PRODUCT, none)
MEMBER("catalog_id",    TEXT,     MUST, 1, 0)
MEMBER("product_retailer_id", TEXT, MUST, 1, 0)
END
OBJECT(PRODUCTS, products)
MEMBER("catalog_id",    TEXT,     MUST, 1, 0)
PART("sections",        LIST,     MUST, 1, 10, PRODUCTS_SECTION)
END
OBJECT(PRODUCTS_SECTION, none)
MEMBER("title",         TEXT,     MAY,  0, 24)
PART("product_items",   LIST,     MUST, 1, 30, PRODUCT_ITEM)
END
OBJECT(PRODUCT_ITEM, none)
MEMBER("product_retailer_id", TEXT, MUST, 1, 0)
END
OBJECT(CATALOG, none)
WORD("name",                      MUST, "catalog_message")
PART("parameters",      OBJECT,   MAY,  0, 0, CATALOG_PARAMETERS)
END
OBJECT(CATALOG_PARAMETERS, none)
MEMBER("thumbnail_product_retailer_id", TEXT, MAY, 1, 0)
END

/* Meta: "Location request messages" */
OBJECT(PLACE_REQUEST, none)
WORD("name",                      MUST, "send_location")
END

/* Meta: "Address messages" */
OBJECT(ADDRESS, none)
WORD("name",                      MUST, "address_message")
PART("parameters",      OBJECT,   MUST, 0, 0, ADDRESS_PARAMETERS)
END
OBJECT(ADDRESS_PARAMETERS, none)
MEMBER("country",       TEXT,     MUST, 2, 2)
PART("values",          OBJECT,   MAY,  0, 0, ADDRESS_VALUES)
PART("saved_addresses", LIST,     MAY,  0, 0, SAVED_ADDRESS)
PART("validation_errors", OBJECT, MAY,  0, 0, ANYTHING)
END
OBJECT(ADDRESS_VALUES, none)
MEMBER("name",          TEXT,     MAY,  0, 0)
MEMBER("phone_number",  TEXT,     MAY,  0, 0)
MEMBER("in_pin_code",   TEXT,     MAY,  0, 6)
MEMBER("house_number",  TEXT,     MAY,  0, 0)
MEMBER("floor_number",  TEXT,     MAY,  0, 0)
MEMBER("tower_number",  TEXT,     MAY,  0, 0)
MEMBER("building_name", TEXT,     MAY,  0, 0)
MEMBER("address",       TEXT,     MAY,  0, 0)
MEMBER("landmark_area", TEXT,     MAY,  0, 0)
MEMBER("city",          TEXT,     MAY,  0, 0)
MEMBER("state",         TEXT,     MAY,  0, 0)
END
OBJECT(SAVED_ADDRESS, none)
MEMBER("id",            TEXT,     MUST, 1, 0)
PART("value",           OBJECT,   MUST, 0, 0, ADDRESS_VALUES)
END

/* Meta: "Interactive media carousel messages", "Product carousel messages" */
OBJECT(CARDS, cards)
PART("cards",           LIST,     MUST, 2, 10, CARD)
END
OBJECT(CARD, card)
MEMBER("card_index",    WHOLE,    MUST, 0, 9)
MEMBER("type",          TEXT,     MUST, 1, 64)
PART("header",          OBJECT,   MAY,  0, 0, HEADER)
PART("body",            OBJECT,   MAY,  0, 0, CARD_BODY)
PART("action",          OBJECT,   MUST, 0, 0, CARD_ACTION)
END
OBJECT(CARD_BODY, card_body)
MEMBER("text",          TEXT,     MUST, 1, 160)
END
OBJECT(CARD_ACTION, none)
WORD("name",                      MAY,  "cta_url")
PART("parameters",      OBJECT,   MAY,  0, 0, URL_BUTTON)
PART("buttons",         LIST,     MAY,  1, 10, CARD_BUTTON)
MEMBER("product_retailer_id", TEXT, MAY, 1, 0)
MEMBER("catalog_id",    TEXT,     MAY,  1, 0)
END
OBJECT(CARD_BUTTON, none)
WORD("type",                      MUST, "quick_reply")
PART("quick_reply",     OBJECT,   MUST, 0, 0, CARD_REPLY)
END
OBJECT(CARD_REPLY, none)
MEMBER("id",            TEXT,     MUST, 1, 20)
MEMBER("title",         TEXT,     MUST, 1, 20)
END
