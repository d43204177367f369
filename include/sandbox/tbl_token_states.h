/* TOKEN_STATE(ident, name, error_subcode a call with it gets unless another was ordered) */
TOKEN_STATE(VALID,   "valid",   0)
TOKEN_STATE(EXPIRED, "expired", 463)
TOKEN_STATE(REVOKED, "revoked", 460)
TOKEN_STATE(INVALID, "invalid", 467)
