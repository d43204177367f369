/*
 * MEDIA_TYPE(mime, kind, names, magic, most bytes) - the files that Meta takes ("Media", supported types): names are the endings of
 * file names; magic is how the bytes begin, in hex, ? for any digit, several divided by blanks, empty: as text does.
 * Bytes without a name are taken for the row whose magic says most, of several the first; but not where rows have the very same magic.
 */
MEDIA_TYPE("image/jpeg",      "image",    "jpg jpeg", "ffd8ff", 5 << 20)
MEDIA_TYPE("image/png",       "image",    "png",      "89504e470d0a1a0a", 5 << 20)
MEDIA_TYPE("image/webp",      "sticker",  "webp",     "52494646????????57454250", 500 << 10)
MEDIA_TYPE("audio/aac",       "audio",    "aac",      "fff1 fff9 fff0 fff8 41444946", 16 << 20)
MEDIA_TYPE("audio/amr",       "audio",    "amr",      "2321414d52", 16 << 20)
MEDIA_TYPE("audio/mpeg",      "audio",    "mp3",      "494433 fffb fff3 fff2 fffa", 16 << 20)
MEDIA_TYPE("audio/ogg",       "audio",    "ogg oga opus", "4f676753", 16 << 20)
MEDIA_TYPE("video/3gpp",      "video",    "3gp 3gpp", "????????66747970336770", 16 << 20)
MEDIA_TYPE("video/3gp",       "video",    "",         "????????66747970336770", 16 << 20)
MEDIA_TYPE("video/mp4",       "video",    "mp4 m4v",  "????????66747970", 16 << 20)
MEDIA_TYPE("audio/mp4",       "audio",    "m4a",      "????????667479704d3441 ????????66747970", 16 << 20)
MEDIA_TYPE("application/pdf", "document", "pdf",      "255044462d", 100 << 20)
MEDIA_TYPE("application/msword", "document", "doc",   "d0cf11e0a1b11ae1", 100 << 20)
MEDIA_TYPE("application/vnd.ms-excel", "document", "xls", "d0cf11e0a1b11ae1", 100 << 20)
MEDIA_TYPE("application/vnd.ms-powerpoint", "document", "ppt", "d0cf11e0a1b11ae1", 100 << 20)
MEDIA_TYPE("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx", "504b0304", 100 << 20)
MEDIA_TYPE("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", "xlsx", "504b0304", 100 << 20)
MEDIA_TYPE("application/vnd.openxmlformats-officedocument.presentationml.presentation", "document", "pptx", "504b0304", 100 << 20)
MEDIA_TYPE("text/plain",      "document", "txt",      "", 100 << 20)
