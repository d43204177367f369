/* SUBCODE(error_subcode of 190, what Meta says with it) */
SUBCODE(458, "Error validating access token: The user has not authorized the application.")
SUBCODE(459, "Error validating access token: The user has been logged out by a checkpoint.")
SUBCODE(460, "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.")
SUBCODE(463, "Error validating access token: Session has expired.")
SUBCODE(464, "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.")
SUBCODE(467, "Error validating access token: The session is invalid because the user logged out.")
SUBCODE(492, "Error validating access token: The session is invalid for this asset.")
