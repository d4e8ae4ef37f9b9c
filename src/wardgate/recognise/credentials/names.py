"""Names under which credentials are presented: of headers, query parameters and cookies.

A *strong* name says that whatever stands there is a credential. A *weak* one (`key`, `token`) may hold a page
mark or a column as well, so its value must look random. Some names look like a credential's and are none:
one-time codes, CSRF tokens, passwords in a form, marks of requests and pages.
"""

import re

STRONG_HEADERS = frozenset(
    """
    x-api-key api-key apikey x-apikey x-auth-token x-access-token x-authorization x-auth authentication
    x-forwarded-authorization x-original-authorization x-forwarded-access-token ocp-apim-subscription-key
    x-goog-api-key x-functions-key x-rapidapi-key x-rapidapi-proxy-secret private-token job-token deploy-token
    x-vault-token x-consul-token x-shopify-access-token x-shopify-storefront-access-token x-auth-key
    x-auth-user-service-key x-gitlab-token dd-api-key dd-application-key x-n8n-api-key x-session-token
    x-goog-iap-jwt-assertion cf-access-jwt-assertion cf-access-client-secret cf-access-token
    x-amzn-oidc-accesstoken x-amzn-oidc-data x-ms-token-aad-access-token x-ms-token-aad-id-token
    x-kubernetes-token x-figma-token x-notion-token x-telegram-bot-api-secret-token x-parse-rest-api-key
    x-parse-session-token x-parse-master-key x-master-key x-pinecone-api-key x-elastic-api-key
    x-cohere-api-key anthropic-api-key openai-api-key xi-api-key x-subscription-token x-algolia-api-key
    x-plex-token x-emby-token x-mediabrowser-token x-user-token x-account-token x-app-token
    x-application-token x-client-secret x-service-token x-internal-token x-admin-token x-api-secret
    x-secret-key x-secret x-access-key x-accesskey accesskey access-token auth-token token x-token x-jwt
    x-jwt-assertion x-id-token x-bearer-token x-amz-security-token x-ms-client-principal-token
    grafana-service-token x-grafana-token x-dbt-token x-okta-token x-chef-token hapikey
    x-cisco-meraki-api-key x-tfe-token x-honeycomb-team x-honeybadger-token x-insert-key x-license-key
    x-query-key circle-token fastly-key x-trackertoken
    """.split()
)
_STRONG_HEADER_ENDINGS = (
    *("-api-key", "-apikey", "-api-token", "-access-token", "-auth-token", "-bearer-token", "-access-key"),
    *("-auth-key", "-secret-key", "-client-secret", "-service-token", "-session-token", "-app-key"),
    *("-subscription-key", "-secret", "-secret-token", "-user-token", "-jwt"),
)
_NO_HEADER_CREDENTIAL = re.compile(
    r"csrf|xsrf|idempot|websocket|cache|surrogate|partition|routing|page|cursor|continu|push|device|trace|"
    r"public|encryption|content|etag|recaptcha|turnstile|challenge"
)
NOT_CREDENTIALS = frozenset(
    """
    x-csrf-token x-xsrf-token csrf_token csrf-token xsrf_token xsrf-token csrftoken _csrf csrfmiddlewaretoken
    authenticity_token code state nonce nonce_token otp totp pin mfa mfa_code one_time_code verification_code
    code_verifier samlresponse samlrequest hash_key magic reset_token invite_token device_code user_code
    ticket login_ticket passphrase passcode pass_code cvv cvc private_key privatekey webhook_secret
    signing_secret page_token next_token next_page_token pagetoken nextpagetoken continuation_token
    continuationtoken sync_token cursor_token cursor push_token device_token fcm_token client_assertion
    assertion
    """.split()
)
STRONG_PARAMETERS = frozenset(
    """
    access_token accesstoken access-token id_token idtoken refresh_token refreshtoken auth_token authtoken
    session_token sessiontoken api_key apikey api-key api_token apitoken api-token app_key appkey
    application_key access_key accesskey secret_key secretkey client_secret clientsecret auth_key authkey
    bearer jwt subscription-key subscription_key ocp-apim-subscription-key x-api-key x-auth-token
    x-access-token x-amz-security-token sessionid session_id jsessionid phpsessid sessid asp.net_sessionid
    hapikey private_token job_token authorization subject_token actor_token
    """.split()
)
_STRONG_PARAMETER_ENDINGS = (
    "_api_key",
    "-api-key",
    "apikey",
    "_access_token",
    "-access-token",
    "accesstoken",
)
SESSION_COOKIES = re.compile(
    r"(?i)(?:^|[-_.])(?:sess|session|sessionid|sessid|sid|phpsessid|jsessionid|connect\.sid|asp\.net_sessionid|"
    r"aspxauth|aspnetcore|auth|authtoken|token|jwt|access_token|id_token|refresh_token|remember[_-]?(?:me|token)|"
    r"laravel_session|cfid|cftoken|ssid|sso|identity|login|credentials?|bearer)"
    r"(?:$|[-_.])|sess(?:ion)?_?id|session|aspxauth|\.AspNetCore|^wordpress_(?:logged_in|sec)|^S?SESS[0-9a-f]{32}|"
    r"^_oauth2_proxy|^AWSELBAuthSession|^CF_Authorization|^sb-.*-auth-token|^CloudFront-Key-Pair-Id"
)
_NO_SESSION_COOKIE = re.compile(
    r"(?i)csrf|xsrf|^_ga|^_gid|^_gat|^_fb|^_hj|^__utm|^_gcl|^_uet|^_pk_|^_pin|^_tt|^amp_|^mp_|^ajs_|^optimizely|"
    r"^intercom-(?:id|device)|^hubspotutk|^__hs|^__cf_bm|^cf_clearance|^__cflb|^_cfuvid|^awsalb|^awselb$|^incap_|"
    r"^visid_|^nlbi_|^datadome|^ak_bmsc|^bm_|^_abck|^arraffinity|^bigipserver|^ts[0-9a-f]{6,}|^route$|^lb|"
    r"consent|cookiebot|visitor|affinity|flash|device|locale|theme|lang|experiment|bucket|timezone|tracking|"
    r"session_?(?:start|count|time|expir|seen|ended|referrer|length|depth)|last_?session|state$|nonce"
)
_NO_KEY = re.compile(
    r"(?i)request|retry|trace|span|correlation|transaction|build|version|commit|revision|etag|hash|checksum|digest|"
    r"fingerprint|device|visitor|anonymous|install|instance|boundary|nonce|idempot|cursor|page|continu|cache|"
    r"csrf|xsrf|experiment|variant|bucket|gclid|fbclid|msclkid|utm|affinity|route|session-id$|mcp-|state|match|"
    r"modified|signature|policy|location|referer|origin|accept|content|encoding|host|forwarded|ip$|range|key-version"
)
"""Names of headers, parameters and cookies whose random values mark something other than who is calling."""


def is_strong_header(name: str) -> bool:
    """Whether a request header (lower case) presents a credential, whatever it holds."""
    if name in STRONG_HEADERS:
        return True
    return name.endswith(_STRONG_HEADER_ENDINGS) and not _NO_HEADER_CREDENTIAL.search(name)


def is_strong_parameter(name: str) -> bool:
    """Whether a query parameter (lower case) presents a credential, whatever it holds."""
    if name in NOT_CREDENTIALS:
        return False
    return name in STRONG_PARAMETERS or name.endswith(_STRONG_PARAMETER_ENDINGS)


def is_no_credential(name: str) -> bool:
    """Whether a parameter or header that sounds secret presents no credential."""
    return name in NOT_CREDENTIALS or "password" in name or "passwd" in name or name == "pwd"


def is_session_cookie(name: str) -> bool:
    """Whether a cookie is a session's or a token's by its name (without `__Host-`, `__Secure-`)."""
    return bool(SESSION_COOKIES.search(name)) and not _NO_SESSION_COOKIE.search(name)


def may_be_key(name: str) -> bool:
    """Whether random, steady values under a name that says nothing may be keys."""
    return not _NO_KEY.search(name) and not _NO_SESSION_COOKIE.search(name) and not is_no_credential(name)
