"""Names of software that the list of declared bots lacks or sees otherwise: agents, scanners, libraries.

AI agents are more than crawlers: assistants that fetch for a person, the clients of model makers' own SDKs,
agent frameworks, coding agents, and clients of MCP and A2A. Names are as their makers document them.
"""

import re2

AGENTS = re2.compile(
    r"(?i)"
    # Crawlers and fetchers of model makers.
    r"gptbot|chatgpt|oai-searchbot|openai|claude|anthropic|perplexity|mistralai|mistral-client|cohere|"
    r"google-extended|google-agent|googleagent|gemini-|geminicli|google-genai|notebooklm|google-cloudvertex|"
    r"meta-external|meta-webindexer|amazonbot|amzn-user|amzn-searchbot|amazonbuyforme|bedrock|nova ?act|"
    r"applebot-extended|bytespider|deepseek|grok(?:bot|-|/)|xai-|youbot|duckassist|ai2bot|diffbot|ccbot|"
    r"phindbot|exasearchbot|tavily|firecrawl|jina(?:bot|-)|linkupbot|azureai-|copilot[-/]|githubcopilot|"
    # Agents that act, and frameworks they are made with.
    r"manus-user|operator/|browser-use|browserbase|stagehand|skyvern|\bdevin\b|auto-?gpt|babyagi|superagi|"
    r"langchain|langgraph|langsmith|llama-?index|crewai|autogen|smolagents|haystack|semantic-kernel|"
    r"pydantic-ai|openai-agents|agno/|strands-agents|vercel-ai|ai-sdk/|litellm|ollama|"
    # Coding agents.
    r"\bcursor/|windsurf|\bcline/|\baider/|codex[-_/]|opencode|roo-code|\bgoose/|"
    # Clients of MCP and A2A.
    r"\bmcp[-_/ ]|[-_/]mcp\b|modelcontextprotocol|fastmcp|\ba2a[-_/ ]|[-_/]a2a\b|ai[-_ ]?agent"
)
SCANNERS = re2.compile(
    r"(?i)"
    r"sqlmap|nikto|\bnmap\b|nmap scripting|masscan|zgrab|zmap|nuclei|wpscan|gobuster|dirbuster|\bdirb\b|"
    r"dirsearch|feroxbuster|\bffuf\b|\bfuzz faster|wfuzz|acunetix|nessus|openvas|qualys|netsparker|"
    r"invicti|\bburp|zaproxy|owasp[ _-]?zap|arachni|w3af|jaeles|httpx - open|censys|shodan|expanse|"
    r"l9explore|l9tcpid|l9scan|nmaplowercheck|internet-?measurement|internetmeasurement|paloalto|morfeus|"
    r"zmeu|libredtail|\bhydra\b|commix|xsser|whatweb|joomscan|droopescan|skipfish|vega/|detectify|"
    r"intruder\.io|\bkatana\b|projectdiscovery|interactsh|schemathesis|restler|\bcats/|dalfox|xray/|"
    r"fofa|zoomeye|leakix|onyphe|binaryedge|netcraft|stretchoid|criminalip|\bodin;|visionheight|shadowserver"
)
LIBRARIES = re2.compile(
    r"(?i)"
    r"^(?:postman(?:runtime)?|insomnia|bruno(?:runtime)?|httpie|wget|curl|libcurl|python|requests|urllib3?|httpx|"
    r"aiohttp|go-http|go-resty|resty|okhttp|java|jersey|apache-http|axios|node|undici|got|ruby|faraday|"
    r"rest-client|typhoeus|guzzle|php|symfony|dart|reqwest|hyper|restsharp|refit|grpc|k6|jmeter|"
    r"apache-jmeter|vegeta|hey|wrk|locust|gatling|newman|paw|rapidapi|thunder client|terraform|"
    r"kube-probe|elb-healthchecker|googlehc|prometheus|grafana|stripe|aws-sdk|boto3?|azsdk|"
    r"microsoft azure|google-api|gcloud|git|docker|helm|kubectl|powershell)\b"
)
TOOLS_THAT_CRAWL = re2.compile(
    r"(?i)"
    r"crawl|httrack|scrapy|newspaper|larbin|trafilatura|colly|bot\b|opengraph|download ninja|mechanize"
)
NOT_BOTS = re2.compile(
    r"(?i)"
    # A phone maker, a browser's word, and parts of products that end like a bot.
    r"cubot[\w .-]*|\babbot\w*|robot(?:o|ics)\w*|talbot\w*|webview"
)
SDKS = re2.compile(r"(?i)^[\w.-]+(?:/v\d+)? (?:[a-z]+bindings|[a-z]*sdk|[a-z]+client)/")
