/*
 * HEALTH_ERROR(code, what to do) - codes that stand in health_status (Meta: "Messaging health status").  Of others Graph's own
 * possible_solution is told.
 */
HEALTH_ERROR(138024, "Check the SIP settings of the number: they are wrong, and concern calls only.")
HEALTH_ERROR(141000, "Look at the number in WhatsApp Manager: Meta restricts it; ask for a review, or wait until it ends.")
HEALTH_ERROR(141002, "Use an approved template: this one is not.")
HEALTH_ERROR(141006, "Add or repair the payment method of the business account in WhatsApp Manager.")
HEALTH_ERROR(141010, "Have the business verified by Meta in its security centre.")
