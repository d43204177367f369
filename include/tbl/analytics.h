/*
 * ANALYTICS(ident, name, Graph's field or edge, its words for half an hour, day and month (NULL: not so fine or coarse), dimensions or
 * NULL, longest look back in days, help) - figures of a business account (Meta: "Analytics").
 */
ANALYTICS(MESSAGES, "messages", "analytics", "HALF_HOUR", "DAY", "MONTH", NULL, 366, "Messages sent and delivered.")
ANALYTICS(CONVERSATIONS, "conversations", "conversation_analytics", "HALF_HOUR", "DAILY", "MONTHLY",
	  "[\"CONVERSATION_CATEGORY\",\"CONVERSATION_TYPE\"]", 366, "Conversations and their cost.")
ANALYTICS(PRICING, "pricing", "pricing_analytics", "HALF_HOUR", "DAILY", "MONTHLY", "[\"PRICING_CATEGORY\",\"PRICING_TYPE\"]", 366,
	  "Messages that were charged, and their cost.")
ANALYTICS(TEMPLATES, "templates", "template_analytics", NULL, "DAILY", NULL, NULL, 90, "What became of the messages of up to ten templates.")
