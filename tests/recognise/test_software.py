"""What user agents are taken for: by name, by declaration, by form; browsers and libraries are no bots."""

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from fake_useragent.utils import load

from wardgate.recognise.software import software_of

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "kind", "product"),
    [
        ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "agent", "GPTBot"),
        ("Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)", "agent", "ChatGPT-User"),
        ("Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "agent", "ClaudeBot"),
        ("Claude-User/1.0", "agent", "Claude-User"),
        ("Mozilla/5.0 (compatible; PerplexityBot/1.0)", "agent", "PerplexityBot"),
        ("Google-Extended", "agent", "Google-Extended"),
        ("OpenAI/Python 1.40.0", "agent", "OpenAI"),
        ("AsyncAnthropic/Python 0.34.0", "agent", "AsyncAnthropic"),
        ("langchain-community/0.2", "agent", "langchain-community"),
        ("mcp-remote/0.1.16", "agent", "mcp-remote"),
        ("python-mcp/1.0", "agent", "python-mcp"),
        ("claude-code/1.0.35", "agent", "claude-code"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler", "Googlebot"),
        ("AcmeCrawler/0.1", "crawler", "AcmeCrawler"),
        ("inhouse-thing/1.0 (+https://acme.example/about)", "crawler", None),
        ("sqlmap/1.7.2#stable (https://sqlmap.org)", "scanner", "sqlmap"),
        ("Mozilla/5.00 (Nikto/2.1.6) (Evasions:None)", "scanner", "Nikto"),
        ("curl/8.5.0", "service", "curl"),
        ("python-requests/2.32.3", "service", "python-requests"),
        ("orders-service/1.4.2", "service", "orders-service"),
        ("Scrapy/2.11 (+https://scrapy.org)", "crawler", "Scrapy"),
        (CHROME, "person", "Chrome"),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT X30) " + CHROME.partition(") ")[2], "person", "Chrome"),
        ("Reeder/2.1.1 CFNetwork/672.0.8 Darwin/14.0.0", "person", "Reeder"),
        ("okta-sdk-python/2.2.0 python/3.8.2 Darwin/19.6.0", "service", "okta-sdk-python"),
        ("shop-worker/1.2 node/20.1 darwin", "service", "shop-worker"),
        ("acme-sdk/3.1 (Darwin/19.6.0)", "service", "acme-sdk"),
        ("Cargo/1.0 CFNetwork/672.0.8 Darwin/14.0.0", "person", "Cargo"),
        ("\\x16\\x03", "unknown", None),
    ],
)
def test_software_is_told_from_its_user_agent(agent: str, kind: str, product: str | None) -> None:
    found = software_of(agent)
    assert found.kind == kind, found
    assert product is None or found.product == product
    assert 0 < found.confidence < 1 and found.basis


def test_declared_bots_are_recognised() -> None:
    """All of the samples in the package, HTTP libraries left out."""
    samples = [
        agent
        for one in CRAWLER_USER_AGENTS_DATA
        if "http-library" not in one["tags"]
        for agent in one["instances"]
    ]
    assert len(samples) > 1_500
    missed = [agent for agent in samples if software_of(agent).kind not in ("crawler", "agent", "scanner")]
    assert len(missed) <= 0.01 * len(samples), missed


def test_browsers_are_no_bots() -> None:
    agents = sorted({one["useragent"] for one in load()})
    assert len(agents) > 500
    taken = [agent for agent in agents if software_of(agent).kind != "person"]
    assert len(taken) <= 0.005 * len(agents), taken


@pytest.mark.parametrize("agent", ["", " ", "/", "(", "\x00" * 10, "é" * 3000, "bot " * 5000])
def test_any_text_is_taken_for_something(agent: str) -> None:
    assert software_of(agent).product
