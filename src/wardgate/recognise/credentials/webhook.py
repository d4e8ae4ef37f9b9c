"""Webhook signatures: a sender proves itself, and presents no value of its own.

One credential for each sender and scheme. A sender is the service whose header it is, with the public id of
the hook or shop where it gives one. The signature itself is dropped.
"""

import re
from collections.abc import Mapping

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.credentials.maker import Maker, is_masked, shown

SENDERS: Mapping[str, tuple[str, str | None]] = {
    # Header with the signature → sender, and the header that says which of its hooks it is.
    "x-hub-signature-256": ("GitHub", "x-github-hook-id"),
    "x-hub-signature": ("GitHub", "x-github-hook-id"),
    "stripe-signature": ("Stripe", None),
    "x-slack-signature": ("Slack", None),
    "x-shopify-hmac-sha256": ("Shopify", "x-shopify-shop-domain"),
    "x-twilio-signature": ("Twilio", None),
    "x-twilio-email-event-webhook-signature": ("SendGrid", None),
    "x-zm-signature": ("Zoom", None),
    "x-signature-ed25519": ("Discord", None),
    "paypal-transmission-sig": ("PayPal", "paypal-cert-url"),
    "x-square-hmacsha256-signature": ("Square", None),
    "x-square-signature": ("Square", None),
    "x-xero-signature": ("Xero", None),
    "x-docusign-signature-1": ("DocuSign", "x-docusign-connect-id"),
    "x-hubspot-signature-v3": ("HubSpot", None),
    "x-hubspot-signature": ("HubSpot", None),
    "x-line-signature": ("LINE", None),
    "x-messagebird-signature": ("MessageBird", None),
    "messagebird-signature-jwt": ("MessageBird", None),
    "x-pagerduty-signature": ("PagerDuty", "x-webhook-id"),
    "x-wc-webhook-signature": ("WooCommerce", "x-wc-webhook-source"),
    "x-zendesk-webhook-signature": ("Zendesk", "x-zendesk-webhook-id"),
    "x-mandrill-signature": ("Mailchimp", None),
    "x-intercom-signature": ("Intercom", None),
    "x-linear-signature": ("Linear", None),
    "linear-signature": ("Linear", None),
    "x-figma-signature": ("Figma", None),
    "x-contentful-signature": ("Contentful", None),
    "x-sentry-hook-signature": ("Sentry", None),
    "sentry-hook-signature": ("Sentry", None),
    "circleci-signature": ("CircleCI", None),
    "x-vercel-signature": ("Vercel", None),
    "x-netlify-signature": ("Netlify", None),
    "x-razorpay-signature": ("Razorpay", None),
    "x-paystack-signature": ("Paystack", None),
    "x-plaid-verification": ("Plaid", None),
    "plaid-verification": ("Plaid", None),
    "paddle-signature": ("Paddle", None),
    "x-adyen-hmac-signature": ("Adyen", None),
    "x-bitbucket-signature": ("Bitbucket", "x-hook-uuid"),
    "x-gitea-signature": ("Gitea", None),
    "x-gogs-signature": ("Gogs", None),
    "x-dropbox-signature": ("Dropbox", None),
    "x-telegram-bot-api-secret-token-signature": ("Telegram", None),
    "x-asana-request-signature": ("Asana", None),
    "x-hook-signature": ("Asana", None),
    "x-trello-webhook": ("Trello", None),
    "typeform-signature": ("Typeform", None),
    "x-cal-signature-256": ("Cal.com", None),
    "calendly-webhook-signature": ("Calendly", None),
    "x-twitter-webhooks-signature": ("X", None),
    "x-amz-sns-message-id": ("Amazon SNS", "x-amz-sns-topic-arn"),
    "x-goog-channel-id": ("Google", "x-goog-channel-id"),
    "svix-signature": ("a sender of Svix", None),
    "webhook-signature": ("a sender of Standard Webhooks", None),
    "x-webhook-signature": ("an unnamed sender", None),
    "x-signature-256": ("an unnamed sender", None),
    "x-hmac-signature": ("an unnamed sender", None),
    "x-hmac-sha256": ("an unnamed sender", None),
}
HEADERS = frozenset(SENDERS) | {name for _, name in SENDERS.values() if name} | {"x-github-event"}


def webhooks(maker: Maker, told: Mapping[str, str]) -> list[Credential]:
    """The senders that one call's headers (by name) prove: one credential for each."""
    made: dict[str, Credential] = {}
    for header, (sender, naming) in SENDERS.items():
        value = told.get(header, "").strip()
        if sender == "GitHub" and not told.keys() & {"x-github-event", "x-github-hook-id"}:
            sender = "a WebSub hub"  # noqa: PLW2901 - others sign with the same header
        if not value or is_masked(value) or sender in made:
            continue
        which = told.get(naming, "").strip() if naming else ""
        made[sender] = maker.named(
            "webhook",
            f"header:{header}",
            f"webhook\0{sender}\0{which}",
            f"webhook of {sender}"
            + (f" ({shown(which)})" if which and _PLAIN.match(which) and shown(which) else ""),
            name=sender,
        )
    return list(made.values())


_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .:/_-]{0,99}\Z")
