/*
 * ROUTE(ident, name, method, pattern, kind, handler)
 *
 * The first that fits answers.  name: how fault rules and the counters call it.  kind: SEND counted, logged, delayed and open to faults;
 * GRAPH, TENANT, STATE counted and open to faults that name them; CONTROL nothing of it.
 */
ROUTE(MESSAGES,         "messages",          "POST",   "/v*/*/messages",                         SEND,    messages_post)

/* ---- tokens ---- */
ROUTE(DEBUG_TOKEN,      "debug_token",       "GET",    "/v*/debug_token",                        GRAPH,   oauth_debug_token)
ROUTE(EXCHANGE_TOKEN,   "exchange_token",    "GET",    "/v*/oauth/access_token",                 GRAPH,   oauth_exchange)
ROUTE(REVOKE_TOKEN,     "revoke_token",      "GET",    "/v*/oauth/revoke",                       GRAPH,   oauth_revoke)

/* ---- numbers and business accounts; what has a name of its own goes before "*" ---- */
ROUTE(UPLOAD_BYTES,     "upload",            "POST",   "/v*/upload:*",                           GRAPH,   upload_bytes)
ROUTE(UPLOAD_OFFSET,    "upload_offset",     "GET",    "/v*/upload:*",                           GRAPH,   upload_offset)
ROUTE(TEMPLATE,         "template",          "GET",    "/v*/{template}",                         GRAPH,   node_template_get)
ROUTE(TEMPLATE_EDIT,    "template_edit",     "POST",   "/v*/{template}",                         GRAPH,   node_template_edit)
ROUTE(TEMPLATE_UNPAUSE, "template_unpause",  "POST",   "/v*/{template}/unpause",                 GRAPH,   node_template_unpause)
ROUTE(MEDIA,            "media",             "GET",    "/v*/{media}",                            GRAPH,   node_media_get)
ROUTE(MEDIA_DELETE,     "media_delete",      "DELETE", "/v*/{media}",                            GRAPH,   node_media_delete)
ROUTE(MEDIA_UPLOAD,     "media_upload",      "POST",   "/v*/*/media",                            GRAPH,   node_media_upload)
ROUTE(NODE,             "node",              "GET",    "/v*/*",                                  GRAPH,   node_get)
ROUTE(PHONE_NUMBERS,    "phone_numbers",     "GET",    "/v*/*/phone_numbers",                    GRAPH,   phone_numbers_get)
ROUTE(PROFILE,          "profile",           "GET",    "/v*/*/whatsapp_business_profile",        GRAPH,   profile_get)
ROUTE(PROFILE_SET,      "profile_set",       "POST",   "/v*/*/whatsapp_business_profile",        GRAPH,   profile_post)
ROUTE(SUBSCRIBED_APPS,  "subscribed_apps",   "GET",    "/v*/*/subscribed_apps",                  GRAPH,   subscribed_apps_get)
ROUTE(SUBSCRIBE,        "subscribe",         "POST",   "/v*/*/subscribed_apps",                  GRAPH,   subscribed_apps_post)
ROUTE(UNSUBSCRIBE,      "unsubscribe",       "DELETE", "/v*/*/subscribed_apps",                  GRAPH,   subscribed_apps_delete)
ROUTE(TEMPLATE_ANALYTICS, "template_analytics", "GET", "/v*/*/template_analytics",               GRAPH,   template_analytics_get)
ROUTE(TEMPLATES,        "templates",         "GET",    "/v*/*/message_templates",                GRAPH,   node_templates_list)
ROUTE(TEMPLATES_CREATE, "templates_create",  "POST",   "/v*/*/message_templates",                GRAPH,   node_templates_create)
ROUTE(TEMPLATES_DELETE, "templates_delete",  "DELETE", "/v*/*/message_templates",                GRAPH,   node_templates_delete)
ROUTE(UPLOAD_START,     "upload_start",      "POST",   "/v*/*/uploads",                          GRAPH,   upload_start)

/* ---- the tenant service ---- */
ROUTE(TENANT,           "tenant",            "GET",    "/tenant-service/v1/tenants/*",           TENANT,  tenant_get)
ROUTE(TENANT_TOKEN,     "tenant_token",      "PUT",    "/tenant-service/v1/tenants/*/accounts/*/token", TENANT, tenant_put_token)
ROUTE(TENANT_META,      "tenant_credentials", "GET",   "/tenant-service/tenants/*/credentials/meta", TENANT, tenant_get_credentials)
ROUTE(TENANT_WHATSAPP,  "tenant_whatsapp",   "GET",    "/tenant-service/tenants/*/whatsapp",     TENANT,  tenant_get_whatsapp)
ROUTE(TENANT_BY_PHONE,  "tenant_by_phone",   "GET",    "/tenant-service/tenants/by-phone/*",     TENANT,  tenant_get_by_phone)

