/*
 * OBJECT(ident, rule)  MEMBER(name, kind, need, min, max)  WORD(name, need, words)  PART(name, kind, need, min, max, object)  END
 * - what payloads hold; kinds and needs are those of msg/content_inside.h, rules the functions content_rule_<rule>().  A member that is not
 * here passes unseen: Meta adds members several times a year.  max 0: no limit that is known.
 */

/* Meta: "Text messages" */
OBJECT(TEXT, none)
MEMBER("body",          TEXT,     MUST, 1, 4096)
MEMBER("preview_url",   FLAG,     MAY,  0, 0)
END

/* Meta: "Image messages", "Video messages", "Audio messages", "Document messages", "Sticker messages".  Where the file comes from: SOURCE */
OBJECT(IMAGE, none)
MEMBER("caption",       TEXT,     MAY,  0, 1024)
END
OBJECT(VIDEO, none)
MEMBER("caption",       TEXT,     MAY,  0, 1024)
END
OBJECT(AUDIO, none)
MEMBER("caption",       NOTHING,  MAY,  0, 0)
MEMBER("voice",         FLAG,     MAY,  0, 0)
END
OBJECT(DOCUMENT, none)
MEMBER("caption",       TEXT,     MAY,  0, 1024)
MEMBER("filename",      TEXT,     MAY,  1, 240)
END
OBJECT(STICKER, none)
MEMBER("caption",       NOTHING,  MAY,  0, 0)
END

/* Meta: "Media"; media is wamd's own, see msg/content.h.  Checked wherever a file may stand */
OBJECT(SOURCE, one_source)
MEMBER("id",            ID,       MAY,  0, 0)
MEMBER("link",          LINK,     MAY,  0, 0)
MEMBER("media",         REFERENCE, MAY, 0, 0)
END

/* Meta: "Location messages"; its examples have numbers and texts */
OBJECT(LOCATION, none)
MEMBER("latitude",      DEGREES,  MUST, -90, 90)
MEMBER("longitude",     DEGREES,  MUST, -180, 180)
MEMBER("name",          TEXT,     MAY,  0, 0)
MEMBER("address",       TEXT,     MAY,  0, 0)
END

/* Meta: "Reaction messages"; an empty emoji takes the reaction back */
OBJECT(REACTION, reaction)
MEMBER("message_id",    TEXT,     MUST, 1, 512)
MEMBER("emoji",         TEXT,     MUST, 0, 32)
END

/* Meta: "Contacts messages" */
OBJECT(CONTACT, none)
PART("name",            OBJECT,   MUST, 0, 0, CONTACT_NAME)
PART("phones",          LIST,     MAY,  0, 0, CONTACT_PHONE)
PART("emails",          LIST,     MAY,  0, 0, CONTACT_EMAIL)
PART("addresses",       LIST,     MAY,  0, 0, CONTACT_ADDRESS)
PART("urls",            LIST,     MAY,  0, 0, CONTACT_URL)
PART("org",             OBJECT,   MAY,  0, 0, CONTACT_ORG)
MEMBER("birthday",      DATE,     MAY,  0, 0)
END
OBJECT(CONTACT_NAME, contact_name)
MEMBER("formatted_name", TEXT,    MUST, 1, 0)
MEMBER("first_name",    TEXT,     MAY,  0, 0)
MEMBER("last_name",     TEXT,     MAY,  0, 0)
MEMBER("middle_name",   TEXT,     MAY,  0, 0)
MEMBER("suffix",        TEXT,     MAY,  0, 0)
MEMBER("prefix",        TEXT,     MAY,  0, 0)
END
OBJECT(CONTACT_PHONE, none)
MEMBER("phone",         TEXT,     MAY,  0, 0)
MEMBER("type",          TEXT,     MAY,  0, 0)
MEMBER("wa_id",         TEXT,     MAY,  0, 0)
END
OBJECT(CONTACT_EMAIL, none)
MEMBER("email",         TEXT,     MAY,  0, 0)
MEMBER("type",          TEXT,     MAY,  0, 0)
END
OBJECT(CONTACT_ADDRESS, none)
MEMBER("street",        TEXT,     MAY,  0, 0)
MEMBER("city",          TEXT,     MAY,  0, 0)
MEMBER("state",         TEXT,     MAY,  0, 0)
MEMBER("zip",           TEXT,     MAY,  0, 0)
MEMBER("country",       TEXT,     MAY,  0, 0)
MEMBER("country_code",  TEXT,     MAY,  0, 0)
MEMBER("type",          TEXT,     MAY,  0, 0)
END
OBJECT(CONTACT_URL, none)
MEMBER("url",           TEXT,     MAY,  0, 0)
MEMBER("type",          TEXT,     MAY,  0, 0)
END
OBJECT(CONTACT_ORG, none)
MEMBER("company",       TEXT,     MAY,  0, 0)
MEMBER("department",    TEXT,     MAY,  0, 0)
MEMBER("title",         TEXT,     MAY,  0, 0)
END

/* Meta: "Template messages", the frame; what goes into its placeholders is not looked at here.  language: a code, or an object with it */
OBJECT(TEMPLATE, none)
MEMBER("name",          NAME,     MUST, 1, 512)
MEMBER("language",      LANGUAGE, MUST, 0, 0)
END
