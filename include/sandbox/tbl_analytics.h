/* ANALYTICS(field of a business account, its granularities, metrics of a data point, are they below data[]?) */
ANALYTICS("analytics",              "HALF_HOUR|DAY|MONTH",     "sent|delivered",    false)
ANALYTICS("conversation_analytics", "HALF_HOUR|DAILY|MONTHLY", "conversation|cost", true)
ANALYTICS("pricing_analytics",      "DAILY|HALF_HOUR|MONTHLY", "volume|cost",       true)
