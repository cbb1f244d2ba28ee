"""What each role at the desk may do: the one table, from which the groups get their permissions (`staff.set_up_roles`).

Least rights (PIPC 2026-9): who handles customers does not read the record of access, who reads it handles nobody.
"""

from ansim.record_models import Role

CUSTOMERS = frozenset(
    {
        "ansim.find_customer",
        "ansim.reveal_customer",
        "ansim.ask_cancellation",
        "ansim.ask_reset",
        "ansim.stop_pending",
        "ansim.revoke_app",
        "ansim.stop_line",
        "ansim.send_install_link",
        "verification.view_case",
        "verification.change_case",
    }
)
PARTNERS = frozenset(
    {
        "verification.view_partner",
        "verification.change_partner",
        "verification.view_webhookdelivery",
        "verification.change_webhookdelivery",
        "verification.view_webhookattempt",
    }
)
CARRIER = frozenset({"subscriptions.view_carrierevent", "subscriptions.change_carrierevent"})
SITE = frozenset(
    f"subscriptions.{deed}_{what}" for deed in ("view", "add", "change") for what in ("announcement", "question")
)
CONTRACTS = frozenset(
    {
        "verification.add_partner",
        "verification.add_apikey",
        "subscriptions.view_price",
        "subscriptions.add_price",
        "subscriptions.view_consentdocument",
        "subscriptions.add_consentdocument",
    }
)
"""Who may be a partner and come in as one; what customers pay and agree to."""
PERMISSIONS: dict[str, frozenset[str]] = {
    Role.AGENT: CUSTOMERS,
    Role.SUPERVISOR: CUSTOMERS
    | PARTNERS
    | CARRIER
    | SITE
    | {"ansim.view_all_looks", "ansim.view_agent", "ansim.add_agent", "ansim.change_agent"}
    | {"ansim.approve_pending", "ansim.review_record", "ansim.view_retentionrule", "ansim.change_retentionrule"},
    Role.AUDITOR: frozenset(
        {
            "ansim.view_accessrecord",
            "ansim.view_all_looks",
            "ansim.view_agent",
            "ansim.review_record",
            "ansim.view_retentionrule",
        }
    ),
    Role.PARTNER_MANAGER: PARTNERS | SITE | CONTRACTS,
}
MAY_MANAGE = {Role.SUPERVISOR: frozenset({str(Role.AGENT)})}
"""Whose accounts a role may make, change and invite. All others are for `manage.py agents`: a supervisor who could
make a second supervisor would be maker and checker in one person."""


def manageable(roles: list[str]) -> frozenset[str]:
    """The roles that somebody with these roles may give."""
    return frozenset().union(*(MAY_MANAGE.get(Role(role), frozenset()) for role in roles if role in Role.values))
