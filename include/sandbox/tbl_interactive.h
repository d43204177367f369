/*
 * INTERACTIVE_TYPE(name, shape of action, headers allowed, body needed, longest body, footer allowed)
 * The body of a list may have 4096 characters by the documentation, 1024 by Meta's OpenAPI: the documentation counts.
 */
INTERACTIVE_TYPE("button", A_BUTTON, HEADER_TEXT | HEADER_IMAGE | HEADER_VIDEO | HEADER_DOCUMENT, true, 1024, true)
INTERACTIVE_TYPE("list", A_LIST, HEADER_TEXT, true, 4096, true)
INTERACTIVE_TYPE("cta_url", A_CTA_URL, HEADER_TEXT | HEADER_IMAGE | HEADER_VIDEO | HEADER_DOCUMENT, true, 1024, true)
INTERACTIVE_TYPE("flow", A_FLOW, HEADER_TEXT | HEADER_IMAGE | HEADER_VIDEO | HEADER_DOCUMENT, true, 1024, true)
INTERACTIVE_TYPE("product", A_PRODUCT, 0, false, 1024, true)
INTERACTIVE_TYPE("product_list", A_PRODUCT_LIST, HEADER_TEXT | HEADER_REQUIRED, true, 1024, true)
INTERACTIVE_TYPE("catalog_message", A_CATALOG, 0, true, 1024, true)
INTERACTIVE_TYPE("location_request_message", A_LOCATION_REQUEST, 0, true, 1024, false)
INTERACTIVE_TYPE("address_message", A_ADDRESS, HEADER_TEXT | HEADER_IMAGE | HEADER_VIDEO | HEADER_DOCUMENT, true, 1024, true)
INTERACTIVE_TYPE("carousel", A_CAROUSEL, 0, true, 1024, false)
INTERACTIVE_TYPE("order_details", A_ORDER_DETAILS, HEADER_IMAGE, true, 1024, true)
INTERACTIVE_TYPE("order_status", A_ORDER_STATUS, 0, true, 1024, true)
INTERACTIVE_TYPE("call_permission_request", A_CALL_PERMISSION, 0, false, 1024, false)
INTERACTIVE_TYPE("voice_call", A_VOICE_CALL, 0, true, 1024, true)
INTERACTIVE_TYPE("request_contact_info", A_CONTACT_REQUEST, 0, true, 1024, false)
