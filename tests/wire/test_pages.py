"""The world's plain address, which `make run` prints for people to open."""

import httpx


def test_it_leads_to_where_every_phone_and_the_shop_are_linked(world_url, site_url):
    answer = httpx.get(world_url)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{site_url}/demo")

    page = httpx.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "/shop/" in page.text
    assert "/phone/" in page.text
