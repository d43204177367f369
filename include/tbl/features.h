/*
 * FEATURE(ident, name, types, help) - what may be switched off, for all (setting features.<name>) or for one tenant: messages of these
 * types (divided by blanks) then end as feature_disabled.
 */
FEATURE(TEXT,        text,        "text",                              "text messages")
FEATURE(TEMPLATES,   templates,   "template",                          "template messages")
FEATURE(MEDIA,       media,       "image audio video document sticker", "pictures, sound, films, documents and stickers")
FEATURE(INTERACTIVE, interactive, "interactive",                       "lists, buttons, flows and the like")
FEATURE(LOCATION,    location,    "location contacts",                 "places and contact cards")
FEATURE(REACTION,    reaction,    "reaction",                          "reactions to messages")
