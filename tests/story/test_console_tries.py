"""Wrong tries to sign in to the partners' console that arrive at the same instant are counted one by one."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx


def test_each_of_many_wrong_tries_at_once_is_counted(town):
    email = f"{uuid.uuid4().hex}@bookshop.example"
    partner = town.manage("demo", "partner")["id"]
    town.manage("partners", "add-user", partner, "--email", email)
    sign_in = f"{town.base_url}/partners/console/sign-in"

    def wrong(_):
        with httpx.Client() as browser:
            browser.get(sign_in)
            token = browser.cookies["csrftoken"]
            given = {"email": email, "password": "x", "token": "000000", "csrfmiddlewaretoken": token}
            return browser.post(sign_in, data=given, headers={"Referer": sign_in}).status_code

    def counted():
        columns = "SELECT failed_tries, locked_until IS NOT NULL FROM verification_partneruser WHERE partner_id = %s"
        return town.rows(columns, partner)

    with ThreadPoolExecutor(4) as crowd:
        assert list(crowd.map(wrong, range(4))) == [422] * 4
        assert counted() == [(4, False)]
        assert list(crowd.map(wrong, range(4))) == [422] * 4
        assert counted() == [(0, True)]  # locked by the fifth; while it is, nothing is counted
