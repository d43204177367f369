/*
 * CONTENT_TYPE(type, object, most) - the message types whose payload is checked, and by which object of the tables content_*.h.
 * most: 0: one such object; else a list of 1 to so many.  Meta: "Send messages".  Contacts: Meta's page says 257, its OpenAPI file 5; the
 * larger one holds.
 */
CONTENT_TYPE("text", TEXT, 0)
CONTENT_TYPE("image", IMAGE, 0)
CONTENT_TYPE("video", VIDEO, 0)
CONTENT_TYPE("audio", AUDIO, 0)
CONTENT_TYPE("document", DOCUMENT, 0)
CONTENT_TYPE("sticker", STICKER, 0)
CONTENT_TYPE("location", LOCATION, 0)
CONTENT_TYPE("contacts", CONTACT, 257)
CONTENT_TYPE("reaction", REACTION, 0)
CONTENT_TYPE("interactive", INTERACTIVE, 0)
CONTENT_TYPE("template", TEMPLATE, 0)