/* ---- the state manager ---- */
ROUTE(STATE_BIND,       "state_bind",        "POST",   "/state-manager/message",                 STATE,   states_bind)
ROUTE(STATE_STATUS,     "state_status",      "PATCH",  "/state-manager/message/*/status",        STATE,   states_patch)

/* ---- control ---- */
ROUTE(LEDGER,           "ledger",            "GET",    "/_sandbox/ledger",                       CONTROL, control_ledger)
ROUTE(STATS,            "stats",             "GET",    "/_sandbox/stats",                        CONTROL, control_stats)
ROUTE(RESET,            "reset",             "POST",   "/_sandbox/reset",                        CONTROL, control_reset)
ROUTE(RATE,             "rate",              "POST",   "/_sandbox/rate",                         CONTROL, control_rate)
ROUTE(FAULTS,           "faults",            "GET",    "/_sandbox/faults",                       CONTROL, control_faults_list)
ROUTE(FAULTS_ADD,       "faults_add",        "POST",   "/_sandbox/faults",                       CONTROL, control_faults_add)
ROUTE(FAULTS_CLEAR,     "faults_clear",      "DELETE", "/_sandbox/faults",                       CONTROL, control_faults_clear)
ROUTE(CATALOGUE,        "catalogue",         "GET",    "/_sandbox/templates",                    CONTROL, control_templates_list)
ROUTE(CATALOGUE_ADD,    "catalogue_add",     "POST",   "/_sandbox/templates",                    CONTROL, control_templates_add)
ROUTE(CATALOGUE_CHANGE, "catalogue_change",  "PATCH",  "/_sandbox/templates",                    CONTROL, control_templates_change)
ROUTE(CATALOGUE_CLEAR,  "catalogue_clear",   "DELETE", "/_sandbox/templates",                    CONTROL, control_templates_clear)
ROUTE(ASSETS,           "assets",            "GET",    "/_sandbox/media",                        CONTROL, control_media_list)
ROUTE(ASSETS_ORDER,     "assets_order",      "POST",   "/_sandbox/media",                        CONTROL, control_media_order)
ROUTE(ASSETS_CLEAR,     "assets_clear",      "DELETE", "/_sandbox/media",                        CONTROL, control_media_clear)
ROUTE(TOKENS,           "tokens",            "POST",   "/_sandbox/tokens",                       CONTROL, control_tokens)
ROUTE(NODES,            "nodes",             "POST",   "/_sandbox/nodes",                        CONTROL, control_nodes)
ROUTE(LIMIT,            "limit",             "POST",   "/_sandbox/limit",                        CONTROL, control_limit)
ROUTE(WEBHOOKS,         "webhooks",          "POST",   "/_sandbox/webhooks",                     CONTROL, control_webhooks)
ROUTE(WEBHOOKS_CLEAR,   "webhooks_clear",    "DELETE", "/_sandbox/webhooks",                     CONTROL, control_webhooks_clear)
ROUTE(WEBHOOKS_SEND,    "webhooks_send",     "POST",   "/_sandbox/webhooks/send",                CONTROL, control_webhooks_send)
ROUTE(WEBHOOKS_INBOUND, "webhooks_inbound",  "POST",   "/_sandbox/webhooks/inbound",             CONTROL, control_webhooks_inbound)
ROUTE(WEBHOOKS_FIELD,   "webhooks_field",    "POST",   "/_sandbox/webhooks/field",               CONTROL, control_webhooks_field)
ROUTE(STATES,           "states",            "GET",    "/_sandbox/states",                       CONTROL, control_states)
ROUTE(STATES_CLEAR,     "states_clear",      "DELETE", "/_sandbox/states",                       CONTROL, control_states_clear)
ROUTE(TENANT_CALLS,     "tenant_calls",      "GET",    "/_sandbox/tenants/calls",                CONTROL, control_tenant_calls)
ROUTE(TENANT_PUT,       "tenant_put",        "PUT",    "/_sandbox/tenants/*",                    CONTROL, control_tenant_put)
ROUTE(TENANT_PATCH,     "tenant_patch",      "PATCH",  "/_sandbox/tenants/*",                    CONTROL, control_tenant_patch)
ROUTE(TENANT_DELETE,    "tenant_delete",     "DELETE", "/_sandbox/tenants/*",                    CONTROL, control_tenant_delete)
ROUTE(ACCOUNT_DELETE,   "account_delete",    "DELETE", "/_sandbox/tenants/*/accounts/*",         CONTROL, control_account_delete)
