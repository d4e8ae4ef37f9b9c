"""The one hardened outbound client: specifications, JWKS, directories, webhooks. (Nothing leaves yet.)"""
