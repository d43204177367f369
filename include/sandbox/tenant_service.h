/*
 * tenant_service - the handlers below /tenant-service: wamd's own contract (/v1/tenants) and the shape that is found in the field.
 *
 * With --tenant-token every call must bring it as bearer token; 401 without.
 */
#ifndef SANDBOX_TENANT_SERVICE_H
#define SANDBOX_TENANT_SERVICE_H

struct call;

void tenant_service_count(struct call *c);	/* a read of this tenant, whatever a fault makes of it */
void tenant_get(struct call *c);
void tenant_put_token(struct call *c);
void tenant_get_credentials(struct call *c);
void tenant_get_whatsapp(struct call *c);
void tenant_get_by_phone(struct call *c);

#endif
