/* PROFILE_FIELD(member, at least, at most characters) of a business profile; 0 at least: "" clears it */
PROFILE_FIELD("about", 1, 139)
PROFILE_FIELD("address", 0, 256)
PROFILE_FIELD("description", 0, 512)
PROFILE_FIELD("email", 0, 128)
