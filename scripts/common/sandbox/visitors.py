"""What call tracking and the GetCall widget know of the site's visitors who call, or ask to be called."""

import random
from typing import Any

SITE = "shop.example.com"
PAGES = ("", "catalog/phones", "delivery", "contacts")
CAMPAIGNS = (
    ("google", "cpc", "Campaign_Performance_Max", "(not set)", "(not set)"),
    ("google", "organic", "(not set)", "(not set)", "(not provided)"),
    ("facebook", "social", "spring_sale", "video_1", "(not set)"),
    ("(direct)", "(none)", "(not set)", "(not set)", "(not set)"),
)
CITIES = (("Zhytomyr", "Zhytomyr"), ("Kyyiv", "Kiev"), ("L'vivs'ka Oblast'", "Lviv"))


def calltracking(rng: random.Random, start: int) -> dict[str, Any]:
    """The callTrackingData of a call that began at `start`, in Unix seconds."""
    on_site = rng.randrange(20, 1200)
    first_visit = start - on_site - rng.choice((0, 0, 86400 * rng.randrange(1, 30)))
    return {
        "id": str(rng.randrange(10**7, 2 * 10**7)),
        "firstVisitAt": str(first_visit),
        "timeSpentOnSiteBeforeMakeCall": str(on_site),
    } | _visitor(rng, first_visit)


def getcall(rng: random.Random, start: int, number: str) -> dict[str, Any]:
    """The getCallData of a call that was asked for and began at `start`, in Unix seconds."""
    asked = start - rng.randrange(5, 60)
    return {
        "id": str(rng.randrange(4 * 10**6, 5 * 10**6)),
        "widgetID": "1",
        "externalNumber": number,
        "isNewNumber": "0",
        "createdAt": str(asked),
        "callAt": str(asked),
        "processedAt": str(start),
        "isProcessed": "1",
        "generalCallID": "",
        "requestsCounter": str(rng.choice((1, 1, 2))),
        "attemptsCounter": "1",
        "employeesDontAnswerCounter": "0",
        "clientDontAnswerCounter": "0",
        "description": "",
    } | _visitor(rng, asked)


def _visitor(rng: random.Random, first_visit: int) -> dict[str, Any]:
    source, medium, campaign, content, term = rng.choice(CAMPAIGNS)
    region, city = rng.choice(CITIES)
    return {
        "fullUrl": f"https://{SITE}/ua/{rng.choice(PAGES)}",
        "gaTrackingId": "G-0000000000",
        "gaClientId": f"{rng.randrange(10**9)}.{first_visit}",
        "utm_source": source,
        "utm_medium": medium,
        "utm_campaign": campaign,
        "utm_content": content,
        "utm_term": term,
        "ipAddress": f"192.0.2.{rng.randrange(1, 255)}",
        "geoipCountry": "Ukraine",
        "geoipRegion": region,
        "geoipCity": city,
        "geoipOrg": rng.choice(("Example ISP", None)),
        "domain": SITE,
    }
